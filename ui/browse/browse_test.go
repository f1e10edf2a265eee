package browse

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/work"
)

var at = time.Date(2026, 11, 12, 9, 0, 0, 0, time.UTC)

// shelf answers from a map of places and notes what it was asked.
type shelf struct {
	places map[string][]domain.Result
	mu     sync.Mutex // guards asked, where several ask at once
	err    error
	partly bool // answer in spite of err
	asked  []string
	got    []domain.GetRequest
	getErr error
	again  []domain.PeerID
	here   map[domain.ContentID]string
	told   func(words string, peer domain.PeerID) bool // what others answer; nil: nothing
	peek   func(context.Context, domain.PeekRequest) (domain.Peek, error)
	peeked []domain.PeekRequest
}

func (s *shelf) note(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, key)
}

func (s *shelf) List(_ context.Context, peer domain.PeerID, folder string) ([]domain.Result, error) {
	key := string(peer) + ":" + folder
	s.note(key)
	if s.err != nil && !s.partly {
		return nil, s.err
	}
	return s.places[key], s.err
}

func (s *shelf) Search(_ context.Context, words string, peer domain.PeerID, _ int, keep func(domain.Entry) bool) ([]domain.Result, error) {
	key := string(peer) + "?" + words
	s.note(key)
	if s.err != nil && !s.partly {
		return nil, s.err
	}
	if keep == nil {
		return s.places[key], s.err
	}
	var kept []domain.Result
	for _, r := range s.places[key] {
		if keep(r.Entry) {
			kept = append(kept, r)
		}
	}
	return kept, s.err
}

func (s *shelf) Ask(_ context.Context, words string, peer domain.PeerID) (bool, error) {
	return s.told != nil && s.told(words, peer), nil
}

func (s *shelf) Peek(ctx context.Context, req domain.PeekRequest) (domain.Peek, error) {
	s.peeked = append(s.peeked, req)
	if s.peek == nil {
		return domain.Peek{}, domain.ErrOffline
	}
	return s.peek(ctx, req)
}

func (s *shelf) Again(peer domain.PeerID) { s.again = append(s.again, peer) }

func (s *shelf) Where(content domain.ContentID) string { return s.here[content] }

func (s *shelf) Get(_ context.Context, req domain.GetRequest) (string, error) {
	s.got = append(s.got, req)
	return "id", s.getErr
}

func (s *shelf) last() string {
	if len(s.asked) == 0 {
		return ""
	}
	return s.asked[len(s.asked)-1]
}

// from is a result that the people of these IDs have; one in upper case is
// around.
func from(path string, size int64, ids ...string) domain.Result {
	r := domain.Result{Entry: domain.Entry{Path: path, Size: size, Modified: at}}
	if strings.HasSuffix(path, "/") {
		r.Path, r.Folder = strings.TrimSuffix(path, "/"), true
	} else {
		copy(r.Content[:], path)
	}
	for _, id := range ids {
		r.Providers = append(r.Providers, domain.Provider{
			Peer: domain.PeerID(strings.ToLower(id)), Name: "Person " + id, Path: r.Path, Online: id == strings.ToUpper(id),
		})
	}
	return r
}

func newView(t testing.TB, run *work.Runner) (*View, *shelf) {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{})
	s := &shelf{places: map[string][]domain.Result{
		":":           {from("Old/", 5, "A"), from("New/", 5, "b")},
		"a:":          {from("Holiday/", 100, "A"), from("readme.md", 7, "A", "b")},
		"a:Holiday":   {from("Holiday/b.jpg", 3, "A"), from("Holiday/a.jpg", 9, "A"), from("Holiday/img/", 2, "A")},
		"?jpg":        {from("Holiday/b.jpg", 3, "b", "A"), from("Holiday/a.jpg", 9, "A")},
		"a?jpg":       {from("Holiday/b.jpg", 3, "A")},
		"a:Empty":     {},
		"b:New":       {from("New/c", 1, "b")},
		"a:Holiday/x": {},
	}}
	s.places[":"][1].Modified = at.Add(time.Hour)
	v := New(run, s, s)
	v.OnError = func(err error) { t.Errorf("told %v", err) }
	w := test.NewTempWindow(t, v.Object())
	w.Resize(fyne.NewSize(704, 600))
	return v, s
}

func names(v *View) []string {
	out := make([]string, len(v.rows))
	for i, r := range v.rows {
		out[i] = r.name
	}
	return out
}

func open(t *testing.T, v *View, name string) {
	t.Helper()
	for _, r := range v.rows {
		if r.name == name {
			v.list.OnOpen(r.id)
			return
		}
	}
	t.Fatalf("there is no %s among %v", name, names(v))
}

func wantNames(t *testing.T, v *View, want ...string) {
	t.Helper()
	if got := names(v); !slices.Equal(got, want) {
		t.Errorf("shown %v, want %v", got, want)
	}
}

