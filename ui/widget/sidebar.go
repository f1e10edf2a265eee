package widget

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
)

// The height of an entry of the sidebar, and the room between what is in it.
const (
	navHeight float32 = 36
	navGap    float32 = 8
	navEnd    float32 = 6 // between the badge and the edge
)

// NavItem is one entry of the sidebar: an icon, a name, and a badge that
// counts what needs a look.
type NavItem struct {
	fwidget.BaseWidget
	attended
	OnTapped func()

	name, icon string
	count      int
	urgent     bool
	chosen     bool
}

var (
	_ fyne.Tappable     = (*NavItem)(nil)
	_ fyne.Focusable    = (*NavItem)(nil)
	_ desktop.Hoverable = (*NavItem)(nil)
)

// NewNavItem returns an entry without a badge.
func NewNavItem(name, icon string, tapped func()) *NavItem {
	n := &NavItem{name: name, icon: icon, OnTapped: tapped}
	n.self = n
	n.ExtendBaseWidget(n)
	return n
}

// SetChosen marks the entry whose page is shown.
func (n *NavItem) SetChosen(chosen bool) {
	if chosen != n.chosen {
		n.chosen = chosen
		n.Refresh()
	}
}

// Chosen reports whether the entry's page is shown.
func (n *NavItem) Chosen() bool { return n.chosen }

// SetBadge shows a count, or nothing for 0. An urgent one is a problem.
func (n *NavItem) SetBadge(count int, urgent bool) {
	if count != n.count || urgent != n.urgent {
		n.count, n.urgent = count, urgent
		n.Refresh()
	}
}

// Badge returns the count.
func (n *NavItem) Badge() int { return n.count }

// Tapped is called by Fyne.
func (n *NavItem) Tapped(*fyne.PointEvent) { n.OnTapped() }

// TypedKey opens the page on Enter and Space, and moves like Tab on the
// arrows.
func (n *NavItem) TypedKey(ev *fyne.KeyEvent) {
	c := fyne.CurrentApp().Driver().CanvasForObject(n)
	switch {
	case ev.Name == fyne.KeyReturn, ev.Name == fyne.KeyEnter, ev.Name == fyne.KeySpace:
		n.OnTapped()
	case ev.Name == fyne.KeyDown && c != nil:
		c.FocusNext()
	case ev.Name == fyne.KeyUp && c != nil:
		c.FocusPrevious()
	default:
		forwardKey(n, ev)
	}
}

// CreateRenderer is called by Fyne.
func (n *NavItem) CreateRenderer() fyne.WidgetRenderer {
	r := &navRenderer{
		item: n,
		back: &canvas.Rectangle{CornerRadius: theme.RadiusRow},
		bar:  &canvas.Rectangle{CornerRadius: theme.SelectionBar / 2},
		ring: &canvas.Rectangle{CornerRadius: theme.RadiusRow, StrokeWidth: theme.FocusRing, FillColor: color.Transparent},
		icon: &canvas.Image{FillMode: canvas.ImageFillContain},
		text: &canvas.Text{Text: n.name, TextSize: theme.TextBody},
		pill: &canvas.Rectangle{CornerRadius: 9},
		num:  &canvas.Text{TextSize: theme.TextCaption, TextStyle: fyne.TextStyle{Bold: true}, Alignment: fyne.TextAlignCenter},
	}
	r.Refresh()
	return r
}

type navRenderer struct {
	item            *NavItem
	back, bar, ring *canvas.Rectangle
	icon            *canvas.Image
	text            *canvas.Text
	pill            *canvas.Rectangle
	num             *canvas.Text
}

// Destroy is called by Fyne.
func (r *navRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *navRenderer) MinSize() fyne.Size { return fyne.NewSize(120, navHeight) }

// Objects is called by Fyne.
func (r *navRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.back, r.bar, r.icon, r.text, r.pill, r.num, r.ring}
}

// Layout is called by Fyne.
func (r *navRenderer) Layout(size fyne.Size) {
	r.back.Resize(size)
	r.ring.Resize(size)
	r.bar.Move(fyne.NewPos(0, theme.Space8))
	r.bar.Resize(fyne.NewSize(theme.SelectionBar, size.Height-2*theme.Space8))
	r.icon.Move(fyne.NewPos(theme.Space12, (size.Height-theme.IconSize)/2))
	r.icon.Resize(fyne.NewSquareSize(theme.IconSize))
	text := r.text.MinSize()
	r.text.Move(fyne.NewPos(theme.Space12+theme.IconSize+navGap, (size.Height-text.Height)/2))
	r.text.Resize(text)
	num, width := r.badge()
	r.pill.Move(fyne.NewPos(size.Width-width-navEnd, (size.Height-18)/2))
	r.pill.Resize(fyne.NewSize(width, 18))
	r.num.Move(fyne.NewPos(size.Width-width-navEnd, (size.Height-num.Height)/2))
	r.num.Resize(fyne.NewSize(width, num.Height))
}

// badge returns the size of the count and the width of what is around it.
func (r *navRenderer) badge() (num fyne.Size, width float32) {
	num = r.num.MinSize()
	return num, max(22, num.Width+12)
}

// Refresh is called by Fyne.
func (r *navRenderer) Refresh() {
	n := r.item
	var fill color.Color = color.Transparent
	ink := theme.Text
	switch {
	case n.chosen:
		fill, ink = theme.Color(theme.Selected), theme.Primary
	case n.hovered:
		fill = theme.Color(theme.Hover)
	}
	r.back.FillColor = fill
	r.bar.FillColor = theme.Color(theme.Primary)
	r.bar.Hidden = !n.chosen
	r.ring.StrokeColor = theme.Color(theme.Primary)
	r.ring.Hidden = !n.focused
	r.icon.Resource = theme.Icon(n.icon, ink)
	r.text.Color = theme.Color(theme.Text)
	r.text.TextStyle.Bold = n.chosen
	r.pill.Hidden, r.num.Hidden = n.count == 0, n.count == 0
	r.pill.FillColor = theme.Color(theme.Primary)
	if n.urgent {
		r.pill.FillColor = theme.Color(theme.Error)
	}
	r.num.Color = theme.Color(theme.TextOnPrimary)
	r.num.Text = format.Count(n.count)
	if _, width := r.badge(); n.count > 0 && n.Size().Width > 0 &&
		theme.Space12+theme.IconSize+navGap+r.text.MinSize().Width > n.Size().Width-width-navEnd {
		r.text.TextStyle.Bold = false // a long name leaves the badge its room
	}
	r.Layout(n.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}
