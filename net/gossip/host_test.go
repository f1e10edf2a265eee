package gossip

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"go.uber.org/goleak"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a libp2p host on loopback whose judgement of others the test sets.
type node struct {
	libp2phost.Host
	t *testing.T

	mu     sync.Mutex
	stands map[domain.PeerID]domain.Asker // everybody else is a far stranger
	onNear []func(domain.PeerID)
	head   map[domain.PeerID]domain.Head // own head by asker, Everyone's for the rest
	heard  func(domain.PeerID) bool
	two    bool
	hidden atomic.Bool
	// reserved is whether somebody near is not to see what everyone does.
	reserved atomic.Bool
	behind   []domain.Version
	heads    chan domain.Head
	left     map[domain.PeerID]time.Time // when the last head of each left its owner
	now      func() time.Time
	answer   func(ctx context.Context, asker domain.PeerID, words []string) []byte
	delta    func(since domain.Version, most int) ([]byte, domain.Version)
	gossip   *Gossip
}

func newNode(t *testing.T) *node {
	t.Helper()
	h, err := libp2p.New(
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
		libp2p.UserAgent("gossip test"),
	)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{
		Host:   h,
		t:      t,
		stands: make(map[domain.PeerID]domain.Asker),
		head:   make(map[domain.PeerID]domain.Head),
		heard:  func(domain.PeerID) bool { return true },
		heads:  make(chan domain.Head, 10_000),
		left:   make(map[domain.PeerID]time.Time),
		now:    time.Now,
	}
	n.set(Everyone.Peer, domain.Head{Version: domain.Version{Epoch: 1, Sequence: 1}, Entries: 1, Bytes: 10})
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// quick is the timing of tests that do not wait for repeats.
func quick() timing {
	return timing{
		merge: 200 * time.Millisecond, repeat: time.Hour, gap: time.Hour,
		settle: 500 * time.Millisecond, yield: 50 * time.Millisecond, beat: 100 * time.Millisecond,
		reopen: 500 * time.Millisecond, intro: 200 * time.Millisecond,
	}
}

func (n *node) start(timing timing, known ...[]byte) *Gossip {
	n.t.Helper()
	g, err := start(context.Background(), Config{
		Host:        n,
		Own:         n.own,
		Delta:       n.delta,
		Name:        func() string { return "Ana" },
		Heard:       func(id domain.PeerID) bool { return n.heard(id) },
		TwoNetworks: n.twoNetworks,
		Hidden:      n.hidden.Load,
		Reserved:    n.reserved.Load,
		Head:        n.told,
		Behind:      n.seenBehind,
		Answer:      n.answer,
		Known:       known,
		Now:         n.now,
	}, timing)
	if err != nil {
		n.t.Fatal(err)
	}
	n.gossip = g
	n.t.Cleanup(func() {
		if err := g.Close(); err != nil {
			n.t.Error(err)
		}
	})
	return g
}

func (n *node) told(h domain.Head, left time.Time) {
	n.mu.Lock()
	n.left[h.Peer] = left
	n.mu.Unlock()
	n.heads <- h
}

func (n *node) id() domain.PeerID { return domain.PeerID(n.ID().String()) }

func (n *node) own(asker domain.Asker) domain.Head {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h, ok := n.head[asker.Peer]; ok {
		return h
	}
	return n.head[Everyone.Peer]
}

func (n *node) set(asker domain.PeerID, h domain.Head) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.head[asker] = h
}

func (n *node) unset(asker domain.PeerID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.head, asker)
}

func (n *node) twoNetworks() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.two
}

func (n *node) seenBehind(v domain.Version) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.behind = append(n.behind, v)
}

func (n *node) sawBehind() []domain.Version {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.behind
}

// judge sets what a peer is for this node, and says so as net/host does.
func (n *node) judge(other *node, stand domain.Asker) {
	stand.Peer = other.id()
	n.mu.Lock()
	n.stands[other.id()] = stand
	calls := n.onNear
	n.mu.Unlock()
	if n.Network().Connectedness(other.ID()) != network.Connected || !stand.Near && !stand.Friend {
		return
	}
	for _, f := range calls {
		f(other.id())
	}
}

