package widget

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
)

func TestTheWheelMovesThePageOverAnEntry(t *testing.T) {
	e := NewEntry("")
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
