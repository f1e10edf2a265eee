package ui

import (
	"context"
	"image"
	"image/color"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver"
	fynedesktop "fyne.io/fyne/v2/driver/desktop"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/desktop"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// dropHint shows, while files are dragged over the window, what letting them
// go will do.
type dropHint struct {
	object *fyne.Container
	frame  *canvas.Rectangle
	framed *fyne.Container // that the frame lies in
	place  framePlace
	text   *widget.Text
}

// framePlace lays the frame around a part of the window, around all of it if no
// size is set.
type framePlace struct {
	at   fyne.Position
	size fyne.Size
}

// MinSize is called by Fyne.
func (*framePlace) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

// Layout is called by Fyne.
func (p *framePlace) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	at := p.at
	if !p.size.IsZero() {
		size = p.size
	}
	for _, o := range objects {
		o.Move(at)
		o.Resize(size)
	}
}

func newDropHint() *dropHint {
	h := &dropHint{frame: &canvas.Rectangle{StrokeWidth: 2, FillColor: color.Transparent}}
	h.text = widget.NewBold("", theme.TextBody, theme.Text)
	pill := widget.NewRaised(widget.Inset(widget.HBox(theme.Space8, widget.NewIcon("upload", theme.Primary), h.text),
		theme.Space12, theme.Space16, theme.Space12, theme.Space16))
	h.framed = container.New(&h.place, h.frame)
	h.object = container.NewStack(newShield(), h.framed, container.New(bottomLayout{}, pill))
	h.object.Hide()
	return h
}

func (h *dropHint) show(audience domain.Audience) {
	h.place.at, h.place.size = fyne.Position{}, fyne.Size{}
	text := words.T("Drop to share with everyone nearby")
	if audience.Kind == domain.Friends {
		text = words.T("Drop to share with your friends")
	}
	h.tell(text)
}

// showFor says that what is dropped goes to one person, whose row is there.
func (h *dropHint) showFor(name string, at fyne.Position, size fyne.Size) {
	h.place.at, h.place.size = at, size
	h.tell(words.T("Send to %s", name))
}

func (h *dropHint) tell(text string) {
	h.text.SetText(text)
	h.framed.Refresh()
	h.frame.StrokeColor = theme.Color(theme.Primary)
	h.object.Show()
}

// shownEvery is how often it is looked whether a window that was closed at first
// is on screen by now.
const shownEvery = time.Second

// shield keeps what lies below from lighting up under the pointer: while files
// are dragged no row is where they go.
type shield struct{ fwidget.BaseWidget }

var _ fynedesktop.Hoverable = (*shield)(nil)

func newShield() *shield {
	s := &shield{}
	s.ExtendBaseWidget(s)
	return s
}

// MouseIn is called by Fyne.
func (*shield) MouseIn(*fynedesktop.MouseEvent) {}

// MouseMoved is called by Fyne.
func (*shield) MouseMoved(*fynedesktop.MouseEvent) {}

// MouseOut is called by Fyne.
func (*shield) MouseOut() {}

// CreateRenderer is called by Fyne.
func (*shield) CreateRenderer() fyne.WidgetRenderer {
	return fwidget.NewSimpleRenderer(canvas.NewRectangle(color.Transparent))
}

// watchDrags shows the hint while files are over the window, until ctx ends.
// It is called off the UI thread.
func (w *window) watchDrags(ctx context.Context) {
	for {
		native, x11 := w.nativeWindow(ctx)
		if !x11 {
			return
		}
		if native != 0 {
			w.native.Store(uint64(native))
			w.hintDrags(ctx, native)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(shownEvery):
		}
	}
}

// nativeWindow returns the number of the X11 window, 0 before it was on screen;
// x11 is false where there is none. It is called off the UI thread.
func (w *window) nativeWindow(ctx context.Context) (number uintptr, x11 bool) {
	answer := make(chan driver.X11WindowContext, 1)
	w.do(func() {
		if win, ok := w.win.(driver.NativeWindow); ok {
			win.RunNative(func(context any) {
				if x, ok := context.(driver.X11WindowContext); ok {
					answer <- x
				}
			})
		}
		close(answer)
	})
	select {
	case <-ctx.Done():
		return 0, false
	case x, ok := <-answer:
		return x.WindowHandle, ok
	}
}

// hintDrags shows the hint while files are over the X11 window of that number.
func (w *window) hintDrags(ctx context.Context, native uintptr) {
	over := false
	var told any // what the hint says: true for sharing, somebody's ID, or nothing
	desktop.WatchDrags(ctx, native, func(at image.Point, inside bool) {
		if !inside && !over {
			return
		}
		over = inside
		w.do(func() {
			scale := w.win.Canvas().Scale()
			p, person := w.target(fyne.NewPos(float32(at.X)/scale, float32(at.Y)/scale))
			var now any
			switch {
			case !inside || w.welcome != nil || w.broken:
			case person:
				now = p.ID
			default:
				now = true
			}
			if now == told {
				return
			}
			told = now
			switch {
			case now == nil:
				w.hint.object.Hide()
			case person:
				row, size := w.people.Place(p.ID)
				w.hint.showFor(p.Name, row, size)
			default:
				w.hint.show(w.core.Library.DefaultAudience())
			}
			// What was hidden from the start knows no canvas that it could tell.
			w.win.Canvas().Refresh(w.hint.object)
		})
	})
}
