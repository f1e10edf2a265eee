package transfer_test

import (
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/fetch"
)

// queued is what somebody was told of a provider's queue.
type queued struct {
	mu     sync.Mutex
	places []int // in the order in which they were told, each once
	served bool  // at least once
}

func (q *queued) note(p domain.Progress) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.served = q.served || p.Providers > 0
	for _, s := range p.From {
		if s.Queue > 0 && (len(q.places) == 0 || q.places[len(q.places)-1] != s.Queue) {
			q.places = append(q.places, s.Queue)
		}
	}
}

// told returns the last place that was told, 0 for none.
func (q *queued) told() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.places) == 0 {
		return 0
	}
	return q.places[len(q.places)-1]
}

// TestPeopleAreToldTheirPlace has three people fetch from one who serves one
// at a time.
func TestPeopleAreToldTheirPlace(t *testing.T) {
	t.Parallel()
	const size = 8 * mib
	ana := newComputer(t)
	ana.provider.SetSlots(1, 0)
	ana.limits.Set(4*mib, 0) // two seconds for each
	var all sync.WaitGroup
	defer all.Wait()
	guests := make([]*queued, 3)
	for i := range guests {
		guest, seen := newComputer(t), &queued{}
		guests[i] = seen
		guest.meet(t, ana)
		content := ana.share(t, size)
		all.Go(func() {
			if err := guest.fetcher.Fetch(t.Context(), content, size, newBowl(size), fetch.Fixed{ana.ID()}, seen.note); err != nil {
				t.Error(err)
			}
		})
		until(t, func() bool {
			seen.mu.Lock()
			defer seen.mu.Unlock()
			return i == 0 && seen.served || len(seen.places) > 0
		})
		if got := seen.told(); got != i {
			t.Errorf("guest %d is told the place %d", i, got)
		}
	}
	all.Wait()
	if got := guests[2].places; len(got) != 2 || got[0] != 2 || got[1] != 1 {
		t.Errorf("the last one was told the places %v, want 2 and then 1", got)
	}
}

// TestOnePersonsLargeFilesWaitForEachOther has one person fetch two large files
// and a small one.
func TestOnePersonsLargeFilesWaitForEachOther(t *testing.T) {
	t.Parallel()
	const size = 6 * mib
	ana, ben := newComputer(t), newComputer(t)
	ana.provider.SetSlots(0, 1)
	ana.limits.Set(4*mib, 0)
	ben.meet(t, ana)
	fetched := func(size int64, seen *queued) <-chan struct{} {
		content, done := ana.share(t, size), make(chan struct{})
		go func() {
			defer close(done)
			if err := ben.fetcher.Fetch(t.Context(), content, size, newBowl(size), fetch.Fixed{ana.ID()}, seen.note); err != nil {
				t.Error(err)
			}
		}()
		return done
	}
	first, second, third := &queued{}, &queued{}, &queued{}
	one := fetched(size, first)
	until(t, func() bool { return first.told() == 0 && isServed(first) })
	two := fetched(size, second)
	until(t, func() bool { return second.told() == 1 })
	small := fetched(mib, third)
	for _, done := range []<-chan struct{}{small, one, two} {
		<-done
	}
	if first.told() != 0 || third.told() != 0 {
		t.Errorf("the first and the small one waited at %d and %d", first.told(), third.told())
	}
}

func isServed(q *queued) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.served
}

// until waits for something to become true.
func until(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}
