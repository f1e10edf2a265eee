package library

import (
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// A folder of many files that is being copied costs no more for each of them, and is
// looked at as a whole; of a few each is looked at in its own time.
func TestChangesAreGathered(t *testing.T) {
	begin := time.Unix(1e9, 0)
	few := changes{paths: make(map[string][2]time.Time)}
	few.note("log", begin)
	few.note("note", begin.Add(100*time.Millisecond))
	for at := 200 * time.Millisecond; at < busy; at += 100 * time.Millisecond {
		few.note("log", begin.Add(at))
	}
	due := begin.Add(100*time.Millisecond + quiet)
	if got := few.next(); !got.Equal(due) {
		t.Errorf("the note is due after %v", got.Sub(begin))
	}
	if got := few.take(due); len(got) != 1 {
		t.Errorf("then there are %v", got)
	}
	if got := few.next(); !got.Equal(begin.Add(busy)) {
		t.Errorf("the log is due after %v", got.Sub(begin))
	}
	if got := few.take(begin.Add(busy)); len(got) != 1 || len(few.paths) != 0 {
		t.Errorf("then there are %v", got)
	}

	many := changes{paths: make(map[string][2]time.Time)}
	started, n := time.Now(), 200_000
	var last time.Time
	for i := range n {
		last = begin.Add(time.Duration(i) * time.Microsecond)
		many.note(strconv.Itoa(i), last)
		many.next()
	}
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("%d changes took %v to note", n, took)
	}
	if got := many.next(); !got.Equal(last.Add(quiet)) {
		t.Errorf("they are due after %v", got.Sub(begin))
	}
	if got := many.take(begin); len(got) != n || len(many.paths) != 0 {
		t.Errorf("%d of them are looked at", len(got))
	}
}

// A folder is moved, and its new place looked through before that is heard of:
// then it is watched all the same, as soon as it is looked through again.
func TestWatchingWhatWasMovedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWatcher(slog.New(slog.DiscardHandler), 100)
	if w.fs == nil {
		t.Fatal("nothing can be watched here")
	}
	defer func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	}()
	home, sh := t.TempDir(), &share{}
	before, after := filepath.Join(home, "before"), filepath.Join(home, "after")
	if err := os.Mkdir(before, 0o700); err != nil {
		t.Fatal(err)
	}
	w.add(home, sh)
	w.add(before, sh)
	if err := os.Rename(before, after); err != nil {
		t.Fatal(err)
	}
	w.add(after, sh)
	// hears takes all events until one of a path, for a while.
	hears := func(path string, patience time.Duration) bool {
		for quiet := time.After(patience); ; {
			select {
			case e := <-w.fs.Events:
				if w.heard(e); e.Name == path {
					return true
				}
			case err := <-w.fs.Errors:
				t.Error(err)
			case <-quiet:
				return false
			}
		}
	}
	hears("", 500*time.Millisecond)
	w.add(after, sh) // as when it is looked through again because of that
	file := filepath.Join(after, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !hears(file, 10*time.Second) {
		t.Error("what happens there is not heard")
	}
}
