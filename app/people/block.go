package people

import (
	"context"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

// Block wants nothing to do with a peer any more: it is not served, not asked,
// not heard and not shown, from this moment on. It is not told so. That it was
// a friend is remembered for Unblock. The error is domain.ErrUsage for this
// machine itself.
func (p *People) Block(ctx context.Context, id domain.PeerID) error {
	if id == p.cfg.Self {
		return domain.Fault(domain.ErrUsage, "that is you")
	}
	return p.setBlocked(ctx, id, true)
}

// Unblock gives back what was before Block.
func (p *People) Unblock(ctx context.Context, id domain.PeerID) error {
	return p.setBlocked(ctx, id, false)
}

func (p *People) setBlocked(ctx context.Context, id domain.PeerID, blocked bool) error {
	p.mu.Lock()
	if p.known[id] == nil && !blocked {
		p.mu.Unlock()
		return unknown(id)
	}
	who := p.get(id)
	who.Blocked = blocked
	who.met = true
	if blocked {
		who.head, who.headAt = domain.Head{}, time.Time{}
		if who.intro != nil {
			who.intro = nil
			event.Retract(p.cfg.Bus, event.Introductions, string(id))
		}
	}
	p.renamed()
	last := p.lastSeenAt(who)
	p.mu.Unlock()
	err := p.put(ctx, who.ID)
	p.changedFriends()
	if !blocked && len(last.Addresses) > 0 {
		p.cfg.Network.Sighted(last)
	}
	return err
}

// IsBlocked reports whether the user wants nothing to do with the peer.
func (p *People) IsBlocked(id domain.PeerID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.known[id]
	return ok && who.Blocked
}

// Blocked returns those with whom the user wants nothing to do, by name.
func (p *People) Blocked() []domain.Peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []domain.Peer
	for id, who := range p.known {
		if who.Blocked {
			all = append(all, p.describe(id, who))
		}
	}
	sortPeers(all)
	return all
}
