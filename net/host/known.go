package host

import (
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// maxKnown and maxAddresses bound what is remembered of peers that may only
	// be said to exist.
	maxKnown     = 4096
	maxAddresses = 16
	// rememberFor is how long an address is good for that came without an end.
	rememberFor = 24 * time.Hour
	// maxSighted bounds the addresses read from one sighting.
	maxSighted = 64
)

// sourceIdentified marks addresses that a connected peer told us of itself.
const sourceIdentified domain.Source = "identify"

// entry is what the host knows of one peer. Host.mu guards it.
type entry struct {
	id    domain.PeerID
	pid   peer.ID
	addrs []address
	links []*link // oldest first
	kept  map[string]struct{}
	hello domain.Hello // the last one, of whatever connection
	told  domain.Presence

	// How dialling goes.
	once     bool // somebody said that it is there; worth one attempt
	dialling bool
	news     bool // somebody said so while it was being dialled
	failures int
	next     time.Time // the next attempt, by the host's clock; zero for none
	last     time.Time // the last attempt
	lost     time.Time // when its last connection ended that had lasted
}

// address is one place at which a peer may be.
type address struct {
	addr    ma.Multiaddr
	source  domain.Source
	expires time.Time
}

// live returns the newest connection, or nil.
func (e *entry) live() *link {
	for _, l := range slices.Backward(e.links) {
		if !l.conn.IsClosed() {
			return l
		}
	}
	return nil
}

// fresh returns the addresses that have not expired, and forgets the others.
func (e *entry) fresh(now time.Time) []ma.Multiaddr {
	e.addrs = slices.DeleteFunc(e.addrs, func(a address) bool { return !a.expires.After(now) })
	addrs := make([]ma.Multiaddr, len(e.addrs))
	for i, a := range e.addrs {
		addrs[i] = a.addr
	}
	return addrs
}

// remember takes an address in; it reports whether it is news. If there are
// too many the one that expires first goes.
func (e *entry) remember(a address) bool {
	for i, old := range e.addrs {
		if !old.addr.Equal(a.addr) {
			continue
		}
		// What discovery says now is worth more than what was said before.
		if a.source != sourceIdentified {
			e.addrs[i].source = a.source
		}
		if a.expires.After(old.expires) {
			e.addrs[i].expires = a.expires
		}
		return false
	}
	if len(e.addrs) >= maxAddresses {
		first := 0
		for i, old := range e.addrs {
			if old.expires.Before(e.addrs[first].expires) {
				first = i
			}
		}
		e.addrs = slices.Delete(e.addrs, first, first+1)
	}
	e.addrs = append(e.addrs, a)
	return true
}

// AddressesOf returns the addresses at which the peer can be reached, without
// its ID, as far as they are known and have not expired.
func (h *Host) AddressesOf(id domain.PeerID) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.peers[id]
	if e == nil {
		return nil
	}
	var texts []string
	for _, addr := range e.fresh(h.cfg.Now()) {
		texts = append(texts, addr.String())
	}
	return texts
}

func (e *entry) forget(addr ma.Multiaddr) {
	e.addrs = slices.DeleteFunc(e.addrs, func(a address) bool { return a.addr.Equal(addr) })
}

// entryOf returns what is known of a peer, and makes room for it if it is new:
// nil if there is none, or if the ID is not one. h.mu is held.
func (h *Host) entryOf(id domain.PeerID) *entry {
	if e := h.peers[id]; e != nil {
		return e
	}
	if len(id) > 128 { // far more than any ID
		return nil
	}
	pid, err := peer.Decode(string(id))
	if err != nil || domain.PeerID(pid.String()) != id {
		return nil
	}
	if len(h.peers) >= maxKnown && !h.makeRoom() {
		return nil
	}
	e := &entry{id: id, pid: pid}
	h.peers[id] = e
	return e
}

// makeRoom forgets the unconnected peer whose addresses expire first.
func (h *Host) makeRoom() bool {
	var victim *entry
	var when time.Time
	for _, e := range h.peers {
		if len(e.links) > 0 || len(e.kept) > 0 || e.dialling {
			continue
		}
		var last time.Time
		for _, a := range e.addrs {
			if a.expires.After(last) {
				last = a.expires
			}
		}
		if victim == nil || last.Before(when) {
			victim, when = e, last
		}
	}
	if victim == nil {
		return false
	}
	delete(h.peers, victim.id)
	return true
}

// tidy forgets a peer of which nothing is known any more. h.mu is held.
func (h *Host) tidy(e *entry) {
	if len(e.links) == 0 && len(e.addrs) == 0 && len(e.kept) == 0 && !e.dialling {
		delete(h.peers, e.id)
	}
}

// typed reports whether the user named this address of this peer, or accepted
// it with an invitation.
func (h *Host) typed(p peer.ID, addr ma.Multiaddr) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if slices.ContainsFunc(h.trying[p], addr.Equal) {
		return true
	}
	e := h.peers[domain.PeerID(p.String())]
	return e != nil && slices.ContainsFunc(e.addrs, func(a address) bool {
		return byUser(a.source) && a.addr.Equal(addr)
	})
}

// byUser reports whether addresses of a source are the user's own choice, so
// that they may be anywhere.
func byUser(source domain.Source) bool {
	return source == domain.SourceTyped || source == domain.SourceInvited
}

// Forget drops what is known of where the peer is, so that it is not dialled
// again. Its connections stay.
func (h *Host) Forget(id domain.PeerID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.peers[id]
	if e == nil {
		return
	}
	e.addrs, e.once, e.next, e.failures = nil, false, time.Time{}, 0
	h.tell(e)
	h.tidy(e)
}

// Keep gives the connection to the peer a reason to stay, also if the peer is
// neither near nor a friend, and to be made again when it is lost. Release takes
// it back; reasons are counted by name.
func (h *Host) Keep(id domain.PeerID, reason string) {
	h.mu.Lock()
	e := h.entryOf(id)
	if e != nil {
		if e.kept == nil {
			e.kept = make(map[string]struct{})
		}
		e.kept[reason] = struct{}{}
		h.schedule(e, 0)
	}
	h.mu.Unlock()
	if e != nil {
		h.libp2p.ConnManager().Protect(e.pid, reason)
	}
}

// Release takes back a reason that was given to Keep.
func (h *Host) Release(id domain.PeerID, reason string) {
	h.mu.Lock()
	e := h.peers[id]
	if e != nil {
		delete(e.kept, reason)
		for _, l := range e.links {
			signal(l.wake) // its time may be up
		}
		h.tidy(e)
	}
	h.mu.Unlock()
	if e != nil {
		h.libp2p.ConnManager().Unprotect(e.pid, reason)
	}
}

// Connected reports whether there is a live connection to the peer.
func (h *Host) Connected(id domain.PeerID) bool { return len(h.linksOf(id)) > 0 }

// linksOf returns the peer's live connections, newest first.
func (h *Host) linksOf(id domain.PeerID) []*link {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.peers[id]
	if e == nil {
		return nil
	}
	var links []*link
	for _, l := range slices.Backward(e.links) {
		if !l.conn.IsClosed() {
			links = append(links, l)
		}
	}
	return links
}
