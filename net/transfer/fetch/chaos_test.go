package fetch_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/fetch"
)

// Several fetches at once from providers that come, go, have only a part, or
// lie; the first one is there for good. Everything must arrive.
func TestChaos(t *testing.T) {
	const seed = 1
	rnd := rand.New(rand.NewPCG(seed, 2))
	servers := make([]*server, 4)
	for i := range servers {
		servers[i] = newServer(t)
	}
	var files []*shared
	for _, size := range []int64{9*mib + 1, 5 * mib, 30_000, 3*mib - 1, mib, 12 * mib} {
		file := servers[0].share(t, writeFile(t, size))
		file.slow = 2 * time.Millisecond
		files = append(files, file)
		for i, s := range servers[1:] {
			mine := s.copyOf(file)
			switch {
			case i == 1:
				mine.has = func(p int) bool { return p%3 != 0 }
			case i == 2 && size == 5*mib:
				mine.spoil = func(p []byte, off int64) {
					if off == 2*mib {
						p[0] ^= 1
					}
				}
			}
		}
	}
	all := make([]domain.PeerID, len(servers))
	for i, s := range servers {
		all[i] = s.id
	}
	f, _ := newFetcher(t, fetch.Config{Budget: 6 * mib, Stall: 500 * time.Millisecond}, servers...)
	providers := newMoving(all...)
	var wg sync.WaitGroup
	for _, file := range files {
		for range 2 { // two of the same content do not disturb each other
			wg.Go(func() {
				dst := newSink(t, file.sum.Size)
				if err := f.Fetch(within(t, 20*time.Second), file.sum.ID, file.sum.Size, dst, providers, nil); err != nil {
					t.Errorf("%d bytes: %v", file.sum.Size, err)
					return
				}
				dst.verify(t, file.path)
			})
		}
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	for {
		select {
		case <-done:
			return
		case <-time.After(time.Duration(1+rnd.IntN(20)) * time.Millisecond):
		}
		s := servers[1+rnd.IntN(3)]
		switch rnd.IntN(3) {
		case 0:
			s.leave()
			s.serve(t)
		case 1:
			providers.set(all[0], all[1+rnd.IntN(3)])
		case 2:
			providers.set(all...)
		}
	}
}
