// Package picker decides which piece of a content is asked of which provider.
//
// It is a pure structure: no I/O, no goroutine, no clock (the time is an
// argument), and the same calls with the same seed give the same picks. It
// knows providers and what they have, not streams or bytes. A Picker is for one
// content and is used by one goroutine at a time.
//
// A piece is asked for in one of two ways. With Next the picker names it. With
// Open it names a set, of which a whole provider chooses when the answer is
// due: one that is asked by many at once can give each a piece of its own,
// while the askers, who hear of each other later, would choose the same ones.
//
// What the time changes is not told: a Next that found nothing is to be called
// again after a while, ten times a second or so.
package picker

import (
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// Order is in which order the pieces are asked for.
type Order uint8

const (
	// Sequential asks for the pieces from the beginning to the end.
	Sequential Order = iota
	// Rarest asks for the pieces first that the fewest providers have, those
	// alike in an order that the seed decides, and leaves to those who have
	// some pieces what they have, as long as that is not slow.
	Rarest
)

// Options are what makes one Picker pick differently from another.
type Options struct {
	// Seed is another one for each peer that fetches, so that not all of them
	// ask for the same pieces.
	Seed uint64
}

// levels is how many degrees of rarity are told apart: pieces that levels-1 or
// more partial providers have are all alike.
const levels = 8

// Picker holds what is missing, who has it and who was asked for it.
type Picker struct {
	pieces int
	order  Order
	seed   uint64
	turn   uint64 // random numbers drawn

	want *bitset // missing
	free *bitset // missing and not claimed
	// free by how many of the partial providers have, or are receiving, the
	// piece. rare[0] is what only whole providers have.
	rare  [levels]*bitset
	count []uint16 // per piece, such providers; nil: none so far

	providers map[domain.PeerID]*provider
	partial   []*provider // those that have some pieces, longest known first

	asked  map[int]*asked // claimed pieces
	queue  []*asked       // the same, longest claimed first
	opens  int            // open claims
	begins bool           // Began is called
	near   near
	look   int // piece at which Open begins
}

type provider struct {
	id     domain.PeerID
	have   *bitset // nil: everything
	coming *bitset // said to be receiving; nil: none so far
	wanted int     // pieces of have in Picker.want
	usable int     // pieces of have in Picker.free

	// pace is the usual time from a claim to its arrival; 0 while unknown.
	pace  time.Duration
	opens []time.Time // open claims, oldest first
}

// New returns a Picker for a content of that many pieces, of which those in
// missing are wanted.
func New(pieces int, missing []int, opts Options) *Picker {
	p := &Picker{
		pieces:    pieces,
		seed:      opts.Seed,
		want:      newBitset(pieces),
		free:      newBitset(pieces),
		providers: make(map[domain.PeerID]*provider),
		asked:     make(map[int]*asked),
	}
	p.rare[0] = newBitset(pieces)
	for _, i := range missing {
		if p.valid(i) && p.want.set(i) {
			p.free.set(i)
			p.rare[0].set(i)
		}
	}
	if pieces > 0 {
		p.look = int(p.random() % uint64(pieces))
	}
	return p
}

// SetOrder says in which order pieces are picked from now on.
func (p *Picker) SetOrder(o Order) { p.order = o }

// Left returns how many pieces are not done.
func (p *Picker) Left() int { return p.want.n }

// Whole says that the provider has every piece.
func (p *Picker) Whole(id domain.PeerID) {
	v := p.provider(id)
	if v.have == nil {
		return
	}
	p.disown(v)
	v.have, v.coming = nil, nil
}

// Partial says which pieces the provider has: the lowest bit of the first byte
// is piece 0. What the bitmap does not reach is not there.
func (p *Picker) Partial(id domain.PeerID, bitmap []byte) {
	v := p.provider(id)
	p.makePartial(v)
	for w, old := range v.have.words {
		word := p.word(bitmap, w)
		for changed := old ^ word; changed != 0; changed &= changed - 1 {
			i := w*64 + lowest(changed)
			if old&(changed&-changed) != 0 {
				p.lose(v, i)
			} else {
				p.gain(v, i)
			}
		}
	}
}

// Has says that a partial provider has got one more piece.
func (p *Picker) Has(id domain.PeerID, piece int) {
	if v := p.providers[id]; v != nil && v.have != nil && p.valid(piece) {
		p.gain(v, piece)
	}
}

// Coming says that a partial provider is receiving the piece at this moment. It
// counts as if it had it for how rare the piece is, until Has, Lacks or Gone,
// but is not asked for it.
func (p *Picker) Coming(id domain.PeerID, piece int) {
	v := p.providers[id]
	if v == nil || v.have == nil || !p.valid(piece) || v.have.has(piece) {
		return
	}
	if v.coming == nil {
		v.coming = newBitset(p.pieces)
	}
	if v.coming.set(piece) {
		p.tally(piece, 1)
	}
}

// Lacks says that the provider does not have the piece after all. A whole
// provider becomes a partial one by it.
func (p *Picker) Lacks(id domain.PeerID, piece int) {
	v := p.providers[id]
	if v == nil || !p.valid(piece) {
		return
	}
	if v.have == nil {
		p.makePartial(v)
		for i := range p.pieces {
			p.gain(v, i)
		}
	}
	p.lose(v, piece)
	if v.coming != nil && v.coming.unset(piece) {
		p.tally(piece, -1)
	}
}

// Gone forgets the provider. What it was asked for is free again.
func (p *Picker) Gone(id domain.PeerID) {
	v := p.providers[id]
	if v == nil {
		return
	}
	if v.have != nil {
		p.disown(v)
	}
	delete(p.providers, id)
	p.opens -= len(v.opens)
	for i := len(p.queue) - 1; i >= 0; i-- {
		a := p.queue[i]
		a.claims = slices.DeleteFunc(a.claims, func(c claim) bool { return c.provider == v })
		if len(a.claims) == 0 {
			p.release(a)
		}
	}
}

// Wants reports whether the provider has anything that is not done.
func (p *Picker) Wants(id domain.PeerID) bool {
	v := p.providers[id]
	switch {
	case v == nil:
		return false
	case v.have == nil:
		return p.want.n > 0
	default:
		return v.wanted > 0
	}
}

// provider returns what is known of a provider; a new one has everything.
func (p *Picker) provider(id domain.PeerID) *provider {
	v := p.providers[id]
	if v == nil {
		v = &provider{id: id}
		p.providers[id] = v
	}
	return v
}

// makePartial makes a whole provider one that has nothing.
func (p *Picker) makePartial(v *provider) {
	if v.have != nil {
		return
	}
	v.have = newBitset(p.pieces)
	p.partial = append(p.partial, v)
}

// disown takes what a partial provider has out of the count.
func (p *Picker) disown(v *provider) {
	for _, set := range []*bitset{v.have, v.coming} {
		if set == nil {
			continue
		}
		for w, pieces := set.common(nil, 0); pieces != 0; w, pieces = set.common(nil, w+1) {
			for ; pieces != 0; pieces &= pieces - 1 {
				p.tally(w*64+lowest(pieces), -1)
			}
		}
	}
	v.wanted, v.usable = 0, 0
	p.partial = slices.DeleteFunc(p.partial, func(o *provider) bool { return o == v })
}

// gain adds a piece to what a partial provider has.
func (p *Picker) gain(v *provider, piece int) {
	if !v.have.set(piece) {
		return
	}
	if p.want.has(piece) {
		v.wanted++
	}
	if p.free.has(piece) {
		v.usable++
	}
	if v.coming == nil || !v.coming.unset(piece) {
		p.tally(piece, 1)
	}
}

// lose takes a piece from what a partial provider has.
func (p *Picker) lose(v *provider, piece int) {
	if !v.have.unset(piece) {
		return
	}
	if p.want.has(piece) {
		v.wanted--
	}
	if p.free.has(piece) {
		v.usable--
	}
	p.tally(piece, -1)
}

// tally counts one more or less partial provider of a piece.
func (p *Picker) tally(piece, by int) {
	if p.count == nil {
		p.count = make([]uint16, p.pieces)
	}
	old := p.level(piece)
	p.count[piece] = uint16(int(p.count[piece]) + by)
	if now := p.level(piece); now != old && p.free.has(piece) {
		p.rare[old].unset(piece)
		p.rarity(now).set(piece)
	}
}

// level returns the index of Picker.rare for a piece.
func (p *Picker) level(piece int) int {
	if p.count == nil {
		return 0
	}
	return min(int(p.count[piece]), levels-1)
}

// rarity returns the set of a level, to be added to.
func (p *Picker) rarity(level int) *bitset {
	if p.rare[level] == nil {
		p.rare[level] = newBitset(p.pieces)
	}
	return p.rare[level]
}

// setFree says that a piece is missing and not claimed.
func (p *Picker) setFree(piece int) {
	if !p.free.set(piece) {
		return
	}
	p.rarity(p.level(piece)).set(piece)
	for _, v := range p.partial {
		if v.have.has(piece) {
			v.usable++
		}
	}
}

// unsetFree says that a piece is claimed or not missing any more.
func (p *Picker) unsetFree(piece int) {
	if !p.free.unset(piece) {
		return
	}
	p.rare[p.level(piece)].unset(piece)
	for _, v := range p.partial {
		if v.have.has(piece) {
			v.usable--
		}
	}
}

// word returns 64 pieces of a bitmap, without what lies behind the last piece.
func (p *Picker) word(bitmap []byte, w int) (word uint64) {
	for i := w * 8; i < min(w*8+8, len(bitmap)); i++ {
		word |= uint64(bitmap[i]) << (8 * (i % 8))
	}
	if tail := p.pieces - w*64; tail < 64 {
		word &= 1<<tail - 1
	}
	return word
}

func (p *Picker) valid(piece int) bool { return piece >= 0 && piece < p.pieces }

func (p *Picker) random() uint64 {
	p.turn++
	return mix(p.seed + p.turn*0x9e3779b97f4a7c15)
}
