package picker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

var start = time.Unix(0, 0)

func TestOpenNamesWhatOnlyTheSourceHas(t *testing.T) {
	t.Parallel()
	p := New(40, all(40), Options{})
	p.Whole("source")
	p.Partial("a", []byte{0xff, 0, 0x01})
	p.Coming("a", 17)
	p.Coming("a", 3) // it has that
	p.Done(20)
	if i, ok := p.Next("source", start); !ok || i != 0 {
		t.Fatalf("picked %d %v, want 0", i, ok)
	}
	first, set, ok := p.Open("source", start)
	want := []int{8, 9, 10, 11, 12, 13, 14, 15, 18, 19, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39}
	if got := members(first, set); !ok || !slices.Equal(got, want) {
		t.Fatalf("may choose from %v %v, want %v", got, ok, want)
	}
	if first != 8 || len(set) != 4 {
		t.Errorf("%d bytes beginning at piece %d, want no empty ones", len(set), first)
	}
	if _, _, ok := p.Open("a", start); ok {
		t.Error("a partial provider was asked to choose")
	}
	p.Gone("a")
	if first, set, _ := p.Open("source", start); len(members(first, set)) != 38 {
		t.Errorf("may choose from %v after the other left", members(first, set))
	}
}

func TestOpenClaimsAreNoMoreThanPieces(t *testing.T) {
	t.Parallel()
	p := New(3, all(3), Options{})
	p.Whole("a")
	p.Whole("b")
	for i, id := range []domain.PeerID{"a", "b", "a"} {
		if _, _, ok := p.Open(id, start); !ok {
			t.Fatalf("open claim %d was not booked", i)
		}
	}
	if _, _, ok := p.Open("b", start); ok {
		t.Fatal("a fourth open claim for three pieces")
	}
	// All three are on their way: a named one would come twice.
	if i, ok := p.Next("b", start); ok {
		t.Fatalf("picked %d", i)
	}
	if !p.Chosen("a", 2, start) || p.Chosen("b", 2, start) {
		t.Fatal("piece 2 is fresh for the first and not for the second who chooses it")
	}
	p.Failed("b", 2)
	p.Arrived("a", 2, start)
	if others := p.Done(2); len(others) > 0 {
		t.Errorf("%v are told off, which were not asked", others)
	}
	p.OpenFailed("a")
	if i, ok := p.Next("b", start); !ok || i != 0 {
		t.Errorf("picked %d %v after the open claims ended, want 0", i, ok)
	}
}

func TestPaceCountsFromTheOpenClaim(t *testing.T) {
	t.Parallel()
	p := New(4, all(4), Options{})
	p.Whole("a")
	p.Open("a", start)
	p.Chosen("a", 3, start.Add(time.Second))
	p.Arrived("a", 3, start.Add(3*time.Second))
	if pace := p.providers["a"].pace; pace != 3*time.Second {
		t.Errorf("the pace is %v, want 3s", pace)
	}
}

// A provider may choose a piece that it was asked for by name meanwhile.
func TestOneOfTwoAnswersFails(t *testing.T) {
	t.Parallel()
	for _, arrived := range []bool{true, false} {
		p := New(4, all(4), Options{})
		p.Whole("a")
		p.Open("a", start)
		p.Next("a", start) // piece 0, by name
		if p.Chosen("a", 0, start) {
			t.Fatal("piece 0 is fresh")
		}
		if arrived {
			p.Arrived("a", 0, start)
		} else {
			p.Began("a", 0)
		}
		p.Failed("a", 0)
		claims := p.asked[0].claims
		if len(claims) != 1 || claims[0].begun == arrived {
			t.Errorf("after the one that had arrived (%v), or else the later one, failed: %+v", arrived, claims)
		}
		if others := p.Done(0); len(others) != 1 {
			t.Errorf("%d answers are not needed any more, want 1", len(others))
		}
	}
}

func TestStalledOpenClaimDoesNotHoldTheLastPieces(t *testing.T) {
	t.Parallel()
	p := New(2, all(2), Options{})
	p.Whole("stalled")
	p.Whole("b")
	p.Open("stalled", start)
	p.Open("stalled", start)
	if i, ok := p.Next("b", start.Add(time.Second)); ok {
		t.Fatalf("picked %d at once", i)
	}
	for want := range 2 {
		i, ok := p.Next("b", start.Add(patience))
		if !ok || i != want {
			t.Fatalf("picked %d %v, want %d", i, ok, want)
		}
	}
	if p.Chosen("stalled", 1, start.Add(patience)) {
		t.Error("a piece is fresh that another provider was asked for meanwhile")
	}
}

