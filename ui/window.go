package ui

import (
	"context"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/browse"
	"github.com/potluck-share/potluck/ui/desktop"
	"github.com/potluck-share/potluck/ui/library"
	"github.com/potluck-share/potluck/ui/people"
	"github.com/potluck-share/potluck/ui/settings"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/transfers"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
	"github.com/potluck-share/potluck/ui/work"
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
	core       Core
	app        fyne.App
	win        fyne.Window
	run        *work.Runner
	cancel     context.CancelFunc
	started    chan struct{} // closed once the core is up
	introduced chan struct{} // closed once the sheet of the first launch is answered
	moving     atomic.Bool   // the graphs of the transfers go on
	closing    atomic.Bool   // set before the toolkit's loop ends: nothing may be queued any more
	shut       atomic.Bool   // closed to the tray
	rests      chan struct{} // holds one token when that may have begun
	wake       chan struct{} // holds one token when something was queued

	people    *people.View
	browse    *browse.View
	library   *library.View
	transfers *transfers.View
	settings  *settings.View

	welcome *welcome // nil once answered
	frame   fyne.CanvasObject
	page    pageID
	nav     [pageCount]*widget.NavItem
	foot    *foot
	friends *friends
	offers  *offers
	places  *networks
	tray    *tray
	hint    *dropHint
	notify  *notifier
	awake   desktop.Awake
	status  atomic.Pointer[domain.Status] // nil until the core is up
	values  domain.Settings               // as chosen at this moment
	main    *fyne.Container
	notices notices
	toast   toast
	chooser *dialog.FileDialog // the toolkit's open file chooser, or nil
	// portal asks the desktop's own chooser; nil: there is none.
	portal    func(ctx context.Context, window uintptr, c desktop.Choice) (paths []string, ok bool)
	choosing  bool
	native    atomic.Uint64   // the number of the X11 window; 0: not known
	broken    bool            // the core did not start
	unwatched bool            // not all shared folders are watched
	stopped   map[string]bool // paths that are not shared any more because the user said so
}

