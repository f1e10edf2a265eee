// Package picker decides which piece of a content is asked of which provider.
//
// It is a pure structure: no I/O, no goroutine, no clock (the time is an
// argument), and the same calls with the same seed give the same picks. It
// knows providers and what they have, not streams or bytes. A Picker is for one
// content and is used by one goroutine at a time.
package picker

import (
	"math/bits"
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// maxCopies is from how many providers one piece is asked at the same time
	// at most.
	maxCopies = 3
	// patience is how old a claim is before a provider of unknown speed may
	// try the same piece.
	patience = 2 * time.Second
	// slack keeps providers of about the same speed from doing each other's
	// work over again at the end.
	slack = 100 * time.Millisecond
)

// Options choose the order.
type Options struct {
	// Rarest asks for the pieces first that the fewest providers have, those
	// alike in an order that the seed decides. Otherwise pieces go from the
	// beginning to the end.
	Rarest bool
	Seed   uint64
}

// Picker holds what is missing, who has it and who was asked for it.
type Picker struct {
	opts   Options
	pieces int
	left   int      // missing pieces
	want   []uint64 // missing
	free   []uint64 // missing and not claimed
	low    int      // no word of free before this one has a bit

	providers map[domain.PeerID]*provider
	whole     int      // providers that have everything
	count     []uint16 // per piece, providers among the partial ones that have it
	claims    []claim  // oldest first
}

type provider struct {
	have []uint64 // nil: everything
	// pace is the usual time from a claim to its arrival; 0 while unknown.
	pace time.Duration
}

type claim struct {
	piece    int
	provider domain.PeerID
	at       time.Time
	arrived  bool
}

// New returns a Picker for a content of that many pieces, of which those in
// missing are wanted.
func New(pieces int, missing []int, opts Options) *Picker {
	p := &Picker{
		opts:      opts,
		pieces:    pieces,
		want:      make([]uint64, (pieces+63)/64),
		free:      make([]uint64, (pieces+63)/64),
		providers: make(map[domain.PeerID]*provider),
	}
	for _, i := range missing {
		if i >= 0 && i < pieces && !get(p.want, i) {
			set(p.want, i)
			set(p.free, i)
			p.left++
		}
	}
	return p
}

// Left returns how many pieces are not done.
func (p *Picker) Left() int { return p.left }

// Whole says that the provider has every piece.
func (p *Picker) Whole(id domain.PeerID) { p.replace(id, nil) }

// Partial says which pieces the provider has: the lowest bit of the first byte
// is piece 0. What the bitmap does not reach is not there.
func (p *Picker) Partial(id domain.PeerID, bitmap []byte) {
	have := make([]uint64, len(p.want))
	for i, b := range bitmap[:min(len(bitmap), (p.pieces+7)/8)] {
		have[i/8] |= uint64(b) << (8 * (i % 8))
	}
	if tail := p.pieces % 64; tail != 0 {
		have[len(have)-1] &= 1<<tail - 1
	}
	p.replace(id, have)
}

// Lacks says that the provider does not have the piece after all.
func (p *Picker) Lacks(id domain.PeerID, piece int) {
	v := p.providers[id]
	if v == nil || piece < 0 || piece >= p.pieces {
		return
	}
	have := v.have
	if have == nil {
		have = make([]uint64, len(p.want))
		for i := range p.pieces {
			set(have, i)
		}
	} else {
		have = slices.Clone(have)
	}
	unset(have, piece)
	p.replace(id, have)
}

// replace exchanges what a provider has, keeping its claims.
func (p *Picker) replace(id domain.PeerID, have []uint64) {
	v := p.providers[id]
	if v == nil {
		v = &provider{}
		p.providers[id] = v
	} else {
		p.tally(v, -1)
	}
	v.have = have
	p.tally(v, 1)
}

// tally counts what a provider has, for finding the rarest pieces.
func (p *Picker) tally(v *provider, by int) {
	if v.have == nil {
		p.whole += by
		return
	}
	if p.count == nil {
		p.count = make([]uint16, p.pieces)
	}
	for w, word := range v.have {
		for ; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			p.count[i] = uint16(int(p.count[i]) + by)
		}
	}
}

// Gone forgets the provider. What it was asked for is free again.
func (p *Picker) Gone(id domain.PeerID) {
	v := p.providers[id]
	if v == nil {
		return
	}
	p.tally(v, -1)
	delete(p.providers, id)
	for i := len(p.claims) - 1; i >= 0; i-- {
		if p.claims[i].provider == id {
			p.drop(i)
		}
	}
}

// Wants reports whether the provider has anything that is not done.
func (p *Picker) Wants(id domain.PeerID) bool {
	v := p.providers[id]
	if v == nil || p.left == 0 {
		return false
	}
	if v.have == nil {
		return true
	}
	for w, word := range v.have {
		if word&p.want[w] != 0 {
			return true
		}
	}
	return false
}

// Next picks a piece to ask the provider for, and books it as claimed by it.
// Once every piece that it has is claimed, it may get one that another provider
// seems to need much longer for.
func (p *Picker) Next(id domain.PeerID, now time.Time) (piece int, ok bool) {
	v := p.providers[id]
	if v == nil || p.left == 0 {
		return 0, false
	}
	if p.opts.Rarest {
		piece, ok = p.rarest(v)
	} else {
		piece, ok = p.first(v)
	}
	if !ok {
		piece, ok = p.late(id, v, now)
	}
	if !ok {
		return 0, false
	}
	unset(p.free, piece)
	p.claims = append(p.claims, claim{piece: piece, provider: id, at: now})
	return piece, true
}

