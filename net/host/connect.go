package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// helloWait is how long Connect waits for the hello of whom it reached.
	helloWait = 10 * time.Second
	// maxResolved bounds the IP addresses taken from one host name.
	maxResolved = 8
)

// Connect connects to an address that the user typed, and returns whose it is
// once that peer has said hello. The address is a multiaddress with or without
// a peer ID, "host:port", or a host name or IP address alone, which means
// DefaultPort. Without a peer ID whoever answers is taken. The address is
// remembered. Errors: domain.ErrUsage for a malformed address or this machine's
// own, ErrNotFound if no Potluck answers there or another one than named,
// ErrRefused if the peer does not want us or is blocked, or while this machine is
// hidden, ErrVersion if what answers does not speak this Potluck's hello.
func (h *Host) Connect(ctx context.Context, address string) (domain.PeerID, error) {
	addrs, pid, err := resolve(ctx, address)
	if err == nil && h.hidden() {
		err = domain.Fault(domain.ErrRefused, "you are hidden; show yourself first")
	}
	if err == nil {
		pid, err = h.connect(ctx, addrs, pid, domain.SourceTyped)
	}
	if err != nil {
		return "", fmt.Errorf("connect to %s: %w", strings.ToValidUTF8(cut(address, maxAddressLength), "?"), err)
	}
	return domain.PeerID(pid.String()), nil
}

// Visit connects to a peer because the user wants to, and returns once the peer
// has said hello: at the addresses of an invitation that the user has accepted,
// which count as if the user had typed them, and without any where the peer is
// known to be. Addresses that make no sense are left out. The errors are those of Connect, and
// domain.ErrOffline if it is not known where the peer is.
func (h *Host) Visit(ctx context.Context, id domain.PeerID, addresses []string) error {
	pid, err := peer.Decode(string(id))
	switch {
	case err != nil || domain.PeerID(pid.String()) != id:
		return domain.Fault(domain.ErrUsage, "the invitation is from nobody")
	case h.hidden():
		return domain.Fault(domain.ErrRefused, "you are hidden; show yourself first")
	case h.blocked(id):
		return domain.Fault(domain.ErrRefused, "you have blocked %s", id.Short())
	}
	var addrs []ma.Multiaddr
	for _, text := range addresses[:min(len(addresses), maxAddresses)] {
		addr, of, err := parseAddress(text)
		if ip, ok := directIP(addr); err == nil && ok && (of == "" || of == pid) && !ip.IsUnspecified() && portOf(addr) != 0 {
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) == 0 {
		var conn network.Conn
		if conn, _, err = h.reach(ctx, id); err == nil {
			err = h.awaitHello(ctx, id, conn)
		}
	} else {
		_, err = h.connect(ctx, addrs, pid, domain.SourceInvited)
	}
	if err != nil {
		return fmt.Errorf("visit %s: %w", id.Short(), err)
	}
	return nil
}

func (h *Host) connect(ctx context.Context, addrs []ma.Multiaddr, pid peer.ID, source domain.Source) (peer.ID, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout+helloWait)
	defer cancel()
	stop := context.AfterFunc(h.ctx, cancel) //nolint:contextcheck // Close ends it as well as the caller
	defer stop()
	if pid == "" {
		var err error
		if pid, err = h.whoIs(ctx, addrs); err != nil {
			return "", err
		}
	}
	id := domain.PeerID(pid.String())
	switch {
	case id == h.id:
		return "", domain.Fault(domain.ErrUsage, "that is this machine itself")
	case h.blocked(id):
		return "", domain.Fault(domain.ErrRefused, "you have blocked %s", id.Short())
	}
	defer h.try(pid, addrs)()
	conn, err := h.dialAt(ctx, pid, addrs)
	if err != nil {
		if other := whoElse(err); other != "" {
			return "", domain.Fault(domain.ErrNotFound, "someone else answers there, %s", other)
		}
		return "", h.noAnswer(ctx, err)
	}
	// An address may be known from now on only if it was the one that worked.
	if remote := conn.RemoteMultiaddr(); slices.ContainsFunc(addrs, remote.Equal) {
		h.Sighted(domain.Sighting{
			Peer: id, Addresses: []string{remote.String()}, Source: source, At: h.cfg.Now(),
		})
	}
	return pid, h.awaitHello(ctx, id, conn)
}