func steps(v *View) string {
	var names []string
	for _, c := range v.path() {
		names = append(names, c.name)
	}
	return strings.Join(names, " > ")
}

func TestWalkingDownAndUp(t *testing.T) {
	v, s := newView(t, work.Inline())
	v.Reload()
	wantNames(t, v, "New", "Old") // the newest first
	v.Person("a", "Ana")
	wantNames(t, v, "Holiday", "readme.md")
	open(t, v, "Holiday")
	wantNames(t, v, "img", "a.jpg", "b.jpg") // folders first
	if got := steps(v); got != "Everyone > Person A > Holiday" {
		t.Errorf("path %q", got)
	}
	v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyBackspace})
	wantNames(t, v, "Holiday", "readme.md")
	v.Up()
	wantNames(t, v, "New", "Old")
	v.Up()
	open(t, v, "New")
	if s.last() != "b:New" {
		t.Errorf("a folder of everyone's opened %q", s.last())
	}
	v.path()[1].open()
	if s.last() != "b:" {
		t.Errorf("the link to the person opened %q", s.last())
	}
}

func TestEmptyPagesSayWhy(t *testing.T) {
	v, s := newView(t, work.Inline())
	title := func() string { return v.empty.Title() }
	s.places[":"] = nil
	v.Reload()
	if title() != "Nobody here shares anything yet." {
		t.Errorf("%q", title())
	}
	v.Person("c", "Cleo")
	if title() != "Cleo shares nothing yet." || !v.empty.Visible() || v.sheet.Visible() {
		t.Errorf("%q", title())
	}
	v.visit(place{peer: "a", name: "Ana", folder: "Empty"})
	if title() != "This folder is empty." {
		t.Errorf("%q", title())
	}
	v.search.SetText("jazz")
	if title() != "No 'jazz' among Ana's files." {
		t.Errorf("%q", title())
	}
	v.SearchEveryone()
	if title() != "No 'jazz' here." || s.last() != "?jazz" {
		t.Errorf("%q for %q", title(), s.last())
	}
	s.err = fmt.Errorf("ana is %w", domain.ErrOffline)
	v.Person("a", "Ana")
	if title() != "Can't show what Ana shares." || v.empty.Actions().Hidden {
		t.Errorf("%q, without a way to try again: %v", title(), v.empty.Actions().Hidden)
	}
	s.err = nil
	test.Tap(v.retry)
	wantNames(t, v, "Holiday", "readme.md")
}

func TestWaitingIsExplained(t *testing.T) {
	v, _ := newView(t, work.Inline())
	v.at = place{peer: "a", name: "Ana"}
	v.table, v.loading = table{}, true
	v.catalogues = map[domain.PeerID]event.CatalogueState{"a": {Peer: "a", Known: 40, Total: 100, Pulling: true}}
	v.show()
	if got := v.empty.Title(); got != "Getting Ana's list… 40 %" || !v.empty.Visible() {
		t.Errorf("%q", got)
	}
}

func TestHalfListIsTold(t *testing.T) {
	v, s := newView(t, work.Inline())
	v.SetShown(true)
	v.Person("a", "Ana")
	before := len(s.asked)
	v.Changed(map[domain.PeerID]event.CatalogueState{"a": {Peer: "a", Known: 2, Total: 9, Problem: domain.Say("the connection broke")}}, nil, []domain.PeerID{"a"})
	if len(v.notice.Objects) != 1 || len(s.asked) != before+1 {
		t.Errorf("%d notices, asked %d times", len(v.notice.Objects), len(s.asked)-before)
	}
	v.Changed(nil, nil, []domain.PeerID{"z"}) // does not concern the page
	if len(v.notice.Objects) != 0 || len(s.asked) != before+1 {
		t.Errorf("%d notices, asked %d times", len(v.notice.Objects), len(s.asked)-before)
	}
}

func TestPartOfAnAnswerIsShownWithWhatIsWrong(t *testing.T) {
	v, s := newView(t, work.Inline())
	s.err, s.partly = errors.New("the rest is missing"), true
	v.Person("a", "Ana")
	wantNames(t, v, "Holiday", "readme.md")
	if len(v.notice.Objects) != 1 {
		t.Errorf("%d notices", len(v.notice.Objects))
	}
}

// A list that is being pulled changes each second: what an empty page says
// stays meanwhile.
func TestWaitingDoesNotFlicker(t *testing.T) {
	run, answers := later(t)
	v, s := newView(t, run)
	s.places["c:"] = nil
	v.shown = true
	v.visit(place{peer: "c", name: "Cleo"})
	for v.loading {
		(<-answers)()
	}
	v.Changed(map[domain.PeerID]event.CatalogueState{"c": {Peer: "c", Known: 40, Total: 100, Pulling: true}}, nil, []domain.PeerID{"c"})
	if v.loading || !v.empty.Visible() || v.empty.Title() != "Getting Cleo's list… 40 %" {
		t.Errorf("loading %v, said %q, to be seen: %v", v.loading, v.empty.Title(), v.empty.Visible())
	}
}

