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
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// Config is what a Service needs.
type Config struct {
	// Peer is this peer's own ID, of an Ed25519 key.
	Peer domain.PeerID
	// TCP and UDP return the ports to announce, 0 for none. They are asked
	// again and again and must not block. While there is neither, nothing is
	// announced.
	TCP, UDP func() int
	// Sighted is told of each sighting, in order, from one goroutine. It must
	// not block and must not call Close. A peer is sighted once per
	// interface, and Gone speaks of that interface alone. A sighting is
	// repeated when it has become good for longer.
	Sighted func(domain.Sighting)
	// Changed is told when interfaces, addresses or the network have changed,
	// from the same goroutine as Sighted and under the same terms. May be nil.
	Changed func()
	// Renamed is told when the identity of a network has become clear: it is the
	// one that was called old. Terms as for Changed, which follows. May be nil.
	Renamed func(old, id string)
	// Hidden is whether it begins hidden, as Hide does later.
	Hidden bool
	Log    *slog.Logger
	// Now returns the wall clock's time; time.Now if nil.
	Now func() time.Time

	// For tests, each with the real thing as its default.
	patience time.Duration // before the first broadcast
	listen   func(context.Context, via) (transport, error)
	look     func() ([]nic, []gateway, error)
}

// Service is a running discovery. Make one with Start.
type Service struct {
	cfg    Config
	stop   context.CancelFunc
	done   chan struct{}
	asks   chan struct{} // holds one token while somebody wants to ask
	hiding chan struct{} // holds one token when hidden has changed

	mu     sync.Mutex
	hidden bool
	// What follows is written by the loop alone.
	prefixes []netip.Prefix
	present  []presentNetwork // the one in use for the default route first
	ears     []domain.Ear
	hearings map[hearing]time.Time
}

// presentNetwork is a network that an interface is on now.
type presentNetwork struct {
	id    string
	shown string // empty while id may soon change its name
	name  string // what to call it
}

// Start begins to announce and to listen until ctx ends or Close is called. It
// never fails for lack of a network: it waits for one. The only error is a
// Config that cannot work.
func Start(ctx context.Context, cfg Config) (*Service, error) {
	if !validPeer(cfg.Peer) {
		return nil, fmt.Errorf("discovery: %q is not the peer ID of an Ed25519 key: %w", cfg.Peer, domain.ErrUsage)
	}
	if cfg.Sighted == nil || cfg.TCP == nil || cfg.UDP == nil {
		return nil, fmt.Errorf("discovery: nobody to report to or no ports: %w", domain.ErrUsage)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Changed == nil {
		cfg.Changed = func() {}
	}
	if cfg.Renamed == nil {
		cfg.Renamed = func(string, string) {}
	}
	if cfg.patience == 0 {
		cfg.patience = broadcastAfter
	}
	if cfg.listen == nil {
		cfg.listen = listen
	}
	if cfg.look == nil {
		cfg.look = lookAround
	}
	ctx, stop := context.WithCancel(ctx)
	s := &Service{
		cfg:      cfg,
		stop:     stop,
		done:     make(chan struct{}),
		asks:     make(chan struct{}, 1),
		hiding:   make(chan struct{}, 1),
		hidden:   cfg.Hidden,
		hearings: make(map[hearing]time.Time),
	}
	l := newLoop(s)
	// The first look is taken before the return, so that addresses and network
	// are known to whoever asks next.
	l.poll(ctx)
	go func() {
		defer close(s.done)
		l.run(ctx)
	}()
	return s, nil
}

// Close says goodbye on all interfaces, ends the service and waits for it. It
// may be called again.
func (s *Service) Close() error {
	s.stop()
	<-s.done
	return nil
}

// Prefixes returns the own addresses, each with the length of its prefix, of
// all usable interfaces. The loopback interface is not among them.
func (s *Service) Prefixes() []netip.Prefix {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]netip.Prefix(nil), s.prefixes...)
}

// Ask asks at once who is around, on all interfaces; more often than about
// once a second it waits its turn.
func (s *Service) Ask() { signal(s.asks) }

// Network returns the identity of the present network, that of the default
// route if there are several, and whether there is any usable interface at
// all. The identity is empty for the first seconds on a network whose gateway
// has not answered yet; Changed tells when it is known.
func (s *Service) Network() (id string, up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.present) == 0 {
		return "", false
	}
	return s.present[0].shown, true
}

// Networks returns the networks that are present, by the identities that
// Sighting.Network and Heard tell: ID and Name only.
func (s *Service) Networks() []domain.Network {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]domain.Network, 0, len(s.present))
	for _, p := range s.present {
		known := slices.ContainsFunc(all, func(n domain.Network) bool { return n.ID == p.id })
		if !known { // two interfaces may be on one network
			all = append(all, domain.Network{ID: p.id, Name: p.name})
		}
	}
	return all
}

// Hide says goodbye and stops announcing while going on to listen, or, with
// false, announces again.
func (s *Service) Hide(hidden bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hidden != hidden {
		s.hidden = hidden
		signal(s.hiding)
	}
}

func (s *Service) isHidden() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hidden
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