// try allows some addresses to be dialled, wherever they are, until the
// function returned is called.
func (h *Host) try(pid peer.ID, addrs []ma.Multiaddr) func() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trying[pid] = append(h.trying[pid], addrs...)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		left := h.trying[pid]
		for _, addr := range addrs { // another call may be trying the same ones
			if i := slices.IndexFunc(left, addr.Equal); i >= 0 {
				left = slices.Delete(left, i, i+1)
			}
		}
		if h.trying[pid] = left; len(left) == 0 {
			delete(h.trying, pid)
		}
	}
}

// whoIs asks for the peer ID of whoever answers first at the addresses. libp2p
// does not dial without an ID, so it is given one that nobody has, and the
// handshake fails with the true one. That one is only a claim until it is
// dialled.
func (h *Host) whoIs(ctx context.Context, addrs []ma.Multiaddr) (peer.ID, error) {
	type answer struct {
		id  peer.ID
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	answers := make(chan answer, len(addrs))
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel() // the first answer ends the others
	for _, addr := range addrs {
		group.Go(func() {
			id, err := h.whoIsAt(ctx, addr)
			answers <- answer{id, err}
		})
	}
	var failed []error
	for range addrs {
		a := <-answers
		if a.err == nil {
			return a.id, nil
		}
		failed = append(failed, a.err)
	}
	return "", h.noAnswer(ctx, errors.Join(failed...))
}

func (h *Host) whoIsAt(ctx context.Context, addr ma.Multiaddr) (peer.ID, error) {
	_, public, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return "", err
	}
	nobody, err := peer.IDFromPublicKey(public)
	if err != nil {
		return "", err
	}
	defer h.try(nobody, []ma.Multiaddr{addr})()
	defer func() {
		h.libp2p.Peerstore().ClearAddrs(nobody)
		h.libp2p.Peerstore().RemovePeer(nobody)
	}()
	_, err = h.dialAt(ctx, nobody, []ma.Multiaddr{addr})
	if id := whoElse(err); id != "" {
		return id, nil
	}
	if ownAddress(err) {
		return h.libp2p.ID(), nil
	}
	return "", err
}

// whoElse returns the peer that answered where another one was dialled.
func whoElse(err error) peer.ID {
	var dial *swarm.DialError
	if !errors.As(err, &dial) {
		return ""
	}
	for _, e := range dial.DialErrors {
		var mismatch sec.ErrPeerIDMismatch
		if errors.As(e.Cause, &mismatch) {
			return mismatch.Actual
		}
	}
	return ""
}

// ownAddress reports whether a dial failed because the address is our own.
func ownAddress(err error) bool {
	var dial *swarm.DialError
	if !errors.As(err, &dial) {
		return false
	}
	for _, e := range dial.DialErrors {
		if errors.Is(e.Cause, swarm.ErrDialToSelf) {
			return true
		}
	}
	return false
}

// noAnswer says that dialling did not work. How it did not, at each address and
// transport, is for the log.
func (h *Host) noAnswer(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("given up: %w", ctx.Err())
	}
	h.log.DebugContext(ctx, "nobody answers at a typed address", "err", err)
	return domain.Fault(domain.ErrNotFound, "no Potluck answers there; is it running, and does its firewall let port %s through?", strconv.Itoa(DefaultPort))
}

// awaitHello waits until a peer that was just connected by conn says hello. A
// peer that refuses us closes the connection instead.
func (h *Host) awaitHello(ctx context.Context, id domain.PeerID, conn network.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, helloWait)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		links := h.linksOf(id)
		h.mu.Lock()
		greeted := slices.ContainsFunc(links, func(l *link) bool { return l.hello != nil })
		foreign := h.foreign.Contains(conn)
		h.mu.Unlock()
		switch {
		case greeted:
			return nil
		case foreign:
			return domain.Fault(domain.ErrVersion, "%s does not understand our hello", id.Short())
		case len(links) == 0:
			return domain.Fault(domain.ErrRefused, "%s closed the connection", id.Short())
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return fmt.Errorf("given up: %w", ctx.Err())
			}
			return domain.Fault(domain.ErrVersion, "%s does not say hello", id.Short())
		case <-ticker.C:
		}
	}
}

