package picker

import "math/bits"

// bitset is a set of pieces. A second layer says which of its words are not
// zero, so that a sparse set of a million pieces is still found in quickly.
type bitset struct {
	words []uint64
	some  []uint64 // bit w is set if words[w] is not zero
	n     int      // pieces in the set
}

func newBitset(size int) *bitset {
	words := (size + 63) / 64
	return &bitset{words: make([]uint64, words), some: make([]uint64, (words+63)/64)}
}

func (b *bitset) has(i int) bool { return b.words[i/64]&(1<<(i%64)) != 0 }

// set puts a piece into the set. It reports whether it was not there.
func (b *bitset) set(i int) bool {
	w, bit := i/64, uint64(1)<<(i%64)
	if b.words[w]&bit != 0 {
		return false
	}
	b.words[w] |= bit
	b.some[w/64] |= 1 << (w % 64)
	b.n++
	return true
}

// unset takes a piece out of the set. It reports whether it was there.
func (b *bitset) unset(i int) bool {
	w, bit := i/64, uint64(1)<<(i%64)
	if b.words[w]&bit == 0 {
		return false
	}
	b.words[w] &^= bit
	if b.words[w] == 0 {
		b.some[w/64] &^= 1 << (w % 64)
	}
	b.n--
	return true
}

// common returns the first word, not before the given one, in which b and the
// other set have a piece in common, and those pieces. The other set nil stands
// for all pieces. No word is left if the pieces are 0.
func (b *bitset) common(other *bitset, from int) (w int, pieces uint64) {
	if from >= len(b.words) {
		return 0, 0
	}
	mask := ^uint64(0) << (from % 64)
	for s := from / 64; s < len(b.some); s++ {
		some := b.some[s] & mask
		mask = ^uint64(0)
		if other != nil {
			some &= other.some[s]
		}
		for ; some != 0; some &= some - 1 {
			w = s*64 + bits.TrailingZeros64(some)
			pieces = b.words[w]
			if other != nil {
				pieces &= other.words[w]
			}
			if pieces != 0 {
				return w, pieces
			}
		}
	}
	return 0, 0
}

// first returns the lowest piece that both sets have.
func (b *bitset) first(other *bitset) (piece int, ok bool) {
	w, pieces := b.common(other, 0)
	return w*64 + bits.TrailingZeros64(pieces), pieces != 0
}

// any returns a piece that both sets have, somewhere after the place that the
// random bits point to.
func (b *bitset) any(other *bitset, random uint64) (piece int, ok bool) {
	if b.n == 0 {
		return 0, false
	}
	w, pieces := b.common(other, int(random>>8%uint64(len(b.words))))
	if pieces == 0 {
		w, pieces = b.common(other, 0)
	}
	if pieces == 0 {
		return 0, false
	}
	turn := int(random & 63)
	return w*64 + (bits.TrailingZeros64(bits.RotateLeft64(pieces, -turn))+turn)%64, true
}

// mix spreads the bits of x evenly (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
