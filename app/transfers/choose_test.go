package transfers_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/transfers"
)

// trip lets Ana share a folder of files.
func trip(w *world, files ...string) {
	var all []domain.Entry
	for i, f := range files {
		all = append(all, entry("Trip/"+f, int64(100*(i+1))))
	}
	w.entries["ana:Trip"] = all
}

func TestPatternsMeanFilesAndFolders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, target string
		means           bool
	}{
		{"a.jpg", "Trip/a.jpg", true},
		{"*.jpg", "Trip/img/a.jpg", true},
		{"img", "Trip/img/a.jpg", true},
		{"img/", "Trip/img/deep/a.jpg", true},
		{"img/*", "Trip/img/deep/a.jpg", true},
		{"img/*.jpg", "Trip/img/a.jpg", true},
		{"img/*.jpg", "Trip/img/deep/a.jpg", false},
		{"deep", "Trip/img/deep/a.jpg", true},
		{"Trip", "Trip/img/a.jpg", false},
		{"b", "Trip/a", false},
		{"[", "Trip/[", false},
		{"note.txt", "note.txt", true},
		{"", "Trip/a", false},
	} {
		if got := transfers.Means(c.pattern, c.target); got != c.means {
			t.Errorf("%q means %q: %v", c.pattern, c.target, got)
		}
	}
}

func TestOnlySomeOfAFolder(t *testing.T) {
	t.Parallel()
	w := newWorld()
	trip(w, "a.jpg", "img/b.jpg", "talk.mp4")
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	ask := func(only ...string) (string, error) {
		return r.Get(t.Context(), domain.GetRequest{Peer: "ana", Path: "Trip", Only: only})
	}
	if _, err := ask("*.png"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("a pattern that means nothing: %v", err)
	}
	id, err := ask("*.jpg")
	if err != nil {
		t.Fatal(err)
	}
	d := r.await(t, id, domain.Done)
	if d.Count != 2 || d.Size != 300 || d.Done != 300 {
		t.Errorf("%d files of %d bytes, %d done", d.Count, d.Size, d.Done)
	}
	if slices.Contains(w.fetched, "Trip/talk.mp4") || len(w.fetched) != 2 {
		t.Errorf("fetched %v", w.fetched)
	}
	// What is taken in later goes on, also when the rest is done.
	if err := r.Choose(t.Context(), id, map[int]bool{2: true}); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if d = r.await(t, id, domain.Done); d.Done == 600 {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("%+v", d)
		}
	}
}

func TestChoosingWhileItRuns(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "db")
	w := newWorld()
	w.hold = make(chan struct{})
	trip(w, "a", "b", "c")
	r := open(t, file, w)
	id := get(t, r, "Trip")
	r.await(t, id, domain.Running)
	choose := func(r *room, wanted map[int]bool) domain.Transfer {
		t.Helper()
		if err := r.Choose(t.Context(), id, wanted); err != nil {
			t.Fatal(err)
		}
		d, _ := r.Transfer(id)
		return d
	}
	if d := choose(r, map[int]bool{0: false, 1: false}); d.Count != 1 || d.Size != 300 {
		t.Errorf("chosen: %+v", d)
	}
	awaitDiscarded := func(want ...string) {
		t.Helper()
		var got []string
		for until := time.Now().Add(5 * time.Second); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
			w.mu.Lock()
			got = slices.Clone(w.discarded)
			w.mu.Unlock()
			slices.Sort(got)
			if slices.Equal(got, want) {
				return
			}
		}
		t.Fatalf("removed the parts of %v, want %v", got, want)
	}
	awaitDiscarded("Trip/a", "Trip/b")
	for _, bad := range []map[int]bool{{2: false}, {3: true}, {-1: false}} {
		if err := r.Choose(t.Context(), id, bad); !errors.Is(err, domain.ErrUsage) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if err := r.Choose(t.Context(), "none", nil); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
	choose(r, map[int]bool{1: true}) // taken in again while it runs
	for until := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		files, err := r.Files(id)
		if err != nil {
			t.Fatal(err)
		}
		if files[0].Skipped && files[1].State == domain.Running && files[2].State == domain.Running && files[2].Done == 150 {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("%+v", files)
		}
	}
	r.close(t)

	// The choice is kept, and can be changed while it is paused.
	close(w.hold)
	w.hold = nil
	r = open(t, file, w)
	defer r.close(t)
	d := r.await(t, id, domain.Done)
	if d.Count != 2 || d.Size != 500 || d.Done != 500 || slices.Contains(w.fetched, "Trip/a") {
		t.Errorf("%+v, fetched %v", d, w.fetched)
	}
	files, err := r.Files(id)
	if err != nil || !files[0].Skipped || files[1].State != domain.Done || files[2].State != domain.Done {
		t.Errorf("%+v, %v", files, err)
	}
	// A finished file that is left out is not counted any more.
	choose(r, map[int]bool{1: false})
	if d, _ := r.Transfer(id); d.State != domain.Done || d.Count != 1 {
		t.Errorf("%+v", d)
	}
}

func TestLeavingOutWhatIsLackingEndsIt(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.fail["Trip/b"] = domain.ErrNoSpace
	trip(w, "a", "b")
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	id, err := r.Get(t.Context(), domain.GetRequest{Peer: "ana", Path: "Trip", Only: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	r.await(t, id, domain.Done)
	if err := r.Choose(t.Context(), id, map[int]bool{1: true}); err != nil {
		t.Fatal(err)
	}
	r.await(t, id, domain.Waiting)
	if err := r.Choose(t.Context(), id, map[int]bool{1: false}); err != nil {
		t.Fatal(err)
	}
	d := r.await(t, id, domain.Done)
	if d.Done != 100 || d.Size != 100 || d.Final != "/downloads/Trip" {
		t.Errorf("%+v", d)
	}
}

// TestWhatIsHereNeedsNobody lets a download of what lies in an own share go on
// without its owner, and what lies in its place end at once.
func TestWhatIsHereNeedsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.online("ana", false)
	w.shared = map[domain.ContentID]bool{entry("note.txt", 0).Content: true}
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	id := get(t, r, "note.txt")
	r.await(t, id, domain.Running)
	w.online("ana", true)
	r.ProvidersChanged()
	w.mu.Lock()
	w.had = map[string]bool{"img/1": true}
	w.mu.Unlock()
	if d := r.await(t, get(t, r, "pics/img"), domain.Done); d.Reason.String() != "You already have this." {
		t.Errorf("reason %q", d.Reason)
	}
	if d := r.await(t, id, domain.Done); d.Reason.String() != "" {
		t.Errorf("reason %q", d.Reason)
	}
}
