package host

import (
	"net"
	"net/netip"
	"slices"

	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/potluck-share/potluck/app/domain"
)

// Surroundings is what the host needs to know of the networks around. It is
// called from many goroutines, for each request of each peer, so it answers
// from memory.
type Surroundings interface {
	// Prefixes returns the addresses of this machine's interfaces, each with
	// the length of its network's prefix.
	Prefixes() []netip.Prefix
	// Heard reports whether our own ears heard the peer, by multicast or
	// broadcast, on the present network within 24 hours, and names that
	// network.
	Heard(peer domain.PeerID) (network string, ok bool)
	// Ask asks by multicast at once who is around. It does not block.
	Ask()
}

// deaf is the Surroundings of a host without discovery: it knows the
// interfaces and never heard anybody.
type deaf struct{}

// Heard reports that nobody was heard.
func (deaf) Heard(domain.PeerID) (string, bool) { return "", false }

// Ask does nothing.
func (deaf) Ask() {}

// Prefixes asks the system.
func (deaf) Prefixes() []netip.Prefix {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil // no address of ours is known, so fewer others are local
	}
	prefixes := make([]netip.Prefix, 0, len(addrs))
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, ok := netip.AddrFromSlice(n.IP)
		if !ok {
			continue
		}
		bits, _ := n.Mask.Size()
		prefixes = append(prefixes, netip.PrefixFrom(ip.Unmap(), bits))
	}
	return prefixes
}

var (
	linkLocal4 = netip.MustParsePrefix("169.254.0.0/16")
	// meshVPN is the range for carrier-grade NAT, which mesh VPNs use.
	meshVPN = netip.MustParsePrefix("100.64.0.0/10")
)

// local reports whether ip can only be an address on one of the networks that
// this machine, with interfaces at own, is connected to.
func local(ip netip.Addr, own []netip.Prefix) bool {
	ip = ip.Unmap().WithZone("")
	switch {
	case !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast():
		return false
	case ip.IsLoopback():
		return true
	case ip.Is4():
		return ip.IsPrivate() || linkLocal4.Contains(ip)
	case ip.IsPrivate(): // unique local
		return true
	}
	// The first 64 bits name an IPv6 network, whatever the prefix length of our
	// own address: DHCPv6 hands out /128.
	for _, p := range own {
		mine := p.Addr().WithZone("")
		if !mine.Is6() || mine.Is4In6() || mine.IsLoopback() || mine.IsUnspecified() {
			continue
		}
		if network, err := mine.Prefix(64); err == nil && network.Contains(ip) {
			return true
		}
	}
	return false
}

// contains reports whether one of the prefixes contains ip.
func contains(prefixes []netip.Prefix, ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, p := range prefixes {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// SetNearby replaces the networks whose people are near by the owner's word. All
// connections are judged anew.
func (h *Host) SetNearby(nearby []netip.Prefix) {
	nearby = slices.Clone(nearby)
	if before := h.nearby.Swap(&nearby); before != nil && slices.Equal(*before, nearby) {
		return
	}
	h.Rejudge()
	signal(h.dial) // somebody there may be worth a call now
}

// byWord reports whether the owner counts whoever connects from ip as near.
func (h *Host) byWord(ip netip.Addr) bool {
	nearby := h.nearby.Load()
	return nearby != nil && contains(*nearby, ip)
}

// mayConnect reports whether connections with ip are made and accepted at all.
func (h *Host) mayConnect(ip netip.Addr) bool {
	return meshVPN.Contains(ip.Unmap()) || h.byWord(ip) || local(ip, h.cfg.Surroundings.Prefixes())
}

// directIP returns the IP address in a connection's or peer's address; false
// if it goes through a relay, or does not begin with an IP address.
func directIP(addr ma.Multiaddr) (netip.Addr, bool) {
	if addr == nil {
		return netip.Addr{}, false
	}
	if _, err := addr.ValueForProtocol(ma.P_CIRCUIT); err == nil {
		return netip.Addr{}, false
	}
	ip, err := manet.ToIP(addr)
	if err != nil {
		return netip.Addr{}, false
	}
	a, ok := netip.AddrFromSlice(ip)
	return a.Unmap(), ok
}

// judge decides whether a peer whose connection comes from remote is near.
// Everything unknown is far. network names the network on which our ears heard
// it; empty if only the owner's word makes it near.
func (h *Host) judge(id domain.PeerID, remote ma.Multiaddr) (near bool, network string) {
	ip, ok := directIP(remote)
	if !ok {
		return false, ""
	}
	// An address proves little: what a port forward or a relay in the local
	// network lets in comes from a local address too. That we heard the peer
	// ourselves proves that it is here.
	if network, heard := h.cfg.Surroundings.Heard(id); heard && local(ip, h.cfg.Surroundings.Prefixes()) {
		return true, network
	}
	return h.byWord(ip), ""
}

// Asker says who is at the other end of conn, as far as this machine knows at
// this moment: ask anew for each request. Network is empty for a peer that is
// near only by the owner's word. Blocked peers, closed and nil
// connections are far strangers.
func (h *Host) Asker(conn network.Conn) domain.Asker {
	if conn == nil {
		return domain.Asker{}
	}
	id := domain.PeerID(conn.RemotePeer().String())
	if conn.IsClosed() {
		return domain.Asker{Peer: id}
	}
	var remote ma.Multiaddr // none is far
	if !conn.Stat().Limited {
		remote = conn.RemoteMultiaddr()
	}
	return h.askerAt(id, remote)
}

// askerAt is Asker for a peer whose connection comes from remote.
func (h *Host) askerAt(id domain.PeerID, remote ma.Multiaddr) domain.Asker {
	asker := domain.Asker{Peer: id}
	if h.blocked(id) {
		return asker
	}
	asker.Friend = h.friend(id)
	asker.Near, asker.Network = h.judge(id, remote)
	asker.Withheld = asker.Near && asker.Network != "" && h.cfg.Shown != nil && !h.cfg.Shown(asker.Network)
	return asker
}

// AskerFor is Asker for the peer's live connection: a near one if there is
// one, else the newest. Without a connection it is far.
func (h *Host) AskerFor(id domain.PeerID) domain.Asker {
	best := domain.Asker{Peer: id}
	for i, l := range h.linksOf(id) {
		if asker := h.Asker(l.conn); i == 0 || asker.Near && !best.Near {
			best = asker
		}
	}
	return best
}

// Near reports whether a live connection to the peer is near.
func (h *Host) Near(id domain.PeerID) bool { return h.AskerFor(id).Near }

func (h *Host) friend(id domain.PeerID) bool { return h.cfg.Friend != nil && h.cfg.Friend(id) }

func (h *Host) blocked(id domain.PeerID) bool { return h.cfg.Blocked != nil && h.cfg.Blocked(id) }
