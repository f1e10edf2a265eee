package partial

// bitmap has a bit for each piece; a set one is here.
type bitmap []byte

// bitmapLen is how many bytes it takes for that many pieces.
func bitmapLen(pieces int) int { return (pieces + 7) / 8 }

func (b bitmap) has(index int) bool {
	return index >= 0 && index/8 < len(b) && b[index/8]&(1<<(index%8)) != 0
}

func (b bitmap) set(index int) { b[index/8] |= 1 << (index % 8) }
