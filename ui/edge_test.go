//go:build preview && !headless

package ui

import (
	"image"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fwidget "fyne.io/fyne/v2/widget"
)

// edge is an object that notices when a frame reaches it. Fyne's loop makes a
// frame on each sixtieth of a second on which something is dirty: it asks all
// objects for their least sizes, paints them in the same order, and waits for
// the swap of the buffers; then it takes up what fyne.Do has queued, one
// function at a time. So a frame lasts from the first object's least size to
// the function that the last one queues when it is painted. What is queued
// before, right after a Refresh, would come back before the frame begins.
type edge struct {
	fwidget.BaseWidget
	mark    *canvas.Raster // its pixel is painted anew when it was refreshed
	walked  time.Time      // when its least size was first asked for in this frame
	painted func()
}

func newEdge() *edge {
	e := &edge{painted: func() {}}
	e.mark = canvas.NewRaster(func(width, height int) image.Image {
		e.painted()
		return image.NewRGBA(image.Rect(0, 0, width, height))
	})
	e.ExtendBaseWidget(e)
	return e
}

// MinSize is called by Fyne.
func (e *edge) MinSize() fyne.Size {
	if e.walked.IsZero() {
		e.walked = time.Now()
	}
	return fyne.Size{}
}

// CreateRenderer is called by Fyne.
func (e *edge) CreateRenderer() fyne.WidgetRenderer { return edgeRenderer{e} }

type edgeRenderer struct{ edge *edge }

// Destroy is called by Fyne.
func (edgeRenderer) Destroy() {}

// MinSize is called by Fyne.
func (edgeRenderer) MinSize() fyne.Size { return fyne.Size{} }

// Objects is called by Fyne.
func (r edgeRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.edge.mark} }

// Layout is called by Fyne.
func (r edgeRenderer) Layout(fyne.Size) { r.edge.mark.Resize(fyne.NewSize(1, 1)) }

// Refresh is called by Fyne.
func (edgeRenderer) Refresh() {}
