package transfers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
	"github.com/potluck-share/potluck/ui/work"
)

var now = time.Date(2026, 11, 12, 15, 0, 0, 0, time.UTC)

// recorder notes what the page asks of the use case.
type recorder struct {
	calls []string
	err   error
	left  int
	got   string                           // what Get returns
	req   domain.GetRequest                // what it was asked last
	files map[string][]domain.FileProgress // by the transfer

	providers []domain.TransferProvider
}

func (r *recorder) note(what string, ids []string) error {
	r.calls = append(r.calls, strings.TrimSpace(what+" "+strings.Join(ids, ",")))
	return r.err
}

func (r *recorder) Get(_ context.Context, req domain.GetRequest) (string, error) {
	r.req = req
	what := req.Path
	if what == "" {
		what = req.Content.String()
	}
	return r.got, r.note("get", []string{what})
}
func (r *recorder) Pause(_ context.Context, ids []string) error  { return r.note("pause", ids) }
func (r *recorder) Resume(_ context.Context, ids []string) error { return r.note("resume", ids) }
func (r *recorder) Cancel(_ context.Context, ids []string) error { return r.note("cancel", ids) }
func (r *recorder) Retry(_ context.Context, ids []string) error  { return r.note("retry", ids) }
func (r *recorder) First(_ context.Context, ids []string) error  { return r.note("first", ids) }
func (r *recorder) Later(_ context.Context, ids []string) error  { return r.note("later", ids) }
func (r *recorder) Files(id string) ([]domain.FileProgress, error) {
	return r.files[id], r.err
}

func (r *recorder) Choose(_ context.Context, id string, wanted map[int]bool) error {
	return r.note("choose", []string{id, fmt.Sprint(wanted)})
}

func (r *recorder) Providers(string) ([]domain.TransferProvider, error) {
	return r.providers, r.err
}

func (r *recorder) GetAgain(_ context.Context, id string) (string, error) {
	return "", r.note("get again", []string{id})
}

func (r *recorder) Missing(_ context.Context, path string) error {
	return r.note("missing", []string{path})
}

func (r *recorder) CheckAgain(_ context.Context, ids []string) error { return r.note("check", ids) }
func (r *recorder) Remove(_ context.Context, ids []string) error     { return r.note("remove", ids) }
func (r *recorder) DeleteFiles(_ context.Context, ids []string) (int, error) {
	return r.left, r.note("delete", ids)
}
func (r *recorder) Clear(context.Context) error { return r.note("clear", nil) }

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
	if down, up := v.Running(); down != 2 || up != 1 {
		t.Errorf("%d down and %d up", down, up)
	}
}

