package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/multiformats/go-multistream"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// maxStreams is how many streams of one protocol a peer may have open.
	maxStreams = 16
	// firstWord is how long a peer that opened a stream may stay silent.
	firstWord = 30 * time.Second
	// openTimeout bounds the opening of a stream on a connection.
	openTimeout = 15 * time.Second
	// openPause is between two attempts while the peer's protocols come up.
	openPause = 200 * time.Millisecond
	// welcome is the first byte on a stream: whoever opened it may be there.
	welcome byte = 1
)

var errStreams = fmt.Errorf("%w: more streams than a peer may have open", domain.ErrBusy)

// Rule says who may open a stream of a protocol.
type Rule int

// The rules. Blocked peers may never.
const (
	NearOnly Rule = iota // near peers and friends
	Anyone               // whoever may connect at all
)

// admits reports whether asker may open a stream.
func (r Rule) admits(asker domain.Asker) bool {
	return r == Anyone || r == NearOnly && (asker.Near || asker.Friend)
}

// Handle serves a protocol, named like "/potluck/catalogue/1", to peers that
// use Open. Whoever may not by the rule, as judged for the very connection of
// each stream, is refused, and so is a seventeenth stream of a peer.
//
// handler runs in a goroutine of its own, which Close waits for; its context
// ends at Close, and when it returns the stream is closed. A peer that says
// nothing within 30 s is cut off; from its first bytes on, deadlines are the
// handler's business. asker is who asks now: a handler that answers many
// requests on one stream asks Asker(s.Conn()) for each.
func (h *Host) Handle(proto string, rule Rule, handler func(ctx context.Context, s network.Stream, asker domain.Asker)) {
	streams := &counter{counts: make(map[domain.PeerID]int)}
	h.libp2p.SetStreamHandler(protocol.ID(proto), func(s network.Stream) {
		if !h.tasks.begin() {
			_ = s.ResetWithError(network.StreamShutdown) // nothing to be done about it
			return
		}
		defer h.tasks.end()
		asker := h.Asker(s.Conn())
		if h.blocked(asker.Peer) || !rule.admits(asker) || rule == NearOnly && h.hidden() {
			_ = s.ResetWithError(network.StreamGated)
			return
		}
		if !streams.enter(asker.Peer) {
			h.complaints.About(asker.Peer, proto, errStreams)
			_ = s.ResetWithError(network.StreamResourceLimitExceeded)
			return
		}
		defer streams.leave(asker.Peer)
		if err := s.Scope().SetService(proto); err != nil {
			_ = s.ResetWithError(network.StreamResourceLimitExceeded)
			return
		}
		if err := greet(s); err != nil {
			_ = s.Reset()
			return
		}
		ctx, cancel := context.WithCancel(h.ctx)
		defer cancel()
		defer func() { _ = s.Close() }() // the other side sees to it that it got all
		handler(ctx, &patient{Stream: s}, asker)
	})
}

// greet lets the peer begin, and to do so soon.
func greet(s network.Stream) error {
	end := time.Now().Add(firstWord)
	if err := s.SetDeadline(end); err != nil {
		return err
	}
	if _, err := s.Write([]byte{welcome}); err != nil {
		return err
	}
	return s.SetWriteDeadline(time.Time{})
}

// patient is a stream with a deadline for the first bytes, which ends with
// them, or when the handler sets its own.
type patient struct {
	network.Stream
	begun atomic.Bool
}

// Read reads; what comes first ends the deadline.
func (p *patient) Read(b []byte) (int, error) {
	n, err := p.Stream.Read(b)
	if n > 0 && p.begun.CompareAndSwap(false, true) {
		if clearErr := p.Stream.SetReadDeadline(time.Time{}); err == nil {
			err = clearErr
		}
	}
	return n, err
}

// SetDeadline sets the handler's own deadlines.
func (p *patient) SetDeadline(t time.Time) error {
	p.begun.Store(true)
	return p.Stream.SetDeadline(t)
}

// SetReadDeadline sets the handler's own deadline for reading.
func (p *patient) SetReadDeadline(t time.Time) error {
	p.begun.Store(true)
	return p.Stream.SetReadDeadline(t)
}

// counter counts the streams of each peer.
type counter struct {
	mu     sync.Mutex
	counts map[domain.PeerID]int
}

func (c *counter) enter(id domain.PeerID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts[id] >= maxStreams {
		return false
	}
	c.counts[id]++
	return true
}

func (c *counter) leave(id domain.PeerID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts[id]--; c.counts[id] <= 0 {
		delete(c.counts, id)
	}
}

