package ui

import (
	"context"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/ui/browse"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/library"
	"github.com/potluck-share/potluck/ui/people"
	"github.com/potluck-share/potluck/ui/settings"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/transfers"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/work"
)

// The window's size at first.
const (
	startWidth  float32 = 1040
	startHeight float32 = 700
)

// pageID names a page.
type pageID int

const (
	pagePeople pageID = iota
	pageBrowse
	pageShares
	pageTransfers
	pageSettings
	pageCount
)

// window is the open window. Its methods belong to the UI thread unless they
// say otherwise.
type window struct {
	core    Core
	app     fyne.App
	win     fyne.Window
	run     *work.Runner
	cancel  context.CancelFunc
	started chan struct{} // closed once the core is up
	closing atomic.Bool   // set before the toolkit's loop ends: nothing may be queued any more

	people    *people.View
	browse    *browse.View
	library   *library.View
	transfers *transfers.View
	settings  *settings.View

	page    pageID
	nav     [pageCount]*widget.NavItem
	visible *widget.Button
	main    *fyne.Container
	notices notices
	toast   toast
	chooser hider // the open file chooser, or nil
	broken  bool  // the core did not start
}

type hider interface{ Hide() }

// do hands a function to the UI thread, soon. Any goroutine may call it.
func (w *window) do(f func()) {
	if !w.closing.Load() {
		fyne.Do(f)
	}
}

// stopQueueing ends everything that could still bring news: once its loop has
// ended, the toolkit would run a queued function on the goroutine that queues
// it.
func (w *window) stopQueueing() {
	w.closing.Store(true)
	w.cancel()
}

// quit closes the window without a question.
func (w *window) quit() {
	w.stopQueueing()
	w.app.Quit()
}

// start brings up the core, off the UI thread.
func (w *window) start(ctx context.Context) {
	if w.core.Start != nil {
		if err := w.core.Start(ctx); err != nil {
			if ctx.Err() == nil {
				w.do(func() { w.cannotStart(err) })
			}
			return
		}
	}
	close(w.started)
	w.do(func() {
		w.settings.Load()
		w.browse.Reload()
	})
}

// watch raises the window when asked, and closes it when the program is to
// end, off the UI thread.
func (w *window) watch(ctx context.Context, raise <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			w.do(w.quit)
			return
		case _, open := <-raise:
			if !open {
				raise = nil
				continue
			}
			w.do(func() {
				w.win.Show()
				w.win.RequestFocus()
			})
		}
	}
}

// build makes the window and its pages.
func (w *window) build() {
	w.win = w.app.NewWindow("Potluck")
	w.win.SetMaster()
	w.win.SetPadded(false)

	w.people = people.New(w.run)
	w.people.OnBrowse = w.browsePerson
	w.people.OnAddress = func() {
		w.show(pageSettings)
		w.win.Canvas().Focus(w.settings.Address())
	}
	w.browse = browse.New(w.run, w.core.Browse, w.core.Transfers)
	w.browse.OnError = w.problem
	w.library = library.New()
	w.library.OnFile, w.library.OnFolder = w.chooseFile, w.chooseFolder
	w.library.OnUnshare = w.unshare
	w.library.OnReveal = w.reveal
	w.transfers = transfers.New(w.run, w.core.Transfers)
	w.transfers.OnOpen, w.transfers.OnReveal = w.open, w.reveal
	w.transfers.OnError = w.problem
	w.transfers.OnToast = w.showToast
	w.settings = settings.New(w.run, w.core.Settings, w.core.People, w.core.Version)
	w.settings.OnFolder = w.pickFolder
	w.settings.OnName = w.showName

	w.main = container.NewStack()
	w.notices.build()
	w.toast.build()
	right := container.NewStack(container.NewBorder(w.notices.object, nil, nil, nil, w.main), w.toast.object)
	content := container.NewBorder(nil, nil, w.sidebar(), nil, right)
	w.win.SetContent(widget.Fixed(theme.MinWidth, theme.MinHeight, widget.NewBackdrop(content, theme.Ground)))
	w.win.Resize(fyne.NewSize(startWidth, startHeight))
	w.win.CenterOnScreen()
	w.win.SetOnDropped(func(_ fyne.Position, uris []fyne.URI) {
		paths := make([]string, 0, len(uris))
		for _, u := range uris {
			paths = append(paths, u.Path())
		}
		w.share(paths)
	})
	w.win.SetCloseIntercept(w.askToQuit)
	w.keys()
	w.show(pagePeople)
}

