package transfers

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/widget"
)

func TestActions(t *testing.T) {
	v, r := newView(t)
	v.Prepare(append(all(),
		domain.Transfer{ID: "changed", Kind: domain.Download, State: domain.Failed, Path: "x", Failure: "changed", Size: 2, Done: 1},
		domain.Transfer{ID: "sent", Kind: domain.Upload, State: domain.Done, Path: "x"}), now)()
	running := []action{pausing, hastening, deferring, cancelling, telling}
	for id, want := range map[string][]action{
		"run": append(running, choosing), "up": {telling}, "wait": running, "full": append(running, moving), "queue": running,
		"pause": {resuming, hastening, deferring, cancelling, telling}, "done": {opening, revealing, checking, removing, deleting, telling},
		"fail": {retrying, removing, telling}, "cancel": {retrying, removing, telling}, "changed": {renewing, removing, deleting, telling},
		"sent": {removing, telling},
	} {
		for a := opening; a <= telling; a++ {
			if got := can(v.transfer(id), a); got != slices.Contains(want, a) {
				t.Errorf("%s: action %d is possible: %v", id, a, got)
			}
		}
	}
	undone := func() {}
	toast := ""
	v.OnToast = func(text string, undo func()) { toast, undone = text, undo }
	opened := ""
	v.OnOpen = func(path, from string) { opened = path + " from " + from }
	v.OnReveal = func(path string) { opened += ", in " + path }
	v.toggle([]string{"run", "pause"})
	v.toggle([]string{"pause", "done"})
	v.act(cancelling, []string{"run", "done"})
	undone()
	v.act(retrying, []string{"fail", "run"})
	v.act(hastening, []string{"run", "done"})
	v.act(deferring, []string{"run"})
	v.act(renewing, []string{"changed", "fail"})
	v.act(checking, []string{"done"})
	v.act(removing, []string{"sent", "up"})
	test.Tap(v.pause)
	v.open("done")
	v.act(opening, []string{"run"})
	v.act(revealing, []string{"done"})
	v.Missing("/x/song.mp3")
	want := []string{"pause run", "resume pause", "cancel run", "retry run", "retry fail", "first run", "later run", "get again changed", "check done", "remove sent", "pause full,run,wait,queue", "missing /x/song.mp3"}
	if !slices.Equal(r.calls, want) {
		t.Errorf("asked for %q, want %q", r.calls, want)
	}
	if toast != "Holiday is cancelled." || opened != "/x/song.mp3 from Ana, in /x/song.mp3" {
		t.Errorf("toast %q, opened %q", toast, opened)
	}
}

func TestDeletingAsks(t *testing.T) {
	v, r := newView(t)
	v.Prepare(all(), now)()
	told := ""
	v.OnError = func(err error) { told = err.Error() }
	ask := func() *widget.Sheet {
		v.act(deleting, []string{"done", "run"})
		return v.canvas().Overlays().Top().(*widget.Sheet)
	}
	sheet := ask()
	if v.canvas().Focused() != sheet.Buttons()[1] {
		t.Error("Cancel is not the answer at hand")
	}
	sheet.Cancel()
	if len(r.calls) != 0 {
		t.Errorf("asked for %q", r.calls)
	}
	test.Tap(ask().Buttons()[0])
	if !slices.Equal(r.calls, []string{"delete done"}) || told != "" {
		t.Errorf("asked for %q, told %q", r.calls, told)
	}
	r.left = 2
	test.Tap(ask().Buttons()[0])
	if told != "2 files are not as they were downloaded, and stay" {
		t.Errorf("told %q", told)
	}
}

func TestPauseAllResumesWhenAllIsPaused(t *testing.T) {
	v, r := newView(t)
	v.Prepare([]domain.Transfer{{ID: "a", Kind: domain.Download, State: domain.Paused, Path: "a"}}, now)()
	if v.pause.Text() != "Resume all" || v.pause.Disabled() {
		t.Errorf("the button says %q", v.pause.Text())
	}
	test.Tap(v.pause)
	if !slices.Equal(r.calls, []string{"resume a"}) {
		t.Errorf("asked for %q", r.calls)
	}
}

func names(items []*fyne.MenuItem) []string {
	var out []string
	for _, i := range items {
		if i.IsSeparator {
			out = append(out, "-")
		} else {
			out = append(out, i.Label)
		}
	}
	return out
}

func TestMenu(t *testing.T) {
	v, _ := newView(t)
	v.Prepare(all(), now)()
	for _, c := range []struct{ ids, want []string }{
		{[]string{"run"}, []string{"Details", "-", "Pause", "Run first", "Run later", "Choose files…", "-", "Cancel"}},
		{[]string{"done"}, []string{"Open", "Show in folder", "Details", "-", "Check again", "-", "Remove from list", "Delete the files too…"}},
		{[]string{"up"}, []string{"Details"}},
		{[]string{"run", "pause"}, []string{"Pause", "Resume", "Run first", "Run later", "-", "Cancel"}},
		{[]string{"fail"}, []string{"Details", "-", "Try again", "-", "Remove from list"}},
	} {
		if got := names(v.menuOf(c.ids)); !slices.Equal(got, c.want) {
			t.Errorf("%v: %q, want %q", c.ids, got, c.want)
		}
	}
}

