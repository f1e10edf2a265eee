package provide

import (
	"context"
	"sync"

	"github.com/potluck-share/potluck/app/domain"
)

// turns lets a few through at a time. Whoever waits is let through in turn by
// peer, so that a peer that asks a lot does not keep the others waiting.
type turns struct {
	mu    sync.Mutex
	free  int
	queue map[domain.PeerID][]chan struct{}
	order []domain.PeerID // the peers of queue, whose turn is next first
}

func newTurns(n int) *turns {
	return &turns{free: n, queue: make(map[domain.PeerID][]chan struct{})}
}

// take waits for a turn. After a nil return the caller calls done.
func (t *turns) take(ctx context.Context, peer domain.PeerID) error {
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return nil
	}
	if len(t.queue[peer]) == 0 {
		t.order = append(t.order, peer)
	}
	ready := make(chan struct{}, 1)
	t.queue[peer] = append(t.queue[peer], ready)
	t.mu.Unlock()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
	}
	// The turn may have come until the lock was held: then it is handed on.
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-ready:
		t.next()
	default:
		t.forget(peer, ready)
	}
	return ctx.Err()
}

// done gives the turn to the next one.
func (t *turns) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next()
}

func (t *turns) next() {
	if len(t.order) == 0 {
		t.free++
		return
	}
	peer := t.order[0]
	t.order = t.order[1:]
	waiting := t.queue[peer]
	waiting[0] <- struct{}{}
	if len(waiting) > 1 {
		t.queue[peer] = waiting[1:]
		t.order = append(t.order, peer)
	} else {
		delete(t.queue, peer)
	}
}

// forget takes one that no longer waits out of the queue.
func (t *turns) forget(peer domain.PeerID, ready chan struct{}) {
	waiting := t.queue[peer]
	for i, c := range waiting {
		if c == ready {
			waiting = append(waiting[:i:i], waiting[i+1:]...)
			break
		}
	}
	if len(waiting) > 0 {
		t.queue[peer] = waiting
		return
	}
	delete(t.queue, peer)
	for i, p := range t.order {
		if p == peer {
			t.order = append(t.order[:i:i], t.order[i+1:]...)
			return
		}
	}
}