// sidebar makes the column at the left.
func (w *window) sidebar() fyne.CanvasObject {
	icon := canvas.NewImageFromResource(theme.AppIcon())
	icon.SetMinSize(fyne.NewSquareSize(28))
	icon.ScaleMode = canvas.ImageScaleSmooth
	mark := widget.Inset(widget.HBox(10, icon, widget.NewBold("Potluck", theme.TextSection, theme.Text)),
		theme.Space12, 0, theme.Space12, theme.Space8)
	top := widget.VBox(theme.Space4, mark)
	for id, entry := range []struct{ name, icon string }{
		{"People", "people"}, {"Browse", "browse"}, {"My shares", "shares"}, {"Transfers", "transfers"}, {"Settings", "settings"},
	} {
		w.nav[id] = widget.NewNavItem(entry.name, entry.icon, func() { w.show(pageID(id)) })
		if pageID(id) != pageSettings {
			top.Add(w.nav[id])
		}
	}
	w.visible = widget.NewButton("", "visible", widget.Quiet, func() {
		w.show(pageSettings)
		w.win.Canvas().Focus(w.settings.Name())
	}).Small()
	w.visible.Hide()
	foot := widget.VBox(theme.Space4, w.nav[pageSettings], container.NewHBox(w.visible))
	column := container.NewBorder(top, foot, nil, nil)
	return widget.Fixed(theme.SidebarWidth, 0,
		widget.NewBackdrop(widget.Inset(column, 0, theme.Space8, theme.Space8, theme.Space8), theme.Sidebar))
}

// showName says at the sidebar's foot what others see.
func (w *window) showName(name string) {
	if name == "" {
		w.visible.Hide()
		return
	}
	const room = theme.SidebarWidth - 2*theme.Space8
	w.visible.Set("Visible as "+name, "visible")
	for runes := []rune(name); w.visible.MinSize().Width > room && len(runes) > 1; {
		runes = runes[:len(runes)-1]
		w.visible.Set("Visible as "+string(runes)+"…", "visible")
	}
	w.visible.Show()
}

// show goes to a page.
func (w *window) show(id pageID) {
	w.page = id
	for i, n := range w.nav {
		n.SetChosen(pageID(i) == id)
	}
	w.browse.SetShown(id == pageBrowse)
	w.main.Objects = []fyne.CanvasObject{w.object(id)}
	w.main.Refresh()
}

func (w *window) object(id pageID) fyne.CanvasObject {
	switch id {
	case pageBrowse:
		return w.browse.Object()
	case pageShares:
		return w.library.Object()
	case pageTransfers:
		return w.transfers.Object()
	case pageSettings:
		return w.settings.Object()
	default:
		return w.people.Object()
	}
}

// list returns the rows of the page on screen, or nil if it has none.
func (w *window) list() *widget.List {
	switch w.page {
	case pagePeople:
		return w.people.List()
	case pageBrowse:
		return w.browse.List()
	case pageShares:
		return w.library.List()
	case pageTransfers:
		return w.transfers.List()
	default:
		return nil
	}
}

// askToQuit closes the window, after a question while downloads run.
func (w *window) askToQuit() {
	if w.win.Canvas().Overlays().Top() != nil {
		if sheet, ok := w.win.Canvas().Overlays().Top().(*widget.Sheet); ok {
			sheet.Cancel()
		}
	}
	running, _ := w.transfers.Running()
	if running == 0 {
		w.quit()
		return
	}
	question := format.Number(running, "download is", "downloads are") + " running. Quit?"
	after := "They continue next time."
	if running == 1 {
		after = "It continues next time."
	}
	widget.ShowSheet(w.win.Canvas(), question,
		widget.NewParagraph(after, theme.SecondText, fyne.TextAlignLeading).RichText,
		"Cancel", nil, widget.NewButton("Quit", "", widget.Plain, w.quit))
}
