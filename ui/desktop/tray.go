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

// HasTray reports the same once. A desktop that takes longer than timeout to
// answer has none.
func HasTray(ctx context.Context, timeout time.Duration) bool {
	return firstTray(ctx, timeout, func(bool) bool { return true })
}

// AwaitTray is HasTray for a program that is started together with the
// desktop: it waits, no longer than patience, until there is one.
func AwaitTray(ctx context.Context, patience time.Duration) bool {
	return firstTray(ctx, patience, func(there bool) bool { return there })
}

// firstTray returns what is told until it is enough.
func firstTray(ctx context.Context, timeout time.Duration, enough func(bool) bool) bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	there := false
	WatchTray(ctx, func(now bool) {
		if there = now; enough(now) {
			cancel()
		}
	})
	return there
}
