package browse_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/browse"
	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/storage/db"
)

// around is who is around in a test.
type around map[domain.PeerID]domain.Peer

func (a around) Peer(id domain.PeerID) (domain.Peer, bool) {
	p, ok := a[id]
	return p, ok
}

// owners answers pulls with what peers share; it may be told to break off.
type owners struct {
	mu     sync.Mutex
	pages  map[domain.PeerID][]domain.Page
	broken map[domain.PeerID]int            // pages before the pull breaks off, the first time
	breaks bool                             // each time
	since  []domain.Version                 // what was asked for
	finds  map[domain.PeerID][]domain.Entry // answers to searches
	asked  []string                         // searches
	riding map[string]domain.Page           // changes that come with heads
}

func (o *owners) Pull(_ context.Context, peer domain.PeerID, since domain.Version, each func(domain.Page) error) error {
	o.mu.Lock()
	pages := o.pages[peer]
	limit, breaks := o.broken[peer]
	if !o.breaks {
		delete(o.broken, peer)
	}
	o.since = append(o.since, since)
	o.mu.Unlock()
	for i, page := range pages {
		if breaks && i == limit {
			return fmt.Errorf("%w: it went away", domain.ErrOffline)
		}
		if err := each(page); err != nil {
			return err
		}
	}
	return nil
}

// UnpackChanges gives the changes that a test has packed under a name.
func (o *owners) UnpackChanges(packed []byte) (domain.Page, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	page, ok := o.riding[string(packed)]
	if !ok {
		return page, domain.ErrMalformed
	}
	return page, nil
}

func (o *owners) pulls() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.since)
}

// Find answers with all that a peer shares, looked for or not.
func (o *owners) Find(_ context.Context, peer domain.PeerID, words []string) (found []domain.Entry, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, fmt.Sprint(peer, words))
	if o.finds[peer] == nil {
		return nil, domain.ErrBusy
	}
	return o.finds[peer], nil
}

func file(path, content string) domain.Entry {
	var id domain.ContentID
	copy(id[:], content)
	return domain.Entry{Path: path, Size: int64(len(content)), Content: id, Modified: time.Unix(1e9, 0).UTC()}
}

func put(entries ...domain.Entry) []domain.Change {
	changes := make([]domain.Change, len(entries))
	for i := range entries {
		changes[i] = domain.Change{Path: entries[i].Path, Entry: &entries[i]}
	}
	return changes
}

type bench struct {
	*browse.Browse
	owners *owners
	people around
	bus    *event.Bus
	store  *db.DB
}

func open(t *testing.T, path string, o *owners, people around) *bench {
	t.Helper()
	return openWith(t, path, o, people, nil)
}

