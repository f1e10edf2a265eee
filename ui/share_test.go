//go:build !preview

package ui

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/desktop"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/work"
)

// queue is what the window's thread has still to do.
type queue chan func()

// until does it, until something is the case.
func (q queue) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for begun := time.Now(); !is(); {
		select {
		case f := <-q:
			f()
		case <-time.After(10 * time.Millisecond):
			if time.Since(begun) > 10*time.Second {
				t.Fatalf("it never came to this: %s", what)
			}
		}
	}
}

// newTimedWindow is newTestWindow in which waiting takes its time, as it does
// in the real one: toasts stay.
func newTimedWindow(t *testing.T) (*window, *fake, queue) {
	t.Helper()
	w, f := newTestWindow(t)
	q := make(queue, 64)
	w.run = work.New(t.Context(), func(f func()) { q <- f })
	t.Cleanup(w.run.Close)
	w.build()
	return w, f, q
}

// toastButton returns the button of the toast on screen that says text.
func toastButton(t *testing.T, w *window, text string) *widget.Button {
	t.Helper()
	for _, o := range test.LaidOutObjects(w.toast.object) {
		if b, ok := o.(*widget.Button); ok && b.Text() == text {
			return b
		}
	}
	t.Fatalf("the toast has no button %q", text)
	return nil
}

func toastText(w *window) string {
	for _, o := range test.LaidOutObjects(w.toast.object) {
		if text, ok := o.(*widget.Text); ok {
			return text.Text()
		}
	}
	return ""
}

func TestToastChangesTheAudience(t *testing.T) {
	w, f, q := newTimedWindow(t)
	w.win.Resize(fyne.NewSize(900, 600))
	says := func(text string) {
		t.Helper()
		q.until(t, text, func() bool { return toastText(w) == text })
	}
	w.share([]string{"/home/mira/Holiday"})
	says("Holiday is now shared with everyone nearby.")
	test.Tap(toastButton(t, w, "Change"))
	menu, ok := w.win.Canvas().Focused().(*fwidget.PopUpMenu)
	if !ok {
		t.Fatal("there is nothing to choose from")
	}
	if bar := w.app.Driver().AbsolutePositionForObject(w.toast.object.Objects[0]); menu.Position().Y+menu.Size().Height > bar.Y {
		t.Errorf("the choice covers the toast: it ends at %v, the toast begins at %v", menu.Position().Y+menu.Size().Height, bar.Y)
	}
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	says("Holiday is now shared with friends.")
	test.Tap(toastButton(t, w, "Undo"))
	says("")
	q.until(t, "it is not shared", func() bool { return len(f.called()) == 3 })
	wantCalls(t, f, "share /home/mira/Holiday with everyone", "show Holiday to friends", "unshare Holiday")
}

func TestSharedAlreadyStaysAsItIs(t *testing.T) {
	w, f := newTestWindow(t)
	w.library.Prepare([]domain.Share{
		{Name: "Holiday", Path: "/home/mira/Holiday", Audience: domain.Audience{Kind: domain.Friends}},
	}, nil)()
	w.share([]string{"/home/mira/Holiday"})
	if got := w.library.List().Selected(); w.page != pageShares || !slices.Equal(got, []string{"Holiday"}) {
		t.Errorf("page %d, selected %v", w.page, got)
	}
	w.share([]string{"/home/mira/notes.txt", "/home/mira/Holiday"})
	wantCalls(t, f, "share /home/mira/notes.txt with everyone")
}

func TestSeveralRisksAreAskedAboutTogether(t *testing.T) {
	w, f := newTestWindow(t)
	f.risks = []domain.Risk{{Kind: domain.RiskHome, Path: "/home/mira", Files: 412_000}, {Kind: domain.RiskHidden, Path: "/x/.ssh", Files: 2}}
	w.share([]string{"/home/mira", "/x/.ssh"})
	text := test.RenderObjectToMarkup(sheet(t, w))
	for _, want := range []string{"Share all of this?", "Your whole home folder", ".ssh, which may hold keys"} {
		if !strings.Contains(text, want) {
			t.Errorf("the sheet does not say %q", want)
		}
	}
	test.Tap(sheet(t, w).Buttons()[0])
	wantCalls(t, f, "share /home/mira,/x/.ssh with everyone")
}

