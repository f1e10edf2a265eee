package widget

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
)

// checkSide is the length of a Check's sides.
const checkSide float32 = 18

// Check is a small box with or without a tick, for the rows of a List. It
// takes clicks and no focus: in a list the keyboard belongs to the rows.
type Check struct {
	fwidget.BaseWidget
	// OnTapped is called for a click; the owner then calls Set.
	OnTapped func()

	on  bool
	box *canvas.Rectangle
	// tick is shown while the box is on.
	tick *canvas.Image
}

var _ fyne.Tappable = (*Check)(nil)

// NewCheck returns a box without a tick.
func NewCheck() *Check {
	c := &Check{box: &canvas.Rectangle{CornerRadius: 4}, tick: &canvas.Image{FillMode: canvas.ImageFillContain}}
	c.ExtendBaseWidget(c)
	return c
}

// Set shows the tick, or does not.
func (c *Check) Set(on bool) {
	if on != c.on {
		c.on = on
		c.Refresh()
	}
}

// On reports whether the tick is shown.
func (c *Check) On() bool { return c.on }

// Tapped is called by Fyne.
func (c *Check) Tapped(*fyne.PointEvent) {
	if c.OnTapped != nil {
		c.OnTapped()
	}
}

// CreateRenderer is called by Fyne.
func (c *Check) CreateRenderer() fyne.WidgetRenderer {
	r := &checkRenderer{c}
	r.paint()
	return r
}

type checkRenderer struct{ check *Check }

// Destroy is called by Fyne.
func (r *checkRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *checkRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(checkSide) }

// Objects is called by Fyne.
func (r *checkRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.check.box, r.check.tick}
}

// Layout is called by Fyne.
func (r *checkRenderer) Layout(size fyne.Size) {
	at := fyne.NewPos((size.Width-checkSide)/2, (size.Height-checkSide)/2)
	r.check.box.Move(at)
	r.check.box.Resize(fyne.NewSquareSize(checkSide))
	r.check.tick.Move(at.AddXY(2, 2))
	r.check.tick.Resize(fyne.NewSquareSize(checkSide - 4))
}

func (r *checkRenderer) paint() {
	c := r.check
	c.box.StrokeWidth = 1.5
	c.box.StrokeColor = theme.Color(theme.InputBorder)
	c.box.FillColor = color.Transparent
	if c.on {
		c.box.StrokeColor, c.box.FillColor = theme.Color(theme.Primary), theme.Color(theme.Primary)
	}
	c.tick.Hidden = !c.on
	c.tick.Resource = theme.Icon("check", theme.TextOnPrimary)
}

// Refresh is called by Fyne.
func (r *checkRenderer) Refresh() {
	r.paint()
	r.check.box.Refresh()
	r.check.tick.Refresh()
}
