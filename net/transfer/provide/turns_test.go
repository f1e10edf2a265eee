package provide

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// waiting waits until n are in the queue.
func (t *turns) waiting(n int) {
	for {
		t.mu.Lock()
		have := 0
		for _, q := range t.queue {
			have += len(q)
		}
		t.mu.Unlock()
		if have == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestTurnsGoByPeer(t *testing.T) {
	turns := newTurns(1)
	if err := turns.take(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var got []domain.PeerID
	var wg sync.WaitGroup
	for i, peer := range []domain.PeerID{"a", "a", "a", "b", "c", "c"} {
		wg.Go(func() {
			if err := turns.take(context.Background(), peer); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			got = append(got, peer)
			mu.Unlock()
			turns.done()
		})
		turns.waiting(i + 1)
	}
	turns.done()
	wg.Wait()
	if want := []domain.PeerID{"a", "b", "c", "a", "c", "a"}; !slices.Equal(got, want) {
		t.Fatalf("turns went %v, want %v", got, want)
	}
}

func TestTurnIsNotLostWithItsWaiter(t *testing.T) {
	turns := newTurns(1)
	for range 200 {
		if err := turns.take(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := turns.take(ctx, "b"); err == nil {
				turns.done()
			} else if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		wg.Go(cancel)
		wg.Go(turns.done)
		wg.Wait()
		cancel()
		if turns.free != 1 || len(turns.queue) != 0 || len(turns.order) != 0 {
			t.Fatalf("%d free, %d in the queue", turns.free, len(turns.queue))
		}
	}
}
