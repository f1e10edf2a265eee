package library

import (
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
