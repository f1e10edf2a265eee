package discovery

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	pollEvery   = time.Second
	pollSoon    = 150 * time.Millisecond // while a gateway is about to say who it is
	reopenAfter = 5 * time.Second
	// A clock that is off by more than this has jumped: the machine slept.
	jump = 4 * time.Second
	// More packets in a second than this are a flood, of which the rest is dropped.
	packetsPerSecond = 2000
	refreshSpread    = 2 * time.Second
	sendAgain        = time.Second
)

// station is the work on one interface.
type station struct {
	nic
	network  identity
	gateway  *gateway
	schedule schedule
	failing  bool // the last attempt to send has failed
	afresh   bool // the next question lists nobody as known

	sentAt time.Time // when something was multicast last
	echoAt time.Time // when our own words came back by multicast last
}

// loop owns everything that changes. But for the sockets' readers it is the
// service's only goroutine.
type loop struct {
	s        *Service
	log      *slog.Logger
	sockets  [3]transport // by via; nil while they cannot be opened
	reopen   time.Time
	readers  sync.WaitGroup
	packets  chan datagram
	failed   chan transport
	stations map[int]*station // by interface index
	cache    *cache

	hidden     bool
	tcp, udp   uint16
	looked     time.Time // at the interfaces
	lastPoll   time.Time // with the monotonic clock
	lastWall   time.Time // without
	nonce      uint64    // of names for networks that have none
	names      uint64
	budget     int // packets that may still be read in this second
	budgetFrom time.Time
	warned     time.Time         // when somebody with our identity was last complained of
	departed   []domain.Sighting // still to be told
	changed    bool              // Changed is still to be called
}

func newLoop(s *Service) *loop {
	return &loop{
		s:        s,
		log:      s.cfg.Log,
		packets:  make(chan datagram, 512),
		failed:   make(chan transport, 3),
		stations: make(map[int]*station),
		cache:    newCache(),
		hidden:   s.isHidden(),
		nonce:    rand.Uint64(), //nolint:gosec // it has to be unique, not secret
	}
}

func jitter(below time.Duration) time.Duration {
	if below <= 0 {
		return 0
	}
	return rand.N(below) //nolint:gosec // to be unlike others, not unpredictable
}

// run works until ctx ends, then says goodbye and closes the sockets.
func (l *loop) run(ctx context.Context) {
	defer l.closeAll()
	timer := time.NewTimer(0)
	defer timer.Stop()
	nextPoll := l.lastPoll.Add(pollEvery)
	for {
		now := time.Now()
		if !now.Before(nextPoll) {
			nextPoll = now.Add(l.poll(ctx))
		}
		if l.changed {
			l.changed = false
			l.s.cfg.Changed()
		}
		at := nextPoll
		for _, st := range l.stations {
			if l.work(now, st); st.schedule.next().Before(at) {
				at = st.schedule.next()
			}
		}
		timer.Reset(time.Until(at))
		select {
		case <-ctx.Done():
			l.goodbye()
			return
		case d := <-l.packets:
			l.receive(d)
		case <-l.s.asks:
			now := time.Now()
			for _, st := range l.stations {
				st.schedule.ask(now)
			}
		case <-l.s.hiding:
			l.hide(l.s.isHidden())
		case broken := <-l.failed:
			l.discard(broken)
		case <-timer.C:
		}
	}
}

// poll looks at everything that may have changed unasked, and returns how soon
// to look again.
func (l *loop) poll(ctx context.Context) time.Duration {
	now, wall := time.Now(), l.s.cfg.Now().Round(0)
	if l.jumped(now, wall) {
		l.log.Info("the clock jumped, looking around anew")
		l.forgetAll()
	}
	l.lastPoll, l.lastWall = now, wall
	if opened := l.open(ctx, now); opened {
		l.restartAll(now)
	}
	if l.readPorts() {
		for _, st := range l.stations {
			st.schedule.announceSoon(now)
		}
	}
	again := l.look(now)
	for at, e := range l.cache.expire(now) {
		l.tell(at, e, true)
	}
	for link := range l.cache.refresh(now) {
		if st := l.stations[link]; st != nil {
			st.schedule.askWithin(now, refreshSpread)
		}
	}
	for index, st := range l.stations {
		if _, multicast := l.cache.count(index); multicast == 0 && st.schedule.multicastHeard {
			st.schedule.alone(now)
		}
	}
	l.listenToItself(now)
	return again
}

