package widget

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
)

// The measures of a switch's track, which leaves room for the ring of the
// keyboard at its left, and of the knob in it.
const (
	switchMargin         = theme.Space4
	switchWidth  float32 = 36
	switchHeight float32 = 20
	switchKnob   float32 = 14
	switchLine   float32 = 32
)

// Switch is a line of text with something to turn on and off.
type Switch struct {
	fwidget.BaseWidget
	attended
	// OnChanged is called when the user has turned it.
	OnChanged func(on bool)

	text string
	on   bool
}

var (
	_ fyne.Tappable     = (*Switch)(nil)
	_ fyne.Focusable    = (*Switch)(nil)
	_ desktop.Hoverable = (*Switch)(nil)
)

// NewSwitch returns a switch that is off.
func NewSwitch(text string) *Switch {
	s := &Switch{text: text}
	s.self = s
	s.ExtendBaseWidget(s)
	return s
}

// On reports whether it is on.
func (s *Switch) On() bool { return s.on }

// Set turns it without telling OnChanged.
func (s *Switch) Set(on bool) {
	if on != s.on {
		s.on = on
		s.Refresh()
	}
}

// Tapped turns it.
func (s *Switch) Tapped(*fyne.PointEvent) {
	s.Set(!s.on)
	if s.OnChanged != nil {
		s.OnChanged(s.on)
	}
}

// TypedKey turns it on Enter and Space.
func (s *Switch) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		s.Tapped(nil)
	default:
		forwardKey(s, ev)
	}
}

// CreateRenderer is called by Fyne.
func (s *Switch) CreateRenderer() fyne.WidgetRenderer {
	r := &switchRenderer{
		turn:  s,
		track: &canvas.Rectangle{CornerRadius: switchHeight / 2, StrokeWidth: 1},
		knob:  &canvas.Circle{},
		ring:  &canvas.Rectangle{CornerRadius: theme.RadiusRow, StrokeWidth: theme.FocusRing, FillColor: color.Transparent},
		text:  &canvas.Text{Text: s.text, TextSize: theme.TextBody},
	}
	r.Refresh()
	return r
}

type switchRenderer struct {
	turn        *Switch
	track, ring *canvas.Rectangle
	knob        *canvas.Circle
	text        *canvas.Text
}

// Destroy is called by Fyne.
func (r *switchRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *switchRenderer) MinSize() fyne.Size {
	return fyne.NewSize(switchMargin+switchWidth+theme.Space12+r.text.MinSize().Width+theme.Space8, switchLine)
}

// Objects is called by Fyne.
func (r *switchRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.track, r.knob, r.text, r.ring}
}

// Layout is called by Fyne.
func (r *switchRenderer) Layout(size fyne.Size) {
	y := (size.Height - switchHeight) / 2
	r.track.Move(fyne.NewPos(switchMargin, y))
	r.track.Resize(fyne.NewSize(switchWidth, switchHeight))
	const inset = (switchHeight - switchKnob) / 2
	x := switchMargin + inset
	if r.turn.on {
		x = switchMargin + switchWidth - switchKnob - inset
	}
	r.knob.Move(fyne.NewPos(x, y+inset))
	r.knob.Resize(fyne.NewSquareSize(switchKnob))
	text := r.text.MinSize()
	r.text.Move(fyne.NewPos(switchMargin+switchWidth+theme.Space12, (size.Height-text.Height)/2))
	r.text.Resize(text)
	r.ring.Move(fyne.Position{})
	r.ring.Resize(fyne.NewSize(r.MinSize().Width, size.Height))
}

// Refresh is called by Fyne.
func (r *switchRenderer) Refresh() {
	s := r.turn
	track, edge, knob := theme.Color(theme.Surface), theme.Color(theme.InputBorder), theme.Color(theme.InputBorder)
	if s.hovered {
		track = theme.Color(theme.Hover)
	}
	if s.on {
		track, edge, knob = theme.Color(theme.Primary), theme.Color(theme.Primary), theme.Color(theme.TextOnPrimary)
	}
	r.track.FillColor, r.track.StrokeColor, r.knob.FillColor = track, edge, knob
	r.text.Color = theme.Color(theme.Text)
	r.ring.StrokeColor = theme.Color(theme.Primary)
	r.ring.Hidden = !s.focused
	r.Layout(s.Size())
	canvas.Refresh(s)
}
