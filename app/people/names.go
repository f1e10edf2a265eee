package people

import (
	"context"
	"slices"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/names"
)

// Rename calls a peer by a name of the user's own, and nobody else sees it; ""
// takes it back. The error is domain.ErrUsage for a name that is none, and
// ErrNotFound for somebody who is not known.
func (p *People) Rename(ctx context.Context, id domain.PeerID, given string) error {
	if given = strings.TrimSpace(given); given != names.Nickname(given) {
		return domain.Fault(domain.ErrUsage, "a name has at most 40 characters, and neither ':' nor '/'")
	}
	p.mu.Lock()
	who := p.known[id]
	if who == nil {
		p.mu.Unlock()
		return unknown(id)
	}
	who.Given = given
	who.met = true
	p.renamed()
	p.mu.Unlock()
	defer p.changedFriends()
	return p.put(ctx, who.ID)
}

// calledItself takes what a peer calls itself. The lock is held.
func (p *People) calledItself(who *person, name string) {
	name = names.Nickname(name)
	if name == "" || name == who.Name {
		return
	}
	who.Name = name
	if who.Friend {
		p.renamed()
	}
}

// renamed takes note that a friend came, went or has another name: strangers of
// that name are told apart from it. The lock is held.
func (p *People) renamed() {
	p.nameFriends()
	p.publishAll()
}

func (p *People) nameFriends() {
	p.bearers = make(map[string]domain.PeerID)
	for id, who := range p.known {
		if !who.Friend || who.Blocked {
			continue
		}
		for _, name := range []string{who.Name, who.Given} {
			if name = names.Alike(name); name != "" {
				p.bearers[name] = id
			}
		}
	}
}

// looksLike returns the name of the friend whose name a stranger bears too,
// whatever the user calls either. The lock is held.
func (p *People) looksLike(who *person) string {
	friend := p.known[p.bearers[names.Alike(who.Name)]]
	if friend == nil || friend == who {
		return ""
	}
	if friend.Given != "" {
		return friend.Given
	}
	return friend.Name
}

// Find returns the peer that text names: the name that the user has given it or
// its nickname, a peer ID, or an unambiguous beginning or end of one. A name
// that several bear means the one of them who is a friend, if none of the others
// is around. The error is domain.ErrNotFound or, for an ambiguous one,
// domain.ErrUsage.
func (p *People) Find(text string) (domain.Peer, error) {
	who, found, err := find(p.People(), text)
	if err == nil && !found {
		err = domain.Fault(domain.ErrNotFound, "nobody around is called \"%s\"; see: potluck peers", text)
	}
	return who, err
}

// FindBlocked is Find among those whom the user has blocked.
func (p *People) FindBlocked(text string) (domain.Peer, error) {
	who, found, err := find(p.Blocked(), text)
	if err == nil && !found {
		err = domain.Fault(domain.ErrNotFound, "you have blocked nobody called \"%s\"; see: potluck block", text)
	}
	return who, err
}

func find(all []domain.Peer, text string) (who domain.Peer, found bool, err error) {
	var named, begun []domain.Peer
	for _, peer := range all {
		switch {
		case string(peer.ID) == text:
			return peer, true, nil
		case sameName(peer.Name, text), sameName(peer.Claimed, text):
			named = append(named, peer)
		case len(text) >= 4 && (strings.HasPrefix(string(peer.ID), text) || strings.HasSuffix(string(peer.ID), text)):
			begun = append(begun, peer)
		}
	}
	if friend, ok := onlyFriend(named); ok {
		named = []domain.Peer{friend}
	}
	// A name may look like the beginning of somebody else's ID.
	matches := append(named, begun...)
	switch len(matches) {
	case 0:
		return domain.Peer{}, false, nil
	case 1:
		return matches[0], true, nil
	}
	ids := make([]string, len(matches))
	for i, peer := range matches {
		ids[i] = peer.Name + " (" + string(peer.ID) + ")"
	}
	return domain.Peer{}, false, domain.Fault(domain.ErrUsage, "\"%s\" could be %s; give the peer ID", text, strings.Join(ids, " or "))
}

func sameName(name, text string) bool {
	return name != "" && (strings.EqualFold(name, text) || names.Alike(name) == names.Alike(text))
}

// onlyFriend returns the one friend among those who bear a name, if nobody else
// of them is around who could be meant.
func onlyFriend(named []domain.Peer) (domain.Peer, bool) {
	at := slices.IndexFunc(named, func(one domain.Peer) bool { return one.Friend })
	if at < 0 {
		return domain.Peer{}, false
	}
	for i, one := range named {
		if i != at && (one.Friend || one.Online) {
			return domain.Peer{}, false
		}
	}
	return named[at], true
}
