package discovery

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// nic is a network interface as it was at one look.
type nic struct {
	net.Interface
	prefixes []netip.Prefix // own addresses with the lengths of their prefixes
}

// lookAround returns the interfaces that may be of use and their gateways. The
// interfaces are good even if there is an error: then it is about the gateways.
func lookAround() ([]nic, []gateway, error) {
	all, err := nics()
	if err != nil {
		return nil, nil, err
	}
	gateways, err := readGateways()
	return all, gateways, err
}

// nics returns the interfaces that are up, have a carrier and an address, and
// are not loopback.
func nics() ([]nic, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("listing network interfaces: %w", err)
	}
	var out []nic
	for _, i := range all {
		const ready = net.FlagUp | net.FlagRunning
		if i.Flags&ready != ready || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it has just gone
		}
		n := nic{Interface: i}
		for _, a := range addrs {
			ipnet, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			addr, ok := netip.AddrFromSlice(ipnet.IP)
			ones, bits := ipnet.Mask.Size()
			addr = addr.Unmap()
			if !ok || bits != addr.BitLen() {
				continue
			}
			n.prefixes = append(n.prefixes, netip.PrefixFrom(addr, ones))
		}
		if len(n.prefixes) > 0 {
			slices.SortFunc(n.prefixes, comparePrefixes)
			out = append(out, n)
		}
	}
	return out, nil
}

func comparePrefixes(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return a.Bits() - b.Bits()
}

// virtual holds the beginnings of the names of interfaces that lead to
// containers, virtual machines and tunnels, not to people.
var virtual = []string{
	"docker", "br-", "virbr", "veth", "vnet", "lxc", "lxdbr", "incusbr", "podman", "cni", "flannel", "cali",
	"cilium", "kube", "tun", "tap", "utun", "wg", "tailscale", "zt", "nordlynx", "proton", "ppp", "ipsec", "gif",
	"stf", "vmnet", "vboxnet", "vethernet", "virtualbox", "vmware", "awdl", "llw", "anpi", "dummy", "ifb", "sit", "ip6tnl",
}

// usable returns the interfaces to work on: those without such a name, those
// with a default route, and, if nothing else were left, all.
func usable(all []nic, gateways []gateway) []nic {
	var out []nic
	for _, n := range all {
		name := strings.ToLower(n.Name)
		skipped := slices.ContainsFunc(virtual, func(beginning string) bool {
			return strings.HasPrefix(name, beginning)
		})
		routed := slices.ContainsFunc(gateways, func(g gateway) bool { return g.link == n.Name })
		if !skipped || routed {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

// same reports whether nothing that matters differs.
func (n nic) same(o nic) bool {
	return n.Index == o.Index && n.Name == o.Name && n.Flags == o.Flags && slices.Equal(n.prefixes, o.prefixes)
}

// announced returns the addresses at which others on the interface's link can
// dial us.
func (n nic) announced() []netip.Addr {
	var out []netip.Addr
	for _, p := range n.prefixes {
		if dialable(p.Addr(), n.prefixes) && len(out) < maxAddresses {
			out = append(out, p.Addr())
		}
	}
	return out
}

// has reports whether the packets that were sent from addr are our own.
func (n nic) has(addr netip.Addr) bool {
	return slices.ContainsFunc(n.prefixes, func(p netip.Prefix) bool { return p.Addr() == addr })
}

// has4 and has6 report whether the family is in use on the interface.
func (n nic) has4() bool {
	return slices.ContainsFunc(n.prefixes, func(p netip.Prefix) bool { return p.Addr().Is4() })
}

func (n nic) has6() bool {
	return slices.ContainsFunc(n.prefixes, func(p netip.Prefix) bool { return p.Addr().Is6() })
}

// broadcasts returns the addresses that reach everyone in the interface's IPv4
// networks.
func (n nic) broadcasts() []netip.Addr {
	if n.Flags&net.FlagBroadcast == 0 {
		return nil
	}
	var out []netip.Addr
	for _, p := range n.prefixes {
		if addr, ok := broadcastOf(p); ok && !slices.Contains(out, addr) {
			out = append(out, addr)
		}
	}
	return out
}

// broadcastOf returns the last address of an IPv4 prefix, if that is not the
// address of a machine.
func broadcastOf(p netip.Prefix) (netip.Addr, bool) {
	if !p.Addr().Is4() || p.Bits() > 30 || p.Bits() < 1 {
		return netip.Addr{}, false
	}
	bytes := p.Addr().As4()
	ones := binary.BigEndian.Uint32(bytes[:]) | (uint32(1)<<(32-p.Bits()) - 1)
	binary.BigEndian.PutUint32(bytes[:], ones)
	return netip.AddrFrom4(bytes), true
}

// Prefixes returns the addresses of the interfaces that a Service would work on
// at this moment, as Service.Prefixes does for a running one.
func Prefixes() []netip.Prefix {
	all, gateways, err := lookAround()
	if err != nil && len(all) == 0 {
		return nil
	}
	var prefixes []netip.Prefix
	for _, n := range usable(all, gateways) {
		prefixes = append(prefixes, n.prefixes...)
	}
	return prefixes
}