// first returns the first free piece that v has.
func (p *Picker) first(v *provider) (int, bool) {
	for p.low < len(p.free) && p.free[p.low] == 0 {
		p.low++
	}
	for w := p.low; w < len(p.free); w++ {
		word := p.free[w]
		if v.have != nil {
			word &= v.have[w]
		}
		if word != 0 {
			return w*64 + bits.TrailingZeros64(word), true
		}
	}
	return 0, false
}

// rarest returns the free piece that v has and the fewest others have.
func (p *Picker) rarest(v *provider) (best int, ok bool) {
	var bestCount uint16
	var bestTie uint64
	for w := p.low; w < len(p.free); w++ {
		word := p.free[w]
		if v.have != nil {
			word &= v.have[w]
		}
		for ; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			var count uint16
			if p.count != nil {
				count = p.count[i]
			}
			if ok && count > bestCount {
				continue
			}
			tie := mix(p.opts.Seed + uint64(i))
			if !ok || count < bestCount || tie < bestTie {
				best, bestCount, bestTie, ok = i, count, tie, true
			}
		}
	}
	return best, ok
}

// late returns the claimed piece that v has and is expected to bring the most
// time before any of those who were asked for it.
func (p *Picker) late(id domain.PeerID, v *provider, now time.Time) (best int, ok bool) {
	var most time.Duration
	for i, c := range p.claims {
		if v.have != nil && !get(v.have, c.piece) || p.seen(i) {
			continue
		}
		wait, copies, since := p.expect(c.piece, now)
		if copies >= maxCopies || p.holds(id, c.piece) {
			continue
		}
		if v.pace == 0 && now.Sub(since) < patience {
			continue
		}
		if wait > 2*v.pace+slack && wait > most {
			best, most, ok = c.piece, wait, true
		}
	}
	return best, ok
}

// seen reports whether an earlier claim is for the same piece.
func (p *Picker) seen(i int) bool {
	for _, c := range p.claims[:i] {
		if c.piece == p.claims[i].piece {
			return true
		}
	}
	return false
}

func (p *Picker) holds(id domain.PeerID, piece int) bool {
	for _, c := range p.claims {
		if c.piece == piece && c.provider == id {
			return true
		}
	}
	return false
}

// expect returns how long the piece will still take with those who were asked
// for it, how many they are, and when the first of them was asked.
func (p *Picker) expect(piece int, now time.Time) (wait time.Duration, copies int, since time.Time) {
	for _, c := range p.claims {
		if c.piece != piece {
			continue
		}
		// One that is overdue may be so for as long again.
		age := now.Sub(c.at)
		rest := age
		if pace := p.providers[c.provider].pace; pace > age {
			rest = pace - age
		}
		if c.arrived {
			rest = 0
		}
		if copies == 0 || rest < wait {
			wait = rest
		}
		if copies == 0 {
			since = c.at
		}
		copies++
	}
	return wait, copies, since
}

// Arrived says that the provider's bytes for the piece are here, not yet
// verified; from now on nobody else is asked for it.
func (p *Picker) Arrived(id domain.PeerID, piece int, now time.Time) {
	for i := range p.claims {
		c := &p.claims[i]
		if c.piece != piece || c.provider != id || c.arrived {
			continue
		}
		c.arrived = true
		v := p.providers[id]
		took := max(now.Sub(c.at), time.Microsecond)
		if v.pace == 0 {
			v.pace = took
		} else {
			v.pace += (took - v.pace) / 4
		}
		return
	}
}

// Done says that the piece is verified and stored. It returns those who were
// asked for it and are not needed any more, without the ones that brought it.
func (p *Picker) Done(piece int) (others []domain.PeerID) {
	if piece < 0 || piece >= p.pieces {
		return nil
	}
	for i := len(p.claims) - 1; i >= 0; i-- {
		if c := p.claims[i]; c.piece == piece {
			if !c.arrived {
				others = append(others, c.provider)
			}
			p.claims = slices.Delete(p.claims, i, i+1)
		}
	}
	if get(p.want, piece) {
		unset(p.want, piece)
		unset(p.free, piece)
		p.left--
	}
	return others
}

// Failed says that the provider did not bring the piece, or a wrong one. It is
// free again, unless others were asked for it too.
func (p *Picker) Failed(id domain.PeerID, piece int) {
	for i, c := range p.claims {
		if c.piece == piece && c.provider == id {
			p.drop(i)
			return
		}
	}
}

// drop takes back a claim.
func (p *Picker) drop(i int) {
	piece := p.claims[i].piece
	p.claims = slices.Delete(p.claims, i, i+1)
	for _, c := range p.claims {
		if c.piece == piece {
			return
		}
	}
	if get(p.want, piece) {
		set(p.free, piece)
		p.low = min(p.low, piece/64)
	}
}

func get(b []uint64, i int) bool { return b[i/64]&(1<<(i%64)) != 0 }
func set(b []uint64, i int)      { b[i/64] |= 1 << (i % 64) }
func unset(b []uint64, i int)    { b[i/64] &^= 1 << (i % 64) }

// mix spreads the bits of x evenly (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
