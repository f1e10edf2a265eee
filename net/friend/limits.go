package friend

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// mostTries is how many introductions with one peer may go by without
	// both sides confirming them, before there is a pause.
	mostTries = 3
	pauseTime = 10 * time.Minute
	// mostPeers is how many peers are kept in mind; of more the one that was
	// seen first is forgotten, which the limit on all strangers bounds.
	mostPeers = 1024
	// All strangers from afar together, and all others together, may open so
	// many exchanges per second, with such a burst.
	exchangeRate  rate.Limit = 2
	exchangeBurst int        = 30
	// mostAtOnce is how many exchanges run at once that others have opened, and
	// mostFarAtOnce how many of those strangers from afar may hold: whoever says
	// nothing holds one for as long as an exchange may take.
	mostAtOnce    = 8
	mostFarAtOnce = 2
)

var (
	errPause  = fmt.Errorf("%w: it was tried three times; wait ten minutes", domain.ErrBusy)
	errChosen = fmt.Errorf("%w: the nonce is not the one that was committed to", domain.ErrMalformed)
)

// limits is how often what may be done. All methods may be called from any
// goroutine.
type limits struct {
	now          func() time.Time
	near, far    *rate.Limiter
	all, fromFar chan struct{} // places for those at once

	mu    sync.Mutex
	tries map[domain.PeerID]*tries
}

// tries are the introductions with one peer.
type tries struct {
	count int
	last  time.Time
}

func newLimits(now func() time.Time) *limits {
	return &limits{
		now:  now,
		near: rate.NewLimiter(exchangeRate, exchangeBurst), far: rate.NewLimiter(exchangeRate, exchangeBurst),
		all: make(chan struct{}, mostAtOnce), fromFar: make(chan struct{}, mostFarAtOnce),
		tries: make(map[domain.PeerID]*tries),
	}
}

// enter lets an exchange begin that the asker has opened; leave must be called
// when it is over if it is ok. Strangers from afar cannot use up what others
// have.
func (l *limits) enter(asker domain.Asker) (leave func(), ok bool) {
	if asker.Near || asker.Friend {
		if !l.near.AllowN(l.now(), 1) || !occupy(l.all) {
			return nil, false
		}
		return func() { <-l.all }, true
	}
	if !l.far.AllowN(l.now(), 1) || !occupy(l.fromFar) {
		return nil, false
	}
	if !occupy(l.all) {
		<-l.fromFar
		return nil, false
	}
	return func() { <-l.all; <-l.fromFar }, true
}

// occupy takes a place if there is one.
func occupy(places chan struct{}) bool {
	select {
	case places <- struct{}{}:
		return true
	default:
		return false
	}
}

// try counts an introduction with the peer, whoever began it, and reports
// whether it may be.
func (l *limits) try(peer domain.PeerID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	t := l.tries[peer]
	if t == nil {
		l.makeRoom(now)
		t = &tries{}
		l.tries[peer] = t
	}
	if now.Sub(t.last) >= pauseTime {
		t.count = 0
	}
	if t.count >= mostTries {
		return false
	}
	t.count++
	t.last = now
	return true
}

// makeRoom forgets those whose pause is over, and the oldest if there are still
// too many. The lock is held.
func (l *limits) makeRoom(now time.Time) {
	if len(l.tries) < mostPeers {
		return
	}
	var oldest domain.PeerID
	for peer, t := range l.tries {
		if now.Sub(t.last) >= pauseTime {
			delete(l.tries, peer)
		} else if o := l.tries[oldest]; o == nil || t.last.Before(o.last) {
			oldest = peer
		}
	}
	if len(l.tries) >= mostPeers {
		delete(l.tries, oldest)
	}
}

// forget ends the counting for a peer that has become a friend.
func (l *limits) forget(peer domain.PeerID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.tries, peer)
}
