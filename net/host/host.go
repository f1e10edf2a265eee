// Package host is Potluck's end of the network.
package host

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/potluck-share/potluck/app/domain"
)

// DefaultPort is the port, TCP and UDP, that Potluck listens on unless it is
// taken.
const DefaultPort = 17685

// Identity is this user's key, and so the peer ID.
type Identity struct {
	key crypto.PrivKey
	id  peer.ID
}

// LoadIdentity reads the key in the file at path and makes one if there is none.
func LoadIdentity(path string) (Identity, error) { return Identity{}, nil }

// ID returns the peer ID that belongs to the key.
func (i Identity) ID() domain.PeerID { return domain.PeerID(i.id.String()) }

// Surroundings is what the host needs to know of the networks around.
type Surroundings interface {
	// Prefixes returns the addresses of this machine's interfaces, each with
	// the length of its network's prefix.
	Prefixes() []netip.Prefix
	// Heard reports whether the peer was heard by multicast or broadcast on the
	// present network within 24 hours, and names that network.
	Heard(peer domain.PeerID) (network string, ok bool)
	// Ask asks by multicast at once who is around. It does not block.
	Ask()
}

// Config is what a host needs.
type Config struct {
	Identity     Identity
	Listen       []string
	Nearby       []netip.Prefix
	Surroundings Surroundings
	Hello        func(domain.PeerID) domain.Hello
	Friend       func(domain.PeerID) bool
	Blocked      func(domain.PeerID) bool
	Presence     func(domain.Presence)
	Log          *slog.Logger
	Now          func() time.Time
}

// Rule says who may open a stream of a protocol.
type Rule int

// The rules.
const (
	NearOnly Rule = iota // near peers and friends
	Anyone               // whoever may connect at all
)

// Host is this machine's end of all connections.
type Host struct{ h libp2phost.Host }

// New starts a host.
func New(ctx context.Context, cfg Config) (*Host, error) { return nil, nil }

// Close ends all connections and waits for every goroutine.
func (h *Host) Close() error { return nil }

// ID returns this machine's peer ID.
func (h *Host) ID() domain.PeerID { return "" }

// Addresses returns the multiaddresses at which others may reach this host.
func (h *Host) Addresses() []string { return nil }

// Ports returns the TCP and UDP ports in use, 0 for none.
func (h *Host) Ports() (tcp, udp int) { return 0, 0 }

// Libp2p returns the libp2p host.
func (h *Host) Libp2p() libp2phost.Host { return h.h }

// Asker says who is at the other end of conn.
func (h *Host) Asker(conn network.Conn) domain.Asker { return domain.Asker{} }

// AskerFor is Asker for the best live connection to the peer.
func (h *Host) AskerFor(peer domain.PeerID) domain.Asker { return domain.Asker{} }

// Near reports whether a live connection to the peer is near.
func (h *Host) Near(peer domain.PeerID) bool { return false }

// Sighted takes note of where a peer was seen.
func (h *Host) Sighted(s domain.Sighting) {}

// Forget drops the peer's addresses.
func (h *Host) Forget(peer domain.PeerID) {}

// Connect connects to an address that the user typed.
func (h *Host) Connect(ctx context.Context, address string) (domain.PeerID, error) { return "", nil }

// Keep protects the connection to the peer for a reason.
func (h *Host) Keep(peer domain.PeerID, reason string) {}

// Release takes a reason back.
func (h *Host) Release(peer domain.PeerID, reason string) {}

// Connected reports whether there is a live connection to the peer.
func (h *Host) Connected(peer domain.PeerID) bool { return false }

// Handle serves a protocol.
func (h *Host) Handle(proto string, rule Rule, handler func(ctx context.Context, s network.Stream, asker domain.Asker)) {
}

// Open opens a stream of a protocol to the peer.
func (h *Host) Open(ctx context.Context, peer domain.PeerID, proto string) (network.Stream, error) {
	return nil, nil
}

// OnNear registers a function that is called for every peer that comes near.
func (h *Host) OnNear(f func(peer domain.PeerID)) {}

// Rejudge looks at all connections anew.
func (h *Host) Rejudge() {}
