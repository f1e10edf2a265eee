package host

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// dialTimeout bounds one attempt to reach a peer at all of its addresses.
	dialTimeout = 15 * time.Second
	// maxDials bounds the attempts that run at once.
	maxDials = 16
	// maxRestDials bounds those of them to peers of whom nothing was heard just
	// now: many may be far away, and take long to find out.
	maxRestDials = 12
	// lostFor is how long a friend who was lost is dialled often, about every
	// lostEvery: a switch in between may have been off, which nobody tells.
	lostFor   = 10 * time.Minute
	lostEvery = 2 * time.Second
	// crowded is how long a peer waits for its turn when there are enough others.
	crowded = 30 * time.Second
	// anew is the soonest that a peer whose announcement came again is dialled
	// again: it is there, whatever the back-off says.
	anew = 10 * time.Second
	// dialTTL is how long libp2p keeps an address that we are about to dial.
	dialTTL = time.Minute
)

// Sighted takes note of where a peer was seen and connects to it if that is not
// done yet. Of its addresses only those count that connections may go to at
// all: local ones, 100.64.0.0/10, those near by the owner's word, and those
// that the user typed or accepted with an invitation.
func (h *Host) Sighted(s domain.Sighting) {
	if s.Peer == h.id || h.blocked(s.Peer) {
		return
	}
	now := h.cfg.Now()
	expires := s.Expires
	if expires.IsZero() {
		expires = now.Add(rememberFor)
	}
	var addrs []ma.Multiaddr
	for _, text := range s.Addresses[:min(len(s.Addresses), maxSighted)] {
		addr, id, err := parseAddress(text)
		if err != nil || id != "" && domain.PeerID(id.String()) != s.Peer {
			continue
		}
		if ip, ok := directIP(addr); ok && (byUser(s.Source) || h.mayConnect(ip)) {
			addrs = append(addrs, addr)
		}
	}

	h.mu.Lock()
	defer h.mu.Unlock()
	if s.Gone {
		h.gone(s.Peer, s.Source, addrs)
		return
	}
	if len(addrs) == 0 || !expires.After(now) {
		return
	}
	e := h.entryOf(s.Peer)
	if e == nil {
		return
	}
	news := false
	for _, addr := range addrs {
		if e.remember(address{addr, s.Source, expires}) {
			news = true
		}
	}
	if news && s.Source == domain.SourceMulticast {
		h.doubt(e, addrs)
	}
	h.tell(e)
	e.news = e.news || news
	switch {
	case news:
		e.failures = 0
		e.once = true
		h.schedule(e, h.tieBreak(e.id))
	case s.Source == domain.SourceMulticast || s.Source == domain.SourceBroadcast:
		e.once = true
		if e.last.IsZero() {
			h.schedule(e, h.tieBreak(e.id))
		} else {
			h.schedule(e, e.last.Add(anew).Sub(now))
		}
	case e.next.IsZero():
		e.once = true
		h.schedule(e, h.tieBreak(e.id))
	}
}

// doubt pings the peer on connections from addresses that are not among those at
// which it has just been heard: it may have moved. h.mu is held.
func (h *Host) doubt(e *entry, heard []ma.Multiaddr) {
	for _, l := range e.links {
		ip, ok := directIP(l.conn.RemoteMultiaddr())
		known := !ok || slices.ContainsFunc(heard, func(a ma.Multiaddr) bool {
			at, ok := directIP(a)
			return ok && at == ip
		})
		if !known {
			l.probe = true
			signal(l.talk)
		}
	}
}

// gone takes note that a source does not see a peer any more. h.mu is held.
func (h *Host) gone(id domain.PeerID, source domain.Source, addrs []ma.Multiaddr) {
	e := h.peers[id]
	if e == nil {
		return
	}
	kept := e.addrs[:0]
	for _, a := range e.addrs {
		named := len(addrs) == 0
		for _, addr := range addrs {
			named = named || addr.Equal(a.addr)
		}
		if a.source != source || !named {
			kept = append(kept, a)
		}
	}
	e.addrs = kept
	// A goodbye may also be a lie, or another interface's: the peer itself is
	// asked whether it is there.
	for _, l := range e.links {
		l.probe = true
		signal(l.talk)
	}
	h.tell(e)
	h.tidy(e)
}

// tieBreak returns how long to wait before dialling a peer that presumably
// hears us at the same moment, so that the two make one connection.
func (h *Host) tieBreak(id domain.PeerID) time.Duration {
	if h.id < id {
		return 0
	}
	return h.times.tie + jitter(h.times.tie/4)
}

// jitter returns a random duration from 0 to most.
func jitter(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return rand.N(most) //nolint:gosec // spreads load, guards nothing
}

// backoff returns the wait before the next attempt after some failures.
func (h *Host) backoff(failures int) time.Duration {
	wait := h.times.backoffMin << min(failures, 20)
	if wait > h.times.backoffMax || wait <= 0 {
		wait = h.times.backoffMax
	}
	return wait - wait/4 + jitter(wait/2)
}

// schedule lets the peer be dialled after a wait, or sooner if it is due
// sooner. h.mu is held.
func (h *Host) schedule(e *entry, wait time.Duration) {
	at := h.cfg.Now().Add(max(wait, 0))
	if e.next.IsZero() || at.Before(e.next) {
		e.next = at
	}
	signal(h.dial)
}

