package gossip

import (
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// TestReservedTellsEachOne has somebody who is on a network where only friends
// are to see what is shared: nothing of the own head is gossiped, so that it can
// be passed on to nobody; each one is told what they may see.
func TestReservedTellsEachOne(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t), newNode(t), newNode(t)
	for _, n := range []*node{a, b, c} {
		n.start(quick())
	}
	empty := domain.Head{Version: domain.Version{Epoch: 9, Sequence: 1}}
	a.set(b.id(), empty) // b is where only friends see something, c elsewhere
	a.reserved.Store(true)
	connect(t, a, b)
	connect(t, a, c)
	if h := b.waitHead(a, 1); h.Version != empty.Version || h.Entries != 0 {
		t.Errorf("b is told %+v", h)
	}
	a.waitHead(c, 1)
	if h := c.waitHead(a, 1); h.Entries != 1 {
		t.Errorf("c is told %+v", h)
	}
	meshed(t, b, a)
	a.bump(2)
	a.gossip.Announce()
	c.waitHead(a, 2)
	time.Sleep(3 * quick().settle)
	if signed := b.gossip.Signed(a.id()); signed != nil {
		if h, err := open(signed); err != nil || h.Version != empty.Version {
			t.Errorf("b has %+v, %v", h.Head, err)
		}
	}

	a.reserved.Store(false)
	a.unset(b.id())
	a.gossip.Announce()
	if h := b.waitHead(a, 2); h.Entries != 2 {
		t.Errorf("shown again it tells %+v", h)
	}
}
