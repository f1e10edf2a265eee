package transfers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/work"
)

var now = time.Date(2026, 11, 12, 15, 0, 0, 0, time.UTC)

// recorder notes what the page asks of the use case.
type recorder struct {
	calls []string
	err   error
}

func (r *recorder) note(what string, ids []string) error {
	r.calls = append(r.calls, strings.TrimSpace(what+" "+strings.Join(ids, ",")))
	return r.err
}

func (r *recorder) Get(_ context.Context, req domain.GetRequest) (string, error) {
	return "", r.note("get", []string{req.Path})
}
func (r *recorder) Pause(_ context.Context, ids []string) error  { return r.note("pause", ids) }
func (r *recorder) Resume(_ context.Context, ids []string) error { return r.note("resume", ids) }
func (r *recorder) Cancel(_ context.Context, ids []string) error { return r.note("cancel", ids) }
func (r *recorder) Retry(_ context.Context, ids []string) error  { return r.note("retry", ids) }
func (r *recorder) Clear(context.Context) error                  { return r.note("clear", nil) }

func newView(t *testing.T) (*View, *recorder) {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{})
	r := &recorder{}
	v := New(work.Inline(), r)
	v.OnError = func(err error) { t.Errorf("told %v", err) }
	w := test.NewTempWindow(t, v.Object())
	w.Resize(fyne.NewSize(704, 600))
	return v, r
}

// all is one transfer in each state.
func all() []domain.Transfer {
	list := []domain.Transfer{
		{ID: "run", Kind: domain.Download, State: domain.Running, PeerName: "Ana", Path: "Holiday", Size: 3_100_000_000, Done: 1_900_000_000, Rate: 48e6, Count: 214},
		{ID: "up", Kind: domain.Upload, State: domain.Running, PeerName: "Ben", Path: "a/notes.txt", Size: 100, Done: 50, Rate: 2},
		{ID: "wait", Kind: domain.Download, State: domain.Waiting, PeerName: "Cleo", Path: "Talk.mp4", Size: 100, Reason: domain.Say("Cleo is away since 14:02. Continues when Cleo is back.")},
		{ID: "full", Kind: domain.Download, State: domain.Waiting, Path: "big", Size: 100, Failure: "no_space", Reason: domain.Say("Disk full. Free 2.1 GB and it continues.")},
		{ID: "queue", Kind: domain.Download, State: domain.Queued, Path: "q"},
		{ID: "pause", Kind: domain.Download, State: domain.Paused, Path: "p", Size: 100, Done: 11},
		{ID: "done", Kind: domain.Download, State: domain.Done, Path: "song.mp3", Size: 9_000_000, Done: 9_000_000, Final: "/x/song.mp3", PeerName: "Ana", Ended: now.Add(-time.Hour)},
		{ID: "fail", Kind: domain.Download, State: domain.Failed, Path: "f", Size: 1},
		{ID: "cancel", Kind: domain.Download, State: domain.Cancelled, Path: "c", Size: 1, Ended: now},
	}
	for i := range list {
		list[i].Added = now.Add(time.Duration(i) * time.Second)
	}
	return list
}

func order(v *View) []string {
	out := make([]string, len(v.rows))
	for i, r := range v.rows {
		out[i] = r.id
	}
	return out
}

func TestWhatNeedsTheUserComesFirst(t *testing.T) {
	v, _ := newView(t)
	v.Prepare(all(), now)()
	if want := []string{"full", "fail", "run", "up", "wait", "queue", "pause", "cancel", "done"}; !slices.Equal(order(v), want) {
		t.Errorf("order %v, want %v", order(v), want)
	}
	if down, up := v.Running(); down != 4 || up != 1 {
		t.Errorf("%d down and %d up", down, up)
	}
}

func TestFilters(t *testing.T) {
	v, _ := newView(t)
	if got := v.empty.Title(); got != "Nothing moving. Browse what others share." || !v.empty.Visible() {
		t.Errorf("empty: %q", got)
	}
	v.Prepare(all(), now)()
	for filter, want := range map[Filter]int{All: 9, Down: 8, Up: 1, Done: 3} {
		v.SetFilter(filter)
		if len(v.rows) != want || !v.choices[filter].Chosen() {
			t.Errorf("filter %d shows %d", filter, len(v.rows))
		}
	}
	v.SetFilter(Up)
	v.Prepare(all()[:1], now)()
	if got := v.empty.Title(); got != "Nobody is getting anything from you." || !v.empty.Visible() {
		t.Errorf("nothing up: %q", got)
	}
}

