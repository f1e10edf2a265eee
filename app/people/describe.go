package people

import (
	"slices"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

// visible is whether the user is shown the person: not the strangers that
// merely connected.
func (who *person) visible() bool {
	return who.near || who.Friend || who.typed || !who.headAt.IsZero() || who.met && who.Name != ""
}

// present is whether the person is connected and has said hello: what says none
// is another program, or a Potluck that speaks another way.
func (who *person) present() bool { return who.connected && who.hello != (domain.Hello{}) }

// shown is visible but for blocked peers, who are listed apart.
func (who *person) shown() bool { return who.visible() && !who.Blocked }

func (p *People) publish(id domain.PeerID, who *person) {
	if !who.shown() {
		event.Retract(p.cfg.Bus, event.Peers, string(id))
		return
	}
	event.Publish(p.cfg.Bus, event.Peers, string(id), p.describe(id, who))
}

func (p *People) describe(id domain.PeerID, who *person) domain.Peer {
	now := p.cfg.Now()
	byEar := p.heard[id] && p.hidden()
	byHead := !who.headAt.IsZero() && now.Sub(who.headAt) < headFresh && who.headAt.After(who.dropped)
	peer := domain.Peer{
		ID: id, Name: who.Name, Version: who.hello.Version,
		Near: who.near || byEar, Online: who.present() || byHead || byEar,
		LastSeen: who.LastSeen, Addresses: slices.Clone(who.Addresses),
		Entries: who.head.Entries, Bytes: who.head.Bytes,
	}
	if who.present() || byEar {
		peer.LastSeen = now
	}
	if who.connected {
		peer.FarForThem = p.far(who)
	}
	p.stand(&peer, who)
	return peer
}

// stand adds to a description what the user has to do with the peer.
func (p *People) stand(peer *domain.Peer, who *person) {
	if who.Given != "" {
		peer.Name = who.Given
		if who.Name != who.Given {
			peer.Claimed = who.Name
		}
	}
	if peer.Name == "" {
		peer.Name = "somebody " + who.ID.Short()
	}
	switch {
	case who.Blocked:
		peer.Blocked, peer.Near, peer.Online = true, false, false
	case who.Friend:
		peer.Friend, peer.AcceptUpTo = true, who.AcceptUpTo
	default:
		peer.LooksLike = p.looksLike(who)
	}
}

// People returns everybody who is or was around: those online first, then by
// name.
func (p *People) People() []domain.Peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []domain.Peer
	for id, who := range p.known {
		if who.shown() {
			all = append(all, p.describe(id, who))
		}
	}
	sortPeers(all)
	return all
}

// sortPeers puts those online first, then sorts by name.
func sortPeers(all []domain.Peer) {
	slices.SortFunc(all, func(a, b domain.Peer) int {
		if a.Online != b.Online {
			if a.Online {
				return -1
			}
			return 1
		}
		if c := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); c != 0 {
			return c
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
}

// Peer returns what is known of one peer.
func (p *People) Peer(id domain.PeerID) (domain.Peer, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.known[id]
	if !ok {
		return domain.Peer{ID: id}, false
	}
	return p.describe(id, who), true
}
