package gossip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
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
// A peer's topics come once, first on the stream that it opens; and pubsub
// forgets them when the stream that we opened to it ends, which happens whenever
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
	greeting []byte // the message that says our topics
	timing   timing
	meet     func(id peer.ID) // admits it and swaps heads

	mu      sync.Mutex
	streams map[*gatedStream]struct{}
	closed  bool
}

func newGate(h libp2phost.Host, near func(network.Conn) bool, meet func(peer.ID), timing timing, topics []string) (*gate, error) {
	greeting, err := greeting(topics)
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
		greeting: greeting,
		timing:   timing,
		meet:     meet,
		streams:  make(map[*gatedStream]struct{}),
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
	if !g.anyNear(id) {
		return nil, errFar
	}
	s, err := g.Host.NewStream(network.WithNoDial(ctx, "pubsub"), id, protos...)
	if err != nil {
		g.againLater(id, g.admitAgain)
		return nil, err
	}
	// The stream may run over another connection than the one that is near.
	if !g.near(s.Conn()) {
		_ = s.Reset()
		g.againLater(id, g.admitAgain)
		return nil, errFar
	}
	return g.track(s, true)
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
		err := s.SetWriteDeadline(time.Now().Add(greetTimeout))
		if err == nil {
			_, err = s.Write(g.greeting)
		}
		if err != nil {
			_ = s.Reset() // half a message may be out; pubsub opens another
		}
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

// againLater calls f after a while, if the peer is near then.
func (g *gate) againLater(id peer.ID, f func(id peer.ID)) {
	time.AfterFunc(g.timing.reopen, func() {
		g.mu.Lock()
		closed := g.closed
		g.mu.Unlock()
		if !closed && g.anyNear(id) {
			f(id)
		}
	})
}

func (g *gate) admitAgain(id peer.ID) {
	_ = g.admit(id) // fails at the end only
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
	for _, proto := range g.protos {
		g.RemoveStreamHandler(proto)
	}
	g.mu.Lock()
	g.closed = true
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
	switch {
	case !known || !s.ours || g.closed:
	case time.Since(s.opened) < g.timing.settle:
		// Most likely we are far for the peer.
		g.againLater(s.Conn().RemotePeer(), g.admitAgain)
	default:
		g.againLater(s.Conn().RemotePeer(), g.meet)
	}
}

// gatedStream is one of pubsub's streams.
type gatedStream struct {
	network.Stream
	gate   *gate
	ours   bool // we opened it, and only we write to it
	opened time.Time

	writing sync.Mutex // one message after the other
}

// Write writes a whole message to a peer that is still near.
func (s *gatedStream) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if !s.gate.near(s.Conn()) {
		_ = s.Reset()
		return 0, errFar
	}
	return s.Stream.Write(p)
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
