package gossip

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/libp2p/go-libp2p/core/event"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
)

var errFar = errors.New("the peer is not near")

// gate is the libp2p host as pubsub may see it: a network of near peers only.
// pubsub's own filter is asked for the mesh and at no other time, so a far
// peer could still be sent subscriptions and send us messages.
//
// pubsub learns of a peer when admit is called, or when a near one opens a
// stream to us, and in no other way. Streams of others are reset, and so is a
// stream whose connection is no longer near when something is to be written.
type gate struct {
	libp2phost.Host
	near     func(network.Conn) bool
	bus      event.Bus
	admitted event.Emitter
	protos   []protocol.ID

	mu      sync.Mutex
	streams map[*gatedStream]struct{}
	closed  bool
}

func newGate(h libp2phost.Host, near func(network.Conn) bool, protos ...protocol.ID) (*gate, error) {
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
		protos:   protos,
		streams:  make(map[*gatedStream]struct{}),
	}, nil
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
		return nil, err
	}
	// The stream may run over another connection than the one that is near.
	if !g.near(s.Conn()) {
		_ = s.Reset()
		return nil, errFar
	}
	return g.track(s)
}

// SetStreamHandler serves streams of near peers.
func (g *gate) SetStreamHandler(proto protocol.ID, handler network.StreamHandler) {
	g.Host.SetStreamHandler(proto, func(s network.Stream) {
		if !g.near(s.Conn()) {
			_ = s.Reset()
			return
		}
		gated, err := g.track(s)
		if err != nil {
			return
		}
		// We may have been far for the peer when we tried to open ours.
		if err := g.admit(s.Conn().RemotePeer()); err != nil {
			_ = gated.Reset()
			return
		}
		handler(gated)
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

func (g *gate) track(s network.Stream) (*gatedStream, error) {
	gated := &gatedStream{Stream: s, gate: g}
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
	delete(g.streams, s)
}

// gatedStream is one of pubsub's streams.
type gatedStream struct {
	network.Stream
	gate *gate
}

// Write writes to a peer that is still near.
func (s *gatedStream) Write(p []byte) (int, error) {
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