// do hands a function to the UI thread, soon. Any goroutine may call it.
func (w *window) do(f func()) {
	if w.closing.Load() {
		return
	}
	fyne.Do(f)
	select {
	case w.wake <- struct{}{}:
	default:
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
	w.keepState()
	w.stopQueueing()
	w.app.Quit()
}

// start brings up the core as soon as it may, off the UI thread.
func (w *window) start(ctx context.Context) {
	select {
	case <-w.introduced:
	case <-ctx.Done():
		return
	}
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
func (w *window) watch(ctx context.Context, raise <-chan string) {
	for {
		select {
		case <-ctx.Done():
			w.do(w.quit)
			return
		case link, open := <-raise:
			if !open {
				raise = nil
				continue
			}
			w.do(func() {
				w.raise()
				if link != "" {
					w.link(link)
				}
			})
		}
	}
}

// build makes the window and its pages.
func (w *window) build() {
	w.win = w.app.NewWindow("Potluck")
	w.introduced = make(chan struct{})
	w.foot, w.tray, w.hint, w.notify = newFoot(w), newTray(w), newDropHint(), newNotifier(w)
	w.win.SetMaster()
	w.win.SetPadded(false)

	w.stopped = make(map[string]bool)
	w.people = people.New(w.run)
	w.people.OnBrowse = w.browsePerson
	w.friends, w.offers, w.places = newFriends(w), newOffers(w), newNetworks(w)
	w.people.OnAdd, w.people.OnInvite, w.people.OnBlocked = w.friends.add, w.friends.invite, w.friends.blocked
	w.people.OnFriend = func(p domain.Peer) { w.friends.ask(p.ID) }
	w.people.OnUnfriend = func(p domain.Peer) { w.friends.remove(p.ID, p.Name) }
	w.people.OnBlock = func(p domain.Peer) { w.friends.block(p.ID, p.Name) }
	w.people.OnRename = w.friends.rename
	w.people.OnSend = w.offers.choose
	w.people.OnCheckup = w.checkup
	w.people.OnAcceptUpTo = func(p domain.Peer, bytes int64) {
		w.run.Go(func(ctx context.Context) func() { return w.said(w.core.People.AcceptUpTo(ctx, p.ID, bytes)) })
	}
	w.people.OnAddress = func() {
		w.show(pageSettings)
		w.win.Canvas().Focus(w.settings.Address())
	}
	w.browse = browse.New(w.run, w.core.Browse, w.core.Transfers)
	w.browse.OnError = w.problem
	w.browse.OnFolder, w.browse.OnOpen, w.browse.OnReveal = w.pickFolder, w.open, w.reveal
	w.library = library.New(w.run, w.core.Library)
	w.library.OnFile, w.library.OnFolder = w.chooseFile, w.chooseFolder
	w.library.OnUnshare = w.unshare
	w.library.OnReveal = w.reveal
	w.library.OnFind = w.find
	w.library.OnError = w.problem
	w.transfers = transfers.New(w.run, w.core.Transfers)
	w.transfers.OnOpen, w.transfers.OnReveal = w.open, w.reveal
	w.transfers.OnFolder = w.pickFolder
	w.transfers.OnError = w.problem
	w.transfers.OnToast = func(text string, undo func()) { w.showToast(text, undo) }
	w.settings = settings.New(w.run, w.core.Settings, w.core.People, desk{w}, w.core.Version)
	w.settings.OnError = w.problem
	w.settings.OnLog = w.showLog
	w.settings.OnNetworks = w.places.list
	w.settings.OnCheckup = func() { w.checkup(nil) }
	w.settings.OnFolder = w.pickFolder
	w.settings.OnValues = w.setValues

	w.main = container.NewStack()
	w.notices.build()
	w.toast.build()
	w.notices.frame = container.NewBorder(w.notices.object, nil, nil, nil, w.main)
	right := container.NewStack(w.notices.frame, w.toast.object)
	content := container.NewBorder(nil, nil, w.sidebar(), nil, right)
	// No backdrop: each frame begins with the ground's colour everywhere, and
	// laying it over that once more was a third of what a frame costs where no
	// graphics card draws it.
	w.frame = widget.Fixed(theme.MinWidth, theme.MinHeight, container.NewStack(content, w.hint.object))
	w.remember()
	w.win.CenterOnScreen()
	w.win.SetOnDropped(func(at fyne.Position, uris []fyne.URI) {
		paths := make([]string, 0, len(uris))
		for _, u := range uris {
			paths = append(paths, u.Path())
		}
		w.dropped(at, paths)
	})
	w.win.SetCloseIntercept(w.closeWindow)
	w.keys()
	w.show(w.firstPage())
	if values := w.core.Settings.Values(); values.Introduced {
		w.win.SetContent(w.frame)
		close(w.introduced)
	} else {
		w.welcome = newWelcome(w, values)
		w.win.SetContent(w.welcome.object)
		w.win.Canvas().Focus(w.welcome.name)
	}
}

// sidebar makes the column at the left.
func (w *window) sidebar() fyne.CanvasObject {
	icon := canvas.NewImageFromResource(theme.SmallIcon())
	icon.SetMinSize(fyne.NewSquareSize(28))
	top := widget.VBox(theme.Space4, widget.Inset(widget.HBox(theme.Space8, icon, widget.NewWordmark()),
		theme.Space12, 0, theme.Space12, theme.Space8))
	for id, entry := range []struct{ name, icon string }{
		{words.T("People"), "people"},
		{words.T("Browse"), "browse"},
		{words.T("My shares"), "shares"},
		{words.T("Transfers"), "transfers"},
		{words.T("Settings"), "settings"},
	} {
		w.nav[id] = widget.NewNavItem(entry.name, entry.icon, func() { w.show(pageID(id)) })
		if pageID(id) != pageSettings {
			top.Add(w.nav[id])
		}
	}
	foot := widget.VBox(theme.Space4, w.nav[pageSettings], container.NewHBox(w.foot.button))
	column := container.NewBorder(top, foot, nil, nil)
	return widget.Fixed(theme.SidebarWidth, 0,
		widget.NewBackdrop(widget.Inset(column, 0, theme.Space8, theme.Space8, theme.Space8), theme.Sidebar))
}

// show goes to a page. The keyboard does not stay behind in the rows of the one
// before, where nobody would see what it does.
func (w *window) show(id pageID) {
	c := w.win.Canvas()
	if _, inSidebar := c.Focused().(*widget.NavItem); id != w.page && !inSidebar {
		c.Unfocus()
	}
	w.page = id
	for i, n := range w.nav {
		n.SetChosen(pageID(i) == id)
	}
	w.browse.SetShown(id == pageBrowse)
	w.transfers.SetShown(id == pageTransfers)
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

// raise brings the window to the front.
func (w *window) raise() {
	w.appear()
	w.win.RequestFocus()
}

// setValues follows what the user chose.
func (w *window) setValues(values domain.Settings) {
	if values.Theme != w.values.Theme {
		w.app.Settings().SetTheme(theme.Theme{Mode: theme.Mode(values.Theme)})
	}
	w.values = values
	w.foot.setName(values.Name)
	w.tray.update()
}

// closeWindow leaves the program in the tray if there is one and the user
// wants that, and else ends it.
func (w *window) closeWindow() {
	if w.tray.there && w.values.KeepRunning && w.welcome == nil && !w.broken {
		w.keepState()
		w.closeToTray()
		return
	}
	w.askToQuit()
}

// askToQuit ends the program, after a question while downloads run.
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
	after := words.T("They continue next time.")
	if running == 1 {
		after = words.T("It continues next time.")
	}
	w.appear()
	widget.ShowSheet(w.win.Canvas(), words.N("%s downloads are running. Quit?", running),
		widget.NewParagraph(after, theme.SecondText, fyne.TextAlignLeading).RichText,
		words.T("Cancel"), nil, widget.NewButton(words.T("Quit"), "", widget.Plain, w.quit))
}
