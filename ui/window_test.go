//go:build !preview

package ui

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/work"
)

// newTestWindow builds the window on a driver without a screen, where
// everything runs at once on the test's goroutine.
func newTestWindow(t *testing.T) (*window, *fake) {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{})
	f := newFake()
	w := &window{core: f.core(), app: app, run: work.Inline(), cancel: func() {}, started: make(chan struct{})}
	close(w.started)
	w.build()
	t.Cleanup(w.win.Close)
	return w, f
}

func sheet(t *testing.T, w *window) *widget.Sheet {
	t.Helper()
	s, ok := w.win.Canvas().Overlays().Top().(*widget.Sheet)
	if !ok {
		t.Fatal("nothing is asked")
	}
	return s
}

func wantCalls(t *testing.T, f *fake, want ...string) {
	t.Helper()
	if got := f.called(); !slices.Equal(got, want) {
		t.Errorf("asked for %q, want %q", got, want)
	}
}

// toasted returns whether there is something to take back: the test's runner
// leaves out the wait after which a toast goes away, so it looks at the count.
func toasted(w *window) bool { return w.toast.count > 0 }

func TestSmallestSize(t *testing.T) {
	w, _ := newTestWindow(t)
	for id := range pageCount {
		w.show(id)
		if m := w.win.Content().MinSize(); m != fyne.NewSize(900, 600) {
			t.Errorf("page %d asks for %v", id, m)
		}
		if m := w.object(id).MinSize(); m.Width > 704 || m.Height > 600 {
			t.Errorf("page %d needs %v, and the smallest window has 704 × 600 for it", id, m)
		}
	}
}

func TestPages(t *testing.T) {
	w, _ := newTestWindow(t)
	if w.page != pagePeople {
		t.Errorf("lands on page %d", w.page)
	}
	for id := range pageCount {
		test.Tap(w.nav[id])
		if w.page != id || !w.nav[id].Chosen() || w.main.Objects[0] != w.object(id) {
			t.Errorf("page %d is not shown", id)
		}
	}
}

func TestDropShares(t *testing.T) {
	w, f := newTestWindow(t)
	w.share(nil)
	w.share([]string{"/home/mira/Holiday"})
	wantCalls(t, f, "share /home/mira/Holiday with everyone")
	if !toasted(w) {
		t.Error("nothing was said")
	}
	w.share([]string{"/home/mira/Holiday"}) // a second time: it is shown
	if w.page != pageShares {
		t.Error("what was shared before is not shown")
	}
}

func TestRiskyDropAsks(t *testing.T) {
	w, f := newTestWindow(t)
	f.risks = []domain.Risk{{Kind: domain.RiskHome, Path: "/home/mira", Files: 412_000}}
	w.share([]string{"/home/mira"})
	s := sheet(t, w)
	if w.win.Canvas().Focused() != s.Buttons()[1] || s.Buttons()[1].Text() != "Cancel" {
		t.Error("Cancel is not the answer at hand")
	}
	w.typed(&fyne.KeyEvent{Name: fyne.KeyEscape})
	wantCalls(t, f)
	w.share([]string{"/home/mira"})
	test.Tap(sheet(t, w).Buttons()[0])
	wantCalls(t, f, "share /home/mira with everyone")
}

func TestUnreadableFilesAreNamed(t *testing.T) {
	w, f := newTestWindow(t)
	f.report = func([]string) domain.ShareReport {
		return domain.ShareReport{
			Shared:   make([]domain.Share, 12),
			Problems: []domain.Problem{{Path: "/x/diary.doc", Err: domain.ErrUnreadable}},
		}
	}
	w.share([]string{"/x"})
	if !slices.Equal(w.notices.keys, []string{"share"}) || !w.notices.object.Visible() {
		t.Errorf("notices %v", w.notices.keys)
	}
	w.notices.remove("share")
	if w.notices.object.Visible() {
		t.Error("the notices' room stays")
	}
}

