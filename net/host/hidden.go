package host

import (
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// hiddenLook is how often a connection is looked at while this machine is
	// hidden, and hiddenGrace how long one may have been of no use before it is
	// closed: between two files of one download nothing is fetched.
	hiddenLook  = 500 * time.Millisecond
	hiddenGrace = 2 * time.Second
)

// hidden reports whether others are not to see this machine.
func (h *Host) hidden() bool { return h.cfg.Hidden != nil && h.cfg.Hidden() }

// hello returns what is said of this machine to a peer that is near or not:
// nothing at all while it is hidden.
func (h *Host) hello(id domain.PeerID, near bool) domain.Hello {
	if h.hidden() {
		return domain.Hello{}
	}
	hello := h.cfg.Hello(id)
	hello.Near = near
	return hello
}

// useless reports whether a connection is to be closed because this machine is
// hidden and fetches nothing from the peer. It is called by attend alone.
func (h *Host) useless(l *link) bool {
	if !h.hidden() {
		return false
	}
	now := time.Now()
	if h.cfg.Fetching != nil && h.cfg.Fetching(l.id) {
		l.used = now
	}
	return now.Sub(l.used) > hiddenGrace
}

// hide closes a connection because this machine is hidden. The peer is dialled
// again when it is not any more.
func (h *Host) hide(l *link) {
	h.mu.Lock()
	if e := h.peers[l.id]; e != nil {
		e.once = true
	}
	h.mu.Unlock()
	h.hangUp(l, "this machine is hidden")
}

// show takes up with a peer, and with one of its connections, as if both were
// new. h.mu is held.
func (h *Host) show(e *entry) {
	for _, l := range e.links {
		l.announced, l.unsaid = stranger, true
		signal(l.talk)
	}
	if len(e.links) == 0 && len(e.addrs) > 0 {
		e.failures = 0
		h.schedule(e, h.tieBreak(e.id))
	}
}
