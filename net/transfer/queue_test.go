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
}

func (q *queued) note(p domain.Progress) {
	q.mu.Lock()
	defer q.mu.Unlock()
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
// at a time. Whoever is served gets next to nothing until the others know their
// places.
func TestPeopleAreToldTheirPlace(t *testing.T) {
	t.Parallel()
	const size = 8 * mib
	ana := newComputer(t)
	ana.provider.SetSlots(1, 0)
	ana.limits.Set(domain.LeastRate, 0)
	var computers [3]*computer
	var contents [3]domain.ContentID
	for i := range computers {
		computers[i], contents[i] = newComputer(t), ana.share(t, size)
		computers[i].meet(t, ana)
	}
	var guests [3]queued
	var done [3]chan struct{}
	for i, guest := range computers {
		done[i] = make(chan struct{})
		go func() {
			defer close(done[i])
			if err := guest.fetcher.Fetch(t.Context(), contents[i], size, newBowl(size), fetch.Fixed{ana.ID()}, guests[i].note); err != nil {
				t.Error(err)
			}
		}()
		until(t, func() bool { return i == 0 && ana.isRead(contents[0]) || guests[i].told() > 0 })
		if got := guests[i].told(); got != i {
			t.Errorf("guest %d is told the place %d", i, got)
		}
	}
	ana.limits.Set(4*mib, 0)
	<-done[0]
	ana.limits.Set(domain.LeastRate, 0) // before the next one is done, in three seconds
	until(t, func() bool { return guests[2].told() == 1 })
	ana.limits.Set(0, 0)
	for _, done := range done[1:] {
		<-done
	}
	if got := guests[2].places; len(got) != 2 || got[0] != 2 || got[1] != 1 {
		t.Errorf("the last one was told the places %v, want 2 and then 1", got)
	}
}

// TestOnePersonsLargeFilesWaitForEachOther has one person fetch two large files
// and a small one.
func TestOnePersonsLargeFilesWaitForEachOther(t *testing.T) {
	t.Parallel()
	const size = 16 * mib
	ana, ben := newComputer(t), newComputer(t)
	ana.provider.SetSlots(0, 1)
	ana.limits.Set(4*mib, 0) // so that the first is far from done when the second comes
	ben.meet(t, ana)
	contents := []domain.ContentID{ana.share(t, size), ana.share(t, 2*mib), ana.share(t, mib)}
	fetched := func(content domain.ContentID, size int64, seen *queued) <-chan struct{} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := ben.fetcher.Fetch(t.Context(), content, size, newBowl(size), fetch.Fixed{ana.ID()}, seen.note); err != nil {
				t.Error(err)
			}
		}()
		return done
	}
	first, second, third := &queued{}, &queued{}, &queued{}
	one := fetched(contents[0], size, first)
	until(t, func() bool { return ana.isRead(contents[0]) })
	two := fetched(contents[1], 2*mib, second)
	until(t, func() bool { return second.told() == 1 })
	ana.limits.Set(0, 0)
	small := fetched(contents[2], mib, third)
	for _, done := range []<-chan struct{}{small, one, two} {
		<-done
	}
	if first.told() != 0 || third.told() != 0 {
		t.Errorf("the first and the small one waited at %d and %d", first.told(), third.told())
	}
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
