package widget

import (
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
)

// Column is one column of a table.
type Column struct {
	Key   string // names it for sorting; empty: not sortable
	Title string
	Width float32 // 0: takes what the others leave
	Right bool    // aligned right, for numbers
	From  float32 // shown from this width of the table on
}

// Columns lays out one object per column, in rows and in the header alike.
type Columns []Column

// columnGap is the space between columns.
const columnGap = theme.Space16

// Layout is called by Fyne.
func (c Columns) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	rest := size.Width
	shown := 0
	for i, col := range c {
		visible := size.Width >= col.From
		if objects[i].Visible() != visible {
			if visible {
				objects[i].Show()
			} else {
				objects[i].Hide()
			}
		}
		if visible {
			rest -= col.Width
			shown++
		}
	}
	rest -= columnGap * float32(shown-1)
	var x float32
	for i, col := range c {
		if size.Width < col.From {
			continue
		}
		width := col.Width
		if width == 0 {
			width = max(0, rest)
		}
		objects[i].Move(fyne.NewPos(x, 0))
		objects[i].Resize(fyne.NewSize(width, size.Height))
		x += width + columnGap
	}
}

// MinSize is called by Fyne.
func (c Columns) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		size.Height = max(size.Height, o.MinSize().Height)
	}
	return size
}

// Header is the line of titles above a table. A click on a sortable one sorts
// by it, another click the other way round.
type Header struct {
	*fyne.Container
	// OnSort is called when the user has chosen an order.
	OnSort func(key string, descending bool)

	titles     []*title
	key        string
	descending bool
}

// NewHeader returns the titles of columns, sorted by key.
func NewHeader(columns Columns, key string) *Header {
	h := &Header{key: key}
	objects := make([]fyne.CanvasObject, len(columns))
	for i, col := range columns {
		t := &title{column: col, header: h, text: NewBold(col.Title, theme.TextCaption, theme.SecondText), icon: NewIcon("chevron-up", theme.SecondText).Sized(14)}
		t.ring = &canvas.Rectangle{CornerRadius: theme.RadiusRow, StrokeWidth: theme.FocusRing}
		t.ring.Hidden = true
		t.ExtendBaseWidget(t)
		h.titles = append(h.titles, t)
		objects[i] = t
	}
	h.Container = Inset(Fixed(0, 24, container.New(columns, objects...)), 0, theme.Space12, 0, theme.Space12)
	h.mark()
	return h
}

func (h *Header) tap(key string) {
	if key == "" {
		return
	}
	if h.key == key {
		h.descending = !h.descending
	} else {
		h.key, h.descending = key, false
	}
	h.mark()
	if h.OnSort != nil {
		h.OnSort(h.key, h.descending)
	}
}

// focusBeside takes the keyboard from one title to the next that is shown.
func (h *Header) focusBeside(from *title, step int) {
	c := fyne.CurrentApp().Driver().CanvasForObject(from)
	for i := slices.Index(h.titles, from) + step; c != nil && i >= 0 && i < len(h.titles); i += step {
		if t := h.titles[i]; t.Visible() && t.column.Key != "" {
			c.Focus(t)
			return
		}
	}
}

// Clear shows no order: the rows stand as they came.
func (h *Header) Clear() {
	h.key, h.descending = "", false
	h.mark()
}

func (h *Header) mark() {
	for _, t := range h.titles {
		t.icon.Hidden = h.key == "" || t.column.Key != h.key
		name := "chevron-up"
		if h.descending {
			name = "chevron-down"
		}
		t.icon.Set(name, theme.SecondText)
		t.Refresh()
	}
}

// title is one column's title.
type title struct {
	fwidget.BaseWidget
	column Column
	header *Header
	text   *Text
	icon   *Icon
	ring   *canvas.Rectangle // shows that the keyboard is here
}

var (
	_ desktop.Hoverable = (*title)(nil)
	_ fyne.Focusable    = (*title)(nil)
)

// Tapped is called by Fyne.
func (t *title) Tapped(*fyne.PointEvent) {
	// The focus that the click brought is for the keyboard.
	if c := fyne.CurrentApp().Driver().CanvasForObject(t); c != nil && c.Focused() == t {
		c.Unfocus()
	}
	t.header.tap(t.column.Key)
}

// FocusGained is called by Fyne.
func (t *title) FocusGained() {
	t.ring.Hidden = false
	t.Refresh()
}

// FocusLost is called by Fyne.
func (t *title) FocusLost() {
	t.ring.Hidden = true
	t.Refresh()
}

// TypedRune is called by Fyne.
func (t *title) TypedRune(rune) {}

// TypedKey sorts on Enter and Space, and goes to the titles beside it.
func (t *title) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		t.header.tap(t.column.Key)
	case fyne.KeyLeft:
		t.header.focusBeside(t, -1)
	case fyne.KeyRight:
		t.header.focusBeside(t, 1)
	default:
		forwardKey(t, ev)
	}
}

// MouseIn is called by Fyne.
func (t *title) MouseIn(*desktop.MouseEvent) {
	if t.column.Key != "" {
		t.text.Set(t.column.Title, theme.Text)
	}
}

// MouseMoved is called by Fyne.
func (t *title) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is called by Fyne.
func (t *title) MouseOut() { t.text.Set(t.column.Title, theme.SecondText) }

// CreateRenderer is called by Fyne.
func (t *title) CreateRenderer() fyne.WidgetRenderer { return &titleRenderer{t} }

type titleRenderer struct{ title *title }

// Destroy is called by Fyne.
func (r *titleRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *titleRenderer) MinSize() fyne.Size { return fyne.NewSize(0, r.title.text.MinSize().Height) }

// Objects is called by Fyne.
func (r *titleRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.title.text, r.title.icon, r.title.ring}
}

// Layout is called by Fyne.
func (r *titleRenderer) Layout(size fyne.Size) {
	t := r.title
	width := t.text.MinSize().Width
	icon := t.icon.MinSize()
	x := float32(0)
	iconX := width + theme.Space4
	if t.column.Right {
		x = size.Width - width
		iconX = x - icon.Width - theme.Space4
	}
	t.text.Move(fyne.NewPos(x, 0))
	t.text.Resize(fyne.NewSize(width, size.Height))
	t.icon.Move(fyne.NewPos(iconX, (size.Height-icon.Height)/2))
	t.icon.Resize(icon)
	// Around the words, which begin where the column does.
	t.ring.Move(fyne.NewPos(min(x, iconX)-theme.Space4, 0))
	if t.icon.Hidden {
		t.ring.Move(fyne.NewPos(x-theme.Space4, 0))
		t.ring.Resize(fyne.NewSize(width+2*theme.Space4, size.Height))
		return
	}
	t.ring.Resize(fyne.NewSize(width+icon.Width+3*theme.Space4, size.Height))
}

// Refresh is called by Fyne.
func (r *titleRenderer) Refresh() {
	r.title.text.Refresh()
	r.title.icon.Refresh()
	r.title.ring.StrokeColor = theme.Color(theme.Primary)
	r.title.ring.FillColor = color.Transparent
	r.title.ring.Refresh()
	r.Layout(r.title.Size())
}