func TestHiddenPageWaits(t *testing.T) {
	v, s := newView(t, work.Inline())
	v.SetShown(true)
	v.SetShown(false)
	before := len(s.asked)
	v.Changed(nil, nil, []domain.PeerID{"a"})
	if len(s.asked) != before {
		t.Error("loaded off screen")
	}
	v.SetShown(true)
	if len(s.asked) != before+1 {
		t.Error("not brought up to date when it is shown")
	}
}

func TestSearch(t *testing.T) {
	v, s := newView(t, work.Inline())
	v.Person("a", "Ana")
	v.search.SetText("jpg")
	wantNames(t, v, "b.jpg")
	if s.last() != "a?jpg" || !strings.Contains(v.search.PlaceHolder, "Ana") {
		t.Errorf("asked %q, placeholder %q", s.last(), v.search.PlaceHolder)
	}
	v.SearchEveryone()
	wantNames(t, v, "b.jpg", "a.jpg") // as they came
	if v.count.Text() != "2 found" {
		t.Errorf("foot %q", v.count.Text())
	}
	v.header.OnSort("size", true)
	wantNames(t, v, "a.jpg", "b.jpg")
	v.searchKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if v.search.Text != "" || s.last() != ":" {
		t.Errorf("Escape left %q and asked %q", v.search.Text, s.last())
	}
}

// Whoever has not told all is asked once for each search, and what they say
// comes after what is here.
func TestOthersAreAskedOnce(t *testing.T) {
	v, s := newView(t, work.Inline())
	var questions []string
	s.told = func(words string, peer domain.PeerID) bool {
		questions = append(questions, string(peer)+"?"+words)
		s.places["?heirloom"] = []domain.Result{from("heirloom.jpg", 5, "Ben")}
		return words == "heirloom"
	}
	v.SearchEveryone()
	v.search.SetText("heirloom")
	wantNames(t, v, "heirloom.jpg")
	v.load(true)  // as when somebody comes
	v.load(false) // as when a filter changes
	if !slices.Equal(questions, []string{"?heirloom"}) {
		t.Errorf("asked %q", questions)
	}
	v.search.SetText("nothing")
	if len(questions) != 2 || v.asking || !strings.Contains(v.empty.Title(), "nothing") {
		t.Errorf("asked %q, still asking %v, the page says %q", questions, v.asking, v.empty.Title())
	}
}

// What is typed on is not asked, and while others are asked nobody is told that
// there is nothing.
func TestOnlyWhatStandsIsAsked(t *testing.T) {
	tasks := make(chan func(), 64) // stands in for the UI thread
	run := work.New(context.Background(), func(f func()) { tasks <- f })
	defer run.Close()
	v, s := newView(t, run)
	v.settle = 2 * time.Second
	asked := make(chan string, 8)
	answer := make(chan bool)
	s.told = func(words string, _ domain.PeerID) bool {
		asked <- words
		return <-answer
	}
	for _, query := range []string{"no", "not", "nothing"} {
		v.visit(place{query: query})
	}
	deadline := time.After(20 * time.Second)
	for words := ""; words == ""; {
		select {
		case f := <-tasks:
			f()
		case words = <-asked:
			if words != "nothing" {
				t.Errorf("asked for %q", words)
			}
		case <-deadline:
			t.Fatal("nobody is asked")
		}
	}
	for v.loading {
		(<-tasks)()
	}
	if !v.asking || v.empty.Title() != "Searching…" {
		t.Errorf("while others are asked the page says %q", v.empty.Title())
	}
	answer <- false
	for v.asking {
		(<-tasks)()
	}
	if !strings.Contains(v.empty.Title(), "nothing") || len(asked) > 0 {
		t.Errorf("the page says %q, and %d more are asked", v.empty.Title(), len(asked))
	}
}

func TestOlderAnswersAreDropped(t *testing.T) {
	tasks := make(chan func(), 16) // stands in for the UI thread
	run := work.New(context.Background(), func(f func()) { tasks <- f })
	defer run.Close()
	v, s := newView(t, run)
	s.places["slow:"] = []domain.Result{from("slow", 1, "A")}
	v.visit(place{peer: "slow"})
	stale := <-tasks // its answer is there, but not yet shown
	v.visit(place{peer: "a"})
	(<-tasks)()
	wantNames(t, v, "Holiday", "readme.md")
	stale()
	wantNames(t, v, "Holiday", "readme.md")
}

