package widget

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
)

func TestTheWheelMovesThePageOverAnEntry(t *testing.T) {
	e := NewEntry("")
	e.SetText("drawn before it comes onto the page")
	page := container.NewVScroll(container.NewVBox(e, Fixed(10, 1000, container.NewWithoutLayout())))
	ScrollOver(page)
	w := newWindow(t, page)
	w.Resize(fyne.NewSize(200, 200))
	objects := test.WidgetRenderer(e).Objects()
	top, ok := objects[len(objects)-1].(fyne.Scrollable)
	if !ok {
		t.Fatalf("nothing of the entry takes the wheel: %T", objects[len(objects)-1])
	}
	top.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -50)})
	if page.Offset.Y != 50 {
		t.Errorf("the page is at %v, want 50", page.Offset.Y)
	}
	if size := objects[len(objects)-1].Size(); size != e.Size() || size.Width == 0 {
		t.Errorf("what takes the wheel is %v of %v", size, e.Size())
	}
}

// Whoever goes through a page by the keyboard sees where they are.
func TestThePageFollowsTheKeyboard(t *testing.T) {
	gap := func() fyne.CanvasObject { return Fixed(10, 300, container.NewWithoutLayout()) }
	controls := []fyne.CanvasObject{NewEntry(""), NewButton("Find", "", Plain, nil), NewSwitch("Loud"), NewEntry("")}
	page := container.NewVScroll(container.NewVBox(controls[0], gap(), controls[1], gap(), controls[2], gap(), controls[3]))
	ScrollOver(page)
	w := newWindow(t, page)
	w.Resize(fyne.NewSize(200, 200))
	inView := func(o fyne.CanvasObject) bool {
		top := fyne.CurrentApp().Driver().AbsolutePositionForObject(o).Y
		return top >= 0 && top+o.Size().Height <= 200
	}
	for range controls {
		w.Canvas().FocusNext()
		focused, ok := w.Canvas().Focused().(fyne.CanvasObject)
		if !ok || !inView(focused) {
			t.Errorf("forwards, %T is out of view", focused)
		}
	}
	for range len(controls) - 1 {
		w.Canvas().FocusPrevious()
		focused, ok := w.Canvas().Focused().(fyne.CanvasObject)
		if !ok || !inView(focused) {
			t.Errorf("backwards, %T is out of view", focused)
		}
	}
}
