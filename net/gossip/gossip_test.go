package gossip

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/network"

	"github.com/potluck-share/potluck/app/domain"
)

func TestChangeReachesTheThirdThroughTheSecond(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t), newNode(t), newNode(t)
	for _, n := range []*node{a, b, c} {
		n.start(quick())
	}
	connect(t, a, b)
	connect(t, b, c)
	meshed(t, a, b)
	meshed(t, b, c)

	a.bump(2)
	began := time.Now()
	a.gossip.Announce()
	h := c.waitHead(a, 2)
	t.Logf("two hops took %v", time.Since(began))
	if h.Entries != 2 || h.Name != "Ana" || h.Epoch != 1 {
		t.Errorf("head = %+v", h)
	}
	if a.Network().Connectedness(c.ID()) == network.Connected {
		t.Error("the first and the third are connected, so nothing was shown")
	}
	if got, err := OpenHead(c.gossip.Signed(a.id())); err != nil || got != h {
		t.Errorf("Signed = %+v, %v, want %+v", got, err, h)
	}
}

func TestFirstChangeGoesAtOnceFurtherOnesAreMerged(t *testing.T) {
	t.Parallel()
	a, b := newNode(t), newNode(t)
	timing := quick()
	timing.merge = 2 * time.Second
	a.start(timing)
	b.start(quick())
	connect(t, a, b)
	meshed(t, a, b)
	settled(t, a, b)

	began := time.Now()
	a.bump(2)
	a.gossip.Announce()
	if h := b.waitHead(a, 2); h.Sequence != 2 || time.Since(began) > timing.merge {
		t.Errorf("the first change came as %+v after %v", h, time.Since(began))
	}
	began = time.Now()
	for i := range uint64(19) {
		a.bump(3 + i)
		a.gossip.Announce()
		time.Sleep(5 * time.Millisecond)
	}
	h := b.waitHead(a, 3)
	t.Logf("sequence %d after %v", h.Sequence, time.Since(began))
	if h.Sequence != 21 {
		t.Errorf("of 19 further changes came %+v, want the last and nothing before", h)
	}
}

func TestFlushDoesNotWaitForMore(t *testing.T) {
	t.Parallel()
	a, b := newNode(t), newNode(t)
	timing := quick()
	timing.merge = time.Hour
	a.start(timing)
	b.start(quick())
	connect(t, a, b)
	meshed(t, a, b)
	settled(t, a, b)

	for i := range uint64(3) {
		a.bump(2 + i)
		a.gossip.Announce()
	}
	if err := a.gossip.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.waitHead(a, 4)
}

func TestLateJoinerGetsAllBySwap(t *testing.T) {
	t.Parallel()
	a, b, late := newNode(t), newNode(t), newNode(t)
	a.start(quick())
	b.start(quick())
	connect(t, a, b)
	b.waitHead(a, 1)
	a.waitHead(b, 1)

	if err := a.gossip.Close(); err != nil {
		t.Fatal(err)
	}
	gone := time.Now()
	late.start(quick())
	began := time.Now()
	connect(t, b, late)
	late.waitHead(a, 1)
	t.Logf("the head of an absent third came after %v", time.Since(began))
	late.mu.Lock()
	if left := late.left[a.id()]; left.After(gone) || gone.Sub(left) > 10*time.Second {
		t.Errorf("a spoke last before %v, and is said to have spoken at %v", gone, left)
	}
	late.mu.Unlock()
	eventually(t, "two heads known", func() bool { return len(late.gossip.Heads()) == 2 })
	b.waitHead(late, 1)
}

// Whoever joins is heard of by those whom it does not meet, without a change.
func TestJoinerIsHeardOfBeyondItsNeighbours(t *testing.T) {
	t.Parallel()
	a, b, c, late := newNode(t), newNode(t), newNode(t), newNode(t)
	for _, n := range []*node{a, b, c} {
		n.start(quick())
	}
	connect(t, a, b)
	connect(t, b, c)
	meshed(t, a, b)
	meshed(t, b, c)
	settled(t, a, b, c)
	slow := quick()
	slow.settle = 2 * time.Second // until it surely is in the mesh
	late.start(slow)
	connect(t, late, a)
	b.waitHead(late, 1)
	c.waitHead(late, 1)
	late.waitHead(c, 1)
}

func TestChangeRightAfterTheSwapIsNotLost(t *testing.T) {
	t.Parallel()
	a, b := newNode(t), newNode(t)
	a.start(quick())
	b.start(quick())
	connect(t, a, b)
	b.waitHead(a, 1)
	// The mesh has not formed yet.
	a.bump(2)
	a.gossip.Announce()
	b.waitHead(a, 2)
}