func TestDownload(t *testing.T) {
	v, s := newView(t, work.Inline())
	v.Person("a", "Ana")
	if !v.download.Disabled() {
		t.Error("nothing is selected, but can be downloaded")
	}
	v.list.SelectAll()
	if v.download.Text() != "Download 2" || v.count.Text() != "1 folder, 1 file · 2 selected, 107 B" {
		t.Errorf("%q, %q", v.download.Text(), v.count.Text())
	}
	test.Tap(v.download)
	open(t, v, "readme.md")
	want := []domain.GetRequest{{Peer: "a", Path: "Holiday"}, {Peer: "a", Path: "readme.md"}, {Peer: "a", Path: "readme.md"}}
	if !slices.EqualFunc(s.got, want, func(a, b domain.GetRequest) bool { return reflect.DeepEqual(a, b) }) {
		t.Errorf("asked for %+v", s.got)
	}

	v.visit(place{query: "jpg"})
	open(t, v, "b.jpg")
	if got := s.got[len(s.got)-1]; got.Peer != "a" {
		t.Errorf("asked %s, who is away", got.Peer)
	}
	v.visit(place{peer: "b", name: "Ben", folder: "New"})
	v.list.SelectAll()
	if got := v.download.Text(); got != "Download when Person b is back" {
		t.Errorf("of somebody away: %q", got)
	}

	told := error(nil)
	v.OnError = func(err error) { told = err }
	s.getErr = errors.New("no room")
	v.Download()
	if !errors.Is(told, s.getErr) {
		t.Errorf("told %v", told)
	}
}

func TestRowsGainProgress(t *testing.T) {
	v, _ := newView(t, work.Inline())
	v.visit(place{peer: "a", name: "Ana", folder: "Holiday"})
	v.SetShown(true)
	v.PrepareTransfers([]domain.Transfer{
		{Kind: domain.Download, Peer: "a", Path: "Holiday/a.jpg", State: domain.Done, Added: at},
		{Kind: domain.Download, Peer: "a", Path: "Holiday/a.jpg", State: domain.Running, Size: 10, Done: 4, Added: at.Add(1)},
		{Kind: domain.Upload, Peer: "a", Path: "Holiday/b.jpg", State: domain.Running, Size: 10, Done: 4},
		{Kind: domain.Download, Peer: "a", Path: "Holiday/img", State: domain.Waiting},
	})()
	want := map[string]string{"img": "waiting", "a.jpg": "40 %", "b.jpg": ""}
	for _, r := range v.rows {
		if got := v.progressFor(r).words; got != want[r.name] {
			t.Errorf("%s: %q, want %q", r.name, got, want[r.name])
		}
	}
}

func TestProgressInWords(t *testing.T) {
	for state, want := range map[domain.TransferState]string{
		domain.Running: "50 %", domain.Paused: "paused", domain.Done: "downloaded",
		domain.Failed: "stopped", domain.Queued: "waiting", domain.Waiting: "waiting",
	} {
		if got := progressIn(&domain.Transfer{State: state, Size: 10, Done: 5}).words; got != want {
			t.Errorf("%s: %q, want %q", state, got, want)
		}
	}
}

func TestLongPathsGiveWay(t *testing.T) {
	v, _ := newView(t, work.Inline())
	deep := strings.TrimSuffix(strings.Repeat("a folder with a long name/", 12), "/")
	v.visit(place{peer: "a", name: "Ana", folder: deep})
	v.crumbs.Resize(fyne.NewSize(500, 36))
	if !v.crumbs.dots.Visible() || !v.crumbs.links[0].Visible() {
		t.Error("the path does not give way in the middle")
	}
	for i, l := range v.crumbs.links {
		if end := l.Position().X + l.Size().Width; l.Visible() && end > 500 {
			t.Errorf("link %d ends at %v of 500", i, end)
		}
	}
	if width := v.crumbs.MinSize().Width; width > 200 {
		t.Errorf("a long path asks for %v", width)
	}
}

// The Tab key goes through the page from top to bottom.
func TestTabGoesDownThePage(t *testing.T) {
	v, _ := newView(t, work.Inline())
	v.Person("a", "Ana")
	c := canvasOf(v.object)
	c.Unfocus()
	var order []string
	for range 16 {
		c.FocusNext()
		switch c.Focused() {
		case v.search:
			order = append(order, "search")
		case v.filters.kind:
			order = append(order, "kind")
		case v.filters.hereNow:
			order = append(order, "here now")
		case v.list:
			order = append(order, "rows")
		case v.download:
			order = append(order, "download")
		}
		if len(order) > 1 && order[len(order)-1] == "rows" {
			break
		}
	}
	if !slices.Equal(order, []string{"download", "search", "kind", "here now", "rows"}) {
		t.Errorf("the Tab key goes to %v", order)
	}
}
