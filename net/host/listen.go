package host

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/potluck-share/potluck/app/domain"
)

// maxAddressLength bounds the text of an address, in bytes.
const maxAddressLength = 512

// Listen opens the configured addresses, so that others reach this host; once.
// Without any it is the configured port on all interfaces, or free ports where
// that is taken. An address that cannot be used is an error that names it.
func (h *Host) Listen() error {
	if len(h.cfg.Listen) > 0 {
		for _, text := range h.cfg.Listen {
			addr, err := listenAddress(text)
			if err != nil {
				return err
			}
			if err := h.libp2p.Network().Listen(addr); err != nil {
				return fmt.Errorf("listen on %s: %w", text, err)
			}
		}
		return nil
	}
	port := cmp.Or(h.cfg.Port, DefaultPort)
	tcpErr := h.listenPort(port, "/ip4/0.0.0.0/tcp/%d", "/ip6/::/tcp/%d")
	quicErr := h.listenPort(port, "/ip4/0.0.0.0/udp/%d/quic-v1", "/ip6/::/udp/%d/quic-v1")
	if tcpErr != nil && quicErr != nil {
		return fmt.Errorf("listen: %w", errors.Join(tcpErr, quicErr))
	}
	for _, err := range []error{tcpErr, quicErr} {
		if err != nil {
			h.log.Warn("one of two transports does not work", "err", err)
		}
	}
	return nil
}

// listenPort listens on a port, by IPv4 and on the same one by IPv6, and on a
// free port if it is taken. A machine with only one of IPv4 and IPv6 is fine.
func (h *Host) listenPort(port int, form4, form6 string) error {
	var errs []error
	listening := false
	for _, form := range []string{form4, form6} {
		got, err := h.listenOrFree(form, port)
		if err != nil {
			h.log.Debug("does not listen", "err", err)
			errs = append(errs, err)
			continue
		}
		listening = true
		port = got
	}
	if listening {
		return nil
	}
	return errors.Join(errs...)
}

func (h *Host) listenOrFree(form string, port int) (int, error) {
	var errs []error
	for _, p := range []int{port, 0} {
		addr, err := ma.NewMultiaddr(fmt.Sprintf(form, p))
		if err != nil {
			return 0, err
		}
		before := h.libp2p.Network().ListenAddresses()
		if err := h.libp2p.Network().Listen(addr); err != nil {
			errs = append(errs, err)
			continue
		}
		for _, a := range h.libp2p.Network().ListenAddresses() {
			if !slices.ContainsFunc(before, a.Equal) {
				return portOf(a), nil
			}
		}
		return p, nil
	}
	return 0, errors.Join(errs...)
}

// portOf returns the port in an address, 0 if it has none.
func portOf(addr ma.Multiaddr) int {
	for _, code := range []int{ma.P_TCP, ma.P_UDP} {
		if text, err := addr.ValueForProtocol(code); err == nil {
			if port, err := strconv.Atoi(text); err == nil {
				return port
			}
		}
	}
	return 0
}

// Ports returns the TCP port and the UDP port on which the host listens, for
// announcements; 0 for none.
func (h *Host) Ports() (tcp, udp int) {
	for _, a := range h.libp2p.Network().ListenAddresses() {
		switch {
		case isQUIC(a):
			if udp == 0 {
				udp = portOf(a)
			}
		case tcp == 0:
			tcp = portOf(a)
		}
	}
	return tcp, udp
}

// announced is what peers are told of where this host listens: the addresses of
// interfaces that lead to somebody, not those of containers and tunnels. It does
// not stand on what libp2p knows of the interfaces, which is up to a minute old.
// Without anything known of the interfaces all are told.
func (h *Host) announced(all []ma.Multiaddr) []ma.Multiaddr {
	if !h.made.Load() || len(h.cfg.Surroundings.Prefixes()) == 0 {
		return all
	}
	var told []ma.Multiaddr
	for _, text := range h.Addresses() {
		if a, err := ma.NewMultiaddr(text); err == nil {
			told = append(told, a)
		}
	}
	return told
}