// dialLoop dials whoever is due.
func (h *Host) dialLoop() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	room, rest := make(chan struct{}, maxDials), make(chan struct{}, maxRestDials)
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-h.dial:
		case <-timer.C:
		}
		due, wait := h.due()
		for _, id := range due {
			wanted, heard := h.wanted(id)
			if !wanted {
				continue
			}
			if !heard {
				select {
				case rest <- struct{}{}:
				default:
					h.putOff(id)
					continue
				}
			}
			select {
			case <-h.ctx.Done():
				return
			case room <- struct{}{}:
			}
			started := h.tasks.spawn(func() {
				defer func() {
					<-room
					if !heard {
						<-rest
					}
				}()
				h.attempt(id)
			})
			if !started {
				return
			}
		}
		if len(due) > 0 { // the state of those has changed
			_, wait = h.due()
		}
		timer.Reset(wait)
	}
}

// putOff undoes what wanted did, for a little while.
func (h *Host) putOff(id domain.PeerID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.peers[id]; e != nil {
		e.dialling, e.next = false, h.cfg.Now().Add(time.Second)
	}
}

// due returns the unconnected peers whose time has come, those of whom somebody
// said that they are there first, and how long until the next one's.
func (h *Host) due() (ids []domain.PeerID, wait time.Duration) {
	now := h.cfg.Now()
	wait = time.Minute
	var first []domain.PeerID
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.peers {
		if e.next.IsZero() || e.dialling {
			continue
		}
		addrs := e.fresh(now)
		if e.live() != nil || len(addrs) == 0 {
			e.next = time.Time{}
			h.tidy(e)
			continue
		}
		if left := e.next.Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		if e.once {
			first = append(first, e.id)
		} else {
			ids = append(ids, e.id)
		}
	}
	return append(first, ids...), max(wait, time.Millisecond)
}

// wanted decides whether a peer that is due is dialled, and if so marks it. said is
// whether somebody said that it is there.
func (h *Host) wanted(id domain.PeerID) (wanted, said bool) {
	blocked, friend, hidden := h.blocked(id), h.friend(id), h.hidden()
	_, heard := h.cfg.Surroundings.Heard(id)
	others := 0
	for _, p := range h.Connections() {
		if !h.friend(p) {
			others++
		}
	}

	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.peers[id]
	if e == nil || e.dialling {
		return false, false
	}
	reason := friend || heard || e.once || len(e.kept) > 0
	for _, a := range e.addrs {
		if ip, ok := directIP(a.addr); ok && h.byWord(ip) {
			reason = true
		}
	}
	switch {
	case hidden:
		e.next = time.Time{}
		return false, false
	case blocked || !reason:
		e.next = time.Time{}
		return false, false
	case !friend && len(e.kept) == 0 && others >= maxOthers:
		e.next = h.cfg.Now().Add(crowded + jitter(crowded))
		return false, false
	}
	e.dialling, e.news = true, false
	return true, e.once
}

// Connections returns the IDs of all connected peers.
func (h *Host) Connections() []domain.PeerID {
	h.mu.Lock()
	defer h.mu.Unlock()
	var ids []domain.PeerID
	for _, e := range h.peers {
		if e.live() != nil {
			ids = append(ids, e.id)
		}
	}
	return ids
}

// attempt dials a peer that wanted has marked.
func (h *Host) attempt(id domain.PeerID) {
	ctx, cancel := context.WithTimeout(h.ctx, dialTimeout)
	defer cancel()
	_, err := h.dialKnown(ctx, id)
	if err != nil {
		h.log.Debug("dial failed", "peer", id.Short(), "err", err)
	}
	friend := h.friend(id)
	now := h.cfg.Now()

	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.peers[id]
	if e == nil {
		return
	}
	e.dialling, e.once, e.last = false, e.news, now
	if err == nil {
		e.next = time.Time{}
		return
	}
	for _, addr := range strangersAt(err) {
		e.forget(addr) // somebody else lives there now
	}
	wait := h.backoff(e.failures)
	switch {
	case e.news: // where it is was told only after this had begun
		wait = h.tieBreak(id)
	case friend && !e.lost.IsZero() && now.Sub(e.lost) < lostFor:
		wait = min(wait, lostEvery+jitter(lostEvery/2))
		h.tasks.spawn(h.cfg.Surroundings.Ask)
	}
	e.next = now.Add(wait)
	e.failures++
	signal(h.dial)
	h.tidy(e)
}

// dialKnown connects to a peer at the addresses known of it.
func (h *Host) dialKnown(ctx context.Context, id domain.PeerID) (network.Conn, error) {
	h.mu.Lock()
	e := h.peers[id]
	var addrs []ma.Multiaddr
	var pid peer.ID
	if e != nil {
		addrs, pid = e.fresh(h.cfg.Now()), e.pid
	}
	h.mu.Unlock()
	if len(addrs) == 0 {
		return nil, fmt.Errorf("%s: %w: no address of it is known", id.Short(), domain.ErrOffline)
	}
	return h.dialAt(ctx, pid, addrs)
}

// dialAt connects to a peer at the addresses given, and at those that libp2p
// remembers.
func (h *Host) dialAt(ctx context.Context, pid peer.ID, addrs []ma.Multiaddr) (network.Conn, error) {
	h.libp2p.Peerstore().AddAddrs(pid, addrs, dialTTL)
	// libp2p's own back-off knows nothing of announcements and is coarser.
	if s, ok := h.libp2p.Network().(*swarm.Swarm); ok {
		s.Backoff().Clear(pid)
	}
	return h.libp2p.Network().DialPeer(ctx, pid)
}

// strangersAt returns the addresses at which, as a failed dial shows, another
// peer answers.
func strangersAt(err error) []ma.Multiaddr {
	var dial *swarm.DialError
	if !errors.As(err, &dial) {
		return nil
	}
	var addrs []ma.Multiaddr
	for _, e := range dial.DialErrors {
		var mismatch sec.ErrPeerIDMismatch
		if errors.As(e.Cause, &mismatch) {
			addrs = append(addrs, e.Address)
		}
	}
	return addrs
}
