package people

import (
	"context"
	"slices"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

const (
	// mostKnown is how many people are known at once, beside friends and others
	// who last: whoever makes up names, as anybody may, fills no more.
	mostKnown = 4096
	// forgottenAtOnce is how many make room when that is reached.
	forgottenAtOnce = mostKnown / 16
)

// makeRoom forgets those who were seen longest ago, if there are too many. The
// lock is held.
func (p *People) makeRoom() {
	if len(p.known) < mostKnown {
		return
	}
	var some []*person
	for _, who := range p.known {
		if who.forgettable() {
			some = append(some, who)
		}
	}
	if len(some) < mostKnown-forgottenAtOnce {
		return // it is friends that are many
	}
	slices.SortFunc(some, func(a, b *person) int { return a.LastSeen.Compare(b.LastSeen) })
	for _, who := range some[:forgottenAtOnce] {
		p.forget(who.ID)
	}
}

// forgettable reports whether nothing ties the user to a person who is not
// connected either.
func (who *person) forgettable() bool {
	return !lasting(who.Person) && !who.connected && !who.typed && who.intro == nil && who.removed == nil
}

// forget forgets a person, in the store too, a little later. The lock is held.
func (p *People) forget(id domain.PeerID) {
	delete(p.known, id)
	delete(p.dirty, id)
	event.Retract(p.cfg.Bus, event.Peers, string(id))
	p.forgotten = append(p.forgotten, id)
	p.saveSoon()
}

// drop removes from the store who was forgotten, and tells it.
func (p *People) drop(ctx context.Context) {
	p.putting.Lock()
	defer p.putting.Unlock()
	p.mu.Lock()
	gone := slices.DeleteFunc(p.forgotten, func(id domain.PeerID) bool { return p.known[id] != nil })
	p.forgotten = nil
	p.mu.Unlock()
	if len(gone) == 0 {
		return
	}
	if err := p.cfg.Store.DropPeople(ctx, gone); err != nil {
		p.cfg.Log.Warn("people could not be forgotten", "number", len(gone), "err", err)
	}
	if p.cfg.Forgotten != nil {
		p.cfg.Forgotten(gone)
	}
}