func (n *node) Libp2p() libp2phost.Host { return n.Host }

func (n *node) Asker(conn network.Conn) domain.Asker {
	return n.AskerFor(domain.PeerID(conn.RemotePeer().String()))
}

func (n *node) AskerFor(id domain.PeerID) domain.Asker {
	n.mu.Lock()
	defer n.mu.Unlock()
	asker := n.stands[id]
	asker.Peer = id
	return asker
}

func (n *node) Handle(proto string, rule host.Rule, handler func(context.Context, network.Stream, domain.Asker)) {
	n.SetStreamHandler(protocol.ID(proto), func(s network.Stream) {
		asker := n.Asker(s.Conn())
		if rule == host.NearOnly && !asker.Near && !asker.Friend {
			_ = s.Reset()
			return
		}
		handler(context.Background(), s, asker)
		_ = s.Close()
	})
}

func (n *node) Open(ctx context.Context, id domain.PeerID, proto string) (network.Stream, error) {
	return n.NewStream(ctx, decode(id), protocol.ID(proto))
}

func (n *node) OnNear(f func(domain.PeerID)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.onNear = append(n.onNear, f)
}

// connect connects the two and makes each near for the other.
func connect(t *testing.T, a, b *node) {
	t.Helper()
	dial(t, a, b)
	a.judge(b, domain.Asker{Near: true})
	b.judge(a, domain.Asker{Near: true})
}

func dial(t *testing.T, a, b *node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := a.Connect(ctx, peer.AddrInfo{ID: b.ID(), Addrs: b.Addrs()}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other end connected", func() bool {
		return b.Network().Connectedness(a.ID()) == network.Connected
	})
}

// waitHead waits until the node was told a head of that author at least as
// new as version.
func (n *node) waitHead(author *node, sequence uint64) domain.Head {
	n.t.Helper()
	timeout := time.After(8 * time.Second)
	for {
		select {
		case h := <-n.heads:
			if h.Peer == author.id() && h.Sequence >= sequence {
				return h
			}
		case <-timeout:
			n.t.Fatalf("no head of %s with sequence %d arrived", author.id().Short(), sequence)
		}
	}
}

// hears reports whether the node is told of the author within d.
func (n *node) hears(author *node, sequence uint64, d time.Duration) bool {
	timeout := time.After(d)
	for {
		select {
		case h := <-n.heads:
			if h.Peer == author.id() && h.Sequence >= sequence {
				return true
			}
		case <-timeout:
			return false
		}
	}
}

func (n *node) bump(sequence uint64) {
	n.set(Everyone.Peer, domain.Head{Version: domain.Version{Epoch: 1, Sequence: sequence}, Entries: int(sequence), Bytes: 10})
}

// meshed waits until pubsub of a would send to b.
func meshed(t *testing.T, a, b *node) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s in the mesh of %s", b.id().Short(), a.id().Short()), func() bool {
		for _, id := range a.gossip.topics[headsTopic].ListPeers() {
			if id == b.ID() {
				return true
			}
		}
		return false
	})
	// Subscribed; grafted at the next heartbeat.
	time.Sleep(3 * quick().beat)
}

// twoMeshed returns two nodes that are near each other, of whom the first gossips
// to the second.
func twoMeshed(t *testing.T) (a, b *node) {
	t.Helper()
	a, b = newNode(t), newNode(t)
	a.start(quick())
	b.start(quick())
	connect(t, a, b)
	meshed(t, a, b)
	return a, b
}

// settled waits until nodes have met, and tell each other nothing more over
// streams because of that.
func settled(t *testing.T, nodes ...*node) {
	t.Helper()
	for _, n := range nodes {
		eventually(t, n.id().Short()+" has met the others", func() bool {
			n.gossip.mu.Lock()
			defer n.gossip.mu.Unlock()
			for _, other := range n.gossip.neighbours {
				if other.meeting > 0 {
					return false
				}
			}
			return true
		})
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(8 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("it never came true: %s", what)
}

// drain empties what a stream still brings.
func drain(s io.Reader) error {
	_, err := io.Copy(io.Discard, s)
	return err
}