// shown returns what is on screen for a transfer.
func shown(t *testing.T, v *View, id string) *rowView {
	t.Helper()
	i := slices.Index(v.ids, id)
	if i < 0 {
		t.Fatalf("%s is not shown", id)
	}
	cells := newRow()
	cells.(*rowView).show(v, v.rows[i])
	return cells.(*rowView)
}

func TestProblemsCarryTheirRemedy(t *testing.T) {
	v, r := newView(t)
	list := all()
	list = append(list, domain.Transfer{ID: "here", Kind: domain.Download, State: domain.Done, Path: "h", Final: "/x/h", Reason: domain.Say("You already have this.")})
	list = append(list, domain.Transfer{ID: "changed", Kind: domain.Download, State: domain.Failed, Path: "x", Failure: "changed"})
	v.Prepare(list, now)()
	revealed := ""
	v.OnReveal = func(path string) { revealed = path }
	v.OnFolder = func(chosen func(string)) { chosen("/y") }
	for id, want := range map[string]string{"fail": "Try again", "changed": "Get the new one", "full": "Choose another folder", "here": "Show in folder", "run": "", "done": "", "cancel": ""} {
		row := shown(t, v, id)
		if row.remedy.Text() != want || row.remedy.Visible() != (want != "") {
			t.Errorf("%s: the button says %q", id, row.remedy.Text())
		}
		if want != "" {
			test.Tap(row.remedy)
		}
	}
	slices.Sort(r.calls)
	if want := []string{"cancel full", "get again changed", "get big", "remove full", "retry fail"}; !slices.Equal(r.calls, want) || revealed != "/x/h" {
		t.Errorf("asked for %q, want %q; revealed %q", r.calls, want, revealed)
	}
}

// Whoever chooses the folder that it is in already must not lose the download.
func TestTheSameFolderEndsNothing(t *testing.T) {
	v, r := newView(t)
	v.OnFolder = func(chosen func(string)) { chosen("/y") }
	v.Prepare(all(), now)()
	r.got = "full"
	v.act(moving, []string{"full"})
	if want := []string{"get big"}; !slices.Equal(r.calls, want) {
		t.Errorf("asked for %q, want %q", r.calls, want)
	}
}

// A content is asked of whoever has it, not by its name of one who never listed
// it so.
func TestAContentGoesToAnotherFolder(t *testing.T) {
	v, r := newView(t)
	v.OnFolder = func(chosen func(string)) { chosen("/y") }
	hex := strings.Repeat("ab", 32)
	v.Prepare([]domain.Transfer{{ID: "c", Kind: domain.Download, State: domain.Waiting, Peer: "ana", Path: hex, Failure: "no_space"}}, now)()
	r.got = "new"
	v.act(moving, []string{"c"})
	if want := []string{"get " + hex, "cancel c", "remove c"}; !slices.Equal(r.calls, want) {
		t.Errorf("asked for %q, want %q", r.calls, want)
	}
	if r.req.Peer != "" {
		t.Errorf("asked of %s", r.req.Peer)
	}
}

func TestAnotherFolderKeepsTheChoice(t *testing.T) {
	v, r := newView(t)
	v.OnFolder = func(chosen func(string)) { chosen("/y") }
	v.Prepare(all(), now)()
	file := func(path string, skipped bool) domain.FileProgress {
		return domain.FileProgress{TransferFile: domain.TransferFile{Entry: domain.Entry{Path: path}, Skipped: skipped}}
	}
	r.files = map[string][]domain.FileProgress{
		"full": {file("big/a", false), file("big/b", true)},
		"":     {file("big/b", false), file("big/a", false)}, // the new one's ID is empty here
	}
	v.act(moving, []string{"full"})
	if want := []string{"get big", "choose ,map[0:false]", "cancel full", "remove full"}; !slices.Equal(r.calls, want) {
		t.Errorf("asked for %q, want %q", r.calls, want)
	}
}

func TestKeys(t *testing.T) {
	v, r := newView(t)
	v.OnToast = func(string, func()) {}
	v.Prepare(all(), now)()
	v.list.Select("run")
	v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	v.list.SelectAll()
	v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	if want := []string{"pause run", "cancel run", "cancel full,run,wait,queue,pause", "remove fail,cancel,done"}; !slices.Equal(r.calls, want) {
		t.Errorf("asked for %q, want %q", r.calls, want)
	}
}

func TestProblemsAreTold(t *testing.T) {
	v, r := newView(t)
	r.err = errors.New("no")
	told := 0
	v.OnError = func(error) { told++ }
	v.OnToast = func(string, func()) { t.Error("told that it was cancelled") }
	v.Prepare(all(), now)()
	v.toggle([]string{"run"})
	v.act(cancelling, []string{"run"})
	test.Tap(v.clear)
	if told != 3 {
		t.Errorf("%d problems told, want 3", told)
	}
}
