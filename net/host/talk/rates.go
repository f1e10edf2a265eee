package talk

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"github.com/potluck-share/potluck/app/domain"
)

// mostPeers is of how many peers the rates are kept in mind: those who spoke
// last, so that a crowd of new ones resets the limit of nobody who goes on.
const mostPeers = 1024

// Rates bounds how often each peer may say something. Make one with NewRates.
type Rates struct {
	limit rate.Limit
	burst int

	mu    sync.Mutex
	peers *simplelru.LRU[domain.PeerID, *rate.Limiter]
}

// NewRates lets each peer speak so often per second, with such a burst.
func NewRates(limit rate.Limit, burst int) *Rates {
	peers, err := simplelru.NewLRU[domain.PeerID, *rate.Limiter](mostPeers, nil)
	if err != nil {
		panic(err) // the size is a constant
	}
	return &Rates{limit: limit, burst: burst, peers: peers}
}

// Allow counts something that a peer says and reports whether it may.
func (r *Rates) Allow(peer domain.PeerID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	limiter, ok := r.peers.Get(peer)
	if !ok {
		limiter = rate.NewLimiter(r.limit, r.burst)
		r.peers.Add(peer, limiter)
	}
	return limiter.Allow()
}
