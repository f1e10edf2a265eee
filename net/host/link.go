package host

import (
	"net/netip"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/time/rate"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// friendReason protects the connections of friends from being trimmed.
	friendReason = "potluck friend"
	// nearTag makes near peers worth more than others when trimming.
	nearTag, nearWorth = "near", 10
	// askPause is the least time between two questions by multicast.
	askPause = time.Second
	// rejudgePause merges the calls of a busy network.
	rejudgePause = 20 * time.Millisecond
)

// standing is what a peer is to us, the higher the more it may.
type standing int

const (
	stranger standing = iota
	farFriend
	nearby
)

func standingOf(a domain.Asker) standing {
	switch {
	case a.Near:
		return nearby
	case a.Friend:
		return farFriend
	default:
		return stranger
	}
}

// link is one connection. Two goroutines belong to it: attend judges it, and
// converse says hello and pings on it.
type link struct {
	conn   network.Conn
	id     domain.PeerID
	number uint64 // the newer the higher
	opened time.Time
	gone   chan struct{} // closed when the connection has ended
	wake   chan struct{} // holds one token while attend is to judge anew
	talk   chan struct{} // holds one token while converse is to look again
	hellos *rate.Limiter // of the hellos that the peer may send
	used   time.Time     // when something was last fetched by it while hidden; attend's

	// Host.mu guards the rest.
	judged    bool
	asker     domain.Asker // the last judgement
	hello     *domain.Hello
	greeted   time.Time // when its hello came
	instance  uint64    // of the peer's run, as its hello says
	announced standing  // what OnNear was called for
	probe     bool      // converse is to ping at once
	unsaid    bool      // converse is to say hello anew
}

// notifiee hears of connections from libp2p, which calls Connected before any
// stream of the connection is served.
type notifiee struct{ h *Host }

// Listen does nothing.
func (notifiee) Listen(network.Network, ma.Multiaddr) {}

// ListenClose does nothing.
func (notifiee) ListenClose(network.Network, ma.Multiaddr) {}

// Connected begins the life of a link.
func (n notifiee) Connected(_ network.Network, conn network.Conn) {
	h := n.h
	l := &link{
		conn:   conn,
		id:     domain.PeerID(conn.RemotePeer().String()),
		opened: time.Now(),
		gone:   make(chan struct{}),
		wake:   make(chan struct{}, 1),
		talk:   make(chan struct{}, 1),
		hellos: rate.NewLimiter(2, 10),
	}
	h.mu.Lock()
	e := h.entryOf(l.id)
	if e == nil {
		h.mu.Unlock()
		h.hangUp(l, "too many peers")
		return
	}
	h.sequence++
	l.number = h.sequence
	// One of several connections of the same peer may have died unnoticed.
	for _, old := range e.links {
		old.probe = true
		signal(old.talk)
	}
	e.links = append(e.links, l)
	e.next = time.Time{}
	h.mu.Unlock()

	h.activity.watch(conn.RemotePeer())
	h.tasks.spawn(func() { h.attend(l) })
	h.tasks.spawn(func() { h.converse(l) })
}

// Disconnected ends it.
func (n notifiee) Disconnected(_ network.Network, conn network.Conn) {
	h := n.h
	id := domain.PeerID(conn.RemotePeer().String())
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.peers[id]
	if e == nil {
		return
	}
	at := slices.IndexFunc(e.links, func(l *link) bool { return l.conn == conn })
	if at < 0 {
		return
	}
	l := e.links[at]
	close(l.gone)
	e.links = slices.Delete(e.links, at, at+1)
	h.tell(e)
	if len(e.links) > 0 {
		signal(e.links[len(e.links)-1].wake)
		return
	}
	h.activity.forget(conn.RemotePeer())
	// A connection that does not last is as good as a failed dial: the other
	// side may be throwing us out.
	wait := h.tieBreak(id)
	if time.Since(l.opened) >= h.times.steady {
		e.failures, e.lost = 0, h.cfg.Now()
	} else {
		wait += h.backoff(e.failures)
		e.failures++
	}
	if !e.dialling {
		h.schedule(e, wait)
	}
	h.tidy(e)
}

