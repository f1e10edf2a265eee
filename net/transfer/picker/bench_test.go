package picker

import (
	"fmt"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// million is how many pieces a content of 1 TiB has.
const million = 1 << 20

// BenchmarkNext picks, brings and finishes pieces of a content of 1 TiB, with a
// whole provider and thirty that have a random half each.
func BenchmarkNext(b *testing.B) {
	for name, order := range map[string]Order{"sequential": Sequential, "rarest": Rarest} {
		for _, neighbours := range []int{0, 30} {
			b.Run(fmt.Sprintf("%s/%d neighbours", name, neighbours), func(b *testing.B) {
				missing := all(million)
				ids := []domain.PeerID{"source"}
				var p *Picker
				begin := func() {
					p = New(million, missing, Options{Seed: 1})
					p.SetOrder(order)
					p.Whole("source")
					for n := range neighbours {
						id := domain.PeerID(fmt.Sprint("n", n))
						p.Partial(id, half(uint64(n)))
						if len(ids) <= neighbours {
							ids = append(ids, id)
						}
					}
				}
				begin()
				now := start
				b.ResetTimer()
				for n := range b.N {
					if p.Left() == 0 {
						b.StopTimer()
						begin()
						b.StartTimer()
					}
					id := ids[n%len(ids)]
					now = now.Add(time.Millisecond)
					if i, ok := p.Next(id, now); ok {
						p.Arrived(id, i, now)
						p.Done(i)
					}
				}
			})
		}
	}
}

// BenchmarkNextSparse picks the pieces of a partial provider that has few, far
// apart, of what is missing.
func BenchmarkNextSparse(b *testing.B) {
	for name, order := range map[string]Order{"sequential": Sequential, "rarest": Rarest} {
		b.Run(name, func(b *testing.B) {
			p := New(million, all(million), Options{Seed: 1})
			p.SetOrder(order)
			for n := range 8 {
				p.Partial(domain.PeerID(fmt.Sprint("n", n)), half(uint64(n)))
			}
			bitmap := make([]byte, million/8)
			for i := 0; i < len(bitmap); i += 4096 {
				bitmap[i] = 1
			}
			p.Partial("a", bitmap)
			b.ResetTimer()
			for range b.N {
				i, ok := p.Next("a", start)
				if !ok {
					b.Fatal("nothing to ask for")
				}
				p.Failed("a", i)
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	p := New(million, all(million), Options{Seed: 1})
	p.Whole("source")
	p.Partial("n", half(1))
	for range b.N {
		first, set, ok := p.Open("source", start)
		if !ok {
			b.Fatal("no set")
		}
		p.Chosen("source", members(first, set[:1])[0], start)
		p.Failed("source", members(first, set[:1])[0])
	}
}

func BenchmarkPartial(b *testing.B) {
	p := New(million, all(million), Options{Seed: 1})
	bitmap := half(1)
	p.Partial("n", bitmap)
	b.ResetTimer()
	for i := range b.N {
		bitmap[i%len(bitmap)] ^= 1
		p.Partial("n", bitmap)
	}
}

func BenchmarkComeAndGo(b *testing.B) {
	p := New(million, all(million), Options{Seed: 1})
	bitmap := half(1)
	for range b.N {
		p.Partial("n", bitmap)
		p.Gone("n")
	}
}

// half is the bitmap of a random half of a million pieces.
func half(seed uint64) []byte {
	bitmap := make([]byte, million/8)
	for i := range bitmap {
		bitmap[i] = byte(mix(seed<<32 + uint64(i)))
	}
	return bitmap
}