// jumped reports whether the time since the last poll went by while nothing
// ran: the clocks disagree, or it was far too long.
func (l *loop) jumped(now, wall time.Time) bool {
	if l.lastPoll.IsZero() {
		return false
	}
	ran := now.Sub(l.lastPoll)
	passed := wall.Sub(l.lastWall)
	return (passed-ran).Abs() > jump || ran > pollEvery+jump
}

// forgetAll begins as if nobody had ever been heard.
func (l *loop) forgetAll() {
	l.s.forgetAll()
	for at, e := range l.cache.leave(0) {
		l.tell(at, e, true)
	}
	l.restartAll(time.Now())
}

func (l *loop) restartAll(now time.Time) {
	for _, st := range l.stations {
		l.joinAll(st)
		st.schedule.restart(now)
	}
}

// open opens the sockets that are not open, now and then, and reports whether
// there are new ones.
func (l *loop) open(ctx context.Context, now time.Time) bool {
	if now.Before(l.reopen) {
		return false
	}
	opened := false
	for v, have := range l.sockets {
		if have != nil {
			continue
		}
		fresh, err := l.s.cfg.listen(ctx, via(v))
		if err != nil {
			l.log.Debug("cannot listen, will try again", "error", err)
			l.reopen = now.Add(reopenAfter)
			continue
		}
		l.sockets[v], opened = fresh, true
		l.readers.Go(func() {
			if err := fresh.read(l.packets); ctx.Err() == nil {
				l.log.Debug("a socket ended", "error", err)
				l.failed <- fresh
			}
		})
	}
	return opened
}

// discard gives up a socket that failed. The next poll opens another.
func (l *loop) discard(broken transport) {
	for v, have := range l.sockets {
		if have == broken {
			l.sockets[v] = nil
			_ = broken.close() // it is broken anyway
		}
	}
}

func (l *loop) closeAll() {
	for _, socket := range l.sockets {
		if socket != nil {
			if err := socket.close(); err != nil {
				l.log.Debug("closing a socket", "error", err)
			}
		}
	}
	l.readers.Wait()
}

// readPorts reports whether the ports to announce have changed.
func (l *loop) readPorts() bool {
	tcp, udp := port(l.s.cfg.TCP()), port(l.s.cfg.UDP())
	changed := tcp != l.tcp || udp != l.udp
	l.tcp, l.udp = tcp, udp
	return changed
}

func port(n int) uint16 {
	if n < 0 || n > 65535 {
		return 0
	}
	return uint16(n)
}

// look compares the interfaces with what they were, and returns how soon to
// look again.
func (l *loop) look(now time.Time) time.Duration {
	l.looked = now
	all, gateways, err := l.s.cfg.look()
	readable := err == nil
	if !readable {
		l.log.Debug("cannot see all of the network", "error", err)
	}
	seen := make(map[int]bool)
	again := pollEvery
	var present []presentNetwork
	var prefixes []netip.Prefix
	best := -1
	for _, n := range usable(all, gateways) {
		seen[n.Index] = true
		st := l.arrive(now, n)
		st.gateway = gatewayOf(gateways, n.Name)
		l.identify(now, st, readable)
		if st.network.shown(now) == "" {
			l.wake(st)
			again = pollSoon
		}
		p := presentNetwork{st.network.id, st.network.shown(now), networkName(n.prefixes)}
		present = append(present, p)
		if g := st.gateway; g != nil && (best < 0 || g.metric < best) {
			best = g.metric
			last := len(present) - 1
			present[0], present[last] = present[last], present[0]
		}
		prefixes = append(prefixes, n.prefixes...)
	}
	for index, st := range l.stations {
		if !seen[index] {
			l.depart(st)
		}
	}
	// Whoever is told that somebody has gone shall already see why.
	if l.s.nowOn(present, prefixes) {
		l.changed = true
	}
	for _, s := range l.departed {
		l.s.cfg.Sighted(s)
	}
	l.departed = nil
	return again
}

