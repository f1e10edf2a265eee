package desktop

import (
	"context"
	"image"
)

// WatchDrags tells while files are dragged over a window, which the toolkit
// keeps to itself until they are dropped. It returns when ctx ends, at once
// where nothing can be told: on Wayland, Windows and macOS, and where window is
// not the number of an X11 window.
//
// over is called from this goroutine: with inside for each place of the
// pointer over a part of the window that can be seen, in pixels from the upper
// left corner of its inside, and without it once when the files have left or
// were let go. Nothing is done while nothing is dragged.
func WatchDrags(ctx context.Context, window uintptr, over func(at image.Point, inside bool)) {
	watchDrags(ctx, window, over)
}
