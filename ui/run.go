//go:build !headless

package ui

import (
	"context"
	"os"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"

	"github.com/potluck-share/potluck/ui/desktop"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/words"
	"github.com/potluck-share/potluck/ui/work"
)

// appID names the program to the desktop.
const appID = "io.github.potluck-share.potluck"

// Run opens the window and blocks, on the main goroutine, until it is closed
// or ctx ends. A value on raise brings the window to the front, and asks there
// about the link that it is, unless it is empty. Whatever was started is
// stopped when it returns.
func Run(ctx context.Context, core Core, raise <-chan string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := open(ctx, cancel, core)
	if err != nil {
		return err
	}
	w.live(ctx, raise)
	return nil
}

// open makes the window, which is not shown yet. What it does ends with ctx,
// and cancel ends that.
func open(ctx context.Context, cancel context.CancelFunc, core Core) (*window, error) {
	// The toolkit complains on every start of a user who has no cache yet.
	if dir, err := os.UserCacheDir(); err == nil {
		_ = os.MkdirAll(dir, 0o700) // without it only the font cache is slower
	}
	app.SetMetadata(fyne.AppMetadata{
		ID: appID, Name: "Potluck", Version: core.Version, Icon: theme.AppIcon(),
		Migrations: map[string]bool{"fyneDo": migrated},
	})
	values := core.Settings.Values()
	if err := words.Use(values.Language); err != nil {
		return nil, err
	}
	a := app.NewWithID(appID)
	a.SetIcon(theme.AppIcon())
	a.Settings().SetTheme(theme.Theme{Mode: theme.Mode(values.Theme)})

	w := &window{core: core, app: a, values: values, cancel: cancel, started: make(chan struct{}), rests: make(chan struct{}, 1), wake: make(chan struct{}, 1), portal: desktop.Choose}
	w.run = work.New(ctx, w.do)
	w.build()
	return w, nil
}

// trayTimeout is how long the desktop may take to say whether it has a tray
// before the window opens without one, and trayPatience how long one is waited
// for by a program that was started together with the desktop.
const (
	trayTimeout  = time.Second
	trayPatience = 10 * time.Second
)

// waitsInTray makes the icon in the tray, which the toolkit begins to show with
// its loop and never later, and reports whether the window stays closed.
func (w *window) waitsInTray(ctx context.Context) bool {
	background := w.core.Background && w.welcome == nil
	there := false
	if background {
		there = desktop.AwaitTray(ctx, trayPatience)
	} else {
		there = desktop.HasTray(ctx, trayTimeout)
	}
	if there {
		w.tray.build()
		w.tray.setThere(true)
	}
	return there && background
}

// live shows the window and blocks until it is closed or ctx ends, and all
// that was started has stopped.
func (w *window) live(ctx context.Context, raise <-chan string) {
	var background sync.WaitGroup
	w.app.Lifecycle().SetOnStarted(func() {
		// Only now, after the first frame, so that the window is there at once.
		background.Go(func() { w.start(ctx) })
		background.Go(func() { w.pump(ctx) })
		background.Go(func() { w.watch(ctx, raise) })
		background.Go(w.lastCrash)
		background.Go(func() { w.watchDrags(ctx) })
		background.Go(func() { w.rest(ctx) })
		background.Go(func() {
			desktop.WatchTray(ctx, func(there bool) { w.do(func() { w.tray.setThere(there) }) })
		})
	})
	w.app.Lifecycle().SetOnEnteredForeground(func() { w.notify.looked = true })
	w.app.Lifecycle().SetOnExitedForeground(func() { w.notify.looked = false })
	w.app.Lifecycle().SetOnStopped(w.stopQueueing)
	if w.waitsInTray(ctx) {
		w.restAfterwards()
		w.app.Run()
	} else {
		w.win.ShowAndRun()
	}

	w.stopQueueing()
	w.awake.Close()
	w.run.Close()
	background.Wait()
	if w.core.Stop != nil {
		w.core.Stop()
	}
}
