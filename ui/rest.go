package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
)

// nap is how long the toolkit's loop sleeps at a time while the window is closed
// to the tray, and so how much later than else a click on the icon may work.
const nap = 250 * time.Millisecond

// appear opens the window, or brings it back from the tray.
func (w *window) appear() {
	w.win.Show()
	w.shut.Store(false)
}

// closeToTray closes the window to the tray.
func (w *window) closeToTray() {
	w.win.Hide()
	w.restAfterwards()
}

// restAfterwards is told that the window is closed to the tray.
func (w *window) restAfterwards() {
	w.shut.Store(true)
	select {
	case w.rests <- struct{}{}:
	default:
	}
}

// rest keeps the toolkit from looking for input sixty times a second, which it
// does for as long as it runs, while the window is closed to the tray: that took
// most of what a computer at rest spends on Potluck. It sleeps on the UI thread,
// and whatever is handed to that by do wakes it. It ends with ctx.
func (w *window) rest(ctx context.Context) {
	for {
		for !w.shut.Load() {
			select {
			case <-w.rests:
			case <-ctx.Done():
				return
			}
		}
		done := make(chan struct{})
		if w.closing.Load() {
			return
		}
		fyne.Do(func() {
			defer close(done)
			if !w.shut.Load() {
				return // it was opened by what stood before this
			}
			timer := time.NewTimer(nap)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-w.wake:
			case <-ctx.Done():
			}
		})
		select {
		case <-done:
		case <-ctx.Done():
			return // what the toolkit has queued at its end never runs
		}
	}
}
