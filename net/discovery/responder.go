package discovery

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// concerns tells cheaply whether a packet may be worth parsing: most of what
// is multicast on a network is about printers and televisions.
func concerns(packet []byte) bool {
	return bytes.Contains(packet, []byte("potluck")) || bytes.Contains(packet, []byte("_dns-sd"))
}

// receive takes one packet from the net.
func (l *loop) receive(d datagram) {
	now := time.Now()
	if now.Sub(l.budgetFrom) >= time.Second {
		l.budget, l.budgetFrom = packetsPerSecond, now
	}
	if l.budget--; l.budget < 0 {
		return
	}
	st := l.stations[d.link]
	if st == nil || !st.admits(d) {
		return
	}
	m, err := parse(d.data)
	if err != nil {
		return // anybody may send anything here
	}
	if m.response {
		l.hear(now, st, d, m)
	} else if d.via != viaBroadcast {
		l.answer(now, st, d, m)
	}
}

// admits reports whether a packet was multicast or broadcast on the
// interface's own link by the service at the other end. One that was sent to
// our own address proves nothing: it may come from afar through a port forward.
func (n nic) admits(d datagram) bool {
	from := d.from.Addr()
	if d.from.Port() != d.via.port() {
		return false
	}
	switch d.via {
	case viaMulticast4:
		return d.to == group4 && local(from, n.prefixes)
	case viaMulticast6:
		return d.to == group6 && local(from, n.prefixes)
	default:
		toAll := d.to == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || slices.Contains(n.broadcasts(), d.to)
		return toAll && local(from, n.prefixes) && onLink(from, n.prefixes)
	}
}

// hear takes what others announce.
func (l *loop) hear(now time.Time, st *station, d datagram, m message) {
	from := d.from.Addr()
	for _, said := range m.announcements {
		if said.peer == l.s.cfg.Peer {
			if d.via != viaBroadcast && st.has(from) {
				st.echoAt = now
			}
			l.heardMyself(now, st, d)
			continue
		}
		at := place{st.Index, said.peer}
		e := l.cache.entries[at] // kept to tell of, if it leaves
		what := l.cache.hear(now, at, said, from, d.via.source(), st.prefixes)
		if what == left {
			l.tell(at, e, true)
			continue
		}
		if e = l.cache.entries[at]; e == nil || said.ttl == 0 {
			continue
		}
		l.s.remember(said.peer, st.network.id, l.s.cfg.Now())
		if what != nothing {
			l.tell(at, e, false)
		}
		switch {
		case d.via == viaBroadcast && what == appeared:
			st.schedule.heardNewcomer(now)
		case d.via != viaBroadcast && !st.has(from):
			// What comes from this very machine does not show that multicast
			// passes on the network.
			st.schedule.heardMulticast()
		}
	}
}

// heardMyself takes our own words come back. If they come from an address that
// is not ours, then either it has just become ours, or another machine uses the
// same key.
func (l *loop) heardMyself(now time.Time, st *station, d datagram) {
	if l.isOurs(d.from.Addr()) || now.Sub(l.looked) < pollSoon {
		return
	}
	l.look(now)
	if l.isOurs(d.from.Addr()) || now.Sub(l.warned) < 10*time.Minute {
		return
	}
	l.warned = now
	l.log.Warn("another machine uses this one's identity: was the data folder copied?",
		"address", d.from.Addr(), "interface", st.Name)
}

// isOurs reports whether an address is ours on any interface: two of them may
// be on one network.
func (l *loop) isOurs(addr netip.Addr) bool {
	for _, st := range l.stations {
		if st.has(addr) {
			return true
		}
	}
	return false
}

// answer takes what others ask.
func (l *loop) answer(now time.Time, st *station, d datagram, m message) {
	from := d.from.Addr()
	browse, meta, mine := l.askedFor(m.questions)
	knowsUs := slices.ContainsFunc(m.known, func(k known) bool {
		return k.peer == l.s.cfg.Peer && k.ttl >= timeToLive/2
	})
	if knowsUs && st.has(from) {
		st.echoAt = now // a question of ours lists us first
	}
	if browse && !meta && l.cache.knowsAll(now, st.Index, m.known, l.s.cfg.Peer) && !l.isOurs(from) {
		st.schedule.overheard(now)
	}
	switch {
	case l.silent():
	case knowsUs && !mine && !meta:
		st.schedule.knows(from)
	case browse || meta || mine:
		all, _ := l.cache.count(st.Index)
		st.schedule.asked(now, inquiry{from: from, crowd: all, truncated: m.truncated, meta: meta, firm: meta || mine})
	}
}