func TestUndo(t *testing.T) {
	w, f := newTestWindow(t)
	var undo func()
	shares := []domain.Share{{Name: "a", Path: "/x/a", Audience: domain.Audience{Kind: domain.Friends}}}
	w.unshare(shares)
	undo = func() { _ = w.shareAgain(t.Context(), shares) }
	undo()
	wantCalls(t, f, "unshare a", "restore /x/a with friends")

	taken := 0
	w.toast.undo = func() { taken++ }
	w.toast.takeBack()
	w.toast.hide()
	w.toast.takeBack()
	if taken != 1 {
		t.Errorf("taken back %d times", taken)
	}
}

func TestEventsReachThePages(t *testing.T) {
	w, f := newTestWindow(t)
	sub := f.bus.Subscribe()
	defer sub.Close()
	m := newModel()
	step := func() {
		t.Helper()
		batch, err := sub.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, show := range w.prepare(m, m.apply(batch)) {
			show()
		}
		w.badges()
	}
	event.Publish(f.bus, event.Peers, "1", domain.Peer{ID: "1", Name: "Ana", Online: true})
	event.Publish(f.bus, event.Shares, "a", domain.Share{Name: "a", State: domain.ShareGone})
	event.Publish(f.bus, event.Transfers, "t", domain.Transfer{ID: "t", Kind: domain.Download, State: domain.Running, Path: "x"})
	event.Publish(f.bus, event.Statuses, "", domain.Status{Name: "Mira"})
	step()
	if n := w.people.List().Len(); n != 1 {
		t.Errorf("%d people", n)
	}
	if w.nav[pageTransfers].Badge() != 1 || w.nav[pageShares].Badge() != 1 {
		t.Errorf("badges %d and %d", w.nav[pageTransfers].Badge(), w.nav[pageShares].Badge())
	}
	if !slices.Equal(w.notices.keys, []string{"network"}) {
		t.Errorf("without a network: %v", w.notices.keys)
	}
	event.Publish(f.bus, event.Statuses, "", domain.Status{Name: "Mira", Network: true})
	event.Retract(f.bus, event.Peers, "1")
	event.Retract(f.bus, event.Shares, "a")
	event.Publish(f.bus, event.Transfers, "t", domain.Transfer{ID: "t", Kind: domain.Download, State: domain.Done, Path: "x"})
	step()
	if w.people.List().Len() != 0 || w.nav[pageTransfers].Badge() != 0 || w.nav[pageShares].Badge() != 0 || len(w.notices.keys) != 0 {
		t.Errorf("left over: %d people, badges %d and %d, notices %v", w.people.List().Len(),
			w.nav[pageTransfers].Badge(), w.nav[pageShares].Badge(), w.notices.keys)
	}
}