// What has not changed is not put into words again, but for a new day.
func TestRowsAreKept(t *testing.T) {
	v, _ := newView(t)
	list := all()
	v.Prepare(list, now)()
	run, done := v.known["run"], v.known["done"]
	list[0].Done++
	v.Prepare(list, now.Add(time.Minute))()
	if v.known["run"] == run || v.known["done"] != done {
		t.Error("not just what changed is put into words")
	}
	v.Prepare(list, now.Add(24*time.Hour))()
	if got := v.known["done"].look.sentence; got != "9.0 MB, done yesterday." {
		t.Errorf("a day later: %q", got)
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

// A key that was meant for one transfer does not reach the next.
func TestButtonsLoseTheFocusWithTheirRow(t *testing.T) {
	v, _ := newView(t)
	list := []domain.Transfer{
		{ID: "a", Kind: domain.Download, State: domain.Running, Path: "a", Order: 1},
		{ID: "b", Kind: domain.Download, State: domain.Running, Path: "b", Order: 2},
	}
	v.Prepare(list, now)()
	v.canvas().Focus(v.list)
	v.canvas().FocusNext()
	button, ok := v.canvas().Focused().(*widget.Button)
	if !ok {
		t.Fatalf("the focus is on %T", v.canvas().Focused())
	}
	list[0].Done++
	v.Prepare(list, now)()
	if v.canvas().Focused() != fyne.Focusable(button) {
		t.Error("the focus goes away though the row stays")
	}
	list[0].Order = 3
	v.Prepare(list, now)()
	if v.canvas().Focused() != v.list {
		t.Errorf("the focus is on %T", v.canvas().Focused())
	}
}

func TestRowsStayUnderThePointer(t *testing.T) {
	v, _ := newView(t)
	list := []domain.Transfer{
		{ID: "a", Kind: domain.Download, State: domain.Running, Path: "a", Order: 1},
		{ID: "b", Kind: domain.Download, State: domain.Running, Path: "b", Order: 2},
	}
	v.Prepare(list, now)()
	row := hovered(t, v)
	row.MouseIn(nil)
	list[0].State = domain.Paused
	list = append(list, domain.Transfer{ID: "c", Kind: domain.Download, State: domain.Failed, Path: "c"})
	v.Prepare(list, now)()
	if want := []string{"a", "b", "c"}; !slices.Equal(order(v), want) {
		t.Errorf("under the pointer the order is %v, want %v", order(v), want)
	}
	row.MouseOut()
	if want := []string{"c", "b", "a"}; !slices.Equal(order(v), want) {
		t.Errorf("then it is %v, want %v", order(v), want)
	}
}

// hovered returns a row on screen.
func hovered(t *testing.T, v *View) desktop.Hoverable {
	t.Helper()
	var found desktop.Hoverable
	var walk func(o fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		if h, ok := o.(desktop.Hoverable); ok && found == nil && o.Size().Height == rowHeight {
			found = h
			return
		}
		switch o := o.(type) {
		case *fyne.Container:
			for _, in := range o.Objects {
				walk(in)
			}
		case fyne.Widget:
			for _, in := range test.WidgetRenderer(o).Objects() {
				walk(in)
			}
		}
	}
	walk(v.list)
	if found == nil {
		t.Fatal("there is no row")
	}
	return found
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
}

func TestFoot(t *testing.T) {
	v, _ := newView(t)
	at := now
	v.now = func() time.Time { return at }
	v.SetFree(220e9)
	if f := v.foot; f.free.Text() != "220 GB free" || f.graph.Visible() || f.down.Visible() || f.up.Visible() {
		t.Errorf("with nothing to do: %q, graph %v", f.free.Text(), f.graph.Visible())
	}
	v.SetFree(-1)
	if v.foot.free.Text() != "" {
		t.Error("room is told that nobody knows")
	}
	v.Prepare(all(), at)()
	if f := v.foot; f.down.Text() != "48 MB/s" || !f.down.Visible() || f.up.Text() != "2 B/s" || !f.graph.Visible() || !v.Moving() {
		t.Errorf("rates %q and %q, graph %v", f.down.Text(), f.up.Text(), f.graph.Visible())
	}
	at = at.Add(2 * time.Second)
	v.Tick(at)
	if got := v.foot.graph.Label(); got != "50 MB/s" {
		t.Errorf("the graph's edge is %q", got)
	}
	v.Prepare(nil, at)()
	if f := v.foot; f.down.Visible() || f.up.Visible() || !f.graph.Visible() {
		t.Error("a zero rate is shown, or the graph ends at once")
	}
	at = at.Add(fades)
	v.Tick(at)
	if v.foot.graph.Visible() || v.Moving() {
		t.Error("the graph is shown though nothing moves")
	}
}

func TestNothingIsDrawnOffScreen(t *testing.T) {
	v, _ := newView(t)
	v.SetShown(false)
	v.Prepare(all(), now)()
	if v.list.Len() != 0 || v.foot.down.Visible() {
		t.Error("the page is filled though another one is on screen")
	}
	if down, up := v.Running(); down != 2 || up != 1 {
		t.Errorf("the badge counts %d and %d", down, up)
	}
	v.SetShown(true)
	if v.list.Len() != 9 || !v.foot.down.Visible() {
		t.Error("the page is empty when it comes back")
	}
}

func TestSmallestWindowHasRoom(t *testing.T) {
	for _, language := range words.Languages {
		if err := words.Use(language); err != nil {
			t.Fatal(err)
		}
		v, _ := newView(t)
		for _, list := range [][]domain.Transfer{nil, all(), {{ID: "a", Kind: domain.Download, State: domain.Paused, Path: "a"}}} {
			v.Prepare(list, now)()
			if m := v.Object().MinSize(); m.Width > 704 || m.Height > 600 {
				t.Errorf("%s: needs %v, and the smallest window has 704 × 600", language, m)
			}
		}
	}
	if err := words.Use(words.English); err != nil {
		t.Fatal(err)
	}
}
