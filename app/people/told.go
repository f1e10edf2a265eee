package people

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

// tell tells the peer that the user has confirmed it, and takes the answer.
func (p *People) tell(ctx context.Context, id domain.PeerID) {
	ctx, cancel := context.WithTimeout(ctx, tellWait)
	defer cancel()
	confirmed, err := p.cfg.Friends.Tell(ctx, id, domain.FriendConfirm)
	p.mu.Lock()
	who := p.known[id]
	if who == nil {
		p.mu.Unlock()
		return
	}
	who.untold = err != nil
	befriended := err == nil && confirmed && who.Confirmed && !who.Friend && !who.Blocked
	if befriended {
		p.befriend(who)
	}
	p.mu.Unlock()
	if err != nil {
		p.cfg.Log.DebugContext(ctx, "could not tell that the user confirmed", "peer", id, "err", err)
	}
	if befriended {
		p.changedFriends()
	}
}

// tellConfirmed lets the peer be told in the background what it may not know: that
// the user has confirmed it. The lock is held.
func (p *People) tellConfirmed(who *person) {
	if !who.Confirmed || who.Friend || who.Blocked {
		return
	}
	who.due = true
	select {
	case p.tells <- struct{}{}:
	default:
	}
}

// tellDue tells those who are due.
func (p *People) tellDue(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, who := range p.known {
		if !who.due || who.telling {
			continue
		}
		who.due, who.telling = false, true
		p.done.Go(func() {
			p.tell(ctx, who.ID)
			p.mu.Lock()
			defer p.mu.Unlock()
			if who.telling = false; who.due {
				p.tellConfirmed(who)
			}
		})
	}
}

// tellAgain tells those who are connected what could not be told before.
func (p *People) tellAgain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, who := range p.known {
		if who.present() && who.untold {
			p.tellConfirmed(who)
		}
	}
}

// Asked takes that a peer has begun an introduction. The error is what refuses
// it: domain.ErrRefused for a blocked one, ErrBusy if there are too many.
func (p *People) Asked(from domain.Asker, name string, words []string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.known[from.Peer]; known != nil && known.Blocked || from.Peer == p.cfg.Self {
		return domain.ErrRefused
	} else if (known == nil || known.intro == nil) && !p.mayAsk(from) {
		return domain.ErrBusy
	}
	who := p.get(from.Peer)
	open := who.intro.open()
	if open && who.intro.State == domain.IntroductionAsked && !who.intro.Theirs && !p.yields(from.Peer) {
		return domain.ErrBusy
	}
	p.calledItself(who, name)
	if !open || who.intro.State == domain.IntroductionInvited {
		p.begin(who, domain.IntroductionAsked, true).far = isFar(from)
	}
	p.compare(who, words)
	return nil
}

func isFar(from domain.Asker) bool { return !from.Near && !from.Friend }

// mayAsk reports whether there is room for one more introduction that somebody
// else begins: those with whom it ended well take none. People from afar cannot
// take it from those who are near. The lock is held.
func (p *People) mayAsk(from domain.Asker) bool {
	all, far := 0, 0
	for _, who := range p.known {
		switch {
		case who.intro == nil || !who.intro.Theirs || who.Friend:
		case who.intro.far:
			far++
		default:
			all++
		}
	}
	if isFar(from) {
		return far < maxAskingFar
	}
	return all < maxAsking
}

// Told takes what a peer's user says: it has confirmed this one, or declined. The
// result is whether this user has confirmed the peer.
func (p *People) Told(from domain.Asker, what domain.FriendAsk) (confirmed bool) {
	befriended := false
	defer func() {
		if befriended {
			p.changedFriends()
		}
	}()
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.known[from.Peer]
	if who == nil || who.Blocked {
		return false
	}
	switch what {
	case domain.FriendConfirm:
		if who.intro.open() {
			who.intro.confirmed = true
		}
		if who.Friend && who.intro.open() || who.Confirmed && !who.Friend {
			befriended = !who.Friend
			p.befriend(who)
		}
		return who.Friend
	case domain.FriendDecline:
		p.declined(who)
	}
	return false
}

// declined takes that the peer's user does not want to. It takes nothing from
// friends. The lock is held.
func (p *People) declined(who *person) {
	if !who.Friend && who.Confirmed {
		who.Confirmed = false
		p.changed(who.ID)
	}
	if who.intro.open() {
		p.end(who, domain.Say("%s declined, or saw other words.", who.intro.Name))
	}
}
