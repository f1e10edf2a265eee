package provide

import (
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	large = 3 * domain.PieceSize
	// step is short enough for nobody to lose a place by it.
	step = slotIdle / 4
)

// bench is slots with a clock of its own.
type bench struct {
	*slots
	at time.Time
}

func newBench(most, perPerson int) *bench {
	b := &bench{at: time.Unix(1, 0)}
	b.slots = newSlots(func() time.Time { return b.at })
	b.set(most, perPerson)
	return b
}

// asks takes a place, gives it back at once, and returns where it was.
func (b *bench) asks(peer domain.PeerID, content byte) place {
	p := b.take(peer, domain.ContentID{content}, large)
	if p == (place{}) {
		b.done(peer, domain.ContentID{content})
	}
	return p
}

func TestPeopleWaitInTheOrderInWhichTheyCame(t *testing.T) {
	t.Parallel()
	b := newBench(1, 0)
	for _, now := range []struct {
		after time.Duration
		who   domain.PeerID
		want  int
	}{
		{0, "ana", 0},
		{0, "ben", 1},
		{0, "cleo", 2},
		{step, "ana", 0},
		{0, "dora", 3},
		{step, "cleo", 2},
		{step, "ben", 1},      // ana has asked not long ago
		{2 * step, "cleo", 2}, // the place is free, and ben's
		{0, "ben", 0},
		{0, "ana", 3}, // behind dora
		{slotTurn / 2, "ben", 0},
		{0, "dora", 1},        // cleo and ana did not ask again
		{slotIdle, "dora", 0}, // ben asked for nothing more
	} {
		b.at = b.at.Add(now.after)
		if got := b.asks(now.who, 1); got != (place{at: now.want}) {
			t.Fatalf("%s has the place %v, want %d", now.who, got, now.want)
		}
	}
}

func TestATurnEndsWhereOthersWait(t *testing.T) {
	t.Parallel()
	b := newBench(1, 0)
	for range int(2 * slotTurn / step) {
		if got := b.asks("ana", 1); got != (place{}) {
			t.Fatalf("alone, ana has to wait at %v", got)
		}
		b.at = b.at.Add(step)
	}
	if got := b.asks("ben", 1); got.at != 1 {
		t.Fatalf("ben is let in beside ana: %v", got)
	}
	if got := b.asks("ana", 1); got.at != 2 {
		t.Errorf("ana is served on although ben waits: %v", got)
	}
	if got := b.asks("ben", 1); got.at != 0 {
		t.Errorf("ben has to wait although ana has yielded: %v", got)
	}
}

// TestATurnEndsInTheMidstOfWork has somebody ask for the next piece before the
// last one is through, as everybody does who is quick.
func TestATurnEndsInTheMidstOfWork(t *testing.T) {
	t.Parallel()
	b := newBench(1, 0)
	next := func() place { return b.take("ana", domain.ContentID{1}, large) }
	next()
	asked := 1
	for range int(slotTurn/step) - 1 {
		b.at = b.at.Add(step)
		if got := next(); got != (place{}) {
			t.Fatalf("in her turn ana waits at %v", got)
		}
		if asked++; asked > 2 {
			b.done("ana", domain.ContentID{1})
			asked--
		}
		if got := b.asks("ben", 1); got.at != 1 {
			t.Fatalf("ben is let in beside ana: %v", got)
		}
	}
	b.at = b.at.Add(step)
	if got := next(); got.at != 2 {
		t.Errorf("ana is served on although ben waits: %v", got)
	}
	if got := b.asks("ben", 1); got.at != 1 {
		t.Errorf("ben is let in while ana gets what she asked for: %v", got)
	}
	for range asked {
		b.done("ana", domain.ContentID{1})
	}
	if got := b.asks("ben", 1); got.at != 0 {
		t.Errorf("ben has to wait although ana has yielded: %v", got)
	}
	b.gone("ben")
	if got := next(); got.at != 0 {
		t.Errorf("ana has to wait for ben who has left: %v", got)
	}
}

func TestWhoReadsSlowlyDoesNotKeepThePlace(t *testing.T) {
	t.Parallel()
	b := newBench(1, 0)
	b.take("ana", domain.ContentID{1}, large) // and reads it slowly
	for range int(slotTurn / step) {
		if got := b.asks("ben", 1); got.at != 1 {
			t.Fatalf("ben is let in beside ana: %v", got)
		}
		b.at = b.at.Add(step)
	}
	for range int(slotLeave / step) {
		if got := b.asks("ben", 1); got.at != 1 {
			t.Fatalf("ben is let in beside ana at once: %v", got)
		}
		b.at = b.at.Add(step)
	}
	if got := b.asks("ben", 1); got.at != 0 {
		t.Errorf("ben still waits for ana: %v", got)
	}
	// She gets no further place before that one is through.
	b.at = b.at.Add(slotIdle)
	if got := b.asks("ana", 2); got.at != 1 {
		t.Errorf("ana gets a place twice: %v", got)
	}
	b.done("ana", domain.ContentID{1})
	if got := b.asks("ana", 2); got.at != 0 {
		t.Errorf("ana has to wait for nobody: %v", got)
	}
}

func TestLargeContentsOfOnePerson(t *testing.T) {
	t.Parallel()
	b := newBench(0, 2)
	for content, want := range []place{{}, {}, {1, true}} {
		if got := b.asks("ana", byte(content)); got != want {
			t.Errorf("content %d: %v, want %v", content, got, want)
		}
	}
	if p := b.take("ana", domain.ContentID{7}, domain.PieceSize); p != (place{}) {
		t.Errorf("a small file waits at %v", p)
	}
	if got := b.asks("ben", 2); got != (place{}) {
		t.Errorf("ben waits for ana's: %v", got)
	}
	b.at = b.at.Add(slotIdle)
	if got := b.asks("ana", 2); got != (place{}) {
		t.Errorf("when the others are through it waits at %v", got)
	}
}

func TestLimitsMayChange(t *testing.T) {
	t.Parallel()
	b := newBench(0, 0)
	for _, who := range []domain.PeerID{"ana", "ben", "cleo"} {
		if got := b.asks(who, 1); got != (place{}) {
			t.Errorf("without a limit %s waits at %v", who, got)
		}
	}
	b.set(1, 0)
	b.at = b.at.Add(step)
	if got := b.asks("dora", 1); got.at != 1 {
		t.Errorf("with a limit of one dora is let in as the fourth: %v", got)
	}
	if got := b.asks("ana", 1); got.at != 2 {
		t.Errorf("ana stays where there are too many and somebody waits: %v", got)
	}
	b.set(0, 0)
	for _, who := range []domain.PeerID{"ana", "dora", "eve"} {
		if got := b.asks(who, 1); got != (place{}) {
			t.Errorf("without a limit again %s waits at %v", who, got)
		}
	}
}

func TestTheQueueIsBounded(t *testing.T) {
	t.Parallel()
	b := newBench(1, 1)
	b.asks("ana", 1)
	for i := range 10 * mostWaiting {
		if got := b.asks(domain.PeerID(rune(1000+i)), 1); got.at == 0 || got.at > mostWaiting+1 {
			t.Fatalf("number %d has the place %v", i, got)
		}
	}
	if len(b.queue) != mostWaiting || len(b.served) != 1 {
		t.Errorf("%d wait, %d are served", len(b.queue), len(b.served))
	}
}