func openWith(t *testing.T, path string, o *owners, people around, everyone browse.Crowd) *bench {
	t.Helper()
	store, err := db.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	bus := event.NewBus()
	b, err := browse.New(browse.Config{
		Store: store, Puller: o, Crowd: everyone, People: people, Bus: bus, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Start(t.Context())
	var once sync.Once
	closeAll := func() {
		once.Do(func() {
			if err := errors.Join(b.Close(), store.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(closeAll)
	return &bench{b, o, people, bus, store}
}

func (b *bench) close(t *testing.T) {
	t.Helper()
	if err := errors.Join(b.Close(), b.store.Close()); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) settle(t *testing.T, id domain.PeerID) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if !b.Settle(ctx, id) {
		t.Fatal("the catalogue of", id, "did not settle")
	}
}

func paths(rows []domain.Result) string {
	var all []string
	for _, r := range rows {
		p := r.Path
		if r.Folder {
			p += fmt.Sprintf("/(%d,%d)", r.Entries, r.Size)
		}
		if len(r.Providers) > 1 {
			p += fmt.Sprintf("*%d", len(r.Providers))
		}
		all = append(all, p)
	}
	return strings.Join(all, " ")
}

func version(n uint64) domain.Version { return domain.Version{Epoch: 1, Sequence: n} }

func two(t *testing.T) *bench {
	t.Helper()
	people := around{
		"ana": {ID: "ana", Name: "Ana", Online: true},
		"ben": {ID: "ben", Name: "Ben", Online: false},
	}
	o := &owners{broken: map[domain.PeerID]int{}, pages: map[domain.PeerID][]domain.Page{
		"ana": {{Version: version(3), Full: true, Changes: put(
			file("a b", "x"), file("a/x", "jazz"), file("a/sub/deep", "1234567"), file("Song Jazz.MP3", "jazz!"),
			domain.Entry{Path: "a/empty", Folder: true},
		)}},
		"ben": {{Version: version(1), Full: true, Changes: put(file("other name", "jazz!"), file("ä/ß", "umlaut"))}},
	}}
	b := open(t, filepath.Join(t.TempDir(), "db"), o, people)
	b.Head(domain.Head{Peer: "ana", Version: version(3), Entries: 4})
	b.Head(domain.Head{Peer: "ben", Version: version(1), Entries: 2})
	b.settle(t, "ana")
	b.settle(t, "ben")
	return b
}

func TestListMakesFoldersOfPaths(t *testing.T) {
	b := two(t)
	for _, c := range []struct {
		peer   domain.PeerID
		folder string
		want   string
	}{
		{"ana", "", "Song Jazz.MP3*2 a b a/(2,11)"},
		{"ana", "a", "a/empty/(0,0) a/sub/(1,7) a/x"},
		{"ana", "/a/sub/", "a/sub/deep"},
		{"ana", "a/empty", ""},
		{"", "", "Song Jazz.MP3*2 a b a/(2,11) ä/(1,6)"},
	} {
		rows, err := b.List(t.Context(), c.peer, c.folder)
		if err != nil || paths(rows) != c.want {
			t.Errorf("List(%q, %q) = %q, %v; want %q", c.peer, c.folder, paths(rows), err, c.want)
		}
	}
	for _, folder := range []string{"b", "a/x/y", "a/su", "a/sub/deep"} {
		if rows, err := b.List(t.Context(), "ana", folder); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("List(%q) = %q, %v", folder, paths(rows), err)
		}
	}
}

func TestSearchFindsAllWordsAndMergesContent(t *testing.T) {
	b := two(t)
	for words, want := range map[string]string{
		"jazz":      "Song Jazz.MP3*2", // Ben has it under another name
		"MP3 song":  "Song Jazz.MP3*2",
		"ä":         "ä/(1,6) ä/ß",
		"a/ deep":   "a/sub/deep",
		"name":      "other name*2",
		"jazz name": "",
		"x\ny":      "",
	} {
		rows, err := b.Search(t.Context(), words, "", 0, nil)
		if err != nil || paths(rows) != want {
			t.Errorf("Search(%q) = %q, %v; want %q", words, paths(rows), err, want)
		}
	}
	twice := open(t, filepath.Join(t.TempDir(), "db"), &owners{pages: map[domain.PeerID][]domain.Page{"ana": {{
		Version: version(1), Full: true, Changes: put(file("a/1.jpg", "same"), file("b/2.jpg", "same")),
	}}}}, around{"ana": {ID: "ana", Name: "Ana", Online: true}})
	twice.Head(domain.Head{Peer: "ana", Version: version(1), Entries: 2})
	twice.settle(t, "ana")
	if rows, err := twice.Search(t.Context(), "jpg", "", 0, nil); err != nil || len(rows) != 1 || len(rows[0].Providers) != 1 {
		t.Errorf("who has the same twice is found as %+v, %v", rows, err)
	}
	if rows, _ := b.Search(t.Context(), "n", "", 0, nil); paths(rows) != "Song Jazz.MP3*2" {
		t.Errorf("equal content is not merged: %q", paths(rows))
	}
	if _, err := b.Search(t.Context(), " ", "", 0, nil); !errors.Is(err, domain.ErrUsage) {
		t.Error("no words:", err)
	}
	if rows, _ := b.Search(t.Context(), "a", "", 2, nil); len(rows) != 2 {
		t.Errorf("limit 2 gave %d", len(rows))
	}
	// What is not wanted does not count towards the limit.
	deep := func(e domain.Entry) bool { return strings.HasSuffix(e.Path, "deep") }
	if rows, _ := b.Search(t.Context(), "a", "", 1, deep); paths(rows) != "a/sub/deep" {
		t.Errorf("kept %q", paths(rows))
	}
}

func TestBelowAndProviders(t *testing.T) {
	b := two(t)
	entries, folder, err := b.Below("ana", "a/")
	if err != nil || !folder || len(entries) != 3 {
		t.Errorf("Below(a) = %v, %v, %v", entries, folder, err)
	}
	entries, folder, err = b.Below("ana", "a/x")
	if err != nil || folder || len(entries) != 1 {
		t.Errorf("Below(a/x) = %v, %v, %v", entries, folder, err)
	}
	for _, path := range []string{"", "nothing", "a/su"} {
		if _, _, err := b.Below("ana", path); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("Below(%q): %v", path, err)
		}
	}
	providers, entry := b.Providers(file("", "jazz!").Content)
	if len(providers) != 2 || providers[0].Peer != "ana" || entry.Path != "Song Jazz.MP3" {
		t.Errorf("Providers = %v, %v", providers, entry)
	}
}

func TestDeltaAndRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	people := around{"ana": {ID: "ana", Name: "Ana", Online: true}}
	o := &owners{broken: map[domain.PeerID]int{}, pages: map[domain.PeerID][]domain.Page{
		"ana": {{Version: version(1), Full: true, Changes: put(file("one", "1"), file("two", "2"))}},
	}}
	b := open(t, path, o, people)
	b.Head(domain.Head{Peer: "ana", Version: version(1)})
	b.settle(t, "ana")
	o.mu.Lock()
	o.pages["ana"] = []domain.Page{{Version: version(3), Changes: append(put(file("three", "3")), domain.Change{Path: "one"})}}
	o.mu.Unlock()
	b.Head(domain.Head{Peer: "ana", Version: version(3)})
	b.settle(t, "ana")
	check := func(b *bench) {
		t.Helper()
		rows, err := b.List(t.Context(), "ana", "")
		if err != nil || paths(rows) != "three two" {
			t.Errorf("got %q, %v", paths(rows), err)
		}
	}
	check(b)
	b.close(t)

	store, err := db.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	again, err := browse.New(browse.Config{Store: store, Puller: o, People: people, Bus: event.NewBus(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := again.List(t.Context(), "ana", "")
	if err != nil || paths(rows) != "three two" {
		t.Errorf("after a restart %q, %v", paths(rows), err)
	}
	if got := o.since; len(got) != 2 || got[1] != version(1) {
		t.Errorf("asked since %v", got)
	}
}

func TestFirstPageIsShownBeforeTheRest(t *testing.T) {
	people := around{"ana": {ID: "ana", Name: "Ana", Online: true}}
	o := &owners{broken: map[domain.PeerID]int{"ana": 1}, pages: map[domain.PeerID][]domain.Page{
		"ana": {
			{Version: version(1), Full: true, Next: "more", Changes: put(file("one", "1"))},
			{Version: version(1), Full: true, Changes: put(file("two", "2"))},
		},
	}}
	b := open(t, filepath.Join(t.TempDir(), "db"), o, people)
	events := b.bus.Subscribe(event.Catalogues.Name())
	defer events.Close()
	b.Head(domain.Head{Peer: "ana", Version: version(1), Entries: 2})
	broke := false
	for ctx := t.Context(); ; {
		batch, err := events.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		state, _ := event.As(event.Catalogues, batch[len(batch)-1])
		broke = broke || state.Known == 1
		if state.Known == 2 && !state.Pulling {
			break
		}
	}
	if !broke {
		t.Error("the first page was not shown while the rest was missing")
	}
}

func TestFoldersAreFoundBeforeWhatIsInThem(t *testing.T) {
	people := around{"ana": {ID: "ana", Name: "Ana", Online: true}}
	b := open(t, filepath.Join(t.TempDir(), "db"), &owners{pages: map[domain.PeerID][]domain.Page{"ana": {{
		Version: version(1), Full: true, Changes: put(
			file("Music/Jazz 1959/Blue/one.mp3", "1"), file("Music/Jazz 1959/Blue/two.mp3", "22"),
			file("Music/Jazz 1959/jazz.txt", "333"), file("Music/Rock/jazz cover.mp3", "4444"),
			domain.Entry{Path: "Music/empty jazz", Folder: true},
		),
	}}}}, people)
	b.Head(domain.Head{Peer: "ana", Version: version(1), Entries: 4})
	b.settle(t, "ana")
	for words, want := range map[string]string{
		"jazz": "Music/Jazz 1959/(3,6) Music/Jazz 1959/Blue/one.mp3 Music/Jazz 1959/Blue/two.mp3 " +
			"Music/Jazz 1959/jazz.txt Music/Rock/jazz cover.mp3 Music/empty jazz/(0,0)",
		"jazz blue": "Music/Jazz 1959/Blue/(2,3) Music/Jazz 1959/Blue/one.mp3 Music/Jazz 1959/Blue/two.mp3",
		"rock":      "Music/Rock/(1,4) Music/Rock/jazz cover.mp3",
	} {
		rows, err := b.Search(t.Context(), words, "", 0, nil)
		if err != nil || paths(rows) != want {
			t.Errorf("Search(%q) = %q, %v; want %q", words, paths(rows), err, want)
		}
	}
	rows, err := b.Search(t.Context(), "jazz", "", 0, func(e domain.Entry) bool { return e.Folder })
	if want := "Music/Jazz 1959/(3,6) Music/empty jazz/(0,0)"; err != nil || paths(rows) != want {
		t.Errorf("of folders there are %q, %v; want %q", paths(rows), err, want)
	}
}

// BenchmarkSearchMillion looks for the first 50 among a million names of a hundred
// people, which must take less than 50 ms, whatever is looked for.
func BenchmarkSearchMillion(b *testing.B) {
	const many, each = 100, 10_000
	people := make(around)
	o := &owners{pages: make(map[domain.PeerID][]domain.Page)}
	for who := range many {
		entries := make([]domain.Entry, each)
		for i := range entries {
			n := who*each + i
			content := fmt.Sprint(n)
			if i < 100 {
				content = fmt.Sprint("the same ", i) // everybody has these
			}
			entries[i] = file(fmt.Sprintf("share/folder %d/some longer file name %d.jpg", n%1000, n), content)
		}
		id := domain.PeerID(fmt.Sprint("peer", who))
		people[id] = domain.Peer{ID: id, Name: string(id), Online: who%2 == 0, Friend: true}
		o.pages[id] = []domain.Page{{Version: version(1), Full: true, Changes: put(entries...)}}
	}
	br, err := browse.New(browse.Config{Store: nowhere{}, Puller: o, People: people, Bus: event.NewBus(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	br.Start(b.Context())
	for id := range people {
		br.Head(domain.Head{Peer: id, Version: version(1)})
	}
	for id := range people {
		br.Settle(b.Context(), id)
	}
	for _, query := range []struct {
		name, words string
		keep        func(domain.Entry) bool
		found       int
	}{
		{"one", "name 999999", nil, 1},
		{"part", "99999", nil, 19},
		{"every-line-has-the-longest-word", "longer 999999", nil, 1},
		{"first-of-all", "file", nil, 50},
		{"nothing", "no such name", nil, 0},
		{"large-ones-of-which-there-are-none", "file", func(e domain.Entry) bool { return e.Size > 1<<20 }, 0},
	} {
		b.Run(query.name, func(b *testing.B) {
			for b.Loop() {
				if rows, err := br.Search(b.Context(), query.words, "", 50, query.keep); err != nil || len(rows) < query.found {
					b.Fatal(len(rows), err)
				}
			}
			if took := b.Elapsed() / time.Duration(b.N); took > 50*time.Millisecond {
				b.Errorf("%v, more than 50 ms", took)
			}
		})
	}
	if err := br.Close(); err != nil {
		b.Fatal(err)
	}
}

// nowhere keeps nothing, so that a benchmark measures memory alone.
type nowhere struct{}

func (nowhere) DropCatalogue(context.Context, domain.PeerID) error { return nil }

func (nowhere) PutPage(context.Context, domain.PeerID, domain.Page, bool) error { return nil }

func (nowhere) Catalogue(domain.PeerID) (domain.Version, bool, error) {
	return domain.Version{}, false, nil
}
func (nowhere) Entries(domain.PeerID, func(domain.Entry) error) error { return nil }
func (nowhere) Catalogues() ([]domain.PeerID, error)                  { return nil, nil }

// Somebody who is no friend cannot take all the room that there is for lists.
func TestAStrangerTakesHalfOfTheRoomAtMost(t *testing.T) {
	t.Parallel()
	var pages []domain.Page
	for n := range 6 {
		entries := make([]domain.Entry, 100_000)
		for i := range entries {
			entries[i] = file(fmt.Sprintf("%d/%d", n, i), "x")
		}
		page := domain.Page{Version: version(1), Full: true, Changes: put(entries...), Next: "more"}
		if n == 5 {
			page.Next = ""
		}
		pages = append(pages, page)
	}
	people := around{"ana": {ID: "ana", Name: "Ana", Online: true, Friend: true}, "eve": {ID: "eve", Name: "Eve", Online: true}}
	for _, id := range []domain.PeerID{"eve", "ana"} {
		o := &owners{pages: map[domain.PeerID][]domain.Page{id: pages}}
		b, err := browse.New(browse.Config{Store: nowhere{}, Puller: o, People: people, Bus: event.NewBus(), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		b.Start(t.Context())
		b.Head(domain.Head{Peer: id, Version: version(1)})
		if whole := b.Settle(t.Context(), id); whole != people[id].Friend {
			t.Errorf("all of what %s shares is here: %v", id, whole)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Whoever announces what their list never comes to is asked once for each
// announcement, not each time that they repeat it.
func TestTheSameAnnouncementIsPulledOnce(t *testing.T) {
	t.Parallel()
	o := &owners{pages: map[domain.PeerID][]domain.Page{"ana": {{Version: domain.Version{Epoch: 1, Sequence: 1}, Full: true, Changes: put(file("a", "a"))}}}}
	b := open(t, filepath.Join(t.TempDir(), "db"), o, around{"ana": {ID: "ana", Name: "Ana", Online: true}})
	for _, sequence := range []uint64{9, 9, 9, 10, 10} {
		b.Head(domain.Head{Peer: "ana", Version: domain.Version{Epoch: 1, Sequence: sequence}})
		b.Settle(t.Context(), "ana") // it never comes to what was announced
	}
	if len(o.since) != 2 {
		t.Errorf("of two announcements, said five times, it was pulled %d times", len(o.since))
	}
}

func TestAgainAfterGivingUp(t *testing.T) {
	o := &owners{
		pages:  map[domain.PeerID][]domain.Page{"ben": {{Version: version(1), Full: true, Changes: put(file("a", "1"))}}},
		broken: map[domain.PeerID]int{"ben": 0},
	}
	b := open(t, filepath.Join(t.TempDir(), "db"), o, around{"ben": {ID: "ben", Name: "Ben"}})
	b.Head(domain.Head{Peer: "ben", Version: version(1), Entries: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if b.Settle(ctx, "ben") {
		t.Fatal("Ben is away, and the pull broke off")
	}
	b.Again("ben")
	b.settle(t, "ben")
	b.Again("ben") // is here already
	b.settle(t, "ben")
	if o.mu.Lock(); len(o.since) != 2 {
		t.Errorf("pulled %d times, want 2", len(o.since))
	}
	o.mu.Unlock()
}
