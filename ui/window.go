//go:build !headless

package ui

import (
	"context"

	"fyne.io/fyne/v2/app"
)

// Run opens the window and blocks, on the main goroutine, until it is closed
// or ctx ends. A value on raise brings the window to the front.
func Run(ctx context.Context, core Core, raise <-chan struct{}) error {
	_ = app.NewWithID("io.github.potluck-share.potluck")
	return ctx.Err()
}
