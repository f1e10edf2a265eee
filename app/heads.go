package app

import (
	"context"
	"log/slog"
	"sync"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/gossip"
	"github.com/potluck-share/potluck/storage/db"
)

// headKeeper writes the freshest head of each peer to the database, and begins
// a new epoch of the own catalogue where that was brought back from a backup,
// off the network's goroutines.
type headKeeper struct {
	gossip *gossip.Gossip
	store  *db.DB
	log    *slog.Logger

	mu     sync.Mutex
	fresh  map[domain.PeerID]bool
	ahead  domain.Version // of the own catalogue, as others know it; zero if they know nothing newer
	closed bool
	wake   chan struct{} // holds a token while there is something to do
	done   sync.WaitGroup
}

func newHeadKeeper(store *db.DB, log *slog.Logger) *headKeeper {
	return &headKeeper{store: store, log: log, fresh: make(map[domain.PeerID]bool), wake: make(chan struct{}, 1)}
}

// start begins to write what g knows.
func (k *headKeeper) start(g *gossip.Gossip) {
	k.gossip = g
	k.done.Go(k.run)
}

// put notes that there is a new head of the peer.
func (k *headKeeper) put(peer domain.PeerID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	k.fresh[peer] = true
	k.nudge()
}

// behind notes that others know a newer version of the own catalogue.
func (k *headKeeper) behind(seen domain.Version) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	if seen.Newer(k.ahead) {
		k.ahead = seen
	}
	k.nudge()
}

func (k *headKeeper) nudge() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// close writes what is left and waits.
func (k *headKeeper) close() error {
	k.mu.Lock()
	k.closed = true
	k.nudge()
	close(k.wake)
	k.mu.Unlock()
	k.done.Wait()
	return nil
}

func (k *headKeeper) run() {
	for range k.wake {
		k.mu.Lock()
		fresh, ahead := k.fresh, k.ahead
		k.fresh = make(map[domain.PeerID]bool)
		k.ahead = domain.Version{}
		k.mu.Unlock()
		for peer := range fresh {
			k.write(peer)
		}
		if ahead != (domain.Version{}) {
			k.renew(ahead)
		}
	}
}

func (k *headKeeper) write(peer domain.PeerID) {
	signed := k.gossip.Signed(peer)
	head, err := gossip.OpenHead(signed)
	if err != nil {
		return // forgotten meanwhile
	}
	if err := k.store.PutHead(context.Background(), head, signed); err != nil {
		k.log.Warn("an announcement could not be kept", "peer", peer, "err", err)
	}
}

func (k *headKeeper) renew(ahead domain.Version) {
	if !ahead.Newer(k.store.Version()) {
		return // renewed already
	}
	version, err := k.store.RenewEpoch(context.Background(), ahead)
	if err != nil {
		k.log.Error("the list of shares is older than what others know of it and could not be renewed", "err", err)
		return
	}
	k.log.Info("the list of shares was older than what others know of it; begun anew", "epoch", version.Epoch)
	k.gossip.Announce()
}
