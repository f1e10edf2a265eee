package settings

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	fwidget "fyne.io/fyne/v2/widget"
)

// wheel lies over the whole page, takes nothing but the mouse wheel, and
// scrolls the page: the entries below it would swallow what turns over them.
type wheel struct {
	fwidget.BaseWidget
	scroll *container.Scroll
}

var _ fyne.Scrollable = (*wheel)(nil)

func newWheel() *wheel {
	w := &wheel{}
	w.ExtendBaseWidget(w)
	return w
}

// Scrolled is called by Fyne.
func (w *wheel) Scrolled(ev *fyne.ScrollEvent) { w.scroll.Scrolled(ev) }

// CreateRenderer is called by Fyne.
func (w *wheel) CreateRenderer() fyne.WidgetRenderer {
	return fwidget.NewSimpleRenderer(canvas.NewRectangle(color.Transparent))
}
