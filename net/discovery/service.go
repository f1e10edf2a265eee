// Package discovery finds peers on the local network by DNS-SD over multicast
// DNS, beside whatever other responder the machine runs, and by subnet
// broadcast where multicast does not pass.
//
// A Service announces this peer on every usable interface with that
// interface's addresses only, listens, and reports sightings. Nothing that it
// hears is trusted: a sighting says where somebody claims to be, and only a
// connection proves it. All methods may be called from any goroutine.
package discovery

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// Config is what a Service needs.
type Config struct {
	// Peer is this peer's own ID, of an Ed25519 key.
	Peer domain.PeerID
	// TCP and UDP return the ports to announce, 0 for none. They are asked
	// again for every announcement and must not block.
	TCP, UDP func() int
	// Sighted is told of each sighting, in order, from one goroutine. It must
	// not block and must not call Close. A peer is sighted once per
	// interface; Gone speaks of that interface alone.
	Sighted func(domain.Sighting)
	// Changed is told when interfaces, addresses or the network have changed,
	// from the same goroutine as Sighted and under the same terms.
	Changed func()
	Log     *slog.Logger
	// Now returns the wall clock's time; time.Now if nil.
	Now func() time.Time
}

// Service is a running discovery. Make one with Start.
type Service struct{}

// Start begins to announce and to listen until ctx ends or Close is called. It
// never fails for lack of a network: it waits for one. The only error is a
// Config that cannot work.
func Start(ctx context.Context, cfg Config) (*Service, error) {
	_, _ = ctx, cfg
	return &Service{}, nil
}

// Close says goodbye on all interfaces, ends the service and waits for it.
func (s *Service) Close() error { return nil }

// Prefixes returns the own addresses, each with the length of its prefix, of
// all usable interfaces. The loopback interface is not among them.
func (s *Service) Prefixes() []netip.Prefix { return nil }

// Heard reports whether the peer was heard, by multicast or broadcast, within
// 24 hours on a network that is present now, and on which.
func (s *Service) Heard(peer domain.PeerID) (network string, ok bool) { _ = peer; return "", false }

// Ask asks at once who is around, on all interfaces; more often than about
// once a second it waits its turn.
func (s *Service) Ask() {}

// Network returns the identity of the present network, and whether there is
// any usable interface at all.
func (s *Service) Network() (id string, up bool) { return "", false }

// Hide says goodbye and stops announcing while going on to listen, or, with
// false, announces again.
func (s *Service) Hide(hidden bool) { _ = hidden }
