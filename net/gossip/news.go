package gossip

import (
	"context"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// news lists the authors whose head changed and was not told yet, each once:
// a slow listener costs no memory and gets the latest.
type news struct {
	signal chan struct{}

	mu      sync.Mutex
	waiting map[domain.PeerID]bool
	order   []domain.PeerID
}

func newNews() *news {
	return &news{signal: make(chan struct{}, 1), waiting: make(map[domain.PeerID]bool)}
}

func (n *news) add(author domain.PeerID) {
	n.mu.Lock()
	if !n.waiting[author] {
		n.waiting[author] = true
		n.order = append(n.order, author)
	}
	n.mu.Unlock()
	select {
	case n.signal <- struct{}{}:
	default:
	}
}

func (n *news) all() []domain.PeerID {
	n.mu.Lock()
	defer n.mu.Unlock()
	authors := n.order
	n.order = nil
	clear(n.waiting)
	return authors
}

// tellNews hands fresh heads to the app, in order and one at a time.
func (g *Gossip) tellNews(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.news.signal:
		}
		for _, author := range g.news.all() {
			g.mu.Lock()
			var (
				head  domain.Head
				heard time.Time
			)
			a := g.table.authors[author]
			if a != nil {
				head, heard = a.head().Head, a.heard
			}
			g.mu.Unlock()
			if a != nil {
				g.cfg.Head(head, heard)
			}
		}
	}
}
