package discovery

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// gateway is where an interface's default route leads.
type gateway struct {
	link     string     // name of the interface
	address  netip.Addr // not valid if the route has none, as in a tunnel
	metric   int        // the lowest is in use
	hardware string     // empty: not known (yet)
}

// settleTime is how long a gateway that is there may take to say its hardware
// address before the network is shown without it.
const settleTime = 3 * time.Second

// identity tells the networks apart that one interface is on in the course of
// time. The zero value is ready.
type identity struct {
	id     string
	config string // the addresses and the gateway that id was found for
	vague  bool   // id stands for a gateway whose hardware address is unknown
	since  time.Time
}

// update finds the identity anew from what is known now and reports whether it
// differs from what it was. A merely vague one that becomes clear is only
// renamed: it was the same network all along. fresh makes up a name that no
// network ever had.
func (i *identity) update(now time.Time, n nic, g *gateway, readable bool, fresh func() string) (changed, renamed bool) {
	config := fmt.Sprint(n.prefixes)
	if g != nil && g.address.IsValid() {
		config += " " + g.address.String()
	}
	old, sameConfig, wasVague := i.id, i.config == config, i.vague
	i.config = config
	switch {
	case g != nil && g.hardware != "":
		i.id, i.vague = "gateway:"+g.hardware, false
	case !readable, g != nil && g.address.IsValid():
		// What was learnt about this very configuration stays true: systems
		// forget the hardware addresses of gateways that nobody talks to.
		if !sameConfig || old == "" {
			i.id, i.vague, i.since = "unknown:"+fresh(), true, now
		}
	default:
		i.id, i.vague = "prefix:"+networkPrefix(n.prefixes), false
	}
	if old == i.id {
		return false, false
	}
	return true, sameConfig && wasVague && !i.vague
}

// shown is the identity as others are told it: empty while it may soon get
// clearer.
func (i *identity) shown(now time.Time) string {
	if i.vague && now.Sub(i.since) < settleTime {
		return ""
	}
	return i.id
}

// networkPrefix returns the prefix that a network without gateway is known by:
// IPv4 first, and link-local ones only for want of others.
func networkPrefix(prefixes []netip.Prefix) string {
	best, rank := "", 0
	for _, p := range prefixes {
		r := 1
		switch {
		case p.Addr().Is4() && !linkLocal4.Contains(p.Addr()):
			r = 4
		case p.Addr().Is6() && !p.Addr().IsLinkLocalUnicast():
			r = 3
		case p.Addr().Is4():
			r = 2
		}
		if r > rank {
			best, rank = p.Masked().String(), r
		}
	}
	return best
}

// networkName is what a person may call a network by: "192.168.3.x", or its
// prefix; empty if it has no addresses but those of the link.
func networkName(prefixes []netip.Prefix) string {
	name := networkPrefix(prefixes)
	p, err := netip.ParsePrefix(name)
	switch {
	case err != nil || p.Addr().IsLinkLocalUnicast():
		return "" // many are called so
	case !p.Addr().Is4() || p.Bits() != 24:
		return name
	}
	return strings.TrimSuffix(p.Addr().String(), "0") + "x"
}

// gatewayOf returns the gateway in use on the interface of that name, or nil.
func gatewayOf(all []gateway, link string) *gateway {
	var best *gateway
	for i, g := range all {
		if g.link == link && (best == nil || g.metric < best.metric) {
			best = &all[i]
		}
	}
	return best
}
