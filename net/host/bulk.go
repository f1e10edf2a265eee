package host

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/potluck-share/potluck/app/domain"
)

// Bulk is a connection of its own for one protocol that moves a lot: TLS with
// the identities of both sides over TCP, on the port of all others, without a
// multiplexer, which costs about as much as the encryption. One goroutine may
// read while another one writes; whoever writes does it in large portions, for
// each is sent at once. The other methods may be called at any time.
type Bulk struct {
	h       *Host
	conn    *tls.Conn
	raw     *corked
	scope   network.ConnManagementScope
	id      domain.PeerID
	pid     peer.ID
	remote  ma.Multiaddr
	rule    Rule
	inbound bool
	wasNear bool // when it began

	end    sync.Once
	closed atomic.Bool
}

// Read reads what has come.
func (b *Bulk) Read(p []byte) (int, error) { return b.conn.Read(p) }

// Write sends p.
func (b *Bulk) Write(p []byte) (int, error) {
	b.raw.hold()
	n, err := b.conn.Write(p)
	if flushErr := b.raw.release(); err == nil {
		err = flushErr
	}
	return n, err
}

// SetReadDeadline bounds the reads. One that has failed by it may be tried
// again.
func (b *Bulk) SetReadDeadline(t time.Time) error { return b.conn.SetReadDeadline(t) }

// SetWriteDeadline bounds the writes. After one that has failed by it the
// connection is of no more use.
func (b *Bulk) SetWriteDeadline(t time.Time) error { return b.conn.SetWriteDeadline(t) }

// Reset ends the connection without delivering what is on its way.
func (b *Bulk) Reset() error {
	var err error
	b.end.Do(func() {
		b.closed.Store(true)
		b.h.bulks.remove(b)
		// The peer is told at once, even if it reads nothing any more.
		linger(b.raw.Conn, 0)
		err = b.raw.Close()
		b.scope.Done()
	})
	return err
}

// Peer returns who is at the other end.
func (b *Bulk) Peer() domain.PeerID { return b.id }

// Asker says who is at the other end of this very connection, as Host.Asker
// does.
func (b *Bulk) Asker() domain.Asker {
	if b.closed.Load() {
		return domain.Asker{Peer: b.id}
	}
	return b.h.askerAt(b.id, b.remote)
}

// stays reports whether the connection may go on.
func (b *Bulk) stays() bool {
	asker := b.Asker()
	switch {
	case b.h.blocked(b.id), b.wasNear && !asker.Near, b.inbound && b.h.hidden():
		return false
	default:
		// Nearness judges what is given. What a far owner gives is taken.
		return !b.inbound || b.rule.admits(asker)
	}
}

// bulks are the bulk connections that live.
type bulks struct {
	identity *libp2ptls.Identity // never changes
	shaking  atomic.Int32        // inbound handshakes that go on

	mu       sync.Mutex
	closed   bool
	live     map[*Bulk]struct{}
	handlers map[string]bulkHandler
	failed   map[place]pause // where it did not work
}

type bulkHandler struct {
	rule  Rule
	serve func(ctx context.Context, b *Bulk)
}

// add takes a connection in; false if the host ends or its peer has too many.
func (s *bulks) add(b *Bulk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("%w: the network is stopped", domain.ErrOffline)
	}
	n := 0
	for other := range s.live {
		if other.id == b.id && other.inbound == b.inbound {
			n++
		}
	}
	if n >= maxBulks {
		return fmt.Errorf("%w: %d bulk connections with one peer", domain.ErrBusy, n)
	}
	if s.live == nil {
		s.live = make(map[*Bulk]struct{})
	}
	s.live[b] = struct{}{}
	return nil
}

func (s *bulks) remove(b *Bulk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, b)
}

func (s *bulks) list() []*Bulk {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Bulk, 0, len(s.live))
	for b := range s.live {
		list = append(list, b)
	}
	return list
}

func (s *bulks) handler(proto string) (bulkHandler, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	handler, ok := s.handlers[proto]
	return handler, ok
}

// close ends all connections, and lets no more begin.
func (s *bulks) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, b := range s.list() {
		_ = b.Reset() // it ends in any case
	}
}

// reviewBulks ends the connections that may not stay.
func (h *Host) reviewBulks() {
	for _, b := range h.bulks.list() {
		if !b.stays() {
			h.log.Debug("closing a bulk connection", "peer", b.id.Short(), "addr", b.remote.String())
			_ = b.Reset() // it ends in any case
		}
	}
}
