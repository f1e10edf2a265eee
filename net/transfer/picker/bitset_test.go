package picker

import (
	"math/rand/v2"
	"testing"
)

func TestBitsetFindsWhatTwoHaveInCommon(t *testing.T) {
	t.Parallel()
	for seed := *seedFlag; seed < *seedFlag+200; seed++ {
		rnd := rand.New(rand.NewPCG(seed, 3))
		size := 1 + rnd.IntN(20_000)
		a, b := newBitset(size), newBitset(size)
		in := make([][2]bool, size)
		for range rnd.IntN(400) {
			i := rnd.IntN(size)
			switch rnd.IntN(5) {
			case 0, 1:
				if a.set(i) == in[i][0] {
					t.Fatalf("seed %d: piece %d was set: %v", seed, i, in[i][0])
				}
				in[i][0] = true
			case 2, 3:
				b.set(i)
				in[i][1] = true
			default:
				if a.unset(i) != in[i][0] {
					t.Fatalf("seed %d: piece %d was set: %v", seed, i, in[i][0])
				}
				in[i][0] = false
			}
		}
		from := rnd.IntN(size)
		wantA, want, next := 0, 0, -1
		for i, x := range in {
			if x[0] {
				wantA++
			}
			if x[0] && x[1] {
				want++
				if next < 0 && i/64 >= from/64 {
					next = i
				}
			}
		}
		got := -1
		if w, pieces := a.common(b, from/64); pieces != 0 {
			got = w*64 + lowest(pieces)
		}
		if a.n != wantA || got != next {
			t.Fatalf("seed %d: %d pieces, the next in common is %d; want %d, %d", seed, a.n, got, wantA, next)
		}
		i, ok := a.any(b, rnd.Uint64())
		if ok != (want > 0) || ok && (!in[i][0] || !in[i][1]) {
			t.Fatalf("seed %d: any is %d %v of %d in common", seed, i, ok, want)
		}
	}
}