func TestQuitAsksWhileDownloading(t *testing.T) {
	w, _ := newTestWindow(t)
	w.transfers.Prepare([]domain.Transfer{
		{ID: "1", Kind: domain.Download, State: domain.Running},
		{ID: "2", Kind: domain.Upload, State: domain.Running},
		{ID: "3", Kind: domain.Download, State: domain.Paused},
	}, time.Now())()
	w.askToQuit()
	w.askToQuit() // once is enough
	if n := len(w.win.Canvas().Overlays().List()); n != 1 {
		t.Errorf("asked %d times at once", n)
	}
	if w.closing.Load() {
		t.Error("closed without an answer")
	}
	w.typed(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if w.closing.Load() || w.win.Canvas().Overlays().Top() != nil {
		t.Error("Escape does not keep the window")
	}
	w.transfers.Prepare(nil, time.Now())()
	w.askToQuit()
	if !w.closing.Load() {
		t.Error("does not close with nothing running")
	}
}

func TestCoreThatDoesNotStart(t *testing.T) {
	w, _ := newTestWindow(t)
	w.cannotStart(errors.New("the data is newer"))
	test.Tap(w.nav[pageShares])
	if len(w.main.Objects) != 1 || w.main.Objects[0] == w.object(pageShares) {
		t.Error("pages can be reached without a core")
	}
}

func TestPersonOpensBrowse(t *testing.T) {
	w, _ := newTestWindow(t)
	w.goTo(pagePeople)
	w.browsePerson("12D3KooWpeer0", "Ana")
	if w.win.Canvas().Focused() == w.people.List() {
		t.Error("the keyboard stays with the people, whom nobody sees")
	}
	if w.page != pageBrowse || w.browse.List().Len() == 0 {
		t.Errorf("page %d with %d rows", w.page, w.browse.List().Len())
	}
	w.typed(&fyne.KeyEvent{Name: fyne.KeyDown})
	if w.win.Canvas().Focused() != w.browse.List() {
		t.Error("the arrows do not reach the rows")
	}
}

func TestNameAtTheFoot(t *testing.T) {
	w, f := newTestWindow(t)
	w.foot.setName("Mira")
	if got := w.foot.button.Text(); got != "Visible as Mira" {
		t.Errorf("%q", got)
	}
	w.foot.setName(strings.Repeat("long ", 8))
	if width := w.foot.button.MinSize().Width; width > theme.SidebarWidth-2*theme.Space8 {
		t.Errorf("a long name takes %v", width)
	}
	w.foot.setName("")
	if w.foot.button.Visible() {
		t.Error("visible as nobody")
	}
	w.foot.setName("Mira")
	w.foot.toggle()
	if got := w.foot.button.Text(); got != "Hidden from others" || w.foot.hideWords() != "Show me again" {
		t.Errorf("hidden, the foot says %q and offers %q", got, w.foot.hideWords())
	}
	w.foot.toggle()
	wantCalls(t, f, "hide true", "hide false")
	if got := w.foot.button.Text(); got != "Visible as Mira" {
		t.Errorf("shown again: %q", got)
	}
}

func TestNothingStartsBeforeTheFirstSheetIsAnswered(t *testing.T) {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{})
	f := newFake()
	f.values.Introduced = false
	w := &window{core: f.core(), app: app, run: work.Inline(), cancel: func() {}, started: make(chan struct{})}
	w.build()
	t.Cleanup(w.win.Close)
	introduced := func() bool {
		select {
		case <-w.introduced:
			return true
		default:
			return false
		}
	}
	if w.welcome == nil || w.win.Content() == w.frame || introduced() {
		t.Fatal("the pages are there before the sheet is answered")
	}
	if w.win.Canvas().Focused() != w.welcome.name || w.welcome.name.Text != "Mira" {
		t.Errorf("the name %q has not the keyboard", w.welcome.name.Text)
	}
	w.typed(&fyne.KeyEvent{Name: fyne.KeyF1})
	if w.win.Canvas().Overlays().Top() != nil {
		t.Error("F1 lists keys that do nothing yet")
	}
	w.welcome.name.SetText("a:b")
	test.Tap(w.welcome.start)
	if introduced() || w.welcome.problem.Text() == "" {
		t.Error("a bad name is taken")
	}
	w.welcome.name.SetText(" Mira K ")
	w.welcome.audience.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	w.welcome.name.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if !introduced() || w.welcome != nil || w.win.Content() != w.frame {
		t.Fatal("Enter does not start")
	}
	if v := f.values; v.Name != "Mira K" || v.Audience.Kind != domain.Friends || !v.Introduced {
		t.Errorf("kept: %+v", v)
	}
}

func TestSizeAndPageAreRemembered(t *testing.T) {
	w, f := newTestWindow(t)
	if w.win.Canvas().Size() != fyne.NewSize(startWidth, startHeight) {
		t.Errorf("opens with %v", w.win.Canvas().Size())
	}
	w.show(pageTransfers)
	w.win.Resize(fyne.NewSize(1200, 800))
	w.keepState()
	if want := (domain.WindowState{Width: 1200, Height: 800, Page: "transfers"}); f.memory != want {
		t.Errorf("kept %+v, want %+v", f.memory, want)
	}
	w.remember()
	if w.firstPage() != pageTransfers {
		t.Errorf("opens page %d", w.firstPage())
	}
	f.memory.Width, f.memory.Page = 10, "gone"
	w.remember()
	if w.firstPage() != pagePeople || w.win.Canvas().Size().Width < theme.MinWidth {
		t.Error("opens what cannot be")
	}
}

