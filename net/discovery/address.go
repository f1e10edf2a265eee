package discovery

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/potluck-share/potluck/app/domain"
)

var linkLocal4 = netip.MustParsePrefix("169.254.0.0/16")

// onLink reports whether addr lies within one of the prefixes of an interface,
// or is one that needs no prefix to be on its link.
func onLink(addr netip.Addr, prefixes []netip.Prefix) bool {
	if addr.Is6() && addr.IsLinkLocalUnicast() || linkLocal4.Contains(addr) {
		return true
	}
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool {
		return p.Masked().Contains(addr)
	})
}

// local reports whether addr may belong to a machine nearby at all: private,
// link-local, or with the first 64 bits of an IPv6 address of ours.
func local(addr netip.Addr, prefixes []netip.Prefix) bool {
	switch {
	case !addr.IsValid(), addr.IsUnspecified(), addr.IsMulticast(), addr.IsLoopback():
		return false
	case addr.IsPrivate(), addr.IsLinkLocalUnicast():
		return true
	case addr.Is4():
		return false
	}
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool {
		return p.Addr().Is6() && netip.PrefixFrom(p.Addr(), 64).Masked().Contains(addr)
	})
}

// dialable is local without the link-local addresses of IPv6, which mean
// nothing without the interface they were heard on.
func dialable(addr netip.Addr, prefixes []netip.Prefix) bool {
	return local(addr, prefixes) && (addr.Is4() || !addr.IsLinkLocalUnicast())
}

// multiaddresses writes where a peer with these ports can be dialled, TCP
// first because it carries more on a LAN.
func multiaddresses(addresses []netip.Addr, tcp, udp uint16) []string {
	var out []string
	add := func(transport string, port uint16, suffix string) {
		if port == 0 {
			return
		}
		for _, addr := range addresses {
			family := "/ip6/"
			if addr.Is4() {
				family = "/ip4/"
			}
			out = append(out, family+addr.String()+transport+strconv.Itoa(int(port))+suffix)
		}
	}
	add("/tcp/", tcp, "")
	add("/udp/", udp, "/quic-v1")
	return out
}

// sightingSource tells how a packet that came through d counts.
func (v via) source() domain.Source {
	if v == viaBroadcast {
		return domain.SourceBroadcast
	}
	return domain.SourceMulticast
}