// resolve reads what a user may type for an address, and looks up host names.
// The peer ID is empty if the address has none.
func resolve(ctx context.Context, text string) ([]ma.Multiaddr, peer.ID, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, "", domain.Fault(domain.ErrUsage, "no address given")
	case len(text) > maxAddressLength:
		return nil, "", domain.Fault(domain.ErrUsage, "an address of %s characters is too long", len(text))
	case strings.HasPrefix(text, "/dns"):
		return resolveDNS(ctx, text)
	case strings.HasPrefix(text, "/"):
		addr, id, err := parseAddress(text)
		if err != nil {
			return nil, "", err
		}
		if ip, ok := directIP(addr); !ok || ip.IsUnspecified() || portOf(addr) == 0 {
			return nil, "", domain.Fault(domain.ErrUsage, "nobody can be at %s", addr)
		}
		return []ma.Multiaddr{addr}, id, nil
	}
	name, port, err := splitHostPort(text)
	if err != nil {
		return nil, "", err
	}
	ips, err := lookUp(ctx, "ip", name)
	if err != nil {
		return nil, "", err
	}
	var addrs []ma.Multiaddr
	for _, form := range []string{"/tcp/%d", "/udp/%d/quic-v1"} {
		rest, err := ma.NewMultiaddr(fmt.Sprintf(form, port))
		if err != nil {
			return nil, "", err
		}
		for _, ip := range ips {
			if base, err := manet.FromIP(ip.AsSlice()); err == nil {
				addrs = append(addrs, base.Encapsulate(rest))
			}
		}
	}
	return addrs, "", nil
}

// resolveDNS reads a multiaddress that begins with a host name.
func resolveDNS(ctx context.Context, text string) ([]ma.Multiaddr, peer.ID, error) {
	whole, err := ma.NewMultiaddr(text)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", domain.Fault(domain.ErrUsage, "\"%s\" is not an address", text), err)
	}
	addr, id := peer.SplitAddr(whole)
	first, rest := ma.SplitFirst(addr)
	if first == nil || rest == nil {
		return nil, "", domain.Fault(domain.ErrUsage, "\"%s\" has no port", text)
	}
	family, known := map[int]string{ma.P_DNS: "ip", ma.P_DNS4: "ip4", ma.P_DNS6: "ip6"}[first.Protocol().Code]
	if !known {
		return nil, "", domain.Fault(domain.ErrUsage, "\"%s\" is not an address by TCP or QUIC", text)
	}
	ips, err := lookUp(ctx, family, first.Value())
	if err != nil {
		return nil, "", err
	}
	var addrs []ma.Multiaddr
	for _, ip := range ips {
		base, err := manet.FromIP(ip.AsSlice())
		if err != nil {
			continue
		}
		if a := base.Encapsulate(rest); usable(a) {
			addrs = append(addrs, a)
		}
	}
	if len(addrs) == 0 {
		return nil, "", domain.Fault(domain.ErrUsage, "\"%s\" is not an address by TCP or QUIC", text)
	}
	return addrs, id, nil
}

// splitHostPort reads "host:port", "[ipv6]:port", or either part of it alone.
func splitHostPort(text string) (name string, port int, err error) {
	bare := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if _, err := netip.ParseAddr(bare); err == nil {
		return bare, DefaultPort, nil
	}
	if !strings.Contains(text, ":") {
		return text, DefaultPort, nil
	}
	name, number, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, fmt.Errorf("%w: %w", domain.Fault(domain.ErrUsage, "\"%s\" is not an address", text), err)
	}
	port, err = strconv.Atoi(number)
	if err != nil || port < 1 || port > 65535 || name == "" {
		return "", 0, domain.Fault(domain.ErrUsage, "\"%s\" is not an address", text)
	}
	return name, port, nil
}

// lookUp returns the IP addresses of a host name, or the one that it is.
func lookUp(ctx context.Context, family, name string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(name); err == nil {
		if ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" {
			return nil, domain.Fault(domain.ErrUsage, "nobody can be at %s", ip)
		}
		return []netip.Addr{ip.Unmap()}, nil
	}
	if strings.ContainsAny(name, " /\\@?#%:\x00") {
		return nil, domain.Fault(domain.ErrUsage, "\"%s\" is not the name of a machine", name)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, family, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", domain.Fault(domain.ErrNotFound, "no computer called \"%s\" is known here", name), err)
	}
	for i, ip := range ips {
		ips[i] = ip.Unmap()
	}
	return ips[:min(len(ips), maxResolved)], nil
}
