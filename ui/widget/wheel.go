package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fwidget "fyne.io/fyne/v2/widget"
)

// wheel lies over a line to type into and hands what the mouse's wheel does to
// the page. Fyne's own line would keep it, so that a page stood still as soon as
// one came under the pointer.
type wheel struct {
	fwidget.BaseWidget
	line *Entry
}

var _ fyne.Scrollable = (*wheel)(nil)

func newWheel(line *Entry) *wheel {
	w := &wheel{line: line}
	w.ExtendBaseWidget(w)
	return w
}

// Scrolled is called by Fyne.
func (w *wheel) Scrolled(ev *fyne.ScrollEvent) { w.line.page.Scrolled(ev) }

// CreateRenderer is called by Fyne.
func (w *wheel) CreateRenderer() fyne.WidgetRenderer { return noRenderer{} }

// noRenderer draws nothing.
type noRenderer struct{}

// Destroy is called by Fyne.
func (noRenderer) Destroy() {}

// Layout is called by Fyne.
func (noRenderer) Layout(fyne.Size) {}

// MinSize is called by Fyne.
func (noRenderer) MinSize() fyne.Size { return fyne.Size{} }

// Objects is called by Fyne.
func (noRenderer) Objects() []fyne.CanvasObject { return nil }

// Refresh is called by Fyne.
func (noRenderer) Refresh() {}

// ScrollOver lets the wheel move the page also over the lines to type into that
// are on it, and the keyboard move it to the control that it reaches. It must be
// called before the page is shown.
func ScrollOver(page *container.Scroll) {
	var look func(fyne.CanvasObject)
	look = func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *Entry:
			o.page = page
		case *Button:
			o.page = page
		case *Switch:
			o.page = page
		case *fyne.Container:
			for _, child := range o.Objects {
				look(child)
			}
		}
	}
	look(page.Content)
}

// CreateRenderer is called by Fyne.
func (e *Entry) CreateRenderer() fyne.WidgetRenderer {
	return &entryRenderer{e.Entry.CreateRenderer(), e, newWheel(e)}
}

// entryRenderer is Fyne's, with the wheel above it once the entry is on a page.
type entryRenderer struct {
	fyne.WidgetRenderer
	line  *Entry
	wheel *wheel
}

// Objects is called by Fyne.
func (r *entryRenderer) Objects() []fyne.CanvasObject {
	objects := r.WidgetRenderer.Objects()
	if r.line.page == nil {
		return objects
	}
	return append(objects[:len(objects):len(objects)], r.wheel)
}

// Layout is called by Fyne.
func (r *entryRenderer) Layout(size fyne.Size) {
	r.WidgetRenderer.Layout(size)
	r.wheel.Resize(size)
}
