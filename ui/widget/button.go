package widget

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
)

// ButtonKind is a button's weight on the page.
type ButtonKind int

// The kinds of button.
const (
	Plain   ButtonKind = iota // outlined
	Primary                   // filled; one on a page
	Quiet                     // bare until hovered, for icons and links
	Choice                    // one of several, lit while chosen
	Chip                      // small and round at its ends, opens a choice in place
)

// Button is a text, an icon, or both, that does something when it is tapped.
type Button struct {
	fwidget.BaseWidget
	attended
	OnTapped func()

	text             string
	icon             string
	kind             ButtonKind
	trailing         bool // the icon follows the text
	link             bool // drawn in the primary colour
	height           float32
	gap              float32 // between icon and text
	chosen, disabled bool
}

var (
	_ fyne.Tappable     = (*Button)(nil)
	_ fyne.Focusable    = (*Button)(nil)
	_ desktop.Hoverable = (*Button)(nil)
)

// NewButton returns a button. Text or icon may be empty.
func NewButton(text, icon string, kind ButtonKind, tapped func()) *Button {
	b := &Button{text: text, icon: icon, kind: kind, OnTapped: tapped, height: theme.ControlHeight, gap: 6}
	if kind == Choice {
		b.height = 32
	}
	b.self = b
	b.ExtendBaseWidget(b)
	return b
}

// NewMenuButton returns a button whose icon, an arrow down, follows the text.
func NewMenuButton(text string, kind ButtonKind, tapped func()) *Button {
	b := NewButton(text, "chevron-down", kind, tapped)
	b.trailing = true
	return b
}

// NewChip returns a chip, whose arrow says that it opens a choice.
func NewChip(text string, tapped func()) *Button {
	b := NewMenuButton(text, Chip, tapped)
	b.height = 24
	return b
}

// Small makes the button fit into a row of a list, and returns it.
func (b *Button) Small() *Button {
	b.height = 28
	return b
}

// InSidebar puts icon and text where the entries of the sidebar have theirs, and
// returns the button.
func (b *Button) InSidebar() *Button {
	b.height, b.gap = navHeight, navGap
	return b
}

// Text returns the button's text.
func (b *Button) Text() string { return b.text }

// Set changes text and icon.
func (b *Button) Set(text, icon string) {
	if text != b.text || icon != b.icon {
		b.text, b.icon = text, icon
		b.Refresh()
	}
}

// SetChosen lights a Choice, or a Plain button that sets something.
func (b *Button) SetChosen(chosen bool) {
	if chosen != b.chosen {
		b.chosen = chosen
		b.Refresh()
	}
}

// Chosen reports whether the button is lit.
func (b *Button) Chosen() bool { return b.chosen }

// SetDisabled takes the button out of use.
func (b *Button) SetDisabled(disabled bool) {
	if disabled != b.disabled {
		b.disabled = disabled
		b.Refresh()
	}
}

// Disabled reports whether the button is out of use.
func (b *Button) Disabled() bool { return b.disabled }

// Tapped is called by Fyne.
func (b *Button) Tapped(*fyne.PointEvent) {
	if !b.disabled && b.OnTapped != nil {
		b.OnTapped()
	}
}

// TypedKey taps on Enter and Space.
func (b *Button) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		b.Tapped(nil)
	default:
		forwardKey(b, ev)
	}
}

// CreateRenderer is called by Fyne.
func (b *Button) CreateRenderer() fyne.WidgetRenderer {
	r := &buttonRenderer{
		button: b,
		back:   &canvas.Rectangle{CornerRadius: theme.RadiusButton},
		ring:   &canvas.Rectangle{CornerRadius: theme.RadiusButton, StrokeWidth: theme.FocusRing},
		text:   &canvas.Text{TextSize: theme.TextBody, TextStyle: fyne.TextStyle{Bold: b.kind == Primary}},
		icon:   &canvas.Image{FillMode: canvas.ImageFillContain},
	}
	if b.kind == Chip {
		r.back.CornerRadius, r.ring.CornerRadius = b.height/2, b.height/2
		r.text.TextSize = theme.TextCaption
	}
	r.Refresh()
	return r
}

type buttonRenderer struct {
	button *Button
	back   *canvas.Rectangle
	ring   *canvas.Rectangle
	text   *canvas.Text
	icon   *canvas.Image
}

// Destroy is called by Fyne.
func (r *buttonRenderer) Destroy() {}

// Objects is called by Fyne.
func (r *buttonRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.back, r.text, r.icon, r.ring}
}

// side is the length of the icon's sides.
func (r *buttonRenderer) side() float32 {
	if r.button.icon == "" {
		return 0
	}
	if r.button.kind == Chip {
		return 14
	}
	if r.button.trailing || r.button.height < 32 {
		return 16
	}
	return theme.IconSize
}

