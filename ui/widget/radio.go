package widget

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
)

// radioHeight is the height of one option, radioDot the width of its circle.
const (
	radioHeight float32 = 28
	radioDot    float32 = 18
)

// Radio lets the user choose one of several options, below each other. The
// arrows move the choice.
type Radio struct {
	fwidget.BaseWidget
	// OnChanged is called when the user has chosen another option.
	OnChanged func(chosen int)

	options []string
	chosen  int
	hovered int // -1: none
	focused bool
}

var (
	_ fyne.Tappable     = (*Radio)(nil)
	_ fyne.Focusable    = (*Radio)(nil)
	_ desktop.Hoverable = (*Radio)(nil)
)

// NewRadio returns the options, the first of them chosen.
func NewRadio(options ...string) *Radio {
	r := &Radio{options: options, hovered: -1}
	r.ExtendBaseWidget(r)
	return r
}

// Chosen returns the index of the chosen option.
func (r *Radio) Chosen() int { return r.chosen }

// Choose chooses an option without telling OnChanged.
func (r *Radio) Choose(option int) {
	if option != r.chosen {
		r.chosen = option
		r.Refresh()
	}
}

func (r *Radio) choose(option int) {
	if option < 0 || option >= len(r.options) || option == r.chosen {
		return
	}
	r.Choose(option)
	if r.OnChanged != nil {
		r.OnChanged(option)
	}
}

// Tapped is called by Fyne.
func (r *Radio) Tapped(ev *fyne.PointEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(r); c != nil {
		c.Focus(r)
	}
	r.choose(int(ev.Position.Y / radioHeight))
}

// FocusGained is called by Fyne.
func (r *Radio) FocusGained() { r.focused = true; r.Refresh() }

// FocusLost is called by Fyne.
func (r *Radio) FocusLost() { r.focused = false; r.Refresh() }

// TypedRune is called by Fyne.
func (r *Radio) TypedRune(rune) {}

// TypedKey moves the choice.
func (r *Radio) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeyUp, fyne.KeyLeft:
		r.choose(r.chosen - 1)
	case fyne.KeyDown, fyne.KeyRight:
		r.choose(r.chosen + 1)
	default:
		forwardKey(r, ev)
	}
}

// MouseIn is called by Fyne.
func (r *Radio) MouseIn(ev *desktop.MouseEvent) { r.MouseMoved(ev) }

// MouseMoved is called by Fyne.
func (r *Radio) MouseMoved(ev *desktop.MouseEvent) {
	if over := int(ev.Position.Y / radioHeight); over != r.hovered {
		r.hovered = over
		r.Refresh()
	}
}

// MouseOut is called by Fyne.
func (r *Radio) MouseOut() { r.hovered = -1; r.Refresh() }

// CreateRenderer is called by Fyne.
func (r *Radio) CreateRenderer() fyne.WidgetRenderer {
	out := &radioRenderer{radio: r}
	for _, option := range r.options {
		one := radioOption{
			back: &canvas.Rectangle{CornerRadius: theme.RadiusRow},
			ring: &canvas.Rectangle{CornerRadius: theme.RadiusRow, StrokeWidth: theme.FocusRing, FillColor: color.Transparent},
			rim:  &canvas.Circle{StrokeWidth: 1.75},
			dot:  &canvas.Circle{},
			text: &canvas.Text{Text: option, TextSize: theme.TextBody},
		}
		out.options = append(out.options, one)
		out.objects = append(out.objects, one.back, one.rim, one.dot, one.text, one.ring)
	}
	out.paint()
	return out
}

type radioOption struct {
	back, ring *canvas.Rectangle
	rim, dot   *canvas.Circle
	text       *canvas.Text
}

type radioRenderer struct {
	radio   *Radio
	options []radioOption
	objects []fyne.CanvasObject
}

// Destroy is called by Fyne.
func (r *radioRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *radioRenderer) MinSize() fyne.Size {
	var width float32
	for _, o := range r.options {
		width = max(width, o.text.MinSize().Width)
	}
	return fyne.NewSize(radioDot+3*theme.Space8+width, radioHeight*float32(len(r.options)))
}

// Objects is called by Fyne.
func (r *radioRenderer) Objects() []fyne.CanvasObject { return r.objects }

// Layout is called by Fyne.
func (r *radioRenderer) Layout(fyne.Size) {
	const inset = (radioHeight - radioDot) / 2
	for i, o := range r.options {
		y := float32(i) * radioHeight
		text := o.text.MinSize()
		row := fyne.NewSize(radioDot+3*theme.Space8+text.Width, radioHeight)
		o.back.Move(fyne.NewPos(0, y))
		o.back.Resize(row)
		o.ring.Move(fyne.NewPos(0, y))
		o.ring.Resize(row)
		o.rim.Move(fyne.NewPos(theme.Space8, y+inset))
		o.rim.Resize(fyne.NewSquareSize(radioDot))
		o.dot.Move(fyne.NewPos(theme.Space8+5, y+inset+5))
		o.dot.Resize(fyne.NewSquareSize(radioDot - 10))
		o.text.Move(fyne.NewPos(radioDot+2*theme.Space8, y+(radioHeight-text.Height)/2))
		o.text.Resize(text)
	}
}

func (r *radioRenderer) paint() {
	for i, o := range r.options {
		chosen := i == r.radio.chosen
		o.back.FillColor = color.Transparent
		if i == r.radio.hovered {
			o.back.FillColor = theme.Color(theme.Hover)
		}
		o.ring.StrokeColor = theme.Color(theme.Primary)
		o.ring.Hidden = !r.radio.focused || !chosen
		o.rim.FillColor = theme.Color(theme.Surface)
		o.rim.StrokeColor = theme.Color(theme.InputBorder)
		if chosen {
			o.rim.StrokeColor = theme.Color(theme.Primary)
		}
		o.dot.FillColor = theme.Color(theme.Primary)
		o.dot.Hidden = !chosen
		o.text.Color = theme.Color(theme.Text)
	}
}

// Refresh is called by Fyne.
func (r *radioRenderer) Refresh() {
	r.paint()
	canvas.Refresh(r.radio)
}
