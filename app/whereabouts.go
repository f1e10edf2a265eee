package app

import (
	"context"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// askFriendsEvery is how often friends are asked where others are who are away.
const askFriendsEvery = 5 * time.Minute

// askFriendsAfter is how long after a friend has come, or another has gone, they
// are asked: others may be coming by themselves, and reach that friend only a
// little later than we do.
var askFriendsAfter = [...]time.Duration{time.Second, 4 * time.Second, 15 * time.Second, time.Minute}

// grapevine asks friends who are around where friends are who are not.
type grapevine struct {
	*node
	stirred chan struct{} // holds a token when somebody came or went

	mu   sync.Mutex
	here map[domain.PeerID]nextAsk // friends that are connected

	stop context.CancelFunc
	done sync.WaitGroup
}

// nextAsk is when a friend is asked next.
type nextAsk struct {
	at   time.Time // zero: with the next round
	step int       // in askFriendsAfter
}

func (n *node) startGrapevine() *grapevine {
	ctx, stop := context.WithCancel(context.Background())
	g := &grapevine{node: n, stirred: make(chan struct{}, 1), here: make(map[domain.PeerID]nextAsk), stop: stop}
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
	_, was := g.here[p.Peer]
	is := p.Connected && g.people.Friend(p.Peer)
	soon := nextAsk{at: time.Now().Add(askFriendsAfter[0])}
	switch {
	case is == was:
		return
	case is:
		g.here[p.Peer] = soon
	default:
		delete(g.here, p.Peer)
		for id := range g.here {
			g.here[id] = soon
		}
	}
	select {
	case g.stirred <- struct{}{}:
	default:
	}
}

func (g *grapevine) run(ctx context.Context) {
	tick := time.NewTicker(askFriendsEvery)
	defer tick.Stop()
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.stirred:
		case <-due.C:
			for _, id := range g.due(time.Now()) {
				g.ask(ctx, id)
			}
		case <-tick.C:
			for _, p := range g.people.People() {
				if p.Friend && p.Online {
					g.ask(ctx, p.ID)
				}
			}
		}
		due.Reset(g.next(time.Now()))
	}
}

// next is how long it is until the next friend is asked.
func (g *grapevine) next(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait := time.Hour
	for _, a := range g.here {
		if !a.at.IsZero() {
			wait = min(wait, a.at.Sub(now))
		}
	}
	return max(0, wait)
}

// due returns who is to be asked now, and plans when again.
func (g *grapevine) due(now time.Time) (ids []domain.PeerID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, a := range g.here {
		if a.at.IsZero() || now.Before(a.at) {
			continue
		}
		ids = append(ids, id)
		a.at, a.step = time.Time{}, a.step+1
		if a.step < len(askFriendsAfter) {
			a.at = now.Add(askFriendsAfter[a.step])
		}
		g.here[id] = a
	}
	return ids
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
