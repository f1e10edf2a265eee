package gossip

import (
	"crypto/rand"
	"testing"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pubsubpb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/gossip/pb"
)

func TestForgedOversizeAndFloodedMessagesAreNotTaken(t *testing.T) {
	t.Parallel()
	a, b := twoMeshed(t)
	b.waitHead(a, 1)

	stranger, id := newKey(t)
	forged, err := seal(stranger, domain.Head{
		Peer: id, Version: domain.Version{Epoch: 1, Sequence: 5}, Time: time.Now(),
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	bad := append([]byte(nil), forged.signed...)
	bad[len(bad)-1] ^= 1
	judge := func(data []byte) string {
		return map[bool]string{true: "taken", false: "not taken"}[b.gossip.judgeHead(a.id(), data) == 0]
	}
	if got := judge(bad); got != "not taken" {
		t.Errorf("a forged head was %s", got)
	}
	if got := judge(make([]byte, maxSigned+1)); got != "not taken" {
		t.Errorf("an oversize head was %s", got)
	}
	personal, err := seal(stranger, forged.Head, true)
	if err != nil {
		t.Fatal(err)
	}
	if got := judge(personal.signed); got != "not taken" {
		t.Errorf("a personal head in gossip was %s", got)
	}
	if got := judge(forged.signed); got != "taken" {
		t.Errorf("a good head was %s", got)
	}

	// One author, far too often.
	taken := 0
	for i := range uint64(100) {
		h, err := seal(stranger, domain.Head{
			Peer: id, Version: domain.Version{Epoch: 1, Sequence: 6 + i}, Time: time.Now(),
		}, false)
		if err != nil {
			t.Fatal(err)
		}
		if judge(h.signed) == "taken" {
			taken++
		}
	}
	if taken == 0 || taken > 2*authorBurst {
		t.Errorf("%d of 100 heads of one author at once were taken", taken)
	}
}

func TestAFloodIsDroppedBeforeItIsLookedAt(t *testing.T) {
	t.Parallel()
	a, b := newNode(t), newNode(t)
	b.start(quick())
	dial(t, a, b)
	flood := func() *pubsub.RPC {
		rpc := &pubsub.RPC{}
		rpc.Publish = make([]*pubsubpb.Message, forwarderBurst)
		rpc.Control = &pubsubpb.ControlMessage{
			Graft: []*pubsubpb.ControlGraft{{}},
			Prune: []*pubsubpb.ControlPrune{{Peers: []*pubsubpb.PeerInfo{{PeerID: []byte("somewhere else")}}}},
		}
		return rpc
	}
	if err := b.gossip.inspect(a.ID(), flood()); err == nil {
		t.Error("a far peer was let through")
	}
	b.judge(a, domain.Asker{Near: true})
	first, second := flood(), flood()
	for _, rpc := range []*pubsub.RPC{first, second} {
		if err := b.gossip.inspect(a.ID(), rpc); err != nil {
			t.Fatal(err)
		}
	}
	if len(first.GetPublish()) != forwarderBurst || len(second.GetPublish()) != 0 {
		t.Errorf("%d and then %d messages passed", len(first.GetPublish()), len(second.GetPublish()))
	}
	if len(second.GetControl().GetGraft()) != 1 {
		t.Error("control of the mesh was dropped with the flood")
	}
	if len(first.GetControl().GetPrune()[0].GetPeers()) != 0 {
		t.Error("a peer could make us dial")
	}
}

func TestForgedHeadInASwapEndsIt(t *testing.T) {
	t.Parallel()
	a, b := newNode(t), newNode(t)
	b.start(quick())
	dial(t, a, b)
	b.judge(a, domain.Asker{Near: true})

	_, id := newKey(t)
	mine, err := seal(a.Peerstore().PrivKey(a.ID()), domain.Head{Peer: a.id(), Time: time.Now()}, false)
	if err != nil {
		t.Fatal(err)
	}
	forged := append([]byte(nil), mine.signed...)
	forged[len(forged)-1] ^= 1
	for name, known := range map[string]*pb.Known{
		"a broken signature": {Kind: pb.Kind_KIND_HEAD, Signed: forged},
		"no head":            {Kind: pb.Kind_KIND_HEAD, Signed: []byte(id)},
		"too large":          {Kind: pb.Kind_KIND_HEAD, Signed: make([]byte, maxSigned+1)},
	} {
		s, err := a.NewStream(t.Context(), b.ID(), headsProtocol)
		if err != nil {
			t.Fatal(err)
		}
		if err := writeSwap(s, &pb.Swap{Known: []*pb.Known{known}}); err != nil {
			t.Fatal(err)
		}
		if err := drain(s); err == nil {
			t.Errorf("%s: the stream ended well", name)
		}
	}
	// A kind of the future is no fault.
	s, err := a.NewStream(t.Context(), b.ID(), headsProtocol)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeSwap(s, &pb.Swap{
		Known: []*pb.Known{{Kind: 77, Signed: []byte("x")}, {Kind: pb.Kind_KIND_HEAD, Signed: mine.signed}},
		Last:  true,
	}); err != nil {
		t.Fatal(err)
	}
	if err := drain(s); err != nil {
		t.Errorf("a push with a kind of the future: %v", err)
	}
	b.waitHead(a, 0)
}

func newKey(t testing.TB) (crypto.PrivKey, domain.PeerID) {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, domain.PeerID(id.String())
}
