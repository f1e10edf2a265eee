package fetch_test

import (
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/storage/content"
)

// memory is a sink that verifies and forgets.
type memory struct {
	size  int64
	mu    sync.Mutex
	layer content.Layer
	known bool
	has   map[int]bool
	left  int
	done  int64
}

func newMemory(size int64) *memory {
	return &memory{size: size, has: make(map[int]bool), left: domain.Pieces(size)}
}

func (m *memory) Layer() (content.Layer, bool) { return m.layer, m.known }
func (m *memory) SetLayer(l content.Layer) error {
	m.layer, m.known = l, true
	return nil
}

func (m *memory) Has(i int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.has[i]
}

func (m *memory) Missing() (list []int) {
	for i := range domain.Pieces(m.size) {
		list = append(list, i)
	}
	return list
}

func (m *memory) Done() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done
}

func (m *memory) Put(p content.Piece) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.has[p.Index()] = true
	m.left--
	m.done += int64(len(p.Data()))
	return nil
}

// BenchmarkFile fetches 1 GiB over loopback, TCP and TLS, from a file in the
// page cache into a file.
func BenchmarkFile(b *testing.B) {
	const size = 1 << 30
	s := newServer(b)
	file := s.share(b, writeFile(b, size))
	f, _ := newFetcher(b, fetch.Config{}, s)
	b.SetBytes(size)
	for b.Loop() {
		dst := newSink(b, size)
		if err := f.Fetch(within(b, time.Minute), file.sum.ID, size, dst, fetch.Fixed{s.id}, nil); err != nil {
			b.Fatal(err)
		}
		_ = dst.f.Truncate(0) // gives the space back
	}
}

// BenchmarkVerified is BenchmarkFile without writing to disk.
func BenchmarkVerified(b *testing.B) {
	const size = 1 << 30
	s := newServer(b)
	file := s.share(b, writeFile(b, size))
	f, _ := newFetcher(b, fetch.Config{}, s)
	b.SetBytes(size)
	for b.Loop() {
		dst := newMemory(size)
		if err := f.Fetch(within(b, time.Minute), file.sum.ID, size, dst, fetch.Fixed{s.id}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