// hangUp ends a connection.
func (h *Host) hangUp(l *link, why string) {
	h.log.Debug("closing a connection", "peer", l.id.Short(), "addr", l.conn.RemoteMultiaddr().String(), "why", why)
	// Closing waits for notifications, which may be where we are.
	h.tasks.spawn(func() { _ = l.conn.Close() }) // it ends in any case
}

// attend judges a connection whenever something may have changed.
func (h *Host) attend(l *link) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(h.review(l))
		select {
		case <-h.ctx.Done():
			return
		case <-l.gone:
			return
		case <-l.wake:
		case <-timer.C:
		}
	}
}

// review judges a connection, tells whom it concerns, and returns how long the
// judgement is good for if nothing happens.
func (h *Host) review(l *link) time.Duration {
	const idle = time.Hour
	if l.conn.IsClosed() {
		return idle
	}
	if h.blocked(l.id) {
		h.hangUp(l, "blocked")
		return idle
	}
	if h.useless(l) {
		h.hide(l)
		return idle
	}
	asker := h.Asker(l.conn)
	now := standingOf(asker)

	h.mu.Lock()
	e := h.peers[l.id]
	if e == nil || !slices.Contains(e.links, l) {
		h.mu.Unlock()
		return idle
	}
	first, was := !l.judged, l.asker
	l.judged, l.asker = true, asker
	begins := l.hello != nil && now > l.announced
	if begins {
		l.announced = now
	} else {
		l.announced = min(l.announced, now)
	}
	if first || was.Near != asker.Near {
		signal(l.talk)
	}
	var left time.Duration
	switch {
	case l.hello == nil:
		left = h.times.stranger - time.Since(l.opened)
	case now == stranger && len(e.kept) > 0:
		left = h.times.stranger // there is a reason for it to stay yet
	case now == stranger:
		left = h.times.stranger - time.Since(l.greeted)
	default:
		left = idle
	}
	if h.hidden() {
		left = min(left, hiddenLook)
	}
	onNear := h.onNear
	if was.Near && !asker.Near {
		// What begins next must begin as it now stands.
		e.failures = 0
	}
	h.tell(e)
	h.mu.Unlock()

	if first || was.Friend != asker.Friend {
		h.protect(l, asker.Friend)
	}
	if first || was.Near != asker.Near {
		h.tag(l, asker.Near)
	}
	if now == stranger {
		h.askAround(l)
	} else if now > standingOf(was) || first {
		h.learn(l, h.libp2p.Peerstore().Addrs(l.conn.RemotePeer()))
	}
	switch {
	case was.Near && !asker.Near:
		h.hangUp(l, "not near any more")
		return idle
	case left <= 0:
		h.hangUp(l, "a stranger's time is up")
		return idle
	}
	if begins {
		for _, f := range onNear {
			h.tasks.spawn(func() { f(l.id) })
		}
	}
	return left
}

func (h *Host) protect(l *link, friend bool) {
	if friend {
		h.libp2p.ConnManager().Protect(l.conn.RemotePeer(), friendReason)
	} else {
		h.libp2p.ConnManager().Unprotect(l.conn.RemotePeer(), friendReason)
	}
}

func (h *Host) tag(l *link, near bool) {
	if near {
		h.libp2p.ConnManager().TagPeer(l.conn.RemotePeer(), nearTag, nearWorth)
	} else {
		h.libp2p.ConnManager().UntagPeer(l.conn.RemotePeer(), nearTag)
	}
}

// askAround asks by multicast who is there if a peer at a local address was
// not heard yet: the dialler hears first, and the one dialled would wait for
// the next announcement.
func (h *Host) askAround(l *link) {
	ip, ok := directIP(l.conn.RemoteMultiaddr())
	if !ok || !local(ip, h.cfg.Surroundings.Prefixes()) {
		return
	}
	h.mu.Lock()
	now := time.Now()
	soon := !h.asked.IsZero() && now.Sub(h.asked) < askPause
	if !soon {
		h.asked = now
	}
	h.mu.Unlock()
	if !soon {
		h.cfg.Surroundings.Ask()
	}
}

