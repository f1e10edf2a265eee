package picker

import (
	"math/bits"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// MaxSet is how many pieces the set of an open claim spans at most.
const MaxSet = 4096

// Open books an open claim of a whole provider, which chooses a piece by
// itself, and returns the pieces that it may choose from: those that are
// missing, claimed by nobody, and that no partial provider has or is receiving.
// Their set begins at piece first, a multiple of 8; the lowest bit of its first
// byte is that piece. It is not ok if there are no more such pieces than open
// claims, those of all providers counted, or if the provider is not a whole one.
//
// The claim ends with Chosen, OpenFailed or Gone.
func (p *Picker) Open(id domain.PeerID, now time.Time) (first int, set []byte, ok bool) {
	v := p.providers[id]
	if v == nil || v.have != nil || p.rare[0].n <= p.opens {
		return 0, nil, false
	}
	first, set = p.window()
	v.opens = append(v.opens, now)
	p.opens++
	return first, set, true
}

// window returns the set for an open claim. It stays at the place that the seed
// chose until that has no more pieces than there are open claims.
func (p *Picker) window() (first int, set []byte) {
	if p.pieces <= MaxSet {
		p.look = 0
	} else if p.span(p.look) <= p.opens {
		p.look = p.crowded()
	}
	return p.cut(p.look)
}

// crowded returns where to look for unclaimed pieces: of a few places that the
// random numbers point to, the one with the most.
func (p *Picker) crowded() (best int) {
	most := -1
	for range 4 {
		random := p.random()
		if i, ok := p.rare[0].any(nil, random); ok {
			if n := p.span(i); n > most {
				best, most = i, n
			}
		}
	}
	return best
}

// span counts the pieces that a window beginning there has.
func (p *Picker) span(at int) (n int) {
	for w := at / 64; w < min(at/64+MaxSet/64, len(p.rare[0].words)); w++ {
		n += bits.OnesCount64(p.rare[0].words[w])
	}
	return n
}

// cut makes the set of the window beginning there, without empty ends.
func (p *Picker) cut(at int) (first int, set []byte) {
	words := p.rare[0].words[at/64:]
	words = words[:min(len(words), MaxSet/64)]
	set = make([]byte, 0, len(words)*8)
	full, begun := 0, false
	for w, word := range words {
		for b := range 8 {
			x := byte(word >> (8 * b))
			if !begun && x == 0 {
				continue
			}
			if !begun {
				begun = true
				first = (at/64+w)*64 + b*8
			}
			set = append(set, x)
			if x != 0 {
				full = len(set)
			}
		}
	}
	return first, set[:full]
}

// Chosen says that the provider answers an open claim with that piece. The
// oldest open claim of it becomes a claim of the piece, as if Next had picked
// it when the open claim was made; it ends with Done or Failed, like any other.
//
// It is not fresh if it is not missing any more or others, or the same provider,
// were asked for it meanwhile. The claim exists all the same. The best is to
// cancel the answer then, and to call Failed, if little of it has come; else to
// let it come, with Arrived and Done or Failed as ever. Where Began is called,
// after Chosen, others who have not begun do not matter: it takes them off.
//
// Nothing is booked, and it is not fresh, if there is no such piece, or if the
// provider has no open claim (any more). That the piece is one of the set is
// for the caller to check.
func (p *Picker) Chosen(id domain.PeerID, piece int, _ time.Time) (fresh bool) {
	v := p.providers[id]
	if v == nil || len(v.opens) == 0 {
		return false
	}
	at := v.opens[0]
	p.close(v)
	if !p.valid(piece) {
		return false
	}
	a := p.asked[piece]
	fresh = p.want.has(piece) && (a == nil || p.begins && !a.begun())
	p.claim(v, piece, at)
	return fresh
}

// OpenFailed says that an open claim was refused or taken back.
func (p *Picker) OpenFailed(id domain.PeerID) {
	if v := p.providers[id]; v != nil && len(v.opens) > 0 {
		p.close(v)
	}
}

// close forgets the oldest open claim.
func (p *Picker) close(v *provider) {
	v.opens = v.opens[1:]
	p.opens--
}

// reserved returns how many pieces are left to open claims when v is to be
// asked for one: to its own, and to those of others that it would not beat.
func (p *Picker) reserved(v *provider, now time.Time) (n int) {
	for _, o := range p.providers {
		if o == v {
			n += len(o.opens)
			continue
		}
		for _, at := range o.opens {
			if !v.beats(o.rest(at, now), at, now) {
				n++
			}
		}
	}
	return n
}