func TestTheSecondLineIsASentence(t *testing.T) {
	want := map[string]string{
		"run":    "1.9 of 3.1 GB · 48 MB/s · 25 s left",
		"up":     "50 of 100 B · 2 B/s · 25 s left",
		"wait":   "Cleo is away since 14:02. Continues when Cleo is back.",
		"full":   "Disk full. Free 2.1 GB and it continues.",
		"queue":  "Waits for its turn.",
		"pause":  "Paused by you. 11 of 100 B is here.",
		"done":   "9.0 MB, done 14:00.",
		"fail":   "It stopped. Try again.",
		"cancel": "Cancelled by you.",
	}
	for _, t1 := range all() {
		if got := sentence(&t1, now); got != want[t1.ID] {
			t.Errorf("%s: %q, want %q", t1.ID, got, want[t1.ID])
		}
	}
	for _, c := range []struct {
		transfer domain.Transfer
		want     string
	}{
		{domain.Transfer{State: domain.Running}, "Asking for it…"},
		{domain.Transfer{State: domain.Running, Size: 10, Reason: domain.Say("Checking what's already here… 40 %")}, "Checking what's already here… 40 %"},
		{domain.Transfer{State: domain.Waiting, PeerName: "Ana"}, "Waits for Ana."},
		{domain.Transfer{State: domain.Waiting}, "Waits for somebody who has it."},
		{domain.Transfer{State: domain.Paused}, "Paused by you."},
		{domain.Transfer{State: domain.Done, Count: 3, Size: 1000}, "1.0 kB in 3 files."},
		{domain.Transfer{State: domain.Done, Size: 1000, Reason: domain.Say("You already have this.")}, "You already have this."},
		{domain.Transfer{State: domain.Running, Size: 1000, Reason: domain.Say("Checking what's already here… 40 %")}, "Checking what's already here… 40 %"},
		{domain.Transfer{State: domain.Queued, Reason: domain.Say("Number 2 in your queue.")}, "Number 2 in your queue."},
	} {
		if got := sentence(&c.transfer, now); got != c.want {
			t.Errorf("%+v: %q, want %q", c.transfer.State, got, c.want)
		}
	}
}

func TestActions(t *testing.T) {
	v, r := newView(t)
	v.Prepare(all(), now)()
	for id, want := range map[string][]action{
		"run": {pausing, cancelling}, "up": {cancelling}, "wait": {pausing, cancelling}, "queue": {pausing, cancelling},
		"pause": {resuming, cancelling}, "done": {opening}, "fail": {retrying}, "cancel": {retrying},
	} {
		for a := pausing; a <= opening; a++ {
			if got := v.rows[v.byID[id]].can(a); got != slices.Contains(want, a) {
				t.Errorf("%s: action %d is possible: %v", id, a, got)
			}
		}
	}
	undone := func() {}
	toast := ""
	v.OnToast = func(text string, undo func()) { toast, undone = text, undo }
	opened := ""
	v.OnOpen = func(path, from string) { opened = path + " from " + from }
	v.toggle([]string{"run", "pause"})
	v.toggle([]string{"pause", "done"})
	v.cancel([]string{"run", "done"})
	undone()
	v.retry([]string{"fail", "run"})
	v.pauseAll()
	v.open("done")
	v.open("run")
	want := []string{"pause run", "resume pause", "cancel run", "retry run", "retry fail", "pause full,run,wait,queue"}
	if !slices.Equal(r.calls, want) {
		t.Errorf("asked for %q, want %q", r.calls, want)
	}
	if toast != "Holiday is cancelled." || opened != "/x/song.mp3 from Ana" {
		t.Errorf("toast %q, opened %q", toast, opened)
	}
}

func TestKeys(t *testing.T) {
	v, r := newView(t)
	v.OnToast = func(string, func()) {}
	v.Prepare(all(), now)()
	v.list.Select("run")
	v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	if want := []string{"pause run", "cancel run"}; !slices.Equal(r.calls, want) {
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
	v.cancel([]string{"run"})
	test.Tap(v.clear)
	if told != 3 {
		t.Errorf("%d problems told, want 3", told)
	}
}

func TestButtonsAreOffWithoutUse(t *testing.T) {
	v, _ := newView(t)
	if !v.pause.Disabled() || !v.clear.Disabled() {
		t.Error("there is nothing to pause or clear")
	}
	v.Prepare(all(), now)()
	if v.pause.Disabled() || v.clear.Disabled() {
		t.Error("there is something to pause and to clear")
	}
	if v.down.Text() != "48 MB/s" || !v.down.Visible() || v.up.Text() != "2 B/s" {
		t.Errorf("rates %q and %q", v.down.Text(), v.up.Text())
	}
	v.Prepare(nil, now)()
	if v.down.Visible() || v.up.Visible() {
		t.Error("a zero rate is shown")
	}
}

func TestNamesOfBareContents(t *testing.T) {
	id := strings.Repeat("ab", 32)
	if got := rowOf(domain.Transfer{Path: id, Kind: domain.Download}, now).name; strings.Contains(got, "abab") {
		t.Errorf("a hash is shown: %q", got)
	}
}

// BenchmarkPrepare puts a thousand transfers into words.
func BenchmarkPrepare(b *testing.B) {
	test.NewTempApp(b)
	v := New(work.Inline(), &recorder{})
	list := make([]domain.Transfer, 1000)
	for i := range list {
		list[i] = domain.Transfer{ID: fmt.Sprint(i), Kind: domain.Download, State: domain.Running, Path: "a/b", Size: 1e9, Done: 5e8, Rate: 1e6}
	}
	b.ResetTimer()
	for range b.N {
		v.Prepare(list, now)()
	}
}