// trayApp keeps what is shown beside the clock.
type trayApp struct {
	menu *fyne.Menu
	icon string
}

func (a *trayApp) SetSystemTrayMenu(menu *fyne.Menu)      { a.menu = menu }
func (a *trayApp) SetSystemTrayIcon(icon fyne.Resource)   { a.icon = icon.Name() }
func (a *trayApp) SetSystemTrayWindow(window fyne.Window) { window.SetCloseIntercept(window.Hide) }

func TestClosingGoesToTheTrayIfThereIsOne(t *testing.T) {
	w, f := newTestWindow(t)
	shown := &trayApp{}
	w.tray.app = shown
	w.setValues(domain.Settings{Name: "Mira", KeepRunning: true})
	if shown.menu != nil {
		t.Error("the icon is there though the desktop has no place for it")
	}
	w.tray.setThere(true)
	if w.tray.there {
		t.Error("closing would go to an icon that was not made in time")
	}
	w.tray.build()
	w.tray.setThere(true)
	w.closeWindow()
	if w.closing.Load() {
		t.Error("closing ends the program though there is a tray")
	}
	idle := shown.icon
	w.transfers.Prepare([]domain.Transfer{{ID: "1", Kind: domain.Download, State: domain.Running}}, time.Now())()
	w.badges()
	if shown.icon == idle || shown.menu.Items[0].Label != "1 download" {
		t.Errorf("busy, it says %q with the icon %s", shown.menu.Items[0].Label, shown.icon)
	}
	w.transfers.Prepare(nil, time.Now())()
	w.badges()
	if shown.icon != idle || shown.menu.Items[0].Label != "Nothing moving" {
		t.Errorf("idle, it says %q with the icon %s", shown.menu.Items[0].Label, shown.icon)
	}
	w.tray.hide.Action()
	wantCalls(t, f, "hide true")
	if w.tray.hide.Label != "Show me again" {
		t.Errorf("hidden, it offers %q", w.tray.hide.Label)
	}
	w.setValues(domain.Settings{Name: "Mira"})
	w.closeWindow()
	if !w.closing.Load() {
		t.Error("closing goes to the tray though the user does not want that")
	}
}

func TestNewsAreToldOnceAndOnlyBehindTheUsersBack(t *testing.T) {
	w, _ := newTestWindow(t)
	w.setValues(domain.Settings{Notify: true})
	var told []string
	w.notify.send = func(title, text string) { told = append(told, title+" / "+text) }
	done := domain.Transfer{Path: "Holiday", PeerName: "Ana", Size: 4_200_000, State: domain.Done}
	w.notify.looked = true
	w.notify.add([]domain.Transfer{done})
	w.notify.looked = false
	w.notify.add([]domain.Transfer{done})
	w.notify.add([]domain.Transfer{done, done})
	w.notify.add([]domain.Transfer{done, {Path: "Talk.mp4", State: domain.Failed, Reason: domain.Say("%s no longer shares this with you.", "Ana")}})
	w.setValues(domain.Settings{})
	w.notify.add([]domain.Transfer{done})
	want := []string{
		"Holiday is here / 4.2 MB from Ana", "2 downloads are here / 8.4 MB",
		"Talk.mp4 does not go on / Ana no longer shares this with you.",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	running, ended := domain.Transfer{State: domain.Running}, domain.Transfer{State: domain.Done}
	if !tells(running, ended) || tells(ended, ended) || tells(running, domain.Transfer{State: domain.Done, Kind: domain.Upload}) {
		t.Error("what is news")
	}
}

func TestLastCrashIsOffered(t *testing.T) {
	w, f := newTestWindow(t)
	w.lastCrash()
	if len(w.notices.keys) != 0 {
		t.Fatal("a crash is told of that was none")
	}
	f.crash = "panic: it rained"
	w.lastCrash()
	if !slices.Equal(w.notices.keys, []string{"crash"}) {
		t.Errorf("notices %v", w.notices.keys)
	}
}
