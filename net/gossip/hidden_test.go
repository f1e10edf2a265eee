package gossip

import (
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// TestHiddenTellsNothing has somebody who hides connected all the same, as with
// one that a download comes from: it hears of others and tells them nothing,
// neither of itself nor of a third.
func TestHiddenTellsNothing(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t), newNode(t), newNode(t)
	for _, n := range []*node{a, b, c} {
		n.start(quick())
	}
	connect(t, c, a)
	meshed(t, c, a)
	a.waitHead(c, 1)
	a.hidden.Store(true)
	connect(t, a, b)
	a.waitHead(b, 1)
	b.bump(2)
	b.gossip.Announce()
	a.waitHead(b, 2)
	c.bump(2)
	c.gossip.Announce()
	a.waitHead(c, 2)
	a.bump(2)
	a.gossip.Announce()
	if err := a.gossip.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * quick().settle)
	if signed := b.gossip.Signed(a.id()); signed != nil {
		t.Error("whoever hides told its own head")
	}
	if signed := b.gossip.Signed(c.id()); signed != nil {
		t.Error("whoever hides told the head of another")
	}

	a.hidden.Store(false)
	a.gossip.Announce() // the same version as while it was hidden
	if h := b.waitHead(a, 2); h.Version != (domain.Version{Epoch: 1, Sequence: 2}) {
		t.Errorf("shown again it tells %+v", h)
	}
}
