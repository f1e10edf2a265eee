package transfers_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/transfers"
)

// manyFiles lets Ana share f0, f1 and so on.
func manyFiles(w *world, n int) {
	for i := range n {
		p := fmt.Sprint("f", i)
		w.entries["ana:"+p] = []domain.Entry{entry(p, 10)}
	}
}

// states says how all downloads stand, in their order: "f0 running, f1 1".
func (r *room) states() string {
	all := r.Transfers.Transfers()
	slices.SortFunc(all, func(a, b domain.Transfer) int { return int(a.Order - b.Order) })
	words := make([]string, len(all))
	for i, d := range all {
		words[i] = d.Path + " " + string(d.State)
		if d.State == domain.Queued {
			words[i] = fmt.Sprint(d.Path, " ", d.Queue)
		}
	}
	return strings.Join(words, ", ")
}

// awaitStates waits until states says so.
func (r *room) awaitStates(t *testing.T, want string) {
	t.Helper()
	var last string
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if last = r.states(); last == want {
			return
		}
	}
	t.Fatalf("the downloads stand\n%s, want\n%s", last, want)
}

func (r *room) id(t *testing.T, path string) string {
	t.Helper()
	for _, d := range r.Transfers.Transfers() {
		if d.Path == path {
			return d.ID
		}
	}
	t.Fatal("no download of", path)
	return ""
}

func TestTheUserOrdersTheQueue(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "db")
	w := newWorld()
	w.hold = make(chan struct{})
	manyFiles(w, 5)
	r := open(t, file, w)
	r.AtOnce(2)
	for i := range 5 {
		get(t, r, fmt.Sprint("f", i))
	}
	r.awaitStates(t, "f0 running, f1 running, f2 1, f3 2, f4 3")
	if d, _ := r.Transfer(r.id(t, "f2")); d.Reason.String() != "Next in your queue." {
		t.Errorf("the first says %q", d.Reason)
	}
	if d, _ := r.Transfer(r.id(t, "f3")); d.Reason.String() != "Number 2 in your queue." {
		t.Errorf("the second says %q", d.Reason)
	}
	do := func(what func(context.Context, []string) error, paths ...string) {
		t.Helper()
		ids := make([]string, len(paths))
		for i, p := range paths {
			ids[i] = r.id(t, p)
		}
		if err := what(t.Context(), ids); err != nil {
			t.Fatal(err)
		}
	}
	do(r.First, "f4") // runs at once, in the place of the last one that ran
	r.awaitStates(t, "f4 running, f0 running, f1 1, f2 2, f3 3")
	do(r.Later, "f0") // gives its place to the first in the queue
	r.awaitStates(t, "f4 running, f1 running, f2 1, f3 2, f0 3")
	do(r.First, "f0", "f3")
	r.awaitStates(t, "f0 running, f3 running, f4 1, f1 2, f2 3")
	r.AtOnce(1)
	r.awaitStates(t, "f0 running, f3 1, f4 2, f1 3, f2 4")
	do(r.Pause, "f3")
	r.awaitStates(t, "f0 running, f3 paused, f4 1, f1 2, f2 3")
	do(r.First, "f3") // comes first when it goes on
	r.awaitStates(t, "f3 paused, f0 running, f4 1, f1 2, f2 3")
	r.close(t)

	// The order is the same after a restart, whoever is quicker.
	w.atOnce = 1
	r = open(t, file, w)
	defer r.close(t)
	r.awaitStates(t, "f3 paused, f0 running, f4 1, f1 2, f2 3")
	do(r.Resume, "f3")
	r.awaitStates(t, "f3 1, f0 running, f4 2, f1 3, f2 4")
	close(w.hold)
	for i := range 5 {
		r.await(t, r.id(t, fmt.Sprint("f", i)), domain.Done)
	}
	if w.mostAtOne > 2 {
		t.Errorf("%d ran at once", w.mostAtOne)
	}
}

func TestTheFirstInTheOrderGetsThePlaceWhenSomebodyReturns(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.hold = make(chan struct{})
	w.online("ana", false)
	manyFiles(w, 20)
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	for i := range 20 {
		r.await(t, get(t, r, fmt.Sprint("f", i)), domain.Waiting)
	}
	if err := r.First(t.Context(), []string{r.id(t, "f19"), r.id(t, "f7"), r.id(t, "f11")}); err != nil {
		t.Fatal(err)
	}
	transfers.SettleFor(r.Transfers, 2*time.Second)
	w.online("ana", true)
	r.ProvidersChanged()
	for _, p := range []string{"f19", "f7", "f11"} {
		r.await(t, r.id(t, p), domain.Running)
	}
	if got := r.states(); strings.Count(got, "running") != 3 {
		t.Error("more run at once:", got)
	}
}

func TestOrdinals(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.hold = make(chan struct{})
	manyFiles(w, 125)
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	r.AtOnce(1)
	for i := range 125 {
		get(t, r, fmt.Sprint("f", i))
	}
	for until := time.Now().Add(5 * time.Second); !strings.HasSuffix(r.states(), "f124 124"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the downloads stand", r.states())
		}
	}
	for place, want := range map[int]string{
		1: "Next in your queue.", 3: "Number 3 in your queue.", 11: "Number 11 in your queue.", 22: "Number 22 in your queue.",
		99: "Number 99 in your queue.", 100: "Waits in your queue.", 124: "Waits in your queue.",
	} {
		id := r.id(t, fmt.Sprint("f", place))
		if d, _ := r.Transfer(id); d.Queue != place || d.Reason.String() != want {
			t.Errorf("place %d says %d, %q", place, d.Queue, d.Reason)
		}
	}
}

// Whoever waits in somebody's queue does not keep other downloads from running.
func TestWaitingInSomebodysQueue(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.hold = make(chan struct{})
	w.places = map[string]int{"f0": 2, "f1": 11, "f2": 23, "f3": 101}
	manyFiles(w, 6)
	r := open(t, filepath.Join(t.TempDir(), "db"), w)
	defer r.close(t)
	r.AtOnce(1)
	for i := range 6 {
		get(t, r, fmt.Sprint("f", i))
	}
	r.awaitStates(t, "f0 running, f1 running, f2 running, f3 running, f4 running, f5 1")
	for path, want := range map[string]string{
		"f0": "You're 2nd in Ana's queue.", "f1": "You're 11th in Ana's queue.", "f2": "You're 23rd in Ana's queue.",
		"f3": "You're 101st in Ana's queue.", "f4": "",
	} {
		if d, _ := r.Transfer(r.id(t, path)); d.Reason.String() != want {
			t.Errorf("%s says %q, want %q", path, d.Reason, want)
		}
	}
	close(w.hold)
	for i := range 6 {
		r.await(t, r.id(t, fmt.Sprint("f", i)), domain.Done)
	}
}
