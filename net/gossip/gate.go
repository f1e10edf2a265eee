package gossip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	pubsubpb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/event"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"
)

// greetTimeout is how long a peer may leave a repeated greeting unread.
const greetTimeout = 5 * time.Second

var errFar = errors.New("the peer is not near")

// gate is the libp2p host as pubsub may see it: a network of near peers only.
// pubsub's own filter is asked for the mesh and at no other time, so a far
// peer could still be sent subscriptions and send us messages.
//
// pubsub learns of a peer when admit is called, or when a near one opens a
// stream to us, and in no other way. Streams of others are reset, and so is a
// stream whose connection is no longer near when something is to be written.
//
// A peer's topics come once, as the first message on the stream that it opens;
// and pubsub forgets them when the stream that we opened to it ends, which happens whenever
// one side counts the other as near a moment earlier. So who opens a stream to
// us may have forgotten our topics, and is told them again. And pubsub opens its
// streams anew four times in ten minutes at most, so a peer whose stream has
// ended is met or admitted again later, which also brings what passed it by.
type gate struct {
	libp2phost.Host
	near     func(network.Conn) bool
	bus      event.Bus
	admitted event.Emitter
	protos   []protocol.ID
	hello    []byte // the message that says our topics
	timing   timing
	meet     func(id peer.ID) // admits it and swaps heads

	mu      sync.Mutex
	streams map[*gatedStream]struct{}
	later   map[peer.ID]*later
	closed  bool
}

// later is a peer who is met or admitted again after a while.
type later struct {
	timer *time.Timer
	lost  bool // something may have passed it by, so it is met
}

func newGate(h libp2phost.Host, near func(network.Conn) bool, meet func(peer.ID), timing timing, topics []string) (*gate, error) {
	hello, err := greeting(topics)
	if err != nil {
		return nil, err
	}
	bus := eventbus.NewBus()
	admitted, err := bus.Emitter(new(event.EvtPeerProtocolsUpdated))
	if err != nil {
		return nil, fmt.Errorf("announcing near peers to pubsub: %w", err)
	}
	return &gate{
		Host:     h,
		near:     near,
		bus:      bus,
		admitted: admitted,
		protos:   []protocol.ID{meshProtocol},
		hello:    hello,
		timing:   timing,
		meet:     meet,
		streams:  make(map[*gatedStream]struct{}),
		later:    make(map[peer.ID]*later),
	}, nil
}

// greeting returns the message of gossipsub that says which topics we are in.
func greeting(topics []string) ([]byte, error) {
	var rpc pubsubpb.RPC
	for _, name := range topics {
		rpc.Subscriptions = append(rpc.Subscriptions, &pubsubpb.RPC_SubOpts{Subscribe: proto.Bool(true), Topicid: proto.String(name)})
	}
	var b bytes.Buffer
	if _, err := protodelim.MarshalTo(&b, &rpc); err != nil {
		return nil, fmt.Errorf("writing the topics: %w", err)
	}
	return b.Bytes(), nil
}

// admit tells pubsub of a near peer. One that it knows already is left alone.
func (g *gate) admit(id peer.ID) error {
	return g.admitted.Emit(event.EvtPeerProtocolsUpdated{Peer: id, Added: g.protos})
}

// EventBus returns a bus on which nothing but admitted peers is heard.
func (g *gate) EventBus() event.Bus { return g.bus }

// Connect dials nobody: connections are not pubsub's to make.
func (g *gate) Connect(_ context.Context, info peer.AddrInfo) error {
	return fmt.Errorf("connecting to %s for pubsub: not wanted", info.ID)
}

// NewStream opens a stream to a near peer over a connection that is there.
func (g *gate) NewStream(ctx context.Context, id peer.ID, protos ...protocol.ID) (network.Stream, error) {
	s, err := g.open(ctx, id, protos)
	if err != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.againLater(id, false)
		return nil, err
	}
	return g.track(s, true)
}

func (g *gate) open(ctx context.Context, id peer.ID, protos []protocol.ID) (network.Stream, error) {
	if !g.anyNear(id) {
		return nil, errFar
	}
	s, err := g.Host.NewStream(network.WithNoDial(ctx, "pubsub"), id, protos...)
	if err != nil {
		return nil, err
	}
	// The stream may run over another connection than the one that is near.
	if !g.near(s.Conn()) {
		_ = s.Reset()
		return nil, errFar
	}
	return s, nil
}