// askedFor sorts out which questions we could answer: who offers the service,
// which services there are, and what is known of our own names.
func (l *loop) askedFor(questions []question) (browse, meta, mine bool) {
	instance := strings.ToLower(instanceName(l.s.cfg.Peer))
	host := hostName(l.s.cfg.Peer)
	for _, q := range questions {
		pointer := q.qtype == dns.TypePTR || q.qtype == dns.TypeANY
		switch q.name {
		case serviceName:
			browse = browse || pointer
		case metaName:
			meta = meta || pointer
		case instance:
			mine = mine || q.qtype == dns.TypeSRV || q.qtype == dns.TypeTXT || q.qtype == dns.TypeANY
		case host:
			mine = mine || q.qtype == dns.TypeA || q.qtype == dns.TypeAAAA || q.qtype == dns.TypeANY
		}
	}
	return browse, meta, mine
}

// silent reports whether there is nothing to say of ourselves.
func (l *loop) silent() bool { return l.hidden || l.tcp == 0 && l.udp == 0 }

// work sends what is due on an interface.
func (l *loop) work(now time.Time, st *station) {
	d := st.schedule.due(now)
	if d == (duties{}) {
		return
	}
	sent := true
	if d.announce && !l.silent() {
		sent = l.multicast(st, l.packet(st, timeToLive, d.meta))
	}
	if d.query {
		packets, err := packQuery(l.known(now, st))
		if err != nil {
			l.log.Warn("cannot ask who is around", "error", err)
		}
		for _, p := range packets {
			sent = l.multicast(st, p) && sent
		}
		st.afresh = st.afresh && !sent
	}
	if d.broadcast && !l.silent() {
		l.broadcast(st, l.packet(st, timeToLive, false))
	}
	if sent {
		st.failing = false
		return
	}
	// An interface may be up before it can send. What is lost here would be
	// missed for seconds.
	if st.speaks(viaMulticast4) || st.speaks(viaMulticast6) {
		st.schedule.askWithin(now.Add(sendAgain), 1)
		st.schedule.announces, st.schedule.announceAt = max(st.schedule.announces, 1), now.Add(sendAgain)
	}
	if !st.failing {
		st.failing = true
		l.log.Debug("cannot send, will try again", "interface", st.Name)
	}
}

// known lists who need not answer our question: all that we know well, and
// first ourselves, since our own questions come back to us.
func (l *loop) known(now time.Time, st *station) []known {
	var list []known
	if !st.afresh {
		list = l.cache.known(now, st.Index)
	}
	if !l.silent() {
		list = append([]known{{l.s.cfg.Peer, timeToLive}}, list...)
	}
	return list
}

// packet builds our announcement for an interface, or nil.
func (l *loop) packet(st *station, ttl uint32, meta bool) []byte {
	a := announcement{peer: l.s.cfg.Peer, tcp: l.tcp, udp: l.udp, addresses: st.announced(), ttl: ttl}
	data, err := a.pack(meta)
	if err != nil {
		l.log.Warn("cannot announce", "error", err)
		return nil
	}
	return data
}

// multicast sends over each family that the interface has, and reports
// whether one of them worked.
func (l *loop) multicast(st *station, data []byte) bool {
	worked := false
	for v, socket := range l.sockets[:viaBroadcast] {
		if socket == nil || data == nil || !st.speaks(via(v)) {
			continue
		}
		if err := socket.send(&st.Interface, data); err != nil {
			l.log.Debug("cannot send", "error", err)
			continue
		}
		worked, st.sentAt = true, time.Now()
	}
	return worked
}

func (l *loop) broadcast(st *station, data []byte) {
	socket := l.sockets[viaBroadcast]
	if socket == nil || data == nil {
		return
	}
	for _, to := range st.broadcasts() {
		if err := socket.sendTo(netip.AddrPortFrom(to, BroadcastPort), data); err != nil {
			l.log.Debug("cannot broadcast", "error", err)
		}
	}
}

// goodbye takes back what was announced.
func (l *loop) goodbye() {
	if l.silent() {
		return
	}
	for _, st := range l.stations {
		data := l.packet(st, 0, false)
		l.multicast(st, data)
		if st.schedule.usedBroadcast {
			l.broadcast(st, data)
		}
	}
}

// hide says goodbye, or announces again.
func (l *loop) hide(hidden bool) {
	if hidden == l.hidden {
		return
	}
	if hidden {
		l.goodbye()
	}
	l.hidden = hidden
	now := time.Now()
	for _, st := range l.stations {
		if st.schedule.dropAnswer(); !hidden {
			st.schedule.announceSoon(now)
		}
	}
}