func TestWindowOfALargeContent(t *testing.T) {
	t.Parallel()
	const pieces = 2*MaxSet + 1000
	begins := make(map[int]bool)
	for seed := *seedFlag; seed < *seedFlag+8; seed++ {
		p := New(pieces, all(pieces), Options{Seed: seed})
		p.Whole("source")
		for n := 0; p.Left() > 0; n++ {
			first, set, ok := p.Open("source", start)
			if !ok || len(set) == 0 || set[0] == 0 || first%8 != 0 || len(set) > MaxSet/8 {
				t.Fatalf("seed %d: after %d pieces: %v, %d bytes beginning at %d", seed, n, ok, len(set), first)
			}
			if n == 0 {
				begins[first] = true
			} else if seed > *seedFlag {
				break // one to the end is enough
			}
			piece := first + lowest(uint64(set[0]))
			if !p.Chosen("source", piece, start) {
				t.Fatalf("seed %d: piece %d is not fresh", seed, piece)
			}
			p.Done(piece)
		}
	}
	if len(begins) < 6 {
		t.Errorf("8 seeds looked at %d windows first", len(begins))
	}
}

func TestNeighboursHaveTheirChanceFirst(t *testing.T) {
	t.Parallel()
	p := New(8, all(8), Options{})
	p.SetOrder(Rarest)
	p.Whole("source")
	p.Partial("a", []byte{0xff})
	if i, ok := p.Next("source", start); ok {
		t.Fatalf("picked %d at once, which a neighbour has", i)
	}
	if _, ok := p.Next("source", start.Add(patience)); !ok {
		t.Error("nothing to ask for, though the neighbour brings nothing")
	}
}

// What neighbours have is left to them while they bring it, and no longer.
func TestSourceIsNotAskedForWhatNeighboursHave(t *testing.T) {
	t.Parallel()
	p := New(64, all(64), Options{})
	p.SetOrder(Rarest)
	p.Whole("source")
	p.Partial("a", []byte{0xff})
	now := start
	bring := func(id domain.PeerID) {
		i, ok := p.Next(id, now)
		if !ok {
			t.Fatalf("nothing to ask %s for", id)
		}
		now = now.Add(50 * time.Millisecond)
		p.Arrived(id, i, now)
		p.Done(i)
	}
	for range 56 {
		bring("source")
	}
	for range 6 {
		bring("a")
		if i, ok := p.Next("source", now); ok && p.Left() < 4 {
			t.Fatalf("the source was asked for piece %d of %d that a neighbour brings", i, p.Left())
		} else if ok {
			p.Failed("source", i)
		}
	}
	if _, ok := p.Next("source", now.Add(time.Second)); !ok {
		t.Error("the source was not asked, though the neighbour brought nothing for a second")
	}
}

func TestRumoursOfALiarDoNotStopTheDownload(t *testing.T) {
	t.Parallel()
	p := New(100, all(100), Options{})
	p.SetOrder(Rarest)
	p.Whole("source")
	p.Partial("liar", nil)
	for i := range 100 {
		p.Coming("liar", i)
	}
	now := start
	for p.Left() > 0 && now.Before(start.Add(20*time.Second)) {
		now = now.Add(100 * time.Millisecond)
		if _, _, ok := p.Open("source", now); ok {
			t.Fatal("the source may choose what is said to be coming")
		}
		if i, ok := p.Next("source", now); ok {
			p.Arrived("source", i, now.Add(10*time.Millisecond))
			p.Done(i)
		}
	}
	if p.Left() > 0 {
		t.Fatalf("%d pieces left", p.Left())
	}
}

func TestSlowOnesTogetherDoNotHoldTheLastPiece(t *testing.T) {
	t.Parallel()
	p := New(2, all(2), Options{})
	now := start
	for _, id := range []domain.PeerID{"s1", "s2", "s3"} {
		p.Partial(id, []byte{1})
		if i, ok := p.Next(id, now); !ok || i != 0 {
			t.Fatalf("%s was not asked: %d %v", id, i, ok)
		}
		now = now.Add(patience)
	}
	p.Whole("fast")
	p.Next("fast", now)
	p.Arrived("fast", 1, now.Add(10*time.Millisecond))
	p.Done(1)
	if i, ok := p.Next("fast", now.Add(time.Second)); !ok || i != 0 {
		t.Fatalf("picked %d %v, want 0, which three slow ones hold", i, ok)
	}
}

