package hostile_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	pubsubpb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/gossip"
	gossippb "github.com/potluck-share/potluck/net/gossip/pb"
)

// heads are attacks by what a peer announces.
func heads() []row {
	return []row{
		{name: "heads with numbers beyond all bounds", attack: headsBeyondBounds},
		{name: "heads with the largest numbers there are", attack: largestHeads},
		{name: "heads in another's name", attack: headsOfOthers},
		{name: "back-off beyond all bounds", attack: backoffs},
	}
}

// anyHead is signed as a head is, whatever is in it: Seal of net/gossip refuses
// to.
type anyHead struct{ *gossippb.Head }

func (anyHead) Domain() string                   { return "potluck-head" }
func (anyHead) Codec() []byte                    { return []byte("/potluck/head/1") }
func (h anyHead) MarshalRecord() ([]byte, error) { return proto.Marshal(h.Head) }
func (anyHead) UnmarshalRecord([]byte) error     { return nil }

// signs signs a head with the rogue's key.
func (r *rogue) signs(head *gossippb.Head) []byte {
	r.t.Helper()
	envelope, err := record.Seal(anyHead{head}, r.key())
	if err != nil {
		r.t.Fatal(err)
	}
	signed, err := envelope.Marshal()
	if err != nil {
		r.t.Fatal(err)
	}
	return signed
}

// pushes sends heads to the victim over a stream.
func (r *rogue) pushes(v *victim, heads ...[]byte) {
	r.t.Helper()
	stream, err := r.Open(r.t.Context(), v.id, "/potluck/heads/1")
	if err != nil {
		r.t.Fatal(err)
	}
	m := &gossippb.Swap{Last: true}
	for _, signed := range heads {
		m.Known = append(m.Known, &gossippb.Known{Kind: gossippb.Kind_KIND_HEAD, Signed: signed})
	}
	if !send(stream, m) {
		r.t.Fatal("the heads could not be sent")
	}
	r.sent.Add(int64(len(heads)))
	_ = stream.CloseWrite() // all was said
}

func headsBeyondBounds(s *stage) (sent, outcome string) {
	n := 0
	for why, change := range map[string]func(h *gossippb.Head){
		"a sequence of 2^63":      func(h *gossippb.Head) { h.Sequence = 1 << 63 },
		"a sequence of 2^64 - 1":  func(h *gossippb.Head) { h.Sequence = math.MaxUint64 },
		"an epoch of 2^64 - 1":    func(h *gossippb.Head) { h.Epoch = math.MaxUint64 },
		"2^31 files":              func(h *gossippb.Head) { h.Entries = 1 << 31 },
		"2^64 - 1 bytes":          func(h *gossippb.Head) { h.Bytes = math.MaxUint64 },
		"a time before 1970":      func(h *gossippb.Head) { h.Time = -1 },
		"the first time there is": func(h *gossippb.Head) { h.Time = math.MinInt64 },
		"the last time there is":  func(h *gossippb.Head) { h.Time = math.MaxInt64 },
		"a name of 3 KB":          func(h *gossippb.Head) { h.Name = strings.Repeat("x", 3000) },
		"changes of 2 KB":         func(h *gossippb.Head) { h.Delta = make([]byte, 2000) },
		"a peer ID that is none":  func(h *gossippb.Head) { h.Peer = []byte("nobody") },
		"8 KB":                    func(h *gossippb.Head) { h.Delta = make([]byte, 8000) },
	} {
		r := newRogue(s.T, "Mallory")
		r.meets(s.ana)
		head := &gossippb.Head{Peer: []byte(r.Libp2p().ID()), Epoch: 1, Sequence: 1, Entries: 7, Time: time.Now().UnixMilli()}
		change(head)
		r.pushes(s.ana, r.signs(head))
		s.awaitNamed(r.ID(), why)
		s.blame(r.ID())
		if p := s.ana.person(r.ID()); p.Entries != 0 || p.Bytes != 0 {
			s.Errorf("of %s is kept: %+v", why, p)
		}
		n++
	}
	return fmt.Sprintf("%d heads", n), "all refused, nothing of them kept"
}

