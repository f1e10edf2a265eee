package discovery

import (
	"net/netip"
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// Limits on what is remembered.
const (
	maxPeers       = 4096
	maxPerSource   = 256 // peers that one address may claim to be
	shortestLife   = 15 * time.Second
	longestLife    = 5 * time.Minute
	renewalWorthit = 10 * time.Second
)

// The points of a sighting's life at which its peer is asked for again.
var refreshPoints = [...]int{80, 85, 90, 95} // per cent

// place is where a peer was heard: the same peer on two interfaces is two
// sightings.
type place struct {
	link int // interface index
	peer domain.PeerID
}

// entry is what is believed of a peer at one place.
type entry struct {
	said      announcement // as it was said, for comparison
	from4     netip.Addr   // whence it came over IPv4, over IPv6; may be invalid
	from6     netip.Addr
	addresses []netip.Addr
	source    domain.Source
	heard     time.Time
	life      time.Duration
	refreshed int       // how many refreshPoints are behind
	told      time.Time // the end of life that was last reported
}

func (e *entry) expires() time.Time { return e.heard.Add(e.life) }

// refreshAt returns when the peer is to be asked for again; after the last
// point that is when it expires.
func (e *entry) refreshAt() time.Time {
	if e.refreshed == len(refreshPoints) {
		return e.expires()
	}
	return e.heard.Add(e.life / 100 * time.Duration(refreshPoints[e.refreshed]))
}

// cache holds who is believed to be where. It reads no clock and knows no
// sockets; the loop that owns it tells it both.
type cache struct {
	entries map[place]*entry
	sources map[netip.Addr]int // how many entries came first from there
	owner   map[place]netip.Addr
	parted  []parting
}

// parting is somebody who said goodbye: it counts for its source as long as it
// would have without that, or one source could claim to be any number of peers.
type parting struct {
	from  netip.Addr
	until time.Time
}

func newCache() *cache {
	return &cache{
		entries: make(map[place]*entry),
		sources: make(map[netip.Addr]int),
		owner:   make(map[place]netip.Addr),
	}
}

// news is what hearing somebody has changed.
type news uint8

const (
	nothing  news = iota
	renewed       // lives longer, by enough to tell
	changed       // other addresses, or heard in another way
	appeared      // was not there before
	left          // said goodbye
)

// hear takes an announcement that came from an address. Of the addresses it
// claims only those are taken that may lie on the interface with these
// prefixes.
func (c *cache) hear(now time.Time, at place, said announcement, from netip.Addr, source domain.Source, prefixes []netip.Prefix) news {
	e := c.entries[at]
	if said.ttl == 0 {
		// Only whence it was announced can it be taken back.
		if e == nil || (from != e.from4 && from != e.from6) {
			return nothing
		}
		c.part(at)
		return left
	}
	what := nothing
	if e == nil {
		c.settle(now)
		if len(c.entries) >= maxPeers || c.sources[from] >= maxPerSource {
			return nothing
		}
		e = &entry{source: source}
		c.entries[at], c.owner[at] = e, from
		c.sources[from]++
		what = appeared
	}
	if !sameWord(e.said, said) {
		e.from4, e.from6 = netip.Addr{}, netip.Addr{} // the old ones may be gone as well
	}
	e.said = said
	if from.Is4() {
		e.from4 = from
	} else {
		e.from6 = from
	}
	addresses := credible(e, prefixes)
	// What is heard by multicast stays so, even if a broadcast comes as well.
	better := source == domain.SourceMulticast && e.source != source
	if what == nothing && (better || !slices.Equal(addresses, e.addresses)) {
		what = changed
	}
	if better {
		e.source = source
	}
	e.addresses = addresses
	e.heard, e.refreshed = now, 0
	e.life = min(max(time.Duration(said.ttl)*time.Second, shortestLife), longestLife)
	if what == nothing && e.expires().Sub(e.told) >= renewalWorthit {
		what = renewed
	}
	if what != nothing {
		e.told = e.expires()
	}
	return what
}

func sameWord(a, b announcement) bool {
	return a.tcp == b.tcp && a.udp == b.udp && slices.Equal(a.addresses, b.addresses)
}

// credible returns those of the claimed addresses, and of the addresses that
// the packets came from, at which the peer may be.
func credible(e *entry, prefixes []netip.Prefix) []netip.Addr {
	var out []netip.Addr
	claims := append(slices.Clone(e.said.addresses), e.from4, e.from6)
	for _, addr := range claims {
		if !dialable(addr, prefixes) || slices.Contains(out, addr) {
			continue
		}
		if addr == e.from4 || addr == e.from6 || onLink(addr, prefixes) {
			out = append(out, addr)
		}
	}
	return out
}

// expire removes what has lived its time and returns it.
func (c *cache) expire(now time.Time) map[place]*entry {
	c.settle(now)
	var gone map[place]*entry
	for at, e := range c.entries {
		if now.Before(e.expires()) {
			continue
		}
		if gone == nil {
			gone = make(map[place]*entry)
		}
		gone[at] = e
		c.forget(at)
	}
	return gone
}

// leave removes all of an interface, or of all interfaces if link is 0, and
// returns it.
func (c *cache) leave(link int) map[place]*entry {
	gone := make(map[place]*entry)
	for at, e := range c.entries {
		if link == 0 || at.link == link {
			gone[at] = e
			c.forget(at)
		}
	}
	return gone
}

func (c *cache) forget(at place) {
	delete(c.entries, at)
	from := c.owner[at]
	delete(c.owner, at)
	c.release(from)
}

// part is forget for somebody who said goodbye.
func (c *cache) part(at place) {
	from, until := c.owner[at], c.entries[at].expires()
	delete(c.entries, at)
	delete(c.owner, at)
	c.parted = append(c.parted, parting{from, until}) // at most maxPerSource of one source
}

// settle forgets the goodbyes that do not count any more.
func (c *cache) settle(now time.Time) {
	c.parted = slices.DeleteFunc(c.parted, func(p parting) bool {
		over := !now.Before(p.until)
		if over {
			c.release(p.from)
		}
		return over
	})
}

func (c *cache) release(from netip.Addr) {
	if c.sources[from]--; c.sources[from] <= 0 {
		delete(c.sources, from)
	}
}

// refresh returns the interfaces on which somebody has come to a point where
// it should be asked for again.
func (c *cache) refresh(now time.Time) map[int]bool {
	var links map[int]bool
	for at, e := range c.entries {
		for e.refreshed < len(refreshPoints) && !now.Before(e.refreshAt()) {
			e.refreshed++
			if links == nil {
				links = make(map[int]bool)
			}
			links[at.link] = true
		}
	}
	return links
}

// known returns the peers on an interface that need not answer a question: those
// with more than half of their life to go.
func (c *cache) known(now time.Time, link int) []known {
	var list []known
	for at, e := range c.entries {
		if left := e.expires().Sub(now); at.link == link && left > e.life/2 {
			list = append(list, known{at.peer, uint32(left / time.Second)})
		}
	}
	slices.SortFunc(list, func(a, b known) int { return int(b.ttl) - int(a.ttl) })
	return list
}

// knowsAll reports whether each of list would be in our own list.
func (c *cache) knowsAll(now time.Time, link int, list []known, self domain.PeerID) bool {
	for _, k := range list {
		if k.peer == self {
			continue
		}
		e := c.entries[place{link, k.peer}]
		// A little less than half is enough: clocks and delays differ.
		if e == nil || e.expires().Sub(now) <= e.life*2/5 {
			return false
		}
	}
	return true
}

// count returns how many peers are on an interface, and how many of them were
// heard by multicast.
func (c *cache) count(link int) (all, multicast int) {
	for at, e := range c.entries {
		if at.link != link {
			continue
		}
		all++
		if e.source == domain.SourceMulticast {
			multicast++
		}
	}
	return all, multicast
}
