package host

import (
	"fmt"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/potluck-share/potluck/app/domain"
)

// gate decides which connections come about at all. libp2p calls it from many
// goroutines.
type gate struct{ h *Host }

// InterceptPeerDial keeps blocked peers from being dialled.
func (g gate) InterceptPeerDial(p peer.ID) bool {
	return !g.h.blocked(domain.PeerID(p.String()))
}

// InterceptAddrDial keeps a peer from making us dial addresses of its choice
// elsewhere: only local ones, and what the user typed.
func (g gate) InterceptAddrDial(p peer.ID, addr ma.Multiaddr) bool {
	ip, ok := directIP(addr)
	if !ok {
		return false
	}
	return g.h.mayConnect(ip) || g.h.typed(p, addr)
}

// InterceptAccept refuses TCP connections from elsewhere before the handshake,
// and all of them while this machine is hidden.
// QUIC asks only after it; see gatedResources.
func (g gate) InterceptAccept(conn network.ConnMultiaddrs) bool {
	ip, ok := directIP(conn.RemoteMultiaddr())
	return ok && g.h.mayConnect(ip) && !g.h.hidden()
}

// InterceptSecured refuses blocked peers as soon as they are known.
func (g gate) InterceptSecured(_ network.Direction, p peer.ID, _ network.ConnMultiaddrs) bool {
	return !g.h.blocked(domain.PeerID(p.String()))
}

// InterceptUpgraded has nothing left to decide.
func (g gate) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }

// gatedResources is a resource manager that has no room for connections from
// elsewhere, nor for any from outside while this machine is hidden. QUIC asks it before the handshake.
type gatedResources struct {
	network.ResourceManager
	h *Host
}

// OpenConnection makes the scope of a new connection.
func (r gatedResources) OpenConnection(dir network.Direction, usefd bool, remote ma.Multiaddr) (network.ConnManagementScope, error) {
	if dir == network.DirInbound {
		if r.h.hidden() {
			return nil, fmt.Errorf("connection from %v: %w: hidden", remote, domain.ErrRefused)
		}
		if ip, ok := directIP(remote); !ok || !r.h.mayConnect(ip) {
			return nil, fmt.Errorf("connection from %v: %w: not a local address", remote, domain.ErrRefused)
		}
	}
	return r.ResourceManager.OpenConnection(dir, usefd, remote)
}
