package provide

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// slotIdle is how long somebody who is served may ask for nothing before
	// the next one gets the place.
	slotIdle = time.Second
	// slotTurn is how long somebody is served while others wait, before they
	// have to wait again behind these.
	slotTurn = time.Minute
	// slotLeave is how long somebody whose turn is over holds the place with
	// what is being answered at that moment: a slow reader no longer than that.
	slotLeave = 10 * time.Second
	// slotPatience is how long somebody who waits, and does not ask again, is
	// kept in the queue.
	slotPatience = 15 * time.Second
	// mostWaiting is how many wait at most; whoever comes later has to ask
	// again.
	mostWaiting = 256
)

// slots are the places for people who are served at once. Who comes when all
// are taken waits in a queue, first come, first served, and asks again from
// time to time. All methods may be called from any goroutine.
type slots struct {
	now func() time.Time

	mu        sync.Mutex
	most      int // people served at once; 0: no limit
	perPerson int // large contents that each of them gets at once; 0: no limit
	served    map[domain.PeerID]*guest
	leaving   map[domain.PeerID]*guest // those whose turn is over, until all they asked for is answered
	queue     []*guest
}

// guest is somebody who is served, or waits for it.
type guest struct {
	peer     domain.PeerID
	since    time.Time // when the turn began, or was over
	asked    time.Time // when it asked last
	busy     int       // requests of it that are being answered
	contents []dish    // large ones that it gets, few
}

// dish is a large content that somebody gets.
type dish struct {
	id    domain.ContentID
	asked time.Time
	busy  int
}

func newSlots(now func() time.Time) *slots {
	return &slots{now: now, served: make(map[domain.PeerID]*guest), leaving: make(map[domain.PeerID]*guest)}
}

// set changes the limits; 0 is none. It holds from the next request on.
func (s *slots) set(most, perPerson int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most, s.perPerson = max(0, most), max(0, perPerson)
	if s.most == 0 {
		s.queue = nil
	}
}

// place is where somebody waits. The zero value means that they do not.
type place struct {
	at int // from 1
	// own is true if they are served, and only this content waits, for others
	// that they get.
	own bool
}

// take asks for a place for a content of size bytes. Without a wait the caller
// calls done with the same arguments after the answer.
func (s *slots) take(peer domain.PeerID, id domain.ContentID, size int64) place {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	g := s.guest(peer, now)
	if g == nil {
		return s.wait(peer, now)
	}
	g.asked = now
	if size > domain.PieceSize {
		if at := s.dish(g, id, now); at > 0 {
			return place{at, true}
		}
	}
	g.busy++
	return place{}
}

// guest returns the one that is served, letting it in if there is a place and
// nobody waited before; nil if it has to wait.
func (s *slots) guest(peer domain.PeerID, now time.Time) *guest {
	s.yield(now)
	if g := s.served[peer]; g != nil {
		return g
	}
	s.tidy(now)
	at := slices.IndexFunc(s.queue, func(g *guest) bool { return g.peer == peer })
	before := at
	if at < 0 {
		before = len(s.queue)
	}
	if s.most > 0 && (s.taken(now)+before >= s.most || s.leaving[peer] != nil) {
		return nil
	}
	if at >= 0 {
		s.queue = slices.Delete(s.queue, at, at+1)
	}
	g := &guest{peer: peer, since: now}
	s.served[peer] = g
	return g
}

// yield ends the turns of those who have had enough for now, where others wait.
// What they have asked for before is still answered.
func (s *slots) yield(now time.Time) {
	if s.most == 0 || len(s.queue) == 0 {
		return
	}
	longest := slices.SortedFunc(maps.Values(s.served), func(a, b *guest) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.peer, b.peer))
	})
	for _, g := range longest {
		if now.Sub(g.since) < slotTurn && len(s.served) <= s.most {
			continue
		}
		delete(s.served, g.peer)
		if g.busy > 0 {
			g.since = now
			s.leaving[g.peer] = g
		}
	}
}

// taken is how many places are in use.
func (s *slots) taken(now time.Time) int {
	n := len(s.served)
	for _, g := range s.leaving {
		if now.Sub(g.since) < slotLeave {
			n++
		}
	}
	return n
}

// tidy lets go of those who do not ask any more.
func (s *slots) tidy(now time.Time) {
	for peer, g := range s.served {
		if g.busy == 0 && now.Sub(g.asked) >= slotIdle {
			delete(s.served, peer)
		}
	}
	s.queue = slices.DeleteFunc(s.queue, func(g *guest) bool { return now.Sub(g.asked) >= slotPatience })
}

// wait puts somebody at the end of the queue, or tells the place there.
func (s *slots) wait(peer domain.PeerID, now time.Time) place {
	at := slices.IndexFunc(s.queue, func(g *guest) bool { return g.peer == peer })
	switch {
	case at >= 0:
		s.queue[at].asked = now
	case len(s.queue) >= mostWaiting:
		at = len(s.queue)
	default:
		at = len(s.queue)
		s.queue = append(s.queue, &guest{peer: peer, asked: now})
	}
	return place{at: at + 1}
}

// dish notes that a guest gets a large content. It returns at which place the
// content waits if the guest gets enough others, else 0.
func (s *slots) dish(g *guest, id domain.ContentID, now time.Time) int {
	g.contents = slices.DeleteFunc(g.contents, func(d dish) bool {
		return d.id != id && d.busy == 0 && now.Sub(d.asked) >= slotIdle
	})
	at := slices.IndexFunc(g.contents, func(d dish) bool { return d.id == id })
	if at < 0 {
		if s.perPerson > 0 && len(g.contents) >= s.perPerson {
			return 1 + len(g.contents) - s.perPerson
		}
		at = len(g.contents)
		g.contents = append(g.contents, dish{id: id})
	}
	g.contents[at].asked = now
	g.contents[at].busy++
	return 0
}

// done gives back what take gave.
func (s *slots) done(peer domain.PeerID, id domain.ContentID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if g := s.leaving[peer]; g != nil {
		if g.busy--; g.busy == 0 {
			delete(s.leaving, peer)
		}
		return
	}
	g := s.served[peer]
	if g == nil {
		return
	}
	g.busy--
	g.asked = now
	if at := slices.IndexFunc(g.contents, func(d dish) bool { return d.id == id && d.busy > 0 }); at >= 0 {
		g.contents[at].busy--
		g.contents[at].asked = now
	}
}

// gone forgets somebody who has left.
func (s *slots) gone(peer domain.PeerID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.served, peer)
	delete(s.leaving, peer)
	s.queue = slices.DeleteFunc(s.queue, func(g *guest) bool { return g.peer == peer })
}
