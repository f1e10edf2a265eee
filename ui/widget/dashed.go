package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
)

// The lengths of a dash and of the space after it.
const (
	dash    float32 = 8
	dashGap float32 = 6
)

// Dashed is a box of a fixed size with a dashed border, as a place to drop
// something into.
type Dashed struct {
	fwidget.BaseWidget
	content fyne.CanvasObject
	size    fyne.Size
}

// NewDashed returns a dashed box around content.
func NewDashed(content fyne.CanvasObject, width, height float32) *Dashed {
	d := &Dashed{content: content, size: fyne.NewSize(width, height)}
	d.ExtendBaseWidget(d)
	return d
}

// CreateRenderer is called by Fyne.
func (d *Dashed) CreateRenderer() fyne.WidgetRenderer {
	r := &dashedRenderer{box: d}
	line := func(x1, y1, x2, y2 float32) {
		l := &canvas.Line{Position1: fyne.NewPos(x1, y1), Position2: fyne.NewPos(x2, y2), StrokeWidth: 1.5}
		r.dashes = append(r.dashes, l)
	}
	for x := float32(0); x+dash <= d.size.Width; x += dash + dashGap {
		line(x, 0, x+dash, 0)
		line(x, d.size.Height, x+dash, d.size.Height)
	}
	for y := float32(0); y+dash <= d.size.Height; y += dash + dashGap {
		line(0, y, 0, y+dash)
		line(d.size.Width, y, d.size.Width, y+dash)
	}
	for _, l := range r.dashes {
		r.objects = append(r.objects, l)
	}
	r.objects = append(r.objects, d.content)
	r.paint()
	return r
}

type dashedRenderer struct {
	box     *Dashed
	dashes  []*canvas.Line
	objects []fyne.CanvasObject
}

// Destroy is called by Fyne.
func (r *dashedRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *dashedRenderer) MinSize() fyne.Size { return r.box.size }

// Objects is called by Fyne.
func (r *dashedRenderer) Objects() []fyne.CanvasObject { return r.objects }

// Layout is called by Fyne.
func (r *dashedRenderer) Layout(size fyne.Size) { r.box.content.Resize(size) }

func (r *dashedRenderer) paint() {
	for _, l := range r.dashes {
		l.StrokeColor = theme.Color(theme.InputBorder)
	}
}

// Refresh is called by Fyne.
func (r *dashedRenderer) Refresh() {
	r.paint()
	canvas.Refresh(r.box)
	r.box.content.Refresh()
}
