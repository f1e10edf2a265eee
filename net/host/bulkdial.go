package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// For so long an address is left alone at which it did not work, twice as long
	// each time: this machine may have been busy for a moment, and a firewall
	// stays.
	bulkPauseFirst, bulkPauseLast = 10 * time.Second, 5 * time.Minute
	// bulkTries is how many addresses are tried.
	bulkTries = 3
	// maxFailed bounds what is remembered of failures.
	maxFailed = 1024
)

// place is where a peer was dialled.
type place struct {
	peer domain.PeerID
	addr string
}

// OpenBulk opens a bulk connection for a protocol to a connected peer, at the
// TCP address that the connection goes to or another one that is known. It
// gives up after two seconds, and does not try again for some seconds to minutes
// where it did not work: the caller has Open to fall back on. The context bounds the opening
// only. Errors: domain.ErrOffline if it does not work, ErrVersion if the peer
// does not serve the protocol in this way, ErrRefused if it does not let us, or
// is blocked, ErrBusy if there are too many already.
func (h *Host) OpenBulk(ctx context.Context, id domain.PeerID, proto string) (*Bulk, error) {
	b, err := h.openBulk(ctx, id, proto)
	if err != nil {
		return nil, fmt.Errorf("bulk connection to %s: %w", id.Short(), err)
	}
	return b, nil
}

func (h *Host) openBulk(ctx context.Context, id domain.PeerID, proto string) (*Bulk, error) {
	if len(proto) == 0 || len(proto) > maxProtoName {
		return nil, fmt.Errorf("%w: a protocol name of %d bytes", domain.ErrUsage, len(proto))
	}
	if !h.tasks.begin() {
		return nil, fmt.Errorf("%w: the network is stopped", domain.ErrOffline)
	}
	defer h.tasks.end()
	ctx, cancel := context.WithTimeout(ctx, h.times.bulk)
	defer cancel()
	defer context.AfterFunc(h.ctx, cancel)() //nolint:contextcheck // Close ends it as well

	pid, addrs := h.bulkAddresses(id)
	if len(addrs) == 0 {
		return nil, fmt.Errorf("%w: no address for it is known", domain.ErrOffline)
	}
	var errs []error
	for _, addr := range addrs[:min(len(addrs), bulkTries)] {
		b, err := h.dialBulk(ctx, pid, addr, proto)
		switch {
		case err == nil:
			h.bulks.worked(place{id, addr.String()})
			return b, nil
		case errors.Is(err, domain.ErrRefused), errors.Is(err, domain.ErrBusy), errors.Is(err, domain.ErrUsage):
			return nil, err // it works, but not now
		case errors.Is(ctx.Err(), context.Canceled):
			return nil, fmt.Errorf("given up: %w", ctx.Err())
		}
		h.bulks.avoid(place{id, addr.String()}, time.Now())
		errs = append(errs, fmt.Errorf("at %s: %w", addr, err))
		if errors.Is(err, domain.ErrVersion) || ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// dialBulk connects to one address and asks for the protocol.
func (h *Host) dialBulk(ctx context.Context, pid peer.ID, addr ma.Multiaddr, proto string) (*Bulk, error) {
	if g := (gate{h}); !g.InterceptPeerDial(pid) || !g.InterceptAddrDial(pid, addr) {
		return nil, fmt.Errorf("%w: not to be dialled", domain.ErrRefused)
	}
	scope, err := h.rcmgr.OpenConnection(network.DirOutbound, true, addr)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", domain.ErrBusy, err)
	}
	if err := scope.SetPeer(pid); err != nil {
		scope.Done()
		return nil, fmt.Errorf("%w: %w", domain.ErrBusy, err)
	}
	var dialer manet.Dialer
	conn, err := dialer.DialContext(ctx, addr)
	if err != nil {
		scope.Done()
		return nil, fmt.Errorf("%w: %w", domain.ErrOffline, err)
	}
	b, err := h.greetBulk(ctx, conn, pid, scope, proto)
	if err != nil {
		_ = conn.Close() // it ends in any case
		scope.Done()
		return nil, err
	}
	return b, nil
}

// greetBulk shakes hands with the peer and asks for the protocol.
func (h *Host) greetBulk(ctx context.Context, conn manet.Conn, pid peer.ID, scope network.ConnManagementScope, proto string) (*Bulk, error) {
	b, err := h.secure(ctx, conn, pid, scope)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", domain.ErrOffline, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := b.conn.Write(writeText(nil, proto)); err != nil {
		return nil, fmt.Errorf("%w: %w", domain.ErrOffline, err)
	}
	if err := readVerdict(b.conn); err != nil {
		return nil, err
	}
	if !stop() {
		return nil, fmt.Errorf("%w: %w", domain.ErrOffline, ctx.Err())
	}
	b.wasNear = b.Asker().Near
	if err := b.widen(); err != nil {
		return nil, err
	}
	return b, h.bulks.add(b)
}

// bulkAddresses returns the TCP addresses at which a connected peer may take
// bulk connections, the likeliest first, without those where that has failed.
func (h *Host) bulkAddresses(id domain.PeerID) (peer.ID, []ma.Multiaddr) {
	links := h.linksOf(id)
	if len(links) == 0 {
		return "", nil
	}
	pid := links[0].conn.RemotePeer()
	known := h.libp2p.Peerstore().Addrs(pid)
	h.mu.Lock()
	if e := h.peers[id]; e != nil {
		known = append(e.fresh(h.cfg.Now()), known...)
	}
	h.mu.Unlock()
	known = slices.DeleteFunc(known, func(a ma.Multiaddr) bool { return !usable(a) || isQUIC(a) })

	var addrs []ma.Multiaddr
	add := func(a ma.Multiaddr) {
		if !slices.ContainsFunc(addrs, a.Equal) && !h.bulks.avoided(place{id, a.String()}, time.Now()) {
			addrs = append(addrs, a)
		}
	}
	for _, l := range links {
		remote := l.conn.RemoteMultiaddr()
		if l.conn.Stat().Direction == network.DirOutbound && usable(remote) && !isQUIC(remote) {
			add(remote)
		}
	}
	// Where it was let in from it is, at one of the ports that it is known by.
	for _, l := range links {
		first, _ := ma.SplitFirst(l.conn.RemoteMultiaddr())
		if first == nil {
			continue
		}
		for _, a := range known {
			_, rest := ma.SplitFirst(a)
			add(first.Encapsulate(rest))
		}
	}
	for _, a := range known {
		add(a)
	}
	return pid, addrs
}

// pause is how long, and until when, an address is left alone.
type pause struct {
	length time.Duration
	until  time.Time
}

// forgotten reports whether a next failure there would be a first one again.
func (p pause) forgotten(now time.Time) bool { return now.After(p.until.Add(bulkPauseLast)) }

// avoid notes that it did not work somewhere.
func (s *bulks) avoid(at place, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = make(map[place]pause)
	}
	length := min(max(2*s.failed[at].length, bulkPauseFirst), bulkPauseLast)
	for old, p := range s.failed {
		if len(s.failed) >= maxFailed || p.forgotten(now) {
			delete(s.failed, old)
		}
	}
	s.failed[at] = pause{length, now.Add(length)}
}

// worked notes that it does.
func (s *bulks) worked(at place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.failed, at)
}

func (s *bulks) avoided(at place, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed[at].until.After(now)
}
