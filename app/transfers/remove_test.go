package transfers_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
	"github.com/potluck-share/potluck/storage/db"
)

// bytesOf are the contents that fetches write.
var bytesOf = map[domain.ContentID]string{}

// truly is an entry with the content ID of text, which a fetch of it writes.
func truly(path, text string) domain.Entry {
	sum, err := content.Hash(context.Background(), strings.NewReader(text), int64(len(text)), 1, nil)
	if err != nil {
		panic(err)
	}
	bytesOf[sum.ID] = text
	return domain.Entry{Path: path, Size: sum.Size, Content: sum.ID}
}

// writing is a world whose fetches write real files, and the folder for them.
func writing(t *testing.T) (w *world, folder string) {
	w = newWorld()
	w.write = true
	w.entries["ana:Box"] = []domain.Entry{truly("Box/a", "one"), truly("Box/sub/b", "two"), truly("Box/sub/c", "three")}
	w.entries["ana:note"] = []domain.Entry{truly("note", "some text")}
	return w, t.TempDir()
}

// getTo downloads to a folder and waits for the end.
func (r *room) getTo(t *testing.T, folder, path string) string {
	t.Helper()
	id, err := r.Get(t.Context(), domain.GetRequest{Peer: "ana", Path: path, To: folder})
	if err != nil {
		t.Fatal(err)
	}
	r.await(t, id, domain.Done)
	return id
}

// until waits until what is so.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain until " + what)
		}
	}
}

func (w *world) discards() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.discarded)
}