func TestOthersChangeRightAfterTheSwapIsNotLost(t *testing.T) {
	t.Parallel()
	a, b, late := newNode(t), newNode(t), newNode(t)
	slow := quick()
	slow.beat = time.Hour // these two never get to a mesh between them
	a.start(quick())
	b.start(slow)
	connect(t, a, b)
	meshed(t, a, b)
	late.start(slow)
	connect(t, b, late)
	late.waitHead(a, 1)
	a.bump(2)
	a.gossip.Announce()
	late.waitHead(a, 2)
}

func TestFarPeerIsNeitherHeardNorTold(t *testing.T) {
	t.Parallel()
	a, b := newNode(t), newNode(t)
	a.start(quick())
	b.start(quick())
	dial(t, a, b)
	// Both ways: a counts b as near, and b does not count a.
	a.judge(b, domain.Asker{Near: true})

	// What a far owner says of itself is taken.
	b.waitHead(a, 1)
	if a.hears(b, 1, 500*time.Millisecond) {
		t.Error("a far peer was told a head")
	}
	// Its gossip is not.
	a.bump(2)
	h, err := seal(a.gossip.key, mustOwn(a), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.gossip.topics[headsTopic].Publish(t.Context(), h.signed); err != nil {
		t.Fatal(err)
	}
	if peers := b.gossip.topics[headsTopic].ListPeers(); len(peers) != 0 {
		t.Errorf("pubsub knows far peers: %v", peers)
	}

	// Nearness that begins later brings all of it.
	b.judge(a, domain.Asker{Near: true})
	a.waitHead(b, 1)
	meshed(t, a, b)
	meshed(t, b, a)
	b.bump(3)
	b.gossip.Announce()
	a.waitHead(b, 3)
}

func TestGossipStopsWhenAPeerGoesFar(t *testing.T) {
	t.Parallel()
	a, b := twoMeshed(t)
	settled(t, a, b)

	// The receiver asks anew for each message.
	b.judge(a, domain.Asker{})
	a.bump(2)
	a.gossip.Announce()
	if b.hears(a, 2, 400*time.Millisecond) {
		t.Error("gossip of a peer that went far was taken")
	}
	// So does the sender.
	a.judge(b, domain.Asker{})
	b.judge(a, domain.Asker{Near: true})
	a.bump(3)
	a.gossip.Announce()
	if b.hears(a, 3, 400*time.Millisecond) {
		t.Error("a peer that went far was told")
	}
}

// The stream of one side ends and is opened anew, that of the other stays.
func TestTopicsAreKnownAfterAPeerWasFarForOneSideOnly(t *testing.T) {
	t.Parallel()
	a, b := twoMeshed(t)
	meshed(t, b, a)

	a.judge(b, domain.Asker{})
	a.bump(2)
	a.gossip.Announce() // finds that b is far, and ends the stream
	eventually(t, "b is out of the mesh of a", func() bool {
		return len(a.gossip.topics[headsTopic].ListPeers()) == 0
	})
	a.judge(b, domain.Asker{Near: true})
	meshed(t, a, b)
	a.bump(3)
	a.gossip.Announce()
	b.waitHead(a, 3)
}

// pubsub gives up on a peer whose stream ends again and again.
func TestNothingIsLostWhereStreamsEnd(t *testing.T) {
	t.Parallel()
	a, b := twoMeshed(t)

	for range pubsub.MaxBackoffAttempts + 1 {
		var streams []*gatedStream
		eventually(t, "a has streams to b", func() bool {
			streams = b.gossip.gate.with(a.ID(), false)
			return len(streams) > 0
		})
		time.Sleep(quick().settle + 50*time.Millisecond)
		for _, s := range streams {
			_ = s.Reset()
		}
	}
	a.bump(2)
	a.gossip.Announce()
	b.waitHead(a, 2)
	meshed(t, a, b)
	a.bump(3)
	a.gossip.Announce()
	b.waitHead(a, 3)
}

// A little that has changed rides with the head, from the version that was told
// last, and only once.
func TestChangesRide(t *testing.T) {
	t.Parallel()
	a, b := newNode(t), newNode(t)
	var known atomic.Uint64
	a.delta = func(since domain.Version, most int) ([]byte, domain.Version) {
		if to := known.Load(); to > 0 {
			return fmt.Appendf(nil, "%d to %d in %d", since.Sequence, to, most), domain.Version{Epoch: 1, Sequence: to}
		}
		return nil, domain.Version{}
	}
	a.start(quick())
	b.start(quick())
	connect(t, a, b)
	meshed(t, a, b)
	b.waitHead(a, 1)
	settled(t, a, b)
	riding := func(sequence uint64) (string, uint64) {
		t.Helper()
		b.waitHead(a, sequence)
		for _, h := range b.gossip.Heads() {
			if h.Peer == a.id() {
				return h.Delta, h.Base
			}
		}
		t.Fatal("the head is gone")
		return "", 0
	}
	known.Store(3)
	a.bump(3)
	a.gossip.Announce()
	if delta, base := riding(3); delta != "1 to 3 in 1024" || base != 1 {
		t.Errorf("with the third rides %q from %d", delta, base)
	}
	known.Store(5)
	a.bump(4) // it has changed once more meanwhile
	a.gossip.Announce()
	if delta, base := riding(4); delta != "" || base != 0 {
		t.Errorf("with the fourth rides %q from %d, which leads elsewhere", delta, base)
	}
	known.Store(0)
	a.bump(6)
	a.gossip.Announce()
	if delta, _ := riding(6); delta != "" {
		t.Errorf("with the sixth rides %q, although it is too much", delta)
	}
}

func mustOwn(n *node) domain.Head {
	head, _ := n.gossip.own(Everyone)
	return head
}

func TestUnheardAuthorIsIgnoredAndNotPassedOn(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t), newNode(t), newNode(t)
	b.heard = func(domain.PeerID) bool { return false }
	for _, n := range []*node{a, b, c} {
		n.start(quick())
	}
	connect(t, a, b)
	connect(t, b, c)
	meshed(t, a, b)
	meshed(t, b, c)
	// Own word of a peer over its own stream counts all the same.
	b.waitHead(a, 1)
	settled(t, a, b, c)
	a.bump(2)
	a.gossip.Announce()
	if c.hears(a, 2, 500*time.Millisecond) {
		t.Error("the head of an author that nobody heard was passed on")
	}
	if b.gossip.headSequence(a.id()) != 1 {
		t.Error("the head of an author that was not heard was taken from gossip")
	}
}

