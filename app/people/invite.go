package people

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// invitationFor is how long an invitation holds, maxInvitations how many are
	// open at once.
	invitationFor  = 10 * time.Minute
	maxInvitations = 16
)

// token proves that its bearer was invited. It is a secret, and kept in memory
// alone.
type token struct {
	text    string
	expires time.Time
}

// Invite makes an invitation, which one person may use once. The error is
// domain.ErrBusy if too many are open, ErrRefused while this machine is hidden.
func (p *People) Invite(context.Context) (domain.Invitation, error) {
	if p.hidden() {
		return domain.Invitation{}, domain.Fault(domain.ErrRefused, "nobody can come while you are hidden; show yourself first")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	if len(p.tokens) >= maxInvitations {
		return domain.Invitation{}, domain.Fault(domain.ErrBusy, "too many invitations are open; wait until one is used or expires")
	}
	secret := make([]byte, 16)
	_, _ = rand.Read(secret) // never fails
	t := token{base64.RawURLEncoding.EncodeToString(secret), p.cfg.Now().Add(invitationFor)}
	p.tokens = append(p.tokens, t)
	link := domain.Link{
		Kind: domain.LinkInvite, Peer: string(p.cfg.Self), Token: t.text, Name: p.cfg.Name(), Addresses: reachable(p.cfg.Network.Addresses()),
	}
	return domain.Invitation{Link: link.String(), Expires: t.expires}, nil
}

// reachable leaves out the addresses that mean this machine alone, unless there
// are no others.
func reachable(addresses []string) []string {
	others := slices.DeleteFunc(slices.Clone(addresses), func(a string) bool {
		return strings.HasPrefix(a, "/ip4/127.") || strings.HasPrefix(a, "/ip6/::1/")
	})
	if len(others) == 0 {
		others = addresses
	}
	return others[:min(len(others), domain.MaxLinkAddresses)]
}

// expire forgets the invitations whose time is up. The lock is held.
func (p *People) expire() {
	now := p.cfg.Now()
	p.tokens = slices.DeleteFunc(p.tokens, func(t token) bool { return !now.Before(t.expires) })
}

// spend reports whether a token is good, and makes it worthless. How long it
// takes tells nothing of the tokens. The lock is held.
func (p *People) spend(text string) bool {
	p.expire()
	at := -1
	for i, t := range p.tokens {
		if subtle.ConstantTimeCompare([]byte(t.text), []byte(text)) == 1 {
			at = i
		}
	}
	if at < 0 {
		return false
	}
	p.tokens = slices.Delete(p.tokens, at, at+1)
	return true
}

// Invited takes that a peer brings a token. The error is domain.ErrNotFound if
// it does not count, ErrRefused for a blocked peer.
func (p *People) Invited(from domain.Asker, name, text string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.known[from.Peer]; known != nil && known.Blocked || from.Peer == p.cfg.Self {
		return domain.ErrRefused
	}
	if !p.spend(text) {
		return domain.ErrNotFound
	}
	who := p.get(from.Peer)
	p.calledItself(who, name)
	if !who.intro.open() {
		p.begin(who, domain.IntroductionInvited, true)
	}
	who.intro.State, who.intro.Words = domain.IntroductionInvited, nil
	if who.Confirmed || who.Friend {
		p.await(who)
	}
	p.publishIntro(who)
	return nil
}

// Join accepts an invitation that the user was given: it reaches who invites at
// the link's addresses, hands the token over, and confirms this side. They are
// friends once the other side confirms; news come as event.Introductions. The
// peer returned is the one who invites. Errors: domain.ErrUsage for the user's
// own invitation, ErrNotFound if it does not count any more or nobody answers,
// ErrRefused for a blocked peer.
func (p *People) Join(ctx context.Context, link domain.Link) (domain.Peer, error) {
	id := domain.PeerID(link.Peer)
	switch {
	case link.Kind != domain.LinkInvite:
		return domain.Peer{}, domain.Fault(domain.ErrUsage, "that is no invitation")
	case id == p.cfg.Self:
		return domain.Peer{}, domain.Fault(domain.ErrUsage, "this is your own invitation; give it to somebody else")
	case p.IsBlocked(id):
		return domain.Peer{}, domain.Fault(domain.ErrRefused, "you have blocked %s", p.nameOf(id))
	case p.Friend(id):
		who, _ := p.Peer(id)
		return who, nil
	}
	if err := p.cfg.Network.Visit(ctx, id, link.Addresses); err != nil {
		return domain.Peer{}, err
	}
	p.mu.Lock()
	who := p.get(id)
	who.typed, who.met = true, true
	p.calledItself(who, cmp.Or(who.Name, link.Name))
	mine := p.begin(who, domain.IntroductionAsked, false)
	p.mu.Unlock()
	err := p.cfg.Friends.Invite(ctx, id, link.Token)
	if errors.Is(err, domain.ErrNotFound) {
		err = domain.Fault(domain.ErrNotFound, "this invitation has expired or was used; ask for a new one")
	}
	p.mu.Lock()
	if err != nil {
		if who.intro == mine {
			p.end(who, saying(err, mine.Name))
		}
		p.mu.Unlock()
		return domain.Peer{}, refusal(err, mine.Name)
	}
	err = p.confirm(ctx, who)
	peer, _ := p.Peer(id)
	return peer, err
}
