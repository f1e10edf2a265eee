package ui

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
)

// The window's size at first.
const (
	startWidth  float32 = 1040
	startHeight float32 = 700
)

// pageNames are how pages are remembered.
var pageNames = [pageCount]string{"people", "browse", "shares", "transfers", "settings"}

// remember gives the window the size that it had.
func (w *window) remember() {
	state := w.core.Memory.Window()
	size := fyne.NewSize(startWidth, startHeight)
	if state.Width > 0 && state.Height > 0 {
		size = fyne.NewSize(max(state.Width, theme.MinWidth), max(state.Height, theme.MinHeight))
	}
	w.win.Resize(size)
}

// firstPage is the page that was shown last, and at first the one that tells
// whether anyone is here.
func (w *window) firstPage() pageID {
	last := w.core.Memory.Window().Page
	for id, name := range pageNames {
		if name == last {
			return pageID(id)
		}
	}
	return pagePeople
}

// keepState keeps size and page for the next start. It is called on the UI
// thread before the window closes.
func (w *window) keepState() {
	if w.welcome != nil {
		return
	}
	size := w.win.Canvas().Size()
	state := domain.WindowState{Width: size.Width, Height: size.Height, Page: pageNames[w.page]}
	if state != w.core.Memory.Window() {
		// What is lost if this cannot be written is not worth keeping the
		// window open for.
		_ = w.core.Memory.KeepWindow(context.Background(), state)
	}
}
