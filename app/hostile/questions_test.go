package hostile_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pubsubpb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/record"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/catalogue"
	gossippb "github.com/potluck-share/potluck/net/gossip/pb"
	"github.com/potluck-share/potluck/net/host"
)

const (
	mesh      = "/potluck/meshsub/1"
	answers   = "/potluck/answers/1"
	questions = "/potluck/questions/1"
)

// anyRecord is signed for a purpose, whatever is in it.
type anyRecord struct {
	proto.Message
	domain, codec string
}

func (r anyRecord) Domain() string                 { return r.domain }
func (r anyRecord) Codec() []byte                  { return []byte(r.codec) }
func (r anyRecord) MarshalRecord() ([]byte, error) { return proto.Marshal(r.Message) }
func (anyRecord) UnmarshalRecord([]byte) error     { return nil }

// somebody makes a key up.
func somebody(s *stage) (crypto.PrivKey, []byte) {
	s.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		s.Fatal(err)
	}
	return key, []byte(id)
}

func signed(s *stage, key crypto.PrivKey, r record.Record) []byte {
	s.Helper()
	envelope, err := record.Seal(r, key)
	if err != nil {
		s.Fatal(err)
	}
	raw, err := envelope.Marshal()
	if err != nil {
		s.Fatal(err)
	}
	return raw
}

// manyQuestions asks thousands of things under fifty names, each of which costs
// the victim a look at all that it shares.
func manyQuestions(s *stage) (sent, outcome string) {
	const names, each = 50, 60
	songs := s.TempDir()
	for i := range 300 {
		if err := os.WriteFile(filepath.Join(songs, fmt.Sprintf("jazz %d", i)), []byte{byte(i)}, 0o600); err != nil {
			s.Fatal(err)
		}
	}
	s.ana.do("share", songs)
	r := newRogue(s.T, "Mallory")
	s.blame(r.ID())
	r.Handle(answers, host.NearOnly, func(context.Context, network.Stream, domain.Asker) {
		r.sent.Add(1)
	})
	ps, err := pubsub.NewGossipSub(s.Context(), r.Libp2p(),
		pubsub.WithGossipSubProtocols([]protocol.ID{mesh}, func(f pubsub.GossipSubFeature, _ protocol.ID) bool { return f == pubsub.GossipSubFeatureMesh }),
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign), pubsub.WithNoAuthor(), pubsub.WithPeerOutboundQueueSize(2*names*each),
		pubsub.WithMessageIdFn(func(m *pubsubpb.Message) string { return string(m.GetData()) }))
	if err != nil {
		s.Fatal(err)
	}
	topic, err := ps.Join(questions)
	if err != nil {
		s.Fatal(err)
	}
	if _, err := topic.Relay(); err != nil {
		s.Fatal(err)
	}
	r.meets(s.ana)
	waitFor(s.T, "the mesh is there", func() bool { return len(topic.ListPeers()) > 0 })
	time.Sleep(time.Second)
	begun := time.Now()
	for range names {
		key, id := somebody(s)
		for range each {
			q := &gossippb.Question{Peer: id, Id: make([]byte, 16), Words: []string{"jazz"}}
			_, _ = rand.Read(q.Id) // never fails
			if err := topic.Publish(s.Context(), signed(s, key, anyRecord{q, "potluck-question", "/potluck/question/1"})); err != nil {
				s.Fatal(err)
			}
		}
	}
	key, id := somebody(s)
	for _, words := range [][]string{nil, {""}, make([]string, 1000)} {
		q := &gossippb.Question{Peer: id, Id: make([]byte, 16), Words: words}
		if err := topic.Publish(s.Context(), signed(s, key, anyRecord{q, "potluck-question", "/potluck/question/1"})); err != nil {
			s.Fatal(err)
		}
	}
	s.awaitNamed(r.ID(), "questions without words")
	waitFor(s.T, "some questions are answered", func() bool { return r.sent.Load() > 0 })
	time.Sleep(time.Second)
	// What one peer may pass on for others at once, and for as long as this took.
	if n := r.sent.Load(); n > 200+20*int64(time.Since(begun).Seconds()+1) {
		s.Errorf("%d questions were answered in %v", n, time.Since(begun))
	}
	return fmt.Sprintf("%d questions of %d names", names*each, names), fmt.Sprintf("%d answered", r.sent.Load())
}

// manyAnswers answers what nobody has asked with what is easily found, and at last
// with what is no answer.
func manyAnswers(s *stage) (sent, outcome string) {
	r := newRogue(s.T, "Mallory")
	r.meets(s.ana)
	s.blame(r.ID())
	packer, err := catalogue.NewClient(r, catalogue.Config{})
	if err != nil {
		s.Fatal(err)
	}
	found, err := packer.Pack([]domain.Entry{{Path: "planted.txt", Size: 1, Modified: time.Unix(1.7e9, 0), Content: domain.ContentID{1}}}, 2000)
	if err != nil {
		s.Fatal(err)
	}
	m := &gossippb.Answers{}
	for range 64 {
		key, id := somebody(s)
		a := &gossippb.Answer{Peer: id, Question: make([]byte, 16), Found: found}
		m.Signed = append(m.Signed, signed(s, key, anyRecord{a, "potluck-answer", "/potluck/answer/1"}))
	}
	n := 0
	for range 600 {
		stream, err := r.Open(s.Context(), s.ana.id, answers)
		if err != nil {
			break
		}
		if send(stream, m) {
			n++
		}
		_ = stream.Close()
	}
	if out := s.ana.do("search", "planted"); strings.Contains(out, "planted.txt") {
		s.Errorf("what nobody asked for is found: %s", out)
	}
	m.Signed[0] = m.Signed[0][:len(m.Signed[0])/2]
	waitFor(s.T, "she listens again", func() bool { // she heard more than she wants
		stream, err := r.Open(s.Context(), s.ana.id, answers)
		return err == nil && send(stream, m)
	})
	s.awaitNamed(r.ID(), "an answer cut short")
	return fmt.Sprintf("%d answers in %d streams", 64*n, n), "none found; named for one cut short"
}