// ours reports whether an address is one of an interface's.
func ours(ip netip.Addr, own []netip.Prefix) bool {
	ip = ip.Unmap().WithZone("")
	return slices.ContainsFunc(own, func(p netip.Prefix) bool { return p.Addr().Unmap().WithZone("") == ip })
}

// Addresses returns the multiaddresses, without peer ID, at which others may
// reach this host at this moment: one for each listening socket and address of
// an interface, those of real networks first. IPv6 link-local addresses, which
// mean nothing elsewhere, are left out.
func (h *Host) Addresses() []string {
	own := h.cfg.Surroundings.Prefixes()
	type ranked struct {
		text  string
		class int
	}
	var all []ranked
	add := func(ip netip.Addr, rest ma.Multiaddr) {
		ip = ip.Unmap().WithZone("")
		if ip.Is6() && ip.IsLinkLocalUnicast() {
			return
		}
		base, err := manet.FromIP(ip.AsSlice())
		if err != nil {
			return
		}
		r := ranked{text: base.Encapsulate(rest).String()}
		if ip.IsLoopback() {
			r.class += 4
		}
		if ip.Is6() {
			r.class += 2
		}
		if isQUIC(rest) {
			r.class++
		}
		all = append(all, r)
	}
	for _, a := range h.libp2p.Network().ListenAddresses() {
		ip, ok := directIP(a)
		if !ok {
			continue
		}
		_, rest := ma.SplitFirst(a)
		if rest == nil {
			continue
		}
		if !ip.IsUnspecified() {
			add(ip, rest)
			continue
		}
		for _, p := range own {
			if p.Addr().Unmap().Is4() == ip.Is4() {
				add(p.Addr(), rest)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return a.class - b.class })
	texts := make([]string, 0, len(all))
	for _, r := range all {
		if !slices.Contains(texts, r.text) {
			texts = append(texts, r.text)
		}
	}
	return texts
}

// CheckListen refuses what can be no address to listen on, with domain.ErrUsage.
func CheckListen(addresses []string) error {
	for _, text := range addresses {
		if _, err := listenAddress(text); err != nil {
			return err
		}
	}
	return nil
}

func listenAddress(text string) (ma.Multiaddr, error) {
	addr, id, err := parseAddress(text)
	if err == nil && id != "" {
		err = fmt.Errorf("%w: %q names a peer", domain.ErrUsage, text)
	}
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return addr, nil
}

// parseAddress reads a multiaddress of a kind that we can dial and listen on,
// with or without a peer ID at its end. The address is returned without it.
func parseAddress(text string) (ma.Multiaddr, peer.ID, error) {
	if len(text) > maxAddressLength {
		return nil, "", domain.Fault(domain.ErrUsage, "an address of %s characters is too long", len(text))
	}
	whole, err := ma.NewMultiaddr(text)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", domain.Fault(domain.ErrUsage, "\"%s\" is not an address", text), err)
	}
	addr, id := peer.SplitAddr(whole)
	if !usable(addr) {
		return nil, "", domain.Fault(domain.ErrUsage, "\"%s\" is not an address by TCP or QUIC", text)
	}
	return addr, id, nil
}

// usable reports whether addr is an IP address with a TCP port, or with a UDP
// port for QUIC v1, and nothing else.
func usable(addr ma.Multiaddr) bool {
	var codes []int
	for _, c := range addr {
		codes = append(codes, c.Protocol().Code)
	}
	if len(codes) < 2 || codes[0] != ma.P_IP4 && codes[0] != ma.P_IP6 {
		return false
	}
	return slices.Equal(codes[1:], []int{ma.P_TCP}) || slices.Equal(codes[1:], []int{ma.P_UDP, ma.P_QUIC_V1})
}