func TestCopiesAreBounded(t *testing.T) {
	t.Parallel()
	p := New(1, all(1), Options{})
	now := start
	copies := 0
	for i := range 3 * maxCopies {
		id := domain.PeerID(fmt.Sprint("p", i))
		p.Whole(id)
		if _, ok := p.Next(id, now); ok {
			copies++
		}
		now = now.Add(time.Minute) // nobody answers
	}
	if copies != maxCopies {
		t.Errorf("the piece was asked for %d times, want %d", copies, maxCopies)
	}
}

// A piece that waits in the queue of one provider is begun by another that has
// nothing to do; the first to begin takes it off all others.
func TestIdleProviderBeginsWhatWaits(t *testing.T) {
	t.Parallel()
	p := New(4, all(4), Options{})
	p.Whole("busy")
	for range 4 {
		p.Next("busy", start)
	}
	p.Whole("idle")
	p.Began("busy", 0)
	if i, ok := p.Next("idle", start.Add(hesitation)); ok {
		t.Fatalf("picked %d at once", i)
	}
	now := start.Add(hesitation + time.Millisecond)
	for _, want := range []int{3, 2, 1} { // the busy one gets to them in order
		if i, ok := p.Next("idle", now); !ok || i != want {
			t.Fatalf("picked %d %v, want %d", i, ok, want)
		}
	}
	if i, ok := p.Next("idle", now); ok {
		t.Fatalf("picked %d, which has begun", i)
	}
	if others := p.Began("idle", 3); !slices.Equal(others, []domain.PeerID{"busy"}) {
		t.Errorf("not needed after the idle one began: %v, want busy", others)
	}
	if others := p.Began("busy", 1); !slices.Equal(others, []domain.PeerID{"idle"}) {
		t.Errorf("not needed after the busy one began: %v, want idle", others)
	}
	p.Arrived("idle", 3, now)
	if others := p.Done(3); len(others) > 0 {
		t.Errorf("not needed: %v, want none", others)
	}
}

func TestFewProvidersWaitWithOnePiece(t *testing.T) {
	t.Parallel()
	p := New(2, all(2), Options{})
	p.Whole("busy")
	p.Next("busy", start)
	p.Next("busy", start)
	p.Began("busy", 0)
	copies, now := 1, start
	for i := range 2 * maxWaiting {
		now = now.Add(hesitation + time.Millisecond)
		id := domain.PeerID(fmt.Sprint("p", i))
		p.Whole(id)
		if i, ok := p.Next(id, now); ok && i == 1 {
			copies++
		}
	}
	if copies != maxWaiting {
		t.Errorf("%d providers were asked for a piece that none has begun, want %d", copies, maxWaiting)
	}
}

func TestOpenClaimsAreNotMixedWithCopies(t *testing.T) {
	t.Parallel()
	p := New(3, all(3), Options{})
	p.Whole("source")
	p.Whole("stalled")
	p.Open("source", start)
	p.Next("stalled", start)
	p.Next("stalled", start)
	if i, ok := p.Next("source", start.Add(time.Minute)); ok {
		t.Fatalf("picked %d, of the set that the provider chooses from", i)
	}
	p.OpenFailed("source")
	for want := range 3 {
		if i, ok := p.Next("source", start.Add(time.Minute)); !ok || i != (want+2)%3 {
			t.Fatalf("picked %d %v, want %d", i, ok, (want+2)%3)
		}
	}
}

func TestOrderChangesWhileRunning(t *testing.T) {
	t.Parallel()
	p := New(64, all(64), Options{Seed: 3})
	p.Partial("a", slices.Repeat([]byte{0xff}, 8))
	p.Partial("b", []byte{0, 0, 0, 0, 0xff, 0xff, 0xff})
	p.SetOrder(Rarest)
	if i, _ := p.Next("a", start); i >= 32 && i < 56 {
		t.Errorf("picked %d first, which two have", i)
	}
	p.SetOrder(Sequential)
	var got []int
	for range 20 {
		i, _ := p.Next("a", start)
		got = append(got, i)
	}
	if !slices.IsSorted(got) {
		t.Errorf("picked %v, want them in order", got)
	}
}
