package gossip

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/potluck-share/potluck/app/domain"
)

// What one peer may pass on, in messages per second: a thousand others may all
// have started within a few seconds.
const (
	forwarderRate  rate.Limit = 200
	forwarderBurst int        = 2048
)

// How often one peer may open a swap stream, per second: for swaps, and for
// pushes of a personal head.
const (
	streamRate  rate.Limit = 1
	streamBurst int        = 16
)

// limiters holds one limiter for each peer. It is safe for concurrent use.
type limiters struct {
	rate  rate.Limit
	burst int

	mu    sync.Mutex
	peers map[domain.PeerID]*rate.Limiter
}

func newLimiters(limit rate.Limit, burst int) *limiters {
	return &limiters{rate: limit, burst: burst, peers: make(map[domain.PeerID]*rate.Limiter)}
}

// allow counts n events of the peer and reports whether they are within what
// it may do. It uses the monotonic clock: setting the wall clock gives nobody
// more.
func (l *limiters) allow(peer domain.PeerID, n int) bool {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.peers[peer]
	if limiter == nil {
		l.sweep(now)
		limiter = rate.NewLimiter(l.rate, l.burst)
		l.peers[peer] = limiter
	}
	return limiter.AllowN(now, n)
}

// sweep forgets those whose limiter is as good as new, now and then.
func (l *limiters) sweep(now time.Time) {
	const some = 256
	if len(l.peers) == 0 || len(l.peers)%some != 0 {
		return
	}
	for id, limiter := range l.peers {
		if limiter.TokensAt(now) >= float64(l.burst) {
			delete(l.peers, id)
		}
	}
}