// tree returns the paths of all that lies in a folder.
func tree(t *testing.T, folder string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(folder, path); rel != "." {
			all = append(all, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func TestOnlyWhatHasEndedIsRemoved(t *testing.T) {
	w := newWorld()
	file := filepath.Join(t.TempDir(), "db")
	r := open(t, file, w)
	done := get(t, r, "note.txt")
	r.await(t, done, domain.Done)
	kept := get(t, r, "Holiday")
	r.await(t, kept, domain.Done)
	w.online("ana", false)
	waiting := get(t, r, "pics/img")
	r.await(t, waiting, domain.Waiting)
	if err := r.Remove(t.Context(), []string{done, waiting, "none"}); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("an unknown ID: %v", err)
	}
	r.close(t)
	r = open(t, file, w)
	defer r.close(t)
	var ids []string
	for _, d := range r.Transfers.Transfers() {
		ids = append(ids, d.ID)
	}
	if want := []string{waiting, kept}; !slices.Equal(ids, want) {
		t.Errorf("in the list %v, want %v", ids, want)
	}
}

func TestFilesAreDeleted(t *testing.T) {
	w, folder := writing(t)
	file := filepath.Join(t.TempDir(), "db")
	r := open(t, file, w)
	box, note := r.getTo(t, folder, "Box"), r.getTo(t, folder, "note")
	if got := tree(t, folder); got != "Box Box/a Box/sub Box/sub/b Box/sub/c note" {
		t.Fatal("downloaded: " + got)
	}
	r.close(t)
	r = open(t, file, w) // what it may delete is remembered
	defer r.close(t)
	if left, err := r.DeleteFiles(t.Context(), []string{box}); left != 0 || err != nil {
		t.Errorf("left %d, %v", left, err)
	}
	if got := tree(t, folder); got != "note" {
		t.Error("left: " + got)
	}
	if _, known := r.Transfer(box); known {
		t.Error("it is still in the list")
	}
	if _, known := r.Transfer(note); !known {
		t.Error("another one is gone from the list")
	}
}

func TestWhatIsNotOursIsNotDeleted(t *testing.T) {
	w, folder := writing(t)
	w.had = map[string]bool{"Box/a": true}
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	box := r.getTo(t, folder, "Box")
	// The user changes one, keeping its size, and puts a file beside it; a link
	// stands where another was.
	at := filepath.Join(folder, "Box", "sub")
	for name, text := range map[string]string{"b": "TWO", "mine": "x"} {
		if err := os.WriteFile(filepath.Join(at, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(filepath.Join(at, "b"), time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "c")
	if err := os.Rename(filepath.Join(at, "c"), outside); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(at, "c")); err != nil {
		t.Skip(err)
	}
	left, err := r.DeleteFiles(t.Context(), []string{box})
	if left != 3 || err != nil {
		t.Errorf("left %d, want 3: that was here before, that was changed, and the link; %v", left, err)
	}
	if got := tree(t, folder); got != "Box Box/a Box/sub Box/sub/b Box/sub/c Box/sub/mine" {
		t.Error("left: " + got)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error("a link was followed")
	}
}

func TestCancellingKeepsThePartsForAWhile(t *testing.T) {
	w := newWorld()
	w.hold = make(chan struct{})
	file := filepath.Join(t.TempDir(), "db")
	r := open(t, file, w)
	id := get(t, r, "note.txt")
	cancel := func() {
		t.Helper()
		until(t, "half is here", func() bool { d, _ := r.Transfer(id); return d.Done == 5 })
		if err := r.Cancel(t.Context(), []string{id}); err != nil {
			t.Fatal(err)
		}
		r.await(t, id, domain.Cancelled)
	}
	cancel()
	w.ahead.Store(int64(5 * time.Second))
	time.Sleep(300 * time.Millisecond) // longer than between two looks at the clock
	if n := w.discards(); n != 0 {
		t.Fatalf("after 5 s %d parts were removed", n)
	}
	if err := r.Retry(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	if d := r.await(t, id, domain.Running); d.Done != 5 || d.Parts {
		t.Errorf("it goes on with %d bytes, parts kept: %v", d.Done, d.Parts)
	}
	cancel()
	w.ahead.Add(int64(11 * time.Second))
	until(t, "the part is removed", func() bool { d, _ := r.Transfer(id); return w.discards() == 1 && !d.Parts && d.Done == 0 })
	if err := r.Retry(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	cancel()
	r.close(t)
	if n := w.discards(); n != 2 {
		t.Errorf("%d parts were removed, want 2: one more when the program ends", n)
	}
	r = open(t, file, w)
	r.close(t)
	if n := w.discards(); n != 2 {
		t.Errorf("%d parts were removed, want 2: none are left for the next run", n)
	}
}

func TestPartsOfAKilledRunAreRemoved(t *testing.T) {
	w := newWorld()
	w.hold = make(chan struct{})
	file := filepath.Join(t.TempDir(), "db")
	r := open(t, file, w)
	id := get(t, r, "note.txt")
	r.await(t, id, domain.Running)
	if err := r.Cancel(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file) // as a kill would leave it
	if err != nil {
		t.Fatal(err)
	}
	r.close(t)
	killed := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(killed, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	before := w.discards()
	r = open(t, killed, w)
	defer r.close(t)
	until(t, "the part is removed", func() bool { d, _ := r.Transfer(id); return w.discards() == before+1 && !d.Parts })
}

func TestAPartThatAnotherDownloadHasIsNotRemoved(t *testing.T) {
	w := newWorld()
	w.hold = make(chan struct{})
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	first := get(t, r, "note.txt")
	r.await(t, first, domain.Running)
	if err := r.Cancel(t.Context(), []string{first}); err != nil {
		t.Fatal(err)
	}
	second := get(t, r, "note.txt")
	r.await(t, second, domain.Running)
	if err := r.Remove(t.Context(), []string{first}); err != nil {
		t.Fatal(err)
	}
	if n := w.discards(); n != 0 || second == first {
		t.Errorf("%d parts were removed", n)
	}
}

func TestCheckingAgain(t *testing.T) {
	w, folder := writing(t)
	file := filepath.Join(t.TempDir(), "db")
	r := open(t, file, w)
	box, note := r.getTo(t, folder, "Box"), r.getTo(t, folder, "note")
	if err := r.CheckAgain(t.Context(), []string{box, note}); err != nil {
		t.Fatal(err)
	}
	sound := func(id string) func() bool {
		return func() bool {
			d, _ := r.Transfer(id)
			return d.State == domain.Done && strings.HasPrefix(d.Reason.String(), "All of it is as it was, checked ")
		}
	}
	until(t, "the box is found sound", sound(box))
	until(t, "the note is found sound", sound(note))

	// Damaged behind our back: size and time are as they were.
	a, c := filepath.Join(folder, "Box", "a"), filepath.Join(folder, "Box", "sub", "c")
	info, err := os.Stat(a)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(a, []byte("0ne"), 0o600), os.Chtimes(a, time.Time{}, info.ModTime()), os.Remove(c)); err != nil {
		t.Fatal(err)
	}
	if err := r.CheckAgain(t.Context(), []string{box}); err != nil {
		t.Fatal(err)
	}
	d := r.await(t, box, domain.Failed)
	if d.Reason.String() != "2 files are damaged or gone. Try again to get them." || d.Failure != "damaged" || d.Done != 3 {
		t.Errorf("it says %q, failure %q, done %d", d.Reason, d.Failure, d.Done)
	}
	r.close(t)
	r = open(t, file, w) // it is remembered which they are
	defer r.close(t)
	w.mu.Lock()
	w.fetched = nil
	w.mu.Unlock()
	if err := r.Retry(t.Context(), []string{box}); err != nil {
		t.Fatal(err)
	}
	r.await(t, box, domain.Done)
	w.mu.Lock()
	slices.Sort(w.fetched)
	if got := strings.Join(w.fetched, " "); got != "Box/a Box/sub/c" {
		t.Error("fetched again: " + got)
	}
	w.mu.Unlock()
	for path, want := range map[string]string{a: "one", c: "three"} {
		if got, err := os.ReadFile(path); string(got) != want {
			t.Errorf("%s holds %q, %v", path, got, err)
		}
	}
}

func TestAFolderThatIsGoneIsNotDamage(t *testing.T) {
	w, folder := writing(t)
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	id := r.getTo(t, folder, "note")
	if err := errors.Join(os.Rename(folder, folder+"-unplugged"), r.CheckAgain(t.Context(), []string{id})); err != nil {
		t.Fatal(err)
	}
	until(t, "it says so", func() bool {
		d, _ := r.Transfer(id)
		return d.State == domain.Done && d.Reason.String() == "The download folder is gone. Plug it in or choose another."
	})
	if left, err := r.DeleteFiles(t.Context(), []string{id}); left != 0 || err != nil {
		t.Errorf("left %d, %v", left, err)
	}
}

func TestTheNewOneIsGot(t *testing.T) {
	w, folder := writing(t)
	w.entries["ana:Box"][2].Size++ // so that it is damaged in the end
	w.fail["Box/sub/c"] = fmt.Errorf("it: %w", domain.ErrChanged)
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	id, err := r.Get(t.Context(), domain.GetRequest{Peer: "ana", Path: "Box", To: folder, Only: []string{"sub"}})
	if err != nil {
		t.Fatal(err)
	}
	if d := r.await(t, id, domain.Failed); d.Reason.String() != "Ana changed this file meanwhile." {
		t.Errorf("it says %q", d.Reason)
	}
	w.mu.Lock()
	w.fetched, w.fail = nil, map[string]error{}
	w.entries["ana:Box"] = []domain.Entry{truly("Box/a", "one"), truly("Box/sub/b", "two"), truly("Box/sub/c", "three!"), truly("Box/sub/d", "new")}
	w.mu.Unlock()
	next, err := r.GetAgain(t.Context(), id)
	if err != nil || next == id {
		t.Fatalf("%s, %v", next, err)
	}
	if d := r.await(t, next, domain.Done); d.Count != 3 || d.Size != 12 || d.Final != filepath.Join(folder, "Box") {
		t.Errorf("%d files, %d bytes in %s", d.Count, d.Size, d.Final)
	}
	if _, known := r.Transfer(id); known {
		t.Error("the old one is still in the list")
	}
	w.mu.Lock()
	slices.Sort(w.fetched)
	if got := strings.Join(w.fetched, " "); got != "Box/sub/c Box/sub/d" {
		t.Error("fetched: " + got)
	}
	w.mu.Unlock()
	if left, err := r.DeleteFiles(t.Context(), []string{next}); left != 0 || err != nil {
		t.Errorf("left %d, %v", left, err)
	}
	if got := tree(t, folder); got != "" {
		t.Error("left: " + got)
	}
	if _, err := r.GetAgain(context.Background(), next); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("of one that is gone: %v", err)
	}
}

// Of what the user has deleted or edited meanwhile the old download still says
// that it is here.
func TestWhatIsGoneIsGotAgain(t *testing.T) {
	w, folder := writing(t)
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	id := r.getTo(t, folder, "Box")
	edited := filepath.Join(folder, "Box", "a")
	before := time.Now().Add(-time.Hour)
	err := errors.Join(os.Remove(filepath.Join(folder, "Box", "sub", "b")),
		os.WriteFile(edited, []byte("1ne"), 0o600), os.Chtimes(edited, before, before))
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.fetched = nil
	w.mu.Unlock()
	next, err := r.GetAgain(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	r.await(t, next, domain.Done)
	w.mu.Lock()
	slices.Sort(w.fetched)
	if got := strings.Join(w.fetched, " "); got != "Box/a Box/sub/b" {
		t.Errorf("fetched: %q", got)
	}
	w.mu.Unlock()
	if got := tree(t, folder); got != "Box Box/a Box/sub Box/sub/b Box/sub/c" {
		t.Error("there is: " + got)
	}
}

// fullDisk is a store that has no room at times.
type fullDisk struct {
	*db.DB
	full atomic.Bool
}

func (s *fullDisk) PutTransfer(ctx context.Context, t domain.Transfer) error {
	if s.full.Load() {
		return domain.ErrNoSpace
	}
	return s.DB.PutTransfer(ctx, t)
}

// What could not be kept once is kept by the next chance, or the download would
// go on after a restart that was cancelled.
func TestWhatCouldNotBeKeptIsKeptLater(t *testing.T) {
	w := newWorld()
	w.hold = make(chan struct{})
	base, err := db.Open(filepath.Join(t.TempDir(), "db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	store := &fullDisk{DB: base}
	r := openOn(t, base, store, w)
	defer r.close(t)
	id := get(t, r, "note.txt")
	store.full.Store(true)
	if err := r.Cancel(t.Context(), []string{id}); !errors.Is(err, domain.ErrNoSpace) {
		t.Fatalf("cancelled on a full disk: %v", err)
	}
	store.full.Store(false)
	if err := r.Pause(t.Context(), []string{get(t, r, "Holiday")}); err != nil {
		t.Fatal(err)
	}
	all, err := base.Transfers()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.ID == id && d.State != domain.Cancelled {
			t.Errorf("it is kept as %s", d.State)
		}
	}
}

func TestProvidersAreNamed(t *testing.T) {
	w := newWorld()
	for _, name := range []string{"Ben", "Cleo", "Dan", "Eve"} {
		id := domain.PeerID(strings.ToLower(name))
		w.people[id] = domain.Peer{ID: id, Name: name, Online: true}
		w.from = append(w.from, domain.Served{Peer: id, Done: 1, Serving: id != "dan"})
	}
	w.from = append(w.from, domain.Served{Peer: "ana", Done: 1, Serving: true})
	w.people["fay"] = domain.Peer{ID: "fay", Name: "Fay"}
	w.providers = []domain.Provider{{Peer: "fay"}}
	w.hold = make(chan struct{})
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	id := get(t, r, "note.txt")
	until(t, "they are named", func() bool {
		d, _ := r.Transfer(id)
		return slices.Equal(d.From, []string{"Ana", "Ben", "Cleo", "Eve"}) && d.Providers == 4
	})
	all, err := r.Providers(id)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]domain.TransferProvider)
	for _, p := range all {
		got[p.Name] = p
	}
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, []string{"Ana", "Ben", "Cleo", "Dan", "Eve", "Fay"}) {
		t.Errorf("they are %v", names)
	}
	for name, p := range got {
		here := name != "Fay"
		if p.Online != here || (p.Done == 1) != here || p.Serving != (here && name != "Dan") {
			t.Errorf("%s: %+v", name, p)
		}
	}
	close(w.hold)
	if d := r.await(t, id, domain.Done); len(d.From) != 0 {
		t.Errorf("in the end it comes from %v", d.From)
	}
	if all, _ = r.Providers(id); len(all) != 5 {
		t.Errorf("in the end it came from %+v", all)
	}
	if _, err := r.Providers("none"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("an unknown ID: %v", err)
	}
}

// What cannot be read is not taken for damaged: it may be on a drive that was
// just unplugged.
func TestWhatCannotBeReadIsNotLost(t *testing.T) {
	const folder = "/proc/self"
	if info, err := os.Lstat(folder + "/mem"); err != nil || info.Size() != 0 {
		t.Skip("this system has no file that refuses to be read")
	}
	file := filepath.Join(t.TempDir(), "db")
	base, err := db.Open(file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	mem := domain.TransferFile{Entry: truly("mem", ""), Target: "mem", Final: folder + "/mem"}
	err = base.PutTransfer(t.Context(), domain.Transfer{
		ID: "mem", Kind: domain.Download, Peer: "ana", Path: "mem", Folder: folder, State: domain.Done,
		Files: []domain.TransferFile{mem},
	})
	if err := errors.Join(err, base.Close()); err != nil {
		t.Fatal(err)
	}
	r := open(t, file, newWorld())
	defer r.close(t)
	if err := r.CheckAgain(t.Context(), []string{"mem"}); err != nil {
		t.Fatal(err)
	}
	until(t, "it says so", func() bool {
		d, _ := r.Transfer("mem")
		return d.State == domain.Done && d.Reason.String() == "Can't read mem. Look whether you may open it."
	})
}

func TestUploadsStayUntilCleared(t *testing.T) {
	w := newWorld()
	w.shared = map[domain.ContentID]bool{entry("a", 100).Content: true, entry("b", 100).Content: true}
	file := filepath.Join(t.TempDir(), "db")
	r := open(t, file, w)
	r.Uploaded("ana", entry("a", 100).Content, 100)
	w.ahead.Store(int64(4 * time.Second))
	one := func() domain.Transfer {
		if all := r.Transfers.Transfers(); len(all) == 1 {
			return all[0]
		}
		return domain.Transfer{}
	}
	until(t, "it is done", func() bool { return one().State == domain.Done })
	r.close(t)
	r = open(t, file, w)
	want := one()
	if want.Kind != domain.Upload || want.Path != "Mine/a" || want.PeerName != "Ana" || want.Done != 100 || want.Size != 100 || want.State != domain.Done {
		t.Errorf("after a restart: %+v", want)
	}
	w.ahead.Store(int64(time.Hour))
	r.Uploaded("ana", entry("b", 100).Content, 50) // another time: a row of its own in the place of that one
	if now := one(); now.ID != want.ID || now.State != domain.Running || now.Size != 100 || now.Path != "Mine/b" {
		t.Errorf("later: %+v", now)
	}
	r.close(t) // which ends it
	r = open(t, file, w)
	if now := one(); now.State != domain.Done || now.Done != 50 {
		t.Errorf("after the end of the program: %+v", now)
	}
	if err := r.Remove(t.Context(), []string{want.ID}); err != nil {
		t.Error(err)
	}
	r.close(t)
	r = open(t, file, w)
	defer r.close(t)
	if all := r.Transfers.Transfers(); len(all) != 0 {
		t.Errorf("after it was removed: %+v", all)
	}
}

func TestAnUploadCountsAnewAfterARestart(t *testing.T) {
	w := newWorld()
	id := entry("a", 100).Content
	w.shared = map[domain.ContentID]bool{id: true}
	file := filepath.Join(t.TempDir(), "db")
	r := open(t, file, w)
	r.Uploaded("ana", id, 60)
	r.close(t)
	r = open(t, file, w)
	defer r.close(t)
	r.Uploaded("ana", id, 30)
	all := r.Transfers.Transfers()
	if len(all) != 1 || all[0].Size != 100 || all[0].Done != 30 || all[0].State != domain.Running {
		t.Errorf("%+v, want one that runs, 30 of 100", all)
	}
}

func TestThePausedIsAsFarAfterARestart(t *testing.T) {
	w := newWorld()
	w.hold = make(chan struct{})
	file := filepath.Join(t.TempDir(), "db")
	r := open(t, file, w)
	id := get(t, r, "note.txt")
	until(t, "half of it is here", func() bool { return r.await(t, id, domain.Running).Done > 0 })
	if err := r.Pause(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	want := r.await(t, id, domain.Paused).Done
	r.close(t)
	r = open(t, file, w)
	defer r.close(t)
	if got := r.await(t, id, domain.Paused).Done; got != want || got == 0 {
		t.Errorf("%d bytes are here, before the restart %d were", got, want)
	}
}

func TestTheOldestUploadsGo(t *testing.T) {
	w := newWorld()
	id := entry("a", 100).Content
	w.shared = map[domain.ContentID]bool{id: true}
	file := filepath.Join(t.TempDir(), "db")
	r := open(t, file, w)
	for i := range 205 {
		w.ahead.Add(int64(time.Millisecond))
		r.Uploaded(domain.PeerID(fmt.Sprintf("peer-%05d", i)), id, 1)
	}
	w.ahead.Add(int64(10 * time.Second))
	until(t, "200 are left", func() bool {
		all := r.Transfers.Transfers()
		return len(all) == 200 && !slices.ContainsFunc(all, func(u domain.Transfer) bool { return !u.State.Ended() })
	})
	r.close(t)
	r = open(t, file, w)
	defer r.close(t)
	if n := len(r.Transfers.Transfers()); n != 200 {
		t.Errorf("after a restart there are %d", n)
	}
}

func TestWhatIsHereOutlastsTheList(t *testing.T) {
	w, folder := writing(t)
	file := filepath.Join(t.TempDir(), "db")
	r := open(t, file, w)
	box, note := r.getTo(t, folder, "Box"), r.getTo(t, folder, "note")
	a, b, text := w.entries["ana:Box"][0].Content, w.entries["ana:Box"][1].Content, w.entries["ana:note"][0].Content
	if err := r.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.close(t)
	r = open(t, file, w)
	if n := len(r.Transfers.Transfers()); n != 0 {
		t.Errorf("%d of %s, %s are left in the list", n, box, note)
	}
	for id, want := range map[domain.ContentID]string{a: "Box/a", b: "Box/sub/b", text: "note"} {
		if got := r.Finished(id); got != filepath.Join(folder, filepath.FromSlash(want)) {
			t.Errorf("%s is at %q", want, got)
		}
	}
	// An edited one is no such file any more, and one that was deleted is
	// forgotten; what lay where a drive was is not.
	if err := os.WriteFile(filepath.Join(folder, "Box", "a"), []byte("ONE"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(filepath.Join(folder, "note")), os.RemoveAll(filepath.Join(folder, "Box", "sub"))); err != nil {
		t.Fatal(err)
	}
	if got := r.Finished(a) + r.Finished(text) + r.Finished(b); got != "" {
		t.Errorf("what is not here is at %q", got)
	}
	r.close(t)
	r = open(t, file, w)
	until(t, "what was deleted is forgotten", func() bool {
		found, err := r.store.Found()
		if err != nil {
			t.Fatal(err)
		}
		return found[text].Path == "" && found[b].Path != "" && found[a].Path != ""
	})

	// What Potluck itself deletes is forgotten at once.
	r.getTo(t, folder, "note")
	if err := r.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := r.getTo(t, folder, "note")
	if _, err := r.DeleteFiles(t.Context(), []string{again}); err != nil {
		t.Fatal(err)
	}
	defer r.close(t)
	found, err := r.store.Found()
	if err != nil || found[text].Path != "" {
		t.Errorf("what was deleted is at %q, %v", found[text].Path, err)
	}
}
