package fetch_test

import (
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/net/transfer/fetch"
)

// TestSinglePieceComesFromElsewhere asks one provider for small files, which it
// does not bring, each for another reason, while a second one has all of them.
func TestSinglePieceComesFromElsewhere(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, s *server, file *shared){
		"absent":  func(*testing.T, *server, *shared) {},
		"lacking": func(_ *testing.T, s *server, file *shared) { s.copyOf(file).has = func(int) bool { return false } },
		"lying": func(_ *testing.T, s *server, file *shared) {
			s.copyOf(file).spoil = func(p []byte, _ int64) { p[0]++ }
		},
		"silent": func(t *testing.T, s *server, file *shared) {
			block := make(chan struct{}) // longer than the test
			t.Cleanup(func() { close(block) })
			s.copyOf(file).block = block
		},
		"leaving": func(t *testing.T, s *server, file *shared) {
			block := make(chan struct{}) // it leaves before the piece is read
			s.copyOf(file).block = block
			var left sync.WaitGroup
			left.Go(func() {
				for begun := time.Now(); s.count() < 2 && time.Since(begun) < 10*time.Second; {
					time.Sleep(time.Millisecond)
				}
				s.leave()
			})
			t.Cleanup(func() {
				close(block)
				left.Wait()
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const size = 10_000
			first, second := newServer(t), newServer(t)
			f, _ := newFetcher(t, fetch.Config{Stall: time.Minute}, first, second)
			get := func(file *shared, from fetch.Fixed) {
				t.Helper()
				dst := newSink(t, size)
				if err := f.Fetch(within(t, 10*time.Second), file.sum.ID, size, dst, from, nil); err != nil {
					t.Fatal(err)
				}
				dst.verify(t, file.path)
			}
			// With its session open, the first one is asked before the other.
			get(first.share(t, writeFile(t, size)), fetch.Fixed{first.id})
			file := second.share(t, writeFile(t, size))
			spoil(t, first, file)
			get(file, fetch.Fixed{first.id, second.id})
		})
	}
}

// count returns how many contents were opened.
func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}