// arrive returns the station of an interface, begun anew if the interface has
// changed or is new.
func (l *loop) arrive(now time.Time, n nic) *station {
	st := l.stations[n.Index]
	if st != nil && st.same(n) {
		return st
	}
	if st == nil {
		st = &station{schedule: schedule{jitter: jitter, patience: l.s.cfg.patience}}
		l.stations[n.Index] = st
	}
	// Which addresses of others can be believed depends on our own, so all
	// shall say theirs again.
	st.nic, st.afresh = n, true
	l.log.Debug("working on an interface", "interface", n.Name, "addresses", n.prefixes)
	l.joinAll(st)
	st.schedule.restart(now)
	return st
}

func (l *loop) joinAll(st *station) {
	for v, socket := range l.sockets {
		if socket == nil || !st.speaks(via(v)) {
			continue
		}
		if err := socket.join(&st.Interface); err != nil {
			l.log.Debug("cannot join", "error", err)
		}
	}
}

// speaks reports whether the interface can be used in that way.
func (st *station) speaks(v via) bool {
	switch v {
	case viaMulticast4:
		return st.has4() && st.Flags&net.FlagMulticast != 0
	case viaMulticast6:
		return st.has6() && st.Flags&net.FlagMulticast != 0
	default:
		return len(st.broadcasts()) > 0
	}
}

// depart forgets an interface and all who were heard there.
func (l *loop) depart(st *station) {
	l.log.Debug("an interface has gone", "interface", st.Name)
	delete(l.stations, st.Index)
	l.empty(st, st.network.id)
}

// empty forgets all who were heard on an interface while it was on a network.
// look tells of them when it is through.
func (l *loop) empty(st *station, network string) {
	for at, e := range l.cache.leave(st.Index) {
		s := l.sighting(st, at.peer, e, true)
		s.Network = network
		l.departed = append(l.departed, s)
	}
}

// identify finds out on which network an interface is. On another one than
// before nobody has been heard yet.
func (l *loop) identify(now time.Time, st *station, readable bool) {
	old := st.network.id
	changed, renamed := st.network.update(now, st.nic, st.gateway, readable, func() string {
		l.names++
		return strconv.FormatUint(l.nonce, 36) + "-" + strconv.FormatUint(l.names, 10)
	})
	switch {
	case renamed:
		l.s.rename(old, st.network.id)
		l.s.cfg.Renamed(old, st.network.id)
	case changed && old != "":
		l.empty(st, old)
		st.schedule.restart(now)
	}
}

// wake sends an empty packet to a gateway, so that the system asks for its
// hardware address.
func (l *loop) wake(st *station) {
	const discard = 9
	socket := l.sockets[viaBroadcast]
	if socket == nil || st.gateway == nil || !st.gateway.address.IsValid() {
		return
	}
	if err := socket.sendTo(netip.AddrPortFrom(st.gateway.address, discard), nil); err != nil {
		l.log.Debug("cannot reach the gateway", "error", err)
	}
}

// tell reports a sighting, if its interface is still there.
func (l *loop) tell(at place, e *entry, gone bool) {
	if st := l.stations[at.link]; st != nil {
		l.s.cfg.Sighted(l.sighting(st, at.peer, e, gone))
	}
}

func (l *loop) sighting(st *station, peer domain.PeerID, e *entry, gone bool) domain.Sighting {
	wall := l.s.cfg.Now()
	return domain.Sighting{
		Peer:      peer,
		Addresses: multiaddresses(e.addresses, e.said.tcp, e.said.udp),
		Source:    e.source,
		Interface: st.Name,
		Network:   st.network.id,
		At:        wall,
		Expires:   wall.Add(time.Until(e.expires())),
		Gone:      gone,
	}
}