// SetStreamHandler serves streams of near peers.
func (g *gate) SetStreamHandler(id protocol.ID, handler network.StreamHandler) {
	g.Host.SetStreamHandler(id, func(s network.Stream) {
		if !g.near(s.Conn()) {
			_ = s.Reset()
			return
		}
		gated, err := g.track(s, false)
		if err != nil {
			return
		}
		// We may have been far for the peer when we tried to open ours.
		if err := g.admit(s.Conn().RemotePeer()); err != nil {
			_ = gated.Reset()
			return
		}
		g.greet(s.Conn().RemotePeer())
		handler(gated)
	})
}

// greet tells the peer our topics, once more if it was told them.
func (g *gate) greet(id peer.ID) {
	for _, s := range g.with(id, true) {
		s.greet()
	}
}

// with returns the streams with a peer that we opened, or those that it opened.
func (g *gate) with(id peer.ID, ours bool) []*gatedStream {
	g.mu.Lock()
	defer g.mu.Unlock()
	var streams []*gatedStream
	for s := range g.streams {
		if s.ours == ours && s.Conn().RemotePeer() == id {
			streams = append(streams, s)
		}
	}
	return streams
}

// againLater admits a peer again after a while, if it is near then, and meets it if
// something may be lost. The lock is held.
func (g *gate) againLater(id peer.ID, lost bool) {
	if g.closed {
		return
	}
	l := g.later[id]
	if l != nil { // once is enough, however often streams end
		l.lost = l.lost || lost
		return
	}
	l = &later{lost: lost}
	g.later[id] = l
	l.timer = time.AfterFunc(g.timing.reopen, func() {
		g.mu.Lock()
		delete(g.later, id)
		closed, lost := g.closed, l.lost
		g.mu.Unlock()
		switch {
		case closed || !g.anyNear(id):
		case lost:
			g.meet(id)
		default:
			_ = g.admit(id) // fails at the end only
		}
	})
}

func (g *gate) anyNear(id peer.ID) bool {
	for _, conn := range g.Network().ConnsToPeer(id) {
		if g.near(conn) {
			return true
		}
	}
	return false
}

// close ends all of pubsub's streams and with them the goroutines that read
// them.
func (g *gate) close() {
	for _, id := range g.protos {
		g.RemoveStreamHandler(id)
	}
	g.mu.Lock()
	g.closed = true
	for _, l := range g.later {
		l.timer.Stop()
	}
	streams := make([]*gatedStream, 0, len(g.streams))
	for s := range g.streams {
		streams = append(streams, s)
	}
	g.mu.Unlock()
	for _, s := range streams {
		_ = s.Reset()
	}
}

func (g *gate) track(s network.Stream, ours bool) (*gatedStream, error) {
	gated := &gatedStream{Stream: s, gate: g, ours: ours, opened: time.Now()}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		_ = s.Reset()
		return nil, errors.New("gossip has ended")
	}
	g.streams[gated] = struct{}{}
	return gated, nil
}

func (g *gate) forget(s *gatedStream) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, known := g.streams[s]
	delete(g.streams, s)
	if known && s.ours {
		// Where it ends soon we are far for the peer, most likely.
		g.againLater(s.Conn().RemotePeer(), time.Since(s.opened) >= g.timing.settle)
	}
}

// gatedStream is one of pubsub's streams.
type gatedStream struct {
	network.Stream
	gate   *gate
	ours   bool // we opened it, and only we write to it
	opened time.Time

	writing  sync.Mutex  // one message after the other
	greeting atomic.Bool // one waits to be written
}

// SetWriteDeadline bounds the next message, not one that is being written.
func (s *gatedStream) SetWriteDeadline(t time.Time) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.Stream.SetWriteDeadline(t)
}

// Write writes a whole message to a peer that is still near. After a failure
// nothing follows: half a message may be out.
func (s *gatedStream) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.write(p)
}

func (s *gatedStream) write(p []byte) (n int, err error) {
	if err = errFar; s.gate.near(s.Conn()) {
		n, err = s.Stream.Write(p)
	}
	if err != nil {
		_ = s.Reset()
	}
	return n, err
}

// greet says our topics, once more if they were said.
func (s *gatedStream) greet() {
	if !s.greeting.CompareAndSwap(false, true) {
		return // somebody does
	}
	defer s.greeting.Store(false)
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.Stream.SetWriteDeadline(time.Now().Add(greetTimeout)); err != nil {
		_ = s.Reset()
		return
	}
	_, _ = s.write(s.gate.hello) // the stream has ended then, and pubsub opens another
}

// Close ends the stream well.
func (s *gatedStream) Close() error {
	s.gate.forget(s)
	return s.Stream.Close()
}

// Reset ends the stream at once.
func (s *gatedStream) Reset() error {
	s.gate.forget(s)
	return s.Stream.Reset()
}