func (g *Gossip) headSequence(id domain.PeerID) uint64 {
	h, err := OpenHead(g.Signed(id))
	if err != nil {
		return 0
	}
	return h.Sequence
}

func TestNothingIsPassedOnBetweenTwoNetworks(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t), newNode(t), newNode(t)
	b.two = true
	for _, n := range []*node{a, b, c} {
		n.start(quick())
	}
	connect(t, a, b)
	connect(t, b, c)
	meshed(t, a, b)
	meshed(t, b, c)
	a.bump(2)
	a.gossip.Announce()
	b.waitHead(a, 2) // taken for itself
	if c.hears(a, 1, time.Second) {
		t.Error("a head went from one network to the other")
	}
	b.bump(2)
	b.gossip.Announce()
	c.waitHead(b, 2) // the own one goes to both
}

func TestPersonalViewGoesToItsPeerOnly(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t), newNode(t), newNode(t)
	for _, n := range []*node{a, b, c} {
		n.start(quick())
	}
	connect(t, a, b)
	connect(t, b, c)
	connect(t, a, c)
	meshed(t, a, b)
	meshed(t, a, c)
	meshed(t, b, c)
	settled(t, a, b, c)

	more := domain.Head{Version: domain.Version{Epoch: 1, Sequence: 70}, Entries: 7, Bytes: 70}
	a.set(b.id(), more)
	a.gossip.Announce()
	if h := b.waitHead(a, 70); h.Entries != 7 {
		t.Errorf("the personal head has %d entries", h.Entries)
	}
	// The public one changes too, and does not take the other's place.
	a.bump(2)
	a.gossip.Announce()
	c.waitHead(a, 2)
	if c.gossip.headSequence(a.id()) != 2 {
		t.Error("a personal head reached somebody else")
	}
	if b.gossip.headSequence(a.id()) != 70 {
		t.Errorf("b has sequence %d, want its personal one", b.gossip.headSequence(a.id()))
	}
	eventually(t, "b knows the public head", func() bool {
		b.gossip.mu.Lock()
		defer b.gossip.mu.Unlock()
		public := b.gossip.table.authors[a.id()].public
		return public != nil && public.Sequence == 2
	})
	// A joiner that meets b is told the public head.
	d := newNode(t)
	d.start(quick())
	connect(t, b, d)
	if h := d.waitHead(a, 1); h.Sequence != 2 {
		t.Errorf("a joiner was told sequence %d, want 2", h.Sequence)
	}
	// Losing access is told as well.
	a.unset(b.id())
	a.gossip.Announce()
	eventually(t, "b is back to the public head", func() bool { return b.gossip.headSequence(a.id()) == 2 })
	if seen := a.sawBehind(); len(seen) != 0 {
		t.Errorf("the owner took its own private views for a lost log: %v", seen)
	}
}