// Open opens a stream of a protocol to the peer, on its newest connection, and
// makes one if there is none and an address is known, unless this machine is
// hidden. It returns when the peer
// has let us in. The context bounds the opening only. Errors:
// domain.ErrOffline if the peer cannot be reached, ErrVersion if it does not
// know the protocol, ErrRefused if it does not let us, or is blocked, ErrBusy
// if there are too many streams.
func (h *Host) Open(ctx context.Context, id domain.PeerID, proto string) (network.Stream, error) {
	s, err := h.open(ctx, id, proto)
	if err != nil {
		return nil, fmt.Errorf("open %s to %s: %w", proto, id.Short(), err)
	}
	return s, nil
}

func (h *Host) open(ctx context.Context, id domain.PeerID, proto string) (network.Stream, error) {
	if id == h.id {
		return nil, fmt.Errorf("%w: that is this machine", domain.ErrUsage)
	}
	if h.blocked(id) {
		return nil, fmt.Errorf("%w: the peer is blocked here", domain.ErrRefused)
	}
	for {
		if h.hidden() && !h.Connected(id) {
			return nil, fmt.Errorf("%w: nobody is dialled while this machine is hidden", domain.ErrOffline)
		}
		conn, opened, err := h.reach(ctx, id)
		if err != nil {
			return nil, err
		}
		s, err := openOn(ctx, conn, protocol.ID(proto))
		switch {
		case err == nil:
			return s, nil
		case conn.IsClosed() && h.Connected(id) && ctx.Err() == nil:
			continue // another connection has taken its place
		case !errors.Is(err, domain.ErrVersion) || time.Since(opened) > h.times.handlers:
			return nil, err
		}
		// The peer may have been started this moment, and say hello before all
		// of its protocols are up.
		select {
		case <-ctx.Done():
			return nil, err
		case <-h.ctx.Done():
			return nil, err
		case <-time.After(openPause):
		}
	}
}

// Reach connects to the peer, unless that is done already, also while this
// machine is hidden: it is for what is fetched. The error is
// domain.ErrOffline if it cannot be reached, or ErrRefused if it is blocked.
func (h *Host) Reach(ctx context.Context, id domain.PeerID) error {
	if h.blocked(id) {
		return fmt.Errorf("connect to %s: %w: the peer is blocked here", id.Short(), domain.ErrRefused)
	}
	if _, _, err := h.reach(ctx, id); err != nil {
		return fmt.Errorf("connect to %s: %w", id.Short(), err)
	}
	return nil
}

// reach returns the newest connection to a peer, or a new one.
func (h *Host) reach(ctx context.Context, id domain.PeerID) (conn network.Conn, opened time.Time, err error) {
	if links := h.linksOf(id); len(links) > 0 {
		return links[0].conn, links[0].opened, nil
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err = h.dialKnown(ctx, id)
	switch {
	case err == nil:
		return conn, time.Now(), nil
	case errors.Is(err, domain.ErrOffline), errors.Is(err, context.Canceled):
		return nil, time.Time{}, err
	default:
		return nil, time.Time{}, fmt.Errorf("%w: %w", domain.ErrOffline, err)
	}
}

// openOn opens a stream of a protocol on this very connection; libp2p would
// take whichever it likes best.
func openOn(ctx context.Context, conn network.Conn, proto protocol.ID) (network.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	s, err := conn.NewStream(ctx)
	if err != nil {
		return nil, explain(ctx, err)
	}
	if err := negotiate(ctx, s, proto); err != nil {
		_ = s.ResetWithError(network.StreamProtocolNegotiationFailed)
		return nil, explain(ctx, err)
	}
	return s, nil
}

func negotiate(ctx context.Context, s network.Stream, proto protocol.ID) error {
	// Reads do not look at contexts.
	stop := context.AfterFunc(ctx, func() { _ = s.SetDeadline(time.Unix(1, 0)) })
	err := multistream.SelectProtoOrFail(proto, s)
	if err == nil {
		err = s.SetProtocol(proto)
	}
	if err == nil && proto != ping.ID {
		first := []byte{0}
		if _, err = io.ReadFull(s, first); err == nil && !bytes.Equal(first, []byte{welcome}) {
			err = fmt.Errorf("%w: no welcome on the stream", domain.ErrMalformed)
		}
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	return s.SetDeadline(time.Time{})
}

// explain gives what libp2p says about a stream that did not come about the
// kind that it means.
func explain(ctx context.Context, err error) error {
	kind := domain.ErrOffline
	var reset *network.StreamError
	switch {
	case errors.Is(err, multistream.ErrNotSupported[protocol.ID]{}):
		kind = domain.ErrVersion
	case errors.As(err, &reset) && reset.ErrorCode == network.StreamGated:
		kind = domain.ErrRefused
	case errors.As(err, &reset) && reset.ErrorCode == network.StreamResourceLimitExceeded,
		errors.Is(err, network.ErrResourceLimitExceeded):
		kind = domain.ErrBusy
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("given up: %w", ctx.Err())
	case errors.Is(err, domain.ErrMalformed):
		return err
	}
	return fmt.Errorf("%w: %w", kind, err)
}
