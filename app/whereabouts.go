package app

import (
	"context"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// askFriendsEvery is how often friends are asked where others are who are
	// away, and askFriendsAfter how long after one has come.
	askFriendsEvery = 5 * time.Minute
	askFriendsAfter = time.Second
)

// grapevine asks friends who are around where friends are who are not.
type grapevine struct {
	*node
	came chan domain.PeerID

	mu   sync.Mutex
	here map[domain.PeerID]bool // friends that are connected

	stop context.CancelFunc
	done sync.WaitGroup
}

func (n *node) startGrapevine() *grapevine {
	ctx, stop := context.WithCancel(context.Background())
	g := &grapevine{node: n, came: make(chan domain.PeerID, 64), here: make(map[domain.PeerID]bool), stop: stop}
	g.done.Go(func() { g.run(ctx) })
	return g
}

func (g *grapevine) close() error {
	g.stop()
	g.done.Wait()
	return nil
}

// presence takes what the host says of a connection. It does not block.
func (g *grapevine) presence(p domain.Presence) {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.here[p.Peer]
	if !p.Connected || !g.people.Friend(p.Peer) {
		delete(g.here, p.Peer)
		return
	}
	if g.here[p.Peer] = true; !was {
		g.met(p.Peer)
	}
}

// met says that a friend has come.
func (g *grapevine) met(id domain.PeerID) {
	select {
	case g.came <- id:
	default: // so many come at once that the next round will do
	}
}

func (g *grapevine) run(ctx context.Context) {
	tick := time.NewTicker(askFriendsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-g.came:
			select {
			case <-ctx.Done():
				return
			case <-time.After(askFriendsAfter): // others of them may be coming by themselves
			}
			g.ask(ctx, id)
		case <-tick.C:
			for _, p := range g.people.People() {
				if p.Friend && p.Online {
					g.ask(ctx, p.ID)
				}
			}
		}
	}
}

// ask asks a friend for those who are away.
func (g *grapevine) ask(ctx context.Context, id domain.PeerID) {
	var away []domain.PeerID
	for _, p := range g.people.People() {
		if p.Friend && !p.Online {
			away = append(away, p.ID)
		}
	}
	if len(away) == 0 || g.hidden.Load() {
		return
	}
	if err := g.teller.Ask(ctx, id, away, g.told); err != nil {
		g.log.Debug("a friend could not be asked where others are", "peer", id.Short(), "err", err)
	}
}

// friendIDs returns who is a friend.
func (n *node) friendIDs() (ids []domain.PeerID) {
	for _, p := range n.people.Kept() {
		if p.Friend && !p.Blocked {
			ids = append(ids, p.ID)
		}
	}
	return ids
}
