package transfers

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// settlingTime is how long a free place is kept while more downloads are under way
// than there are places: when somebody comes back whom many waited for, the
// first in the order gets it and not the quickest.
const settlingTime = 60 * time.Millisecond

// errDisplaced ends an attempt whose place another download takes.
var errDisplaced = errors.New("another download is to run first")

// places are the places for running downloads and the queue for them. All
// downloads have one order, that in which they were asked for until the user
// says otherwise, and places are given in that order. It is guarded by
// Transfers.mu.
type places struct {
	most  int
	held  []*transfer
	queue []*transfer // by order
	live  int         // downloads with a goroutine

	settling time.Duration

	front, back int64 // the lowest and the highest order so far
}

// taken is how many places are in use. Whoever only waits in somebody's queue
// does not keep others from running.
func (p *places) taken() (n int) {
	for _, d := range p.held {
		if d.line == 0 {
			n++
		}
	}
	return n
}

// before tells how two downloads stand in the order.
func before(a, b *transfer) int {
	return cmp.Or(cmp.Compare(a.Order, b.Order), a.Added.Compare(b.Added), strings.Compare(a.ID, b.ID))
}

// First moves downloads to the front of the order, in the order of ids. As in
// other programs of the kind, one that is queued then runs at once: if all
// places are taken, the running one that comes last in the order gives its
// place up and is queued. A paused or waiting one comes first when it goes on.
// What has ended is left alone; an unknown ID is domain.ErrNotFound.
func (t *Transfers) First(ctx context.Context, ids []string) error {
	ids = slices.Clone(ids)
	slices.Reverse(ids)
	return t.reorder(ctx, ids, func(d *transfer) {
		t.places.front--
		d.Order = t.places.front
	})
}

// Later moves downloads to the back of the order, in the order of ids. One that
// runs gives its place to the first in the queue, if somebody waits there.
func (t *Transfers) Later(ctx context.Context, ids []string) error {
	return t.reorder(ctx, ids, func(d *transfer) {
		t.places.back++
		d.Order = t.places.back
	})
}

func (t *Transfers) reorder(ctx context.Context, ids []string, to func(*transfer)) error {
	return t.each(ctx, ids, func(d *transfer) {
		if d.State.Ended() {
			return
		}
		queued := t.unqueue(d)
		to(d)
		t.keep(d)
		if queued {
			t.enqueue(d)
		}
		t.publish(d)
		t.displace()
	})
}

// AtOnce sets how many downloads run at once. If there are more, those that
// come last give their places up.
func (t *Transfers) AtOnce(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.places.most = max(1, n)
	t.serveSoon()
	t.displace()
}

// append gives a new download the last place in the order. The lock is held.
func (t *Transfers) append(d *transfer) {
	t.places.back++
	d.Order = t.places.back
}

// take waits for one of the places for running downloads.
func (t *Transfers) take(ctx context.Context, d *transfer) bool {
	t.mu.Lock()
	if ctx.Err() != nil {
		t.mu.Unlock()
		return false
	}
	turn := make(chan struct{})
	d.turn = turn
	t.enqueue(d)
	t.serveSoon()
	t.mu.Unlock()
	select {
	case <-turn:
		return true
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unqueue(d)
	t.leave(d)
	return false
}

// serveSoon gives free places away, a little later if there are more downloads than
// places: after a start, or when somebody comes back, the first in the order may be
// the last to queue. The lock is held.
func (t *Transfers) serveSoon() {
	if t.places.live <= t.places.most {
		t.serve()
	} else if t.places.taken() < t.places.most {
		time.AfterFunc(t.places.settling, func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.serve()
		})
	}
}

// enqueue puts d into the queue, by the order. The lock is held.
func (t *Transfers) enqueue(d *transfer) {
	at, _ := slices.BinarySearchFunc(t.places.queue, d, before)
	t.places.queue = slices.Insert(t.places.queue, at, d)
	t.tellQueue()
}

// unqueue takes d out of the queue and reports whether it was there. Its turn
// does not come any more, until enqueue. The lock is held.
func (t *Transfers) unqueue(d *transfer) bool {
	at := slices.Index(t.places.queue, d)
	if at < 0 {
		return false
	}
	t.places.queue = slices.Delete(t.places.queue, at, at+1)
	d.Queue = 0
	t.tellQueue()
	return true
}

// serve gives free places to the first in the queue. The lock is held.
func (t *Transfers) serve() {
	p := &t.places
	for len(p.queue) > 0 && p.taken() < p.most {
		d := p.queue[0]
		p.queue = slices.Delete(p.queue, 0, 1)
		p.held = append(p.held, d)
		d.Queue, d.yielding = 0, false
		close(d.turn)
		t.set(d, domain.Running, domain.Saying{}, nil)
	}
	t.tellQueue()
}

// leave gives back the place of d, if it has one. The lock is held.
func (t *Transfers) leave(d *transfer) {
	at := slices.Index(t.places.held, d)
	if at < 0 {
		return
	}
	t.places.held = slices.Delete(t.places.held, at, at+1)
	t.serve()
}

// displace lets those in the queue take the places of running downloads that
// come after them in the order, and ends what runs beyond the number of
// places. The lock is held.
func (t *Transfers) displace() {
	var running []*transfer // but for those that give their places up already
	for _, d := range t.places.held {
		if !d.yielding && d.line == 0 {
			running = append(running, d)
		}
	}
	slices.SortFunc(running, before)
	free := t.places.most - len(running)
	yield := func() {
		last := running[len(running)-1]
		running = running[:len(running)-1]
		last.yielding = true
		if last.yield != nil {
			last.yield(errDisplaced)
		}
	}
	for ; free < 0; free++ {
		yield()
	}
	for _, d := range t.places.queue {
		if free > 0 {
			free--
			continue
		}
		if len(running) == 0 || before(d, running[len(running)-1]) > 0 {
			return
		}
		yield()
	}
}

// numbered is how many of the queue are told their place in it in words: the
// places of all change whenever one leaves.
const numbered = 99

// tellQueue tells those in the queue how they stand. The lock is held.
func (t *Transfers) tellQueue() {
	for i, d := range t.places.queue {
		d.Queue = i + 1
		reason := domain.Say("Waits in your queue.")
		switch {
		case i == 0:
			reason = domain.Say("Next in your queue.")
		case i < numbered:
			reason = domain.Say("Number %s in your queue.", i+1)
		}
		t.set(d, domain.Queued, reason, nil)
	}
}