// largestHeads are within all bounds. They hold, hurt nobody but whoever signed
// them, and make nobody pull for ever.
func largestHeads(s *stage) (sent, outcome string) {
	r := newRogue(s.T, "Mallory")
	r.lists(newBlob(s.T, 4, 10).at("only"))
	r.meets(s.ana)
	signed, err := gossip.Seal(r.key(), domain.Head{
		Peer: r.ID(), Name: "Mallory", Version: domain.Version{Epoch: math.MaxInt64, Sequence: math.MaxInt64},
		Entries: math.MaxInt32, Bytes: math.MaxInt64, Time: time.UnixMilli(253402300799999),
	})
	if err != nil {
		s.Fatal(err)
	}
	r.pushes(s.ana, signed)
	waitFor(s.T, "the head is taken and the list pulled", func() bool {
		return r.pulled.Load() > 0 && strings.Contains(s.ana.do("browse", string(r.ID())), "only")
	})
	pulled := r.pulled.Load()
	for range 8 {
		r.pushes(s.ana, signed) // the same again
		if len(s.ana.do("peers")) == 0 || len(s.ana.do("search", "only")) == 0 {
			s.Error("nothing is shown any more")
		}
	}
	if now := r.pulled.Load(); now > pulled+3 {
		s.Errorf("the list was pulled %d times more", now-pulled)
	}
	s.beaShares("after the largest")
	return fmt.Sprintf("%d heads", r.sent.Load()), fmt.Sprintf("taken once, list pulled %d times; others' news arrive", r.pulled.Load())
}

// beaShares shares one more file of the honest neighbour, which must be seen.
func (s *stage) beaShares(name string) {
	s.Helper()
	path := filepath.Join(s.TempDir(), name)
	if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
		s.Fatal(err)
	}
	s.bea.do("share", path)
	defer s.bea.do("unshare", path)
	waitFor(s.T, "the news of the honest neighbour arrive", func() bool { return strings.Contains(s.ana.do("browse", string(s.bea.id)), name) })
}

// headsOfOthers claim that the honest neighbour, or the victim itself, shares
// nothing any more.
func headsOfOthers(s *stage) (sent, outcome string) {
	before := s.ana.person(s.bea.id)
	n := 0
	for _, author := range []domain.PeerID{s.bea.id, s.ana.id} {
		id, err := peer.Decode(string(author))
		if err != nil {
			s.Fatal(err)
		}
		r := newRogue(s.T, "Mallory")
		r.meets(s.ana)
		r.pushes(s.ana, r.signs(&gossippb.Head{Peer: []byte(id), Epoch: math.MaxInt64, Sequence: math.MaxInt64, Time: time.Now().UnixMilli()}))
		s.awaitNamed(r.ID(), "a head in another's name")
		s.blame(r.ID())
		n++
	}
	if now := s.ana.person(s.bea.id); now.Entries != before.Entries || now.Bytes != before.Bytes {
		s.Errorf("the honest neighbour was %+v and is %+v", before, now)
	}
	s.beaShares("after the forged")
	return fmt.Sprintf("%d heads", n), "refused; those they name are shown as before"
}

// backoffs ask the mesh to keep off for times that no clock can hold.
func backoffs(s *stage) (sent, outcome string) {
	r := newRogue(s.T, "Mallory")
	r.meets(s.ana)
	id, err := peer.Decode(string(s.ana.id))
	if err != nil {
		s.Fatal(err)
	}
	stream, err := r.Libp2p().NewStream(s.Context(), id, mesh)
	if err != nil {
		s.Fatal(err)
	}
	n := 0
	for _, topic := range []string{"/potluck/heads/1", questions, "/no/topic"} {
		yes := true
		if !send(stream, &pubsubpb.RPC{Subscriptions: []*pubsubpb.RPC_SubOpts{{Subscribe: &yes, Topicid: &topic}}}) {
			s.Fatal("it is hung up on before anything was said")
		}
		for _, backoff := range []uint64{0, 1, 1 << 31, math.MaxInt64/1_000_000_000 + 1, 1 << 62, math.MaxInt64, 1 << 63, math.MaxUint64} {
			if !send(stream, &pubsubpb.RPC{Control: &pubsubpb.ControlMessage{
				Graft: []*pubsubpb.ControlGraft{{TopicID: &topic}},
				Prune: []*pubsubpb.ControlPrune{{TopicID: &topic, Backoff: &backoff}},
			}}) {
				break // it has had enough
			}
			n++
		}
	}
	news := filepath.Join(s.TempDir(), "after the back-off")
	if err := os.WriteFile(news, []byte(s.Name()), 0o600); err != nil {
		s.Fatal(err)
	}
	s.bea.do("share", news)
	begun := time.Now()
	waitFor(s.T, "others' news arrive", func() bool {
		return strings.Contains(s.ana.do("browse", string(s.bea.id)), "after the back-off")
	})
	return fmt.Sprintf("%d of them", n), fmt.Sprintf("others' news arrive after %v", time.Since(begun).Round(100*time.Millisecond))
}