func (r *buttonRenderer) inner() (text fyne.Size, side, gap float32) {
	side = r.side()
	if r.button.text != "" {
		text = fyne.MeasureText(r.button.text, r.text.TextSize, r.text.TextStyle)
		if side > 0 {
			gap = r.button.gap
		}
	}
	return text, side, gap
}

// MinSize is called by Fyne.
func (r *buttonRenderer) MinSize() fyne.Size {
	text, side, gap := r.inner()
	height := r.button.height
	if r.button.text == "" {
		return fyne.NewSize(height, height)
	}
	pad := theme.Space12
	if r.button.height < 32 {
		pad = 10
	}
	return fyne.NewSize(text.Width+side+gap+2*pad, height)
}

// ringAway is how far the ring of the focus stands from the button. That of a
// filled one would not be told from the filling.
func (r *buttonRenderer) ringAway() float32 {
	if r.button.kind == Primary && !r.button.disabled {
		return theme.FocusRing + 1
	}
	return 0
}

// Layout is called by Fyne.
func (r *buttonRenderer) Layout(size fyne.Size) {
	r.back.Resize(size)
	away := r.ringAway()
	r.ring.Move(fyne.NewPos(-away, -away))
	r.ring.Resize(size.AddWidthHeight(2*away, 2*away))
	text, side, gap := r.inner()
	x := (size.Width - text.Width - side - gap) / 2
	iconX, textX := x, x+side+gap
	if r.button.trailing {
		textX, iconX = x, x+text.Width+gap
	}
	r.icon.Move(fyne.NewPos(iconX, (size.Height-side)/2))
	r.icon.Resize(fyne.NewSquareSize(side))
	r.text.Move(fyne.NewPos(textX, (size.Height-text.Height)/2))
	r.text.Resize(text)
}

// Refresh is called by Fyne.
func (r *buttonRenderer) Refresh() {
	b := r.button
	ink := theme.Text
	var fill, stroke color.Color = color.Transparent, color.Transparent
	switch {
	case b.kind == Primary && !b.disabled:
		ink = theme.TextOnPrimary
		fill = theme.Color(theme.Primary)
		if b.hovered {
			fill = blend(fill, theme.Color(theme.Text), 0.12)
		}
	case b.kind == Plain, b.kind == Primary, b.kind == Chip:
		stroke = theme.Color(theme.InputBorder)
		fill = theme.Color(theme.Surface)
		if b.hovered && !b.disabled {
			fill = theme.Color(theme.Hover)
		}
	case b.kind == Choice && b.chosen:
		ink = theme.Primary
		fill = theme.Color(theme.Selected)
	case b.hovered && !b.disabled:
		fill = theme.Color(theme.Hover)
	}
	if b.link {
		ink = theme.Primary
	}
	if b.kind == Plain && b.chosen {
		ink = theme.Primary
		stroke = theme.Color(theme.Primary)
		fill = theme.Color(theme.Selected)
	}
	if b.disabled {
		ink = theme.SecondText
		fill = color.Transparent
		if b.kind == Plain || b.kind == Primary || b.kind == Chip {
			stroke = theme.Color(theme.Line)
		}
	}
	r.back.FillColor, r.back.StrokeColor = fill, stroke
	r.back.StrokeWidth = 0
	if stroke != color.Transparent {
		r.back.StrokeWidth = 1
	}
	r.ring.Hidden = !b.focused
	r.ring.FillColor = color.Transparent
	r.ring.StrokeColor = theme.Color(theme.Primary)
	if b.kind == Primary {
		r.ring.StrokeColor = theme.Color(theme.Text)
		r.ring.CornerRadius = theme.RadiusButton + r.ringAway()
	}
	r.text.Text = b.text
	r.text.Color = theme.Color(ink)
	r.icon.Hidden = b.icon == ""
	if b.icon != "" {
		if b.text == "" && b.kind == Quiet && !b.hovered {
			ink = theme.SecondText
		}
		r.icon.Resource = theme.Icon(b.icon, ink)
		r.icon.Refresh()
	}
	r.Layout(b.Size())
	r.back.Refresh()
	r.ring.Refresh()
	r.text.Refresh()
}

// blend mixes part of over into under.
func blend(under, over color.Color, part float32) color.Color {
	ur, ug, ub, _ := under.RGBA()
	or, og, ob, _ := over.RGBA()
	mix := func(u, o uint32) uint8 {
		return uint8((float32(u)*(1-part) + float32(o)*part) / 257)
	}
	return color.NRGBA{R: mix(ur, or), G: mix(ug, og), B: mix(ub, ob), A: 0xFF}
}