func TestFarFriendGetsOwnHeadAndNoOther(t *testing.T) {
	t.Parallel()
	a, b, friend := newNode(t), newNode(t), newNode(t)
	for _, n := range []*node{a, b, friend} {
		n.start(quick())
	}
	connect(t, a, b)
	a.waitHead(b, 1)
	dial(t, a, friend)
	a.judge(friend, domain.Asker{Friend: true})
	friend.judge(a, domain.Asker{Friend: true})
	friend.waitHead(a, 1)
	a.waitHead(friend, 1)
	a.bump(2)
	a.gossip.Announce()
	friend.waitHead(a, 2)
	if friend.gossip.headSequence(b.id()) != 0 {
		t.Error("a far friend was told of others")
	}
	// Coming near, it is told of all.
	a.judge(friend, domain.Asker{Friend: true, Near: true})
	friend.judge(a, domain.Asker{Friend: true, Near: true})
	friend.waitHead(b, 1)
}

func TestOwnerGoneBackIsBelievedAndTold(t *testing.T) {
	t.Parallel()
	a, b := newNode(t), newNode(t)
	b.start(quick())
	// b remembers a later state of a, which a has lost.
	old, err := seal(a.Peerstore().PrivKey(a.ID()), domain.Head{
		Peer: a.id(), Version: domain.Version{Epoch: 5, Sequence: 900}, Time: time.Now(),
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	b.gossip.mu.Lock()
	b.gossip.table.take(old, false, time.Now())
	b.gossip.mu.Unlock()

	a.start(quick())
	// As long as b counts a as far it believes a and tells nothing.
	dial(t, a, b)
	b.judge(a, domain.Asker{Near: true})
	a.judge(b, domain.Asker{Near: true})
	if h := b.waitHead(a, 1); h.Version != (domain.Version{Epoch: 1, Sequence: 1}) {
		t.Errorf("b believes %v, not the owner's own word", h.Version)
	}
	eventually(t, "a learned that it is behind", func() bool {
		seen := a.sawBehind()
		return len(seen) > 0 && seen[0] == old.Version
	})
	// A cached copy does not bring the old state back.
	b.gossip.mu.Lock()
	v := b.gossip.table.take(old, false, time.Now())
	b.gossip.mu.Unlock()
	if v != older {
		t.Errorf("the disowned head: %v", v)
	}
}

func TestRepeatKeepsAHeadFresh(t *testing.T) {
	t.Parallel()
	a, b := newNode(t), newNode(t)
	timing := quick()
	timing.repeat, timing.gap = 700*time.Millisecond, 300*time.Millisecond
	a.start(timing)
	b.start(timing)
	connect(t, a, b)
	meshed(t, a, b)
	first := b.waitHead(a, 1)
	next := b.waitHead(a, 1)
	for next.Time.Sub(first.Time) < 500*time.Millisecond {
		next = b.waitHead(a, 1)
	}
	if next.Version != first.Version {
		t.Errorf("versions %v and %v", first.Version, next.Version)
	}
}

func TestRememberedHeadsAreStaleUntilHeard(t *testing.T) {
	t.Parallel()
	a, b := newNode(t), newNode(t)
	signed, err := Seal(a.Peerstore().PrivKey(a.ID()), domain.Head{
		Peer: a.id(), Name: "Ana", Version: domain.Version{Epoch: 1, Sequence: 1}, Time: time.Now().Add(-time.Minute),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.start(quick(), signed, []byte("damaged"))
	if heads := b.gossip.Heads(); len(heads) != 0 {
		t.Errorf("remembered heads are fresh: %v", heads)
	}
	if b.gossip.headSequence(a.id()) != 1 {
		t.Error("the remembered head is gone")
	}
	a.start(quick())
	connect(t, a, b)
	b.waitHead(a, 1)
	if heads := b.gossip.Heads(); len(heads) != 1 {
		t.Errorf("heads = %v", heads)
	}
}
