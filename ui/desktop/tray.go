package desktop

import (
	"context"
	"time"
)

// WatchTray tells whether the desktop shows the icons of programs that have
// no window open: at first, and whenever it changes. GNOME shows none unless an
// extension is installed, and a window that was closed to there could not be
// opened again. changed is called from this goroutine until ctx ends; without
// a bus it is told false and WatchTray returns.
func WatchTray(ctx context.Context, changed func(there bool)) { watchTray(ctx, changed) }

// trayTimeout is how long HasTray waits for the desktop.
const trayTimeout = 5 * time.Second

// HasTray reports the same once. A desktop that takes longer than a few seconds
// to answer has none.
func HasTray(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, trayTimeout)
	defer cancel()
	there := false
	WatchTray(ctx, func(now bool) {
		there = now
		cancel()
	})
	return there
}
