package people

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/potluck-share/potluck/app/domain"
)

// FriendNetwork is how two people ask each other to be friends, see net/friend.
type FriendNetwork interface {
	// Ask begins an introduction and returns the words that both sides are to
	// compare.
	Ask(ctx context.Context, peer domain.PeerID) (words []string, err error)
	// Invite brings a peer the token of its own invitation. The error is
	// domain.ErrNotFound if the token does not count there.
	Invite(ctx context.Context, peer domain.PeerID, token string) error
	// Tell tells a peer what this user says; confirmed is whether the other one
	// has confirmed this side.
	Tell(ctx context.Context, peer domain.PeerID, what domain.FriendAsk) (confirmed bool, err error)
}

// Friend reports whether the peer is a friend: both sides have confirmed.
func (p *People) Friend(id domain.PeerID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.known[id]
	return ok && who.Friend && !who.Blocked
}

// Confirmed reports whether the user has confirmed the peer, who may not have
// confirmed in turn yet.
func (p *People) Confirmed(id domain.PeerID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.known[id]
	return ok && who.Confirmed
}

// Kept returns whom the user would miss if they were forgotten: friends, those
// that are confirmed, blocked or have a name of the user's own; by peer ID.
func (p *People) Kept() []domain.Person {
	p.mu.Lock()
	defer p.mu.Unlock()
	var kept []domain.Person
	for _, who := range p.known {
		if lasting(who.Person) {
			person := who.Person
			person.Addresses = slices.Clone(person.Addresses)
			kept = append(kept, person)
		}
	}
	slices.SortFunc(kept, func(a, b domain.Person) int { return cmp.Compare(a.ID, b.ID) })
	return kept
}

// lasting reports whether a person is remembered however long ago it was seen.
func lasting(who domain.Person) bool {
	return who.Friend || who.Confirmed || who.Blocked || who.Given != ""
}

// RemoveFriend makes a stranger of a friend, who is not told so. Of somebody who
// is on the way to being one, the confirmation is taken back.
func (p *People) RemoveFriend(ctx context.Context, id domain.PeerID) error {
	p.mu.Lock()
	who := p.known[id]
	if who == nil || !who.Friend && !who.Confirmed {
		p.mu.Unlock()
		return domain.Fault(domain.ErrNotFound, "%s is no friend of yours", p.nameOf(id))
	}
	was := who.Person
	who.removed = &was
	who.Friend, who.Confirmed, who.AcceptUpTo = false, false, 0
	who.met = true
	p.retract(who)
	return p.keepFriend(ctx, who)
}

// RestoreFriend undoes RemoveFriend. The error is domain.ErrNotFound if nobody of
// that ID was removed since Potluck was started.
func (p *People) RestoreFriend(ctx context.Context, id domain.PeerID) error {
	p.mu.Lock()
	who := p.known[id]
	if who == nil || who.removed == nil {
		p.mu.Unlock()
		return domain.Fault(domain.ErrNotFound, "%s was no friend of yours", p.nameOf(id))
	}
	was := who.removed
	who.removed = nil
	who.Friend, who.Confirmed, who.AcceptUpTo = was.Friend, was.Confirmed, was.AcceptUpTo
	return p.keepFriend(ctx, who)
}

// AcceptUpTo lets offers of a friend of up to so many bytes be accepted without
// asking; 0: always ask. The error is domain.ErrNotFound for somebody who is no
// friend, ErrUsage for less than nothing.
func (p *People) AcceptUpTo(ctx context.Context, id domain.PeerID, bytes int64) error {
	if bytes < 0 {
		return domain.Fault(domain.ErrUsage, "a size cannot be less than nothing")
	}
	p.mu.Lock()
	who := p.known[id]
	if who == nil || !who.Friend || who.Blocked {
		p.mu.Unlock()
		return domain.Fault(domain.ErrNotFound, "%s is no friend of yours", p.nameOf(id))
	}
	who.AcceptUpTo = bytes
	p.publish(id, who)
	p.mu.Unlock()
	defer p.changedFriends()
	return p.put(ctx, who.ID)
}

// keepFriend publishes and stores somebody who has become, or ceased to be, a
// friend. It is called with the lock held, and releases it.
func (p *People) keepFriend(ctx context.Context, who *person) error {
	p.renamed()
	p.mu.Unlock()
	err := p.put(ctx, who.ID)
	p.changedFriends()
	return err
}

// changedFriends tells that something of friends, blocked peers or the user's
// names has changed. The lock must not be held.
func (p *People) changedFriends() {
	if p.cfg.Changed != nil {
		p.cfg.Changed()
	}
}

// nameOf returns what to call a peer. It must be called without the lock.
func (p *People) nameOf(id domain.PeerID) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calledBy(id)
}

// calledBy is nameOf with the lock held.
func (p *People) calledBy(id domain.PeerID) string {
	if who := p.known[id]; who != nil {
		return p.describe(id, who).Name
	}
	return "somebody " + id.Short()
}

func unknown(id domain.PeerID) error {
	return fmt.Errorf("%s: %w", id.Short(), domain.ErrNotFound)
}