// TestReadingIsToldOf shares something that takes long to read: it is said
// before all of it is, and can be taken back.
func TestReadingIsToldOf(t *testing.T) {
	w, f, q := newTimedWindow(t)
	big := domain.Share{Name: "big", Path: "/x/big", State: domain.ShareReading, ToRead: 100}
	stopped := make(chan struct{})
	f.report = func([]string) domain.ShareReport {
		<-stopped
		return domain.ShareReport{Problems: []domain.Problem{{Path: big.Path, Err: domain.ErrNotFound}}}
	}
	w.share([]string{big.Path})
	w.library.Prepare([]domain.Share{big}, nil)()
	q.until(t, "it is said", func() bool { return toastText(w) == "big is now shared with everyone nearby." })
	w.toast.takeBack()
	q.until(t, "it is stopped", func() bool { return slices.Contains(f.called(), "unshare big") })
	close(stopped)
	w.run.Close()
	for len(q) > 0 {
		(<-q)()
	}
	if len(w.notices.keys) > 0 || toastText(w) != "" {
		t.Errorf("notices %v, toast %q", w.notices.keys, toastText(w))
	}
}

// TestStoppedWhileItWasRead stops what is still being read: that is what the
// user wanted, so no notice tells of it.
func TestStoppedWhileItWasRead(t *testing.T) {
	w, f := newTestWindow(t)
	big := domain.Share{Name: "big", Path: "/x/big"}
	f.report = func([]string) domain.ShareReport {
		w.unshare([]domain.Share{big})
		return domain.ShareReport{Problems: []domain.Problem{{Path: big.Path, Err: fmt.Errorf("not shared any more: %w", domain.ErrNotFound)}}}
	}
	w.share([]string{big.Path})
	if len(w.notices.keys) > 0 {
		t.Errorf("notices %v", w.notices.keys)
	}
	f.report = func([]string) domain.ShareReport {
		return domain.ShareReport{Problems: []domain.Problem{{Path: big.Path, Err: domain.ErrUnreadable}}}
	}
	w.share([]string{big.Path}) // another time, and another reason
	if !slices.Equal(w.notices.keys, []string{"share"}) {
		t.Errorf("notices %v", w.notices.keys)
	}
}

func TestStopSharingIsTakenBack(t *testing.T) {
	w, f, q := newTimedWindow(t)
	shares := []domain.Share{{Name: "a", Path: "/x/a", Audience: domain.Audience{Kind: domain.Friends}}}
	w.library.Prepare(shares, nil)()
	w.show(pageShares)
	w.library.List().Select("a")
	w.library.List().TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	q.until(t, "it says so", func() bool { return toastText(w) == "a is no longer shared." })
	f.refuses = domain.Fault(domain.ErrNotShareable, "it belongs to Potluck itself")
	test.Tap(toastButton(t, w, "Undo"))
	q.until(t, "that it was refused is said", func() bool { return slices.Equal(w.notices.keys, []string{"problem"}) })
	wantCalls(t, f, "unshare a", "restore /x/a with friends")
}

func TestNearestFolder(t *testing.T) {
	dir := t.TempDir()
	if got := nearest(filepath.Join(dir, "unplugged", "Films", "Talk.mp4")); got != dir {
		t.Errorf("%v, want %s", got, dir)
	}
}

func TestFindAsksWhereItIs(t *testing.T) {
	w, _ := newTestWindow(t)
	for _, s := range []domain.Share{{Name: "Talk.mp4"}, {Name: "Holiday", Folder: true}} {
		w.find(s)
		if w.chooser == nil || w.win.Canvas().Overlays().Top() == nil {
			t.Fatalf("nothing asks where %s is", s.Name)
		}
		w.typed(&fyne.KeyEvent{Name: fyne.KeyEscape})
		if w.win.Canvas().Overlays().Top() != nil {
			t.Fatalf("Escape does not end the question where %s is", s.Name)
		}
	}
}

func TestTheDesktopsChooserIsAskedFirst(t *testing.T) {
	w, f := newTestWindow(t)
	var asked []desktop.Choice
	w.portal = func(_ context.Context, _ uintptr, c desktop.Choice) ([]string, bool) {
		asked = append(asked, c)
		return []string{"/x/a", "/x/b"}, true
	}
	w.chooseFile()
	wantCalls(t, f, "share /x/a,/x/b with everyone")
	if len(asked) != 1 || !asked[0].Multiple || asked[0].Folders || w.chooser != nil {
		t.Errorf("asked %+v", asked)
	}
	w.portal = func(context.Context, uintptr, desktop.Choice) ([]string, bool) { return nil, true }
	w.chooseFolder() // and thought better of it
	if w.chooser != nil || len(f.called()) != 1 {
		t.Error("something is chosen though nothing was")
	}
	w.portal = func(context.Context, uintptr, desktop.Choice) ([]string, bool) { return nil, false }
	w.chooseFolder()
	if w.chooser == nil {
		t.Error("a desktop without a chooser leaves the user without one")
	}
}