// learn remembers where a near peer or a friend says that it listens, so that
// it is found again without being heard.
func (h *Host) learn(l *link, addrs []ma.Multiaddr) {
	var good []ma.Multiaddr
	for _, a := range addrs {
		if ip, ok := directIP(a); ok && usable(a) && h.mayConnect(ip) {
			good = append(good, a)
		}
	}
	if len(good) == 0 {
		return
	}
	expires := h.cfg.Now().Add(rememberFor)
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.peers[l.id]
	if e == nil {
		return
	}
	// The latest list stands for all earlier ones.
	e.addrs = slices.DeleteFunc(e.addrs, func(a address) bool { return a.source == sourceIdentified })
	for _, a := range good {
		if len(e.addrs) < maxAddresses {
			e.remember(address{a, sourceIdentified, expires})
		}
	}
	h.tell(e)
}

// watchIdentified returns a loop that learns peers' addresses when libp2p has
// exchanged them.
func (h *Host) watchIdentified() (func(), error) {
	sub, err := h.libp2p.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted), eventbus.BufSize(64))
	if err != nil {
		return nil, err
	}
	return func() {
		defer func() { _ = sub.Close() }() // never fails
		for {
			select {
			case <-h.ctx.Done():
				return
			case e, ok := <-sub.Out():
				if !ok {
					return
				}
				done, ok := e.(event.EvtPeerIdentificationCompleted)
				if !ok || done.Conn == nil {
					continue
				}
				if standingOf(h.Asker(done.Conn)) == stranger {
					continue
				}
				for _, l := range h.linksOf(domain.PeerID(done.Peer.String())) {
					if l.conn == done.Conn {
						h.learn(l, done.ListenAddrs)
					}
				}
			}
		}
	}, nil
}

// OnNear registers a function that is called, in a goroutine of its own that
// Close waits for, for each connection whose hello has come and whose peer is
// near or a friend: when that begins, be it with the connection or later, when
// the peer is heard or made a friend. A far friend that comes near is announced
// again; nobody else twice for one connection. Connections that stand already
// are announced as well.
func (h *Host) OnNear(f func(peer domain.PeerID)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.onNear = append(slices.Clone(h.onNear), f)
	for _, e := range h.peers {
		for _, l := range e.links {
			if l.announced > stranger {
				id := e.id
				h.tasks.spawn(func() { f(id) })
			}
		}
	}
}

// Rejudge makes the host look at all connections anew, soon and in the
// background: call it when a peer was heard, the network has changed, or
// friends or blocked peers did. A connection that is not near any more is
// closed and may be dialled anew. If the interfaces' addresses have changed all
// peers are pinged. When this machine is hidden no longer all peers are dialled,
// and those that stayed connected are greeted, and announced by OnNear, again.
func (h *Host) Rejudge() { signal(h.rejudge) }

// uprooted reports whether a connection runs from an address that is no
// interface's any more, so that nothing can come back. Where a transport does
// not tell its own address nothing is known.
func uprooted(at ma.Multiaddr, own []netip.Prefix) bool {
	ip, ok := directIP(at)
	return ok && len(own) > 0 && !ip.IsUnspecified() && !ip.IsLoopback() && !ours(ip, own)
}

func (h *Host) rejudgeLoop() {
	before, hid := h.cfg.Surroundings.Prefixes(), h.hidden()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-h.rejudge:
		}
		now := h.cfg.Surroundings.Prefixes()
		moved := !slices.Equal(before, now)
		before = slices.Clone(now)
		shown := hid && !h.hidden()
		hid = h.hidden()

		h.mu.Lock()
		for _, e := range h.peers {
			if shown {
				h.show(e)
			}
			for _, l := range e.links {
				signal(l.wake)
				if moved && uprooted(l.conn.LocalMultiaddr(), now) {
					h.hangUp(l, "the address that it came from is ours no more")
				} else if moved {
					l.probe = true
					signal(l.talk)
				}
			}
			// Whoever was not worth a dial may be so now.
			if len(e.links) == 0 && len(e.addrs) > 0 && (moved || e.next.IsZero()) {
				if moved {
					e.failures = 0
				}
				h.schedule(e, h.tieBreak(e.id))
			}
		}
		h.mu.Unlock()
		h.reviewBulks()

		select {
		case <-h.ctx.Done():
			return
		case <-time.After(rejudgePause):
		}
	}
}
