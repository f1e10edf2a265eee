package picker

import (
	"math/bits"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// Next picks a piece to ask the provider for, and books it as claimed by it.
// Once every piece that it has is claimed, it may get one that another provider
// seems to need much longer for, unless it still has to choose one by itself:
// then it has something better to do than to give again what others have.
func (p *Picker) Next(id domain.PeerID, now time.Time) (piece int, ok bool) {
	v := p.providers[id]
	if v == nil || p.want.n == 0 {
		return 0, false
	}
	piece, ok = p.unclaimed(v, now)
	if !ok && len(v.opens) == 0 {
		piece, ok = p.late(v, now)
	}
	if !ok {
		return 0, false
	}
	p.claim(v, piece, now)
	return piece, true
}

// unclaimed returns the piece to ask v for that nobody is asked for yet.
func (p *Picker) unclaimed(v *provider, now time.Time) (piece int, ok bool) {
	if v.have != nil {
		if v.usable == 0 {
			return 0, false
		}
		if p.order == Sequential {
			return p.free.first(v.have)
		}
		return p.rarest(v, 1, levels)
	}
	// What nobody else has may be on its way by open claims already.
	from, to := 0, levels
	if p.opens > 0 && p.rare[0].n <= p.reserved(v, now) {
		from = 1
	}
	if p.order == Sequential {
		if from == 0 {
			return p.free.first(nil)
		}
		return p.firstHeld()
	}
	if !p.mayTakeHeld(v, now) {
		to = 1
	}
	return p.rarest(v, from, to)
}

// rarest returns one of the free pieces that v has and the fewest others have,
// within these levels.
func (p *Picker) rarest(v *provider, from, to int) (piece int, ok bool) {
	random := p.random()
	for level := from; level < to; level++ {
		if set := p.rare[level]; set != nil {
			if piece, ok = set.any(v.have, random); ok {
				return piece, true
			}
		}
	}
	return 0, false
}

// firstHeld returns the first free piece that a partial provider has.
func (p *Picker) firstHeld() (best int, ok bool) {
	for _, set := range p.rare[1:] {
		if set == nil {
			continue
		}
		if i, found := set.first(nil); found && (!ok || i < best) {
			best, ok = i, true
		}
	}
	return best, ok
}

// longest is what counts as for ever between two pieces. A million times that
// is still a time.Duration.
const longest = time.Minute

// near is how fast the partial providers together bring pieces, while they are
// asked for any.
type near struct {
	last  time.Time     // when one came, or began to be waited for
	every time.Duration // usual time from one to the next; 0 while unknown
}

// waits reports whether any partial provider is asked for a piece.
func (p *Picker) waits() bool {
	for _, a := range p.queue {
		for _, c := range a.claims {
			if c.provider.have != nil && !c.arrived {
				return true
			}
		}
	}
	return false
}

func (n *near) brought(now time.Time) {
	switch took := min(max(now.Sub(n.last), time.Microsecond), longest); {
	case n.last.IsZero(): // asked for while it was a whole one
	case n.every == 0:
		n.every = took
	default:
		n.every += (took - n.every) / 8
	}
	n.last = now
}

// mayTakeHeld reports whether the whole provider v may be asked for what
// partial ones have: if they would need much longer for all of that.
func (p *Picker) mayTakeHeld(v *provider, now time.Time) bool {
	held := p.free.n - p.rare[0].n
	if held == 0 || len(v.opens) > 0 {
		return false
	}
	if p.near.last.IsZero() {
		p.near.last = now
	}
	wait := time.Duration(held) * min(max(p.near.every, now.Sub(p.near.last)), longest)
	return v.beats(wait, p.near.last, now)
}

func lowest(word uint64) int { return bits.TrailingZeros64(word) }
