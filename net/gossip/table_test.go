package gossip

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// at returns a head as if it had been verified.
func at(epoch, sequence uint64, signed time.Time) signedHead {
	return signedHead{
		Head:   domain.Head{Peer: "ana", Version: domain.Version{Epoch: epoch, Sequence: sequence}, Time: signed},
		signed: fmt.Appendf(nil, "%d %d %v", epoch, sequence, signed),
	}
}

func TestTakeDecidesByVersionAndSignedTime(t *testing.T) {
	t.Parallel()
	const gap = 8 * time.Minute
	personal := at(1, 50, noon)
	personal.personal = true
	renamed := at(1, 5, noon.Add(time.Second))
	renamed.Name = "Anna"
	for name, tc := range map[string]struct {
		head   signedHead
		direct bool
		want   verdict
	}{
		"newer":                             {at(1, 6, noon), false, fresh},
		"newer epoch":                       {at(2, 1, noon), false, fresh},
		"the same":                          {at(1, 5, noon), false, known},
		"repeated too soon":                 {at(1, 5, noon.Add(gap-1)), false, early},
		"repeated when due":                 {at(1, 5, noon.Add(gap)), false, fresh},
		"repeated from the past":            {at(1, 5, noon.Add(-gap)), false, early},
		"renamed":                           {renamed, false, fresh},
		"older":                             {at(1, 4, noon.Add(gap)), false, older},
		"older epoch":                       {at(0, 9, noon.Add(gap)), false, older},
		"older, said by the owner later":    {at(1, 4, noon.Add(1)), true, fresh},
		"older, said by the owner, delayed": {at(1, 4, noon.Add(-1)), true, older},
		"older epoch, said by the owner":    {at(0, 9, noon.Add(-1)), true, fresh},
		"personal, from the owner":          {personal, true, fresh},
		"personal, from another":            {personal, false, refused},
		"the end of all numbers, far in the future": {at(1<<63-1, 1<<63-1, time.UnixMilli(maxTime)), false, fresh},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := newTable(gap)
			if v := table.take(at(1, 5, noon), false, noon); v != fresh {
				t.Fatalf("the first head: %v", v)
			}
			if v := table.take(tc.head, tc.direct, noon); v != tc.want {
				t.Errorf("take = %v, want %v", v, tc.want)
			}
		})
	}
}

func TestDisownedVersionStaysAway(t *testing.T) {
	t.Parallel()
	table := newTable(time.Minute)
	table.take(at(9, 9, noon), false, noon)
	table.take(at(3, 1, noon.Add(time.Second)), true, noon)
	if v := table.take(at(9, 9, noon), false, noon); v != older {
		t.Errorf("a cached copy of what the owner went back behind: %v", v)
	}
	if v := table.take(at(3, 2, noon.Add(2*time.Second)), false, noon); v != fresh {
		t.Errorf("the owner's next change: %v", v)
	}
	if v := table.take(at(10, 1, noon.Add(3*time.Second)), false, noon); v != fresh {
		t.Errorf("the owner's renewed epoch: %v", v)
	}
}

func TestHeadsGrowStaleByTheTimeTheyLeftTheirOwner(t *testing.T) {
	t.Parallel()
	table := newTable(time.Minute)
	// Passed on after 50 minutes: fresh for ten more, whatever its clock says.
	table.take(at(1, 1, noon.Add(-1000*time.Hour)), false, noon.Add(-50*time.Minute))
	for after, want := range map[time.Duration]int{9 * time.Minute: 1, 10 * time.Minute: 0, -5 * time.Hour: 1} {
		if got := len(table.fresh(noon.Add(after))); got != want {
			t.Errorf("after %v: %d fresh heads, want %d", after, got, want)
		}
	}
	// A younger copy of it counts.
	table.take(at(1, 1, noon.Add(-1000*time.Hour)), false, noon)
	if got := len(table.fresh(noon.Add(10 * time.Minute))); got != 1 {
		t.Errorf("%d fresh heads, want 1", got)
	}
}

func TestManyAuthorsStayBounded(t *testing.T) {
	table := newTable(time.Minute)
	before := heap()
	for i := range 5500 {
		h := at(1, 1, noon)
		h.Peer = domain.PeerID(fmt.Sprintf("peer %d", i))
		h.signed = make([]byte, 350)
		heard := noon.Add(time.Duration(i) * time.Second)
		if v := table.take(h, false, heard); v != fresh {
			t.Fatalf("author %d: %v", i, v)
		}
	}
	if n := len(table.authors); n != maxAuthors {
		t.Errorf("%d authors, want %d", n, maxAuthors)
	}
	if table.authors["peer 5499"] == nil || table.authors["peer 0"] != nil {
		t.Error("it was not the ones heard longest ago that went")
	}
	// What is older than all of them does not push anybody out.
	h := at(1, 1, noon)
	h.Peer = "latecomer"
	if v := table.take(h, false, noon); v != refused {
		t.Errorf("a head older than all: %v", v)
	}
	grown := heap() - before
	t.Logf("%d authors take %d KiB", maxAuthors, grown>>10)
	if grown > 8<<20 {
		t.Errorf("the table takes %d MiB", grown>>20)
	}
	runtime.KeepAlive(table)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestLimitersForgetThoseWhoAreQuiet(t *testing.T) {
	t.Parallel()
	l := newLimiters(1e6, 2)
	for i := range 10_000 {
		if !l.allow(domain.PeerID(fmt.Sprint(i)), 1) {
			t.Fatal("the first event was refused")
		}
	}
	if n := len(l.peers); n > 2000 {
		t.Errorf("%d limiters are kept", n)
	}
	l = newLimiters(1e-6, 3)
	for i := range 5 {
		if got, want := l.allow("ana", 1), i < 3; got != want {
			t.Errorf("event %d: %v, want %v", i, got, want)
		}
	}
}

// A head that a swap brought is passed on when it comes by gossip, and only once
// within the gap; also of somebody who was here before.
func TestWhatASwapBroughtIsPassedOnOnce(t *testing.T) {
	table := newTable(8 * time.Minute)
	step := func(v, want verdict, what string) {
		t.Helper()
		if v != want {
			t.Errorf("%s: %v, want %v", what, v, want)
		}
	}
	after := func(d time.Duration) signedHead { return at(1, 5, noon.Add(d)) }
	step(table.take(after(0), true, noon), fresh, "told by its owner")
	step(table.takeGossiped(after(3*time.Second), noon.Add(3*time.Second)), fresh, "its introduction")
	step(table.takeGossiped(after(3*time.Second), noon.Add(4*time.Second)), known, "the same again")
	step(table.takeGossiped(after(0), noon.Add(5*time.Second)), early, "an old copy")
	step(table.takeGossiped(after(time.Minute), noon.Add(time.Minute)), early, "another introduction")
	// The next day, unchanged.
	step(table.take(after(24*time.Hour), true, noon.Add(24*time.Hour)), fresh, "told by its owner again")
	step(table.takeGossiped(after(24*time.Hour+3*time.Second), noon.Add(24*time.Hour)), fresh, "its introduction then")
	step(table.takeGossiped(after(24*time.Hour+4*time.Second), noon.Add(24*time.Hour)), early, "and once more")
}
