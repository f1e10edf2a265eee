package ui

import (
	"context"
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver"

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
	text   *widget.Text
}

func newDropHint() *dropHint {
	h := &dropHint{frame: &canvas.Rectangle{StrokeWidth: 2, FillColor: color.Transparent}}
	h.text = widget.NewBold("", theme.TextBody, theme.Text)
	pill := widget.NewRaised(widget.Inset(widget.HBox(theme.Space8, widget.NewIcon("upload", theme.Primary), h.text),
		theme.Space12, theme.Space16, theme.Space12, theme.Space16))
	h.object = container.NewStack(h.frame, container.New(bottomLayout{}, pill))
	h.object.Hide()
	return h
}

func (h *dropHint) show(audience domain.Audience) {
	text := words.T("Drop to share with everyone nearby")
	if audience.Kind == domain.Friends {
		text = words.T("Drop to share with your friends")
	}
	h.text.SetText(text)
	h.frame.StrokeColor = theme.Color(theme.Primary)
	h.object.Show()
}

// watchDrags shows the hint while files are over the window, until ctx ends.
// It is called off the UI thread.
func (w *window) watchDrags(ctx context.Context) {
	native := make(chan uintptr, 1)
	w.do(func() {
		if win, ok := w.win.(driver.NativeWindow); ok {
			win.RunNative(func(context any) {
				if x11, ok := context.(driver.X11WindowContext); ok {
					w.native.Store(uint64(x11.WindowHandle))
					native <- x11.WindowHandle
				}
			})
		}
		close(native)
	})
	select {
	case <-ctx.Done():
	case window, ok := <-native:
		if !ok {
			return
		}
		over := false
		desktop.WatchDrags(ctx, window, func(_ image.Point, inside bool) {
			if inside == over {
				return
			}
			over = inside
			w.do(func() {
				if inside && w.welcome == nil && !w.broken {
					w.hint.show(w.core.Library.DefaultAudience())
				} else {
					w.hint.object.Hide()
				}
				// What was hidden from the start knows no canvas that it could tell.
				w.win.Canvas().Refresh(w.hint.object)
			})
		})
	}
}
