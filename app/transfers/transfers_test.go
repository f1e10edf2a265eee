package transfers_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/transfers"
	"github.com/potluck-share/potluck/storage/db"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world stands for everything around the room: the engine, the catalogues and
// the people. The database is a real one.
type world struct {
	mu        sync.Mutex
	people    map[domain.PeerID]domain.Peer
	entries   map[string][]domain.Entry // by peer:path
	fail      map[string]error          // by target: what a fetch returns
	providers []domain.Provider         // of everything
	liar      domain.PeerID             // who sends damaged data
	folder    string                    // what fetches need; empty: nothing
	hidden    atomic.Bool
	hold      chan struct{}             // fetches wait for it to be closed; nil: they do not
	had       map[string]bool           // by target: it lay there before
	shared    map[domain.ContentID]bool // what lies in own shares
	lookErr   error                     // what a look returns; nil: bytes
	fetched   []string
	looked    []string      // contents that were looked into
	asked     *atomic.Int64 // counts questions for providers, if not nil
	active    int
	mostAtOne int
	discarded []string
	ahead     atomic.Int64    // nanoseconds by which the clock is ahead
	write     bool            // fetches write real files, and discards are of real parts
	from      []domain.Served // who serves fetches, as is reported
	places    map[string]int  // by target: where the fetch waits in ana's queue
	atOnce    int             // how many run at once
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

func (w *world) Fetch(ctx context.Context, want domain.Want, from transfers.Providers, report func(domain.Progress)) (string, bool, error) {
	w.mu.Lock()
	hold, err := w.hold, w.fail[want.Target]
	w.active++
	w.mostAtOne = max(w.mostAtOne, w.active)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.active--
		w.mu.Unlock()
	}()
	if _, gone := os.Stat(w.folder); err == nil && w.folder != "" && gone != nil {
		err = domain.ErrUnwritable
	}
	if err != nil {
		return "", false, err
	}
	progress := domain.Progress{Done: want.Size / 2, Providers: 1, Damaged: w.liar, From: w.from}
	if place := w.places[want.Target]; place > 0 {
		progress.Providers, progress.From = 0, []domain.Served{{Peer: "ana", Queue: place}}
	}
	report(progress)
	if hold != nil {
		select {
		case <-ctx.Done():
			return "", false, ctx.Err()
		case <-hold:
		}
	}
	for changed := from.Changed(); len(from.Providers()) == 0; changed = from.Changed() {
		select {
		case <-ctx.Done():
			return "", false, ctx.Err()
		case <-changed:
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fetched = append(w.fetched, want.Target)
	final := filepath.Join(want.Folder, want.Target)
	if w.write {
		if err := errors.Join(os.MkdirAll(filepath.Dir(final), 0o755), os.WriteFile(final, []byte(bytesOf[want.Content]), 0o600)); err != nil {
			return "", false, err
		}
	}
	return final, w.had[want.Target], nil
}

func (w *world) Holders(domain.ContentID) []domain.PeerID { return nil }

func (w *world) Discard(want domain.Want) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.discarded = append(w.discarded, want.Target)
	return nil
}
func (w *world) Prepare(string) error { return nil }

func (w *world) Settle(context.Context, domain.PeerID) bool { return true }
func (w *world) Current(domain.PeerID) bool                 { return true }
func (w *world) Claim(_, name string) (string, error)       { return name, nil }
func (w *world) Holds(string, string, []domain.TransferFile) (string, bool) {
	return "", false
}
func (w *world) Folder(_, _ string, _ time.Time) error { return nil }
func (w *world) Free(string) (int64, error)            { return 100, nil }
func (w *world) Size(context.Context, domain.PeerID, domain.ContentID) (int64, error) {
	return 0, domain.ErrNotFound
}

func (w *world) Providers(domain.ContentID) ([]domain.Provider, domain.Entry) {
	if w.asked != nil {
		w.asked.Add(1)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.providers, entry("film", 10)
}

func (w *world) Below(peer domain.PeerID, p string) ([]domain.Entry, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	entries, ok := w.entries[string(peer)+":"+p]
	if !ok {
		return nil, false, fmt.Errorf("%w: nothing called %q", domain.ErrNotFound, p)
	}
	return entries, len(entries) != 1 || entries[0].Path != p, nil
}

func (w *world) Peer(id domain.PeerID) (domain.Peer, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.people[id]
	return p, ok
}

func (w *world) People() []domain.Peer { return nil }

func (w *world) online(id domain.PeerID, online bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.people[id]
	p.Online = online
	w.people[id] = p
}

func entry(p string, size int64) domain.Entry {
	var id domain.ContentID
	copy(id[:], p)
	return domain.Entry{Path: p, Size: size, Content: id}
}

func newWorld() *world {
	seen := time.Date(2026, 5, 3, 14, 2, 0, 0, time.Local)
	return &world{
		people: map[domain.PeerID]domain.Peer{"ana": {ID: "ana", Name: "Ana", Online: true, LastSeen: seen}},
		entries: map[string][]domain.Entry{
			"ana:note.txt": {entry("note.txt", 10)},
			"ana:Holiday":  {entry("Holiday/a", 1000), entry("Holiday/sub/b", 2000), {Path: "Holiday/empty", Folder: true}},
			"ana:pics/img": {entry("pics/img/1", 1)},
		},
		fail:   map[string]error{},
		atOnce: 3,
	}
}

type room struct {
	*transfers.Transfers
	store *db.DB
	bus   *event.Bus
}

func open(t testing.TB, file string, w *world) *room {
	t.Helper()
	store, err := db.Open(file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return openOn(t, store, store, w)
}

// openOn opens the room on a store that is, or stands before, the database.
func openOn(t testing.TB, base *db.DB, store transfers.Store, w *world) *room {
	t.Helper()
	bus := event.NewBus()
	tr, err := transfers.New(transfers.Config{
		Engine: w, Catalogue: w, People: w, Store: store, Bus: bus, Log: slog.New(slog.DiscardHandler),
		Now: w.now,
		Own: func(id domain.ContentID) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.shared[id]
		},
		AtOnce:    w.atOnce,
		Hidden:    w.hidden.Load,
		Downloads: func() string { return "/downloads" },
		Network:   func() bool { return true },
		Shared: func(id domain.ContentID) (domain.Entry, bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return entry("Mine/"+strings.TrimRight(string(id[:]), "\x00"), 100), w.shared[id]
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	tr.Start(t.Context())
	return &room{tr, base, bus}
}

func (r *room) close(t testing.TB) {
	t.Helper()
	if err := errors.Join(r.Close(), r.store.Close()); err != nil {
		t.Error(err)
	}
}

// await waits until the transfer is in the state and returns it.
func (r *room) await(t testing.TB, id string, state domain.TransferState) domain.Transfer {
	t.Helper()
	var last domain.Transfer
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if last, _ = r.Transfer(id); last.State == state {
			return last
		}
	}
	t.Fatalf("%s is %q (%s), want %q", id, last.State, last.Reason, state)
	return last
}

func get(t testing.TB, r *room, p string) string {
	t.Helper()
	id, err := r.Get(t.Context(), domain.GetRequest{Peer: "ana", Path: p})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestFilesAndFoldersGoToTheirPlaces(t *testing.T) {
	w := newWorld()
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	note := r.await(t, get(t, r, "note.txt"), domain.Done)
	if note.Final != "/downloads/note.txt" || note.Done != 10 || note.Size != 10 {
		t.Errorf("note: %+v", note)
	}
	holiday := r.await(t, get(t, r, "Holiday"), domain.Done)
	if holiday.Final != "/downloads/Holiday" || holiday.Count != 3 || holiday.Size != 3000 {
		t.Errorf("holiday: %+v", holiday)
	}
	inner := r.await(t, get(t, r, "pics/img"), domain.Done)
	if inner.Final != "/downloads/img" {
		t.Errorf("inner: %+v", inner)
	}
	slices.Sort(w.fetched)
	if got := strings.Join(w.fetched, " "); got != "Holiday/a Holiday/sub/b img/1 note.txt" {
		t.Errorf("fetched %q", got)
	}
	if _, err := r.Get(t.Context(), domain.GetRequest{Peer: "ana", Path: "x"}); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("unknown path: %v", err)
	}
	if _, err := r.Get(t.Context(), domain.GetRequest{Content: entry("q", 1).Content}); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("unknown content: %v", err)
	}
}

func TestAbsentOwnerIsNamedAndWaitedFor(t *testing.T) {
	w := newWorld()
	w.online("ana", false)
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	id := get(t, r, "note.txt")
	d := r.await(t, id, domain.Waiting)
	if d.Reason.String() != "Ana is away since 3 May. Continues when Ana is back." {
		t.Errorf("reason %q", d.Reason)
	}
	w.online("ana", true)
	r.ProvidersChanged()
	r.await(t, id, domain.Done)
}

func TestPauseResumeCancelClear(t *testing.T) {
	w := newWorld()
	w.hold = make(chan struct{})
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	id := get(t, r, "note.txt")
	r.await(t, id, domain.Running)
	if again := get(t, r, "note.txt"); again != id {
		t.Errorf("the same download began twice: %s and %s", id, again)
	}
	if err := r.Pause(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	if d := r.await(t, id, domain.Paused); d.Reason.String() != "Paused by you." {
		t.Errorf("reason %q", d.Reason)
	}
	if err := r.Pause(t.Context(), []string{"none", id}); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("unknown ID: %v", err)
	}
	if err := r.Resume(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	r.await(t, id, domain.Running)
	if err := r.Cancel(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	r.await(t, id, domain.Cancelled)
	// Cancelling can be undone, and done again. What was fetched is kept for a while.
	if err := r.Retry(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	r.await(t, id, domain.Running)
	if err := r.Cancel(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	r.await(t, id, domain.Cancelled)
	if err := r.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := r.Transfers.Transfers(); len(left) != 0 {
		t.Errorf("left after clearing: %v", left)
	}
	if len(w.discarded) != 1 {
		t.Errorf("parts removed: %v, want one when the list was cleared", w.discarded)
	}
}

func TestThreeRunTheOthersQueue(t *testing.T) {
	w := newWorld()
	w.hold = make(chan struct{})
	for i := range 6 {
		p := fmt.Sprint("f", i)
		w.entries["ana:"+p] = []domain.Entry{entry(p, 1)}
	}
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	var ids []string
	for i := range 6 {
		ids = append(ids, get(t, r, fmt.Sprint("f", i)))
	}
	until := time.Now().Add(5 * time.Second)
	for states := map[domain.TransferState]int{}; states[domain.Running] != 3 || states[domain.Queued] != 3; time.Sleep(5 * time.Millisecond) {
		clear(states)
		for _, d := range r.Transfers.Transfers() {
			states[d.State]++
		}
		if time.Now().After(until) {
			t.Fatal("states", states)
		}
	}
	close(w.hold)
	for _, id := range ids {
		r.await(t, id, domain.Done)
	}
	if w.mostAtOne > 3 {
		t.Errorf("%d ran at once", w.mostAtOne)
	}
}

var errNoKind = errors.New("no kind")

func TestReasonsOfFailures(t *testing.T) {
	for _, c := range []struct {
		err    error
		state  domain.TransferState
		reason string
	}{
		{domain.ErrChanged, domain.Failed, "Ana changed this file meanwhile."},
		{domain.ErrNotFound, domain.Failed, "Ana no longer shares this with you."},
		{domain.ErrVersion, domain.Failed, "Ana uses another version of Potluck. Update the older one."},
		{domain.ErrTooLarge, domain.Failed, "That is too large for Potluck."},
		{errNoKind, domain.Failed, "It stopped: deep down: no kind"},
		{domain.ErrNoSpace, domain.Waiting, "Disk full. Free 2.9 kB and it continues."},
		{domain.ErrUnwritable, domain.Waiting, "The download folder is gone. Plug it in or choose another."},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			w := newWorld()
			for _, target := range []string{"Holiday/a", "Holiday/sub/b"} { // both, or their order would tell
				w.fail[target] = fmt.Errorf("deep down: %w", c.err)
			}
			w.entries["ana:Holiday"][0].Size = 1000
			r := open(t, filepath.Join(t.TempDir(), "db"), w)
			defer r.close(t)
			id := get(t, r, "Holiday")
			d := r.await(t, id, c.state)
			if d.Reason.String() != c.reason || d.Failure != domain.ErrorKind(c.err) {
				t.Errorf("reason %q, failure %q", d.Reason, d.Failure)
			}
			// Trying again gets what is there now.
			w.mu.Lock()
			clear(w.fail)
			w.entries["ana:Holiday"][0] = entry("Holiday/a", 1500)
			w.mu.Unlock()
			if err := r.Retry(t.Context(), []string{id}); err != nil {
				t.Fatal(err)
			}
			if d := r.await(t, id, domain.Done); c.state == domain.Failed && d.Size != 3500 {
				t.Errorf("size %d after the change", d.Size)
			}
		})
	}
}

func TestHistoryAndUnfinishedSurviveRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "db")
	w := newWorld()
	r := open(t, file, w)
	done := get(t, r, "note.txt")
	r.await(t, done, domain.Done)
	w.mu.Lock()
	w.hold = make(chan struct{})
	w.mu.Unlock()
	half := get(t, r, "Holiday")
	r.await(t, half, domain.Running)
	paused := get(t, r, "pics/img")
	if err := r.Pause(t.Context(), []string{paused}); err != nil {
		t.Fatal(err)
	}
	r.close(t)

	w.hold = nil
	again := open(t, file, w)
	defer again.close(t)
	if d := again.await(t, done, domain.Done); d.Final != "/downloads/note.txt" {
		t.Errorf("history: %+v", d)
	}
	again.await(t, half, domain.Done)
	if d := again.await(t, paused, domain.Paused); d.Reason.String() != "Paused by you." {
		t.Errorf("paused: %+v", d)
	}
	for _, target := range []string{"Holiday/a", "Holiday/sub/b"} {
		if !slices.Contains(w.fetched, target) {
			t.Errorf("%s was not fetched: %v", path.Base(target), w.fetched)
		}
	}
}

func TestUploadsOfAShareAreOneRow(t *testing.T) {
	w := newWorld()
	w.shared = map[domain.ContentID]bool{entry("a", 0).Content: true, entry("b", 0).Content: true}
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	for _, name := range []string{"a", "b"} {
		r.Uploaded("ana", entry(name, 100).Content, 60)
	}
	rows := r.Transfers.Transfers()
	if len(rows) != 1 || rows[0].Kind != domain.Upload || rows[0].Path != "Mine" || rows[0].Done != 120 || rows[0].Size != 200 || rows[0].PeerName != "Ana" {
		t.Errorf("rows %+v", rows)
	}
}

func TestALiarIsNamed(t *testing.T) {
	t.Parallel()
	for liar, want := range map[domain.PeerID]string{
		"ben": "Ben sent damaged data. Getting it from Ana instead.",
		"ana": "Ana sent damaged data. Getting it from others instead.",
	} {
		w := newWorld()
		w.people["ben"] = domain.Peer{ID: "ben", Name: "Ben", Online: true}
		w.liar, w.hold = liar, make(chan struct{})
		r := open(t, filepath.Join(t.TempDir(), "db"), w)
		id := get(t, r, "note.txt")
		var last domain.Transfer
		for until := time.Now().Add(5 * time.Second); time.Now().Before(until) && last.Reason.String() != want; time.Sleep(5 * time.Millisecond) {
			last, _ = r.Transfer(id)
		}
		if last.Reason.String() != want {
			t.Errorf("reason %q, want %q", last.Reason, want)
		}
		r.close(t)
	}
}

func TestWhoHadItLastIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.people["ben"] = domain.Peer{ID: "ben", Name: "Ben", LastSeen: time.Now().AddDate(0, 0, -1)}
	w.providers = []domain.Provider{{Peer: "ben", Name: "Ben"}}
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	id, err := r.Get(t.Context(), domain.GetRequest{Content: entry("film", 10).Content})
	if err != nil {
		t.Fatal(err)
	}
	if d := r.await(t, id, domain.Waiting); d.Reason.String() != "Nobody who has this is here. Last seen: Ben, yesterday." {
		t.Errorf("reason %q", d.Reason)
	}
}

// TestTheFolderComesBack plugs the drive with the download folder out and in.
func TestTheFolderComesBack(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "drive")
	w := newWorld()
	w.folder = folder
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	id, err := r.Get(t.Context(), domain.GetRequest{Peer: "ana", Path: "note.txt", To: folder})
	if err != nil {
		t.Fatal(err)
	}
	if d := r.await(t, id, domain.Waiting); d.Reason.String() != "The download folder is gone. Plug it in or choose another." {
		t.Errorf("reason %q", d.Reason)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(15 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if d, _ := r.Transfer(id); d.State == domain.Done {
			break
		} else if time.Now().After(until) {
			t.Fatalf("it is %s: %s", d.State, d.Reason)
		}
	}
}

// TestAllIsNotedWhenItIsDone reads the database at the moment a folder of many
// files is said to be done.
func TestAllIsNotedWhenItIsDone(t *testing.T) {
	w := newWorld()
	const many = 500
	for i := range many {
		name := fmt.Sprintf("many/%03d", i)
		w.entries["ana:many"] = append(w.entries["ana:many"], entry(name, 10))
	}
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	r.await(t, get(t, r, "many"), domain.Done)
	kept, err := r.store.Transfers()
	if err != nil || len(kept) != 1 || len(kept[0].Files) != many {
		t.Fatalf("%d transfers are kept: %v", len(kept), err)
	}
	for _, f := range kept[0].Files {
		if f.Final != path.Join("/downloads", f.Target) {
			t.Fatalf("%s is noted at %q", f.Target, f.Final)
		}
	}
}
