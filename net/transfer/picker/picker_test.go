package picker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

func all(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func TestSequentialByDefault(t *testing.T) {
	t.Parallel()
	p := New(130, []int{129, 3, 64, 3, -1, 130}, Options{})
	p.Whole("a")
	var got []int
	for {
		i, ok := p.Next("a", time.Time{})
		if !ok {
			break
		}
		got = append(got, i)
	}
	if want := []int{3, 64, 129}; !slices.Equal(got, want) {
		t.Fatalf("picked %v, want %v", got, want)
	}
	if p.Left() != 3 {
		t.Fatalf("%d left, want 3", p.Left())
	}
}

func TestRarestFirstIsSeeded(t *testing.T) {
	t.Parallel()
	order := func(seed uint64) []int {
		p := New(64, all(64), Options{Seed: seed})
		p.SetOrder(Rarest)
		p.Partial("a", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
		p.Partial("b", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
		var got []int
		for {
			i, ok := p.Next("a", time.Time{})
			if !ok {
				return got
			}
			got = append(got, i)
		}
	}
	one, again, other := order(1), order(1), order(2)
	if one[0] != 63 || other[0] != 63 {
		t.Errorf("began with %d and %d, want 63, which only one provider has", one[0], other[0])
	}
	if !slices.Equal(one, again) {
		t.Error("the same seed gave two orders")
	}
	if slices.Equal(one, other) {
		t.Error("two seeds gave one order")
	}
}

func TestPartialProviderIsAskedForWhatItHas(t *testing.T) {
	t.Parallel()
	p := New(10, all(10), Options{})
	p.Partial("a", []byte{0b00100100, 0xff, 0xff})
	want := []int{2, 5, 8, 9}
	for _, w := range want {
		if i, ok := p.Next("a", time.Time{}); !ok || i != w {
			t.Fatalf("picked %d %v, want %d", i, ok, w)
		}
	}
	if _, ok := p.Next("a", time.Time{}); ok {
		t.Fatal("picked more than it has")
	}
	p.Failed("a", 5)
	p.Lacks("a", 5)
	if i, ok := p.Next("a", time.Time{}); ok {
		t.Fatalf("picked %d, which it lacks", i)
	}
}

func TestFailedPieceIsFreeAgain(t *testing.T) {
	t.Parallel()
	p := New(200, all(200), Options{})
	p.Whole("a")
	p.Whole("b")
	for range 200 {
		p.Next("a", time.Time{})
	}
	p.Failed("a", 7)
	if i, ok := p.Next("b", time.Time{}); !ok || i != 7 {
		t.Fatalf("picked %d %v, want 7", i, ok)
	}
	p.Gone("a")
	if i, ok := p.Next("b", time.Time{}); !ok || i != 0 {
		t.Fatalf("picked %d %v after the other left, want 0", i, ok)
	}
}

func TestSlowProviderDoesNotHoldTheLastPiece(t *testing.T) {
	t.Parallel()
	p := New(3, all(3), Options{})
	p.Whole("slow")
	p.Whole("fast")
	p.Next("slow", start)
	for i := 1; i < 3; i++ {
		p.Next("fast", start)
		p.Arrived("fast", i, start.Add(10*time.Millisecond))
		p.Done(i)
	}
	if i, ok := p.Next("fast", start.Add(20*time.Millisecond)); ok {
		t.Fatalf("asked for piece %d again at once", i)
	}
	i, ok := p.Next("fast", start.Add(time.Second))
	if !ok || i != 0 {
		t.Fatalf("picked %d %v after a second, want 0", i, ok)
	}
	if _, ok := p.Next("fast", start.Add(2*time.Second)); ok {
		t.Fatal("asked the same provider twice for one piece")
	}
	p.Arrived("fast", 0, start.Add(time.Second))
	if others := p.Done(0); !slices.Equal(others, []domain.PeerID{"slow"}) {
		t.Fatalf("not needed any more: %v, want slow", others)
	}
	if p.Left() != 0 {
		t.Fatal("something is left")
	}
}

// peer is a simulated provider.
type peer struct {
	id     domain.PeerID
	have   map[int]bool // nil: all
	took   time.Duration
	window int
	asked  []request
	away   bool
	fails  int // one in so many is wrong or lost; 0: none
}

type request struct {
	piece int
	ready time.Time
}

// TestSchedules runs random swarms in virtual time. Whatever the providers do,
// no piece is asked twice of one provider at a time, none is asked of one that
// lacks it, and all that somebody has arrives.
func TestSchedules(t *testing.T) {
	t.Parallel()
	for seed := *seedFlag; seed < *seedFlag+1000; seed++ {
		if msg := simulate(seed); msg != "" {
			t.Fatalf("%s (again with -seed %d)", msg, seed)
		}
	}
}

func TestSameSeedSamePicks(t *testing.T) {
	t.Parallel()
	for seed := *seedFlag; seed < *seedFlag+20; seed++ {
		if a, b := trace(seed), trace(seed); a != b {
			t.Fatalf("two runs differ (again with -seed %d)", seed)
		}
	}
}

func simulate(seed uint64) string { msg, _ := run(seed); return msg }
func trace(seed uint64) string    { _, log := run(seed); return log }

func run(seed uint64) (problem, log string) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	pieces := 1 + rnd.IntN(150)
	p := New(pieces, all(pieces), Options{Seed: seed})
	p.SetOrder(Order(rnd.IntN(2)))
	now := time.Unix(0, 0)
	var peers []*peer
	for i := range 1 + rnd.IntN(6) {
		v := &peer{
			id:     domain.PeerID(fmt.Sprint("p", i)),
			took:   time.Duration(1+rnd.IntN(200)) * time.Millisecond,
			window: 1 + rnd.IntN(8),
		}
		if i > 0 { // the first one has everything and is honest
			if rnd.IntN(3) == 0 {
				v.fails = 2 + rnd.IntN(5)
			}
			if rnd.IntN(4) == 0 {
				v.took = time.Hour // stalls
			}
			if rnd.IntN(2) == 0 {
				v.have = make(map[int]bool)
				for j := range pieces {
					v.have[j] = rnd.IntN(3) > 0
				}
			}
		}
		peers = append(peers, v)
		join(p, v, pieces)
	}
	done := make(map[int]bool)
	for step := 0; p.Left() > 0; step++ {
		if step > 100_000 {
			return fmt.Sprintf("%d of %d pieces left for ever", p.Left(), pieces), log
		}
		now = now.Add(5 * time.Millisecond)
		for i, v := range peers {
			if i > 0 && rnd.IntN(400) == 0 {
				v.away = !v.away
				if v.away {
					v.asked = nil
					p.Gone(v.id)
				} else {
					join(p, v, pieces)
				}
			}
			if v.away {
				continue
			}
			for len(v.asked) < v.window {
				piece, ok := p.Next(v.id, now)
				if !ok {
					break
				}
				log += fmt.Sprintf("%s:%d ", v.id, piece)
				if done[piece] || v.have != nil && !v.have[piece] {
					return fmt.Sprintf("%s was asked for piece %d (done %v)", v.id, piece, done[piece]), log
				}
				if slices.ContainsFunc(v.asked, func(a request) bool { return a.piece == piece }) {
					return fmt.Sprintf("%s was asked twice for piece %d", v.id, piece), log
				}
				v.asked = append(v.asked, request{piece, now.Add(v.took)})
			}
			for len(v.asked) > 0 && !v.asked[0].ready.After(now) {
				piece := v.asked[0].piece
				v.asked = v.asked[1:]
				p.Arrived(v.id, piece, now)
				if v.fails > 0 && rnd.IntN(v.fails) == 0 {
					p.Failed(v.id, piece)
					continue
				}
				done[piece] = true
				for _, other := range p.Done(piece) {
					for _, o := range peers {
						if o.id == other {
							o.asked = slices.DeleteFunc(o.asked, func(a request) bool { return a.piece == piece })
						}
					}
				}
			}
		}
	}
	if len(done) != pieces {
		return fmt.Sprintf("%d pieces done, want %d", len(done), pieces), log
	}
	return "", log
}

func join(p *Picker, v *peer, pieces int) {
	if v.have == nil {
		p.Whole(v.id)
		return
	}
	bitmap := make([]byte, (pieces+7)/8)
	for i := range pieces {
		if v.have[i] {
			bitmap[i/8] |= 1 << (i % 8)
		}
	}
	p.Partial(v.id, bitmap)
}
