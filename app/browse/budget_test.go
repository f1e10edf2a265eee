package browse_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/browse"
	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/storage/db"
)

// crowded is a Browse with room for so many entries, and its store.
func crowded(t *testing.T, path string, puller browse.Puller, people around, most int) (*browse.Browse, *db.DB) {
	t.Helper()
	store, err := db.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	b, err := browse.New(browse.Config{
		Store: store, Puller: puller, People: people, Bus: event.NewBus(), Log: slog.New(slog.DiscardHandler), Most: most,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Start(t.Context())
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b, store
}

// files are n entries whose paths begin so.
func files(begin string, n int) (all []domain.Entry) {
	for i := range n {
		all = append(all, file(fmt.Sprintf("%s%02d", begin, i), begin))
	}
	return all
}

// announce has somebody announce a list, and waits until it is pulled or given up.
func announce(t *testing.T, b *browse.Browse, id domain.PeerID, entries int) {
	t.Helper()
	b.Head(domain.Head{Peer: id, Version: version(1), Entries: entries})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	b.Settle(ctx, id)
	if ctx.Err() != nil {
		t.Fatal("nothing became of the list of", id)
	}
}

// whose returns whose lists are here in full, and stored.
func whose(t *testing.T, b *browse.Browse, store *db.DB, ids ...domain.PeerID) string {
	t.Helper()
	stored, err := store.Catalogues()
	if err != nil {
		t.Fatal(err)
	}
	var all []domain.PeerID
	for _, id := range ids {
		if !b.Current(id) {
			continue
		}
		if !slices.Contains(stored, id) {
			t.Errorf("the list of %s is here and not stored", id)
		}
		all = append(all, id)
	}
	return fmt.Sprint(all)
}

func TestListsGiveWayToThoseThatAreWanted(t *testing.T) {
	people := around{
		"ana":   {ID: "ana", Name: "Ana", Online: true, Friend: true},
		"here":  {ID: "here", Name: "Here", Online: true},
		"here2": {ID: "here2", Name: "Here2", Online: true},
		"away":  {ID: "away", Name: "Away"},
		"big":   {ID: "big", Name: "Big", Online: true},
	}
	o := &owners{pages: map[domain.PeerID][]domain.Page{}}
	for id, n := range map[domain.PeerID]int{"ana": 8, "here": 4, "here2": 5, "away": 5, "big": 6} {
		o.pages[id] = []domain.Page{{Version: version(1), Full: true, Changes: put(files(string(id), n)...)}}
	}
	path := filepath.Join(t.TempDir(), "db")
	b, store := crowded(t, path, o, people, 10)
	announce(t, b, "away", 5)
	announce(t, b, "here", 4)
	if got := whose(t, b, store, "away", "here"); got != "[away here]" {
		t.Fatalf("there is room for %s", got)
	}
	// Of strangers, who is here has more use than who is away.
	announce(t, b, "here2", 5)
	if got := whose(t, b, store, "away", "here", "here2"); got != "[here here2]" {
		t.Errorf("here are %s", got)
	}
	// Who takes more than a stranger may takes it from nobody.
	announce(t, b, "big", 6)
	if got := whose(t, b, store, "here", "here2", "big"); got != "[here here2]" {
		t.Errorf("here are %s", got)
	}
	// Among equals the first keeps its place, unless the user wants to see another.
	people["away"] = domain.Peer{ID: "away", Name: "Away", Online: true}
	announce(t, b, "away", 5)
	if got := whose(t, b, store, "away", "here", "here2"); got != "[here here2]" {
		t.Errorf("here are %s", got)
	}
	b.Again("away")
	announce(t, b, "away", 5)
	if got := whose(t, b, store, "away", "here", "here2"); got != "[away here]" {
		t.Errorf("here are %s", got)
	}
	// A friend's comes before all of these.
	announce(t, b, "ana", 8)
	if got := whose(t, b, store, "ana", "away", "here", "here2"); got != "[ana]" {
		t.Errorf("here are %s", got)
	}
	if rows, err := b.Search(t.Context(), "here", "", 0, nil); err != nil || len(rows) != 0 {
		t.Errorf("what gave way is found: %d, %v", len(rows), err)
	}
}

func TestWhatIsStoredIsReadAsFarAsThereIsRoom(t *testing.T) {
	people := around{"ana": {ID: "ana", Friend: true}, "zoe": {ID: "zoe", Friend: true}, "ben": {ID: "ben"}}
	path := filepath.Join(t.TempDir(), "db")
	store, err := db.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for id, n := range map[domain.PeerID]int{"ana": 5, "ben": 6, "zoe": 4} {
		if err := store.PutPage(t.Context(), id, domain.Page{Version: version(1), Full: true, Changes: put(files(string(id), n)...)}, true); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	b, _ := crowded(t, path, &owners{}, people, 11)
	for id, want := range map[domain.PeerID]int{"ana": 5, "zoe": 4, "ben": 2} {
		rows, err := b.List(t.Context(), id, "")
		if err != nil || len(rows) != want || b.Current(id) != (id != "ben") {
			t.Errorf("of %s there are %d, want %d; all: %v, %v", id, len(rows), want, b.Current(id), err)
		}
	}
}

// drips never come to an end for strangers.
type drips struct{ *owners }

func (d drips) Pull(ctx context.Context, peer domain.PeerID, since domain.Version, each func(domain.Page) error) error {
	if peer != "ana" {
		<-ctx.Done()
		return ctx.Err()
	}
	return d.owners.Pull(ctx, peer, since, each)
}

func TestStrangersThatAreSlowHoldUpNoFriend(t *testing.T) {
	people := around{"ana": {ID: "ana", Online: true, Friend: true}}
	o := &owners{pages: map[domain.PeerID][]domain.Page{"ana": {{Version: version(1), Full: true, Changes: put(files("f", 2)...)}}}}
	b, _ := crowded(t, filepath.Join(t.TempDir(), "db"), drips{o}, people, 0)
	for i := range 10 {
		id := domain.PeerID(fmt.Sprint("slow", i))
		people[id] = domain.Peer{ID: id, Online: true}
	}
	for i := range 10 {
		b.Head(domain.Head{Peer: domain.PeerID(fmt.Sprint("slow", i)), Version: version(1), Entries: 1})
	}
	announce(t, b, "ana", 2)
	if !b.Current("ana") {
		t.Error("the friend's list is not here")
	}
}

func TestChangesThatBreakOffAreNotStored(t *testing.T) {
	people := around{"ben": {ID: "ben", Online: true}}
	o := &owners{broken: map[domain.PeerID]int{}, pages: map[domain.PeerID][]domain.Page{
		"ben": {{Version: version(1), Full: true, Changes: put(files("a", 2)...)}},
	}}
	b, store := crowded(t, filepath.Join(t.TempDir(), "db"), o, people, 0)
	announce(t, b, "ben", 2)
	o.mu.Lock()
	o.pages["ben"] = []domain.Page{
		{Version: version(2), Changes: put(files("b", 3)...), Next: "more"},
		{Version: version(2), Changes: put(files("c", 3)...)},
	}
	o.broken["ben"] = 1
	o.mu.Unlock()
	stored := func() (n int) {
		if err := store.Entries("ben", func(domain.Entry) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	b.Head(domain.Head{Peer: "ben", Version: version(2), Entries: 8})
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		n := stored() // first: what it was before the third try began
		o.mu.Lock()
		tries := len(o.since)
		o.mu.Unlock()
		if tries == 2 && n != 2 {
			t.Fatalf("%d are stored of changes that broke off", n-2)
		} else if n == 8 {
			break
		}
		if time.Since(begun) > 10*time.Second {
			t.Fatal("the changes did not come")
		}
	}
}
