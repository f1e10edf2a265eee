package people

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

const (
	// introductionFor is how long an introduction waits for an answer.
	introductionFor = 10 * time.Minute
	// endShown is how long the end of an introduction is published.
	endShown = time.Minute
	// maxAsking bounds the introductions that others have begun, those that ended
	// just now included, and maxAskingFar those of people from afar.
	maxAsking    = 16
	maxAskingFar = 4
	// crossing is how long the other side's introduction may take that was begun
	// at the same moment as ours.
	crossing = 2 * time.Second
	// tellWait bounds one attempt to tell a peer what the user says.
	tellWait = 20 * time.Second
)

// introduction is what is known of one that is open, or has ended just now.
type introduction struct {
	domain.Introduction
	confirmed bool      // the other side has
	far       bool      // somebody from afar has begun it
	until     time.Time // when it ends by itself, or is forgotten
}

func (i *introduction) open() bool {
	return i != nil && i.State != domain.IntroductionDone && i.State != domain.IntroductionEnded
}

// Introductions returns those that are open, and those that have ended just now,
// the oldest first.
func (p *People) Introductions() []domain.Introduction {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []domain.Introduction
	for _, who := range p.known {
		if who.intro != nil {
			all = append(all, who.intro.told())
		}
	}
	slices.SortFunc(all, func(a, b domain.Introduction) int {
		return cmp.Or(a.Begun.Compare(b.Begun), cmp.Compare(a.Peer, b.Peer))
	})
	return all
}

// Introduction returns the introduction with a peer, if there is one.
func (p *People) Introduction(id domain.PeerID) (domain.Introduction, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.known[id]
	if who == nil || who.intro == nil {
		return domain.Introduction{}, false
	}
	return who.intro.told(), true
}

func (i *introduction) told() domain.Introduction {
	told := i.Introduction
	told.Words = slices.Clone(told.Words)
	return told
}

// AddFriend begins an introduction, or joins the one that is open. It waits until
// there are words to compare; news come as event.Introductions. Errors:
// domain.ErrUsage for a friend or this machine itself, ErrRefused if the other
// side does not want to or is blocked, ErrOffline if it is away.
func (p *People) AddFriend(ctx context.Context, id domain.PeerID) error {
	if id == p.cfg.Self {
		return domain.Fault(domain.ErrUsage, "that is you")
	}
	p.mu.Lock()
	who := p.get(id)
	switch name := p.calledBy(id); {
	case who.Blocked:
		p.mu.Unlock()
		return domain.Fault(domain.ErrRefused, "you have blocked %s", name)
	case who.Friend:
		p.mu.Unlock()
		return domain.Fault(domain.ErrUsage, "%s is your friend already", name)
	case who.intro.open():
		p.mu.Unlock()
		return nil
	}
	mine := p.begin(who, domain.IntroductionAsked, false)
	p.mu.Unlock()
	words, err := p.cfg.Friends.Ask(ctx, id)
	if errors.Is(err, domain.ErrBusy) && p.yields(id) {
		p.crossed(ctx, mine)
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known[id] != who || who.intro != mine || mine.State != domain.IntroductionAsked {
		return nil // it went on, as when both have asked at the same moment
	}
	if err != nil {
		p.end(who, saying(err, mine.Name))
		return refusal(err, mine.Name)
	}
	p.compare(who, words)
	return nil
}

// yields reports whether the other side's introduction counts if both begin one
// at the same moment: each would show other words.
func (p *People) yields(id domain.PeerID) bool { return id < p.cfg.Self }

// crossed waits a moment for the introduction of the other side, which has
// refused ours for it.
func (p *People) crossed(ctx context.Context, mine *introduction) {
	ctx, cancel := context.WithTimeout(ctx, crossing)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		p.mu.Lock()
		came := mine.State != domain.IntroductionAsked
		p.mu.Unlock()
		if came {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// refusal says of an error of asking the peer of a name what happened.
func refusal(err error, name string) error {
	if _, ok := domain.SayingOf(err); ok {
		return err
	}
	switch {
	case errors.Is(err, domain.ErrRefused):
		return domain.Fault(domain.ErrRefused, "%s doesn't want to be asked now", name)
	case errors.Is(err, domain.ErrBusy):
		return domain.Fault(domain.ErrBusy, "too many tries; ask %s again in ten minutes", name)
	case errors.Is(err, domain.ErrOffline):
		return domain.Fault(domain.ErrOffline, "%s can't be reached now; try again later", name)
	}
	return err
}

// saying is what an error says of asking the peer of a name.
func saying(err error, name string) domain.Saying {
	if said, ok := domain.SayingOf(err); ok {
		return said
	}
	switch {
	case errors.Is(err, domain.ErrRefused):
		return domain.Say("%s doesn't want to be asked now.", name)
	case errors.Is(err, domain.ErrBusy):
		return domain.Say("Too many tries. Ask %s again in ten minutes.", name)
	case errors.Is(err, domain.ErrOffline):
		return domain.Say("%s can't be reached now. Try again later.", name)
	case errors.Is(err, context.Canceled):
		return domain.Say("You stopped asking %s.", name)
	}
	return domain.KindSaying(err)
}

// begin opens an introduction. The lock is held.
func (p *People) begin(who *person, state domain.IntroductionState, theirs bool) *introduction {
	now := p.cfg.Now()
	who.intro = &introduction{
		Introduction: domain.Introduction{Peer: who.ID, Name: p.calledBy(who.ID), Theirs: theirs, State: state, Begun: now},
		until:        now.Add(introductionFor),
	}
	p.publishIntro(who)
	return who.intro
}

// compare shows the words; whoever was confirmed before needs no second time.
// The lock is held.
func (p *People) compare(who *person, words []string) {
	who.intro.Words = slices.Clone(words)
	who.intro.State = domain.IntroductionComparing
	if who.Confirmed || who.Friend {
		p.await(who)
		p.tellConfirmed(who)
	}
	p.publishIntro(who)
}

// await waits for the other side's user. The lock is held.
func (p *People) await(who *person) {
	who.intro.State = domain.IntroductionWaiting
	who.intro.Reason = domain.Say("Waiting for %s to confirm.", who.intro.Name)
}

func (p *People) publishIntro(who *person) {
	event.Publish(p.cfg.Bus, event.Introductions, string(who.ID), who.intro.told())
}

// end ends an introduction and says why; that is seen for a while. The lock is
// held.
func (p *People) end(who *person, why domain.Saying) {
	who.intro.State, who.intro.Reason = domain.IntroductionEnded, why
	who.intro.until = p.cfg.Now().Add(endShown)
	p.publishIntro(who)
}

// retract forgets an introduction. The lock is held.
func (p *People) retract(who *person) {
	if who.intro != nil {
		who.intro = nil
		event.Retract(p.cfg.Bus, event.Introductions, string(who.ID))
	}
}

// review ends the introductions that nobody has answered, and forgets those that
// have ended a while ago.
func (p *People) review() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Now()
	for _, who := range p.known {
		switch {
		case who.intro == nil || now.Before(who.intro.until):
		case !who.intro.open():
			p.retract(who)
			p.tidy(who)
		case who.Confirmed:
			p.end(who, domain.Say("You are friends as soon as %s confirms, too.", who.intro.Name))
		default:
			p.end(who, domain.Say("Nobody answered. Ask %s again.", who.intro.Name))
		}
	}
}

// ConfirmFriend takes the user's word that both sides show the same words, or
// that the bearer of the invitation is who was invited. It is kept, and told to
// the peer now and on each new connection until that one has confirmed, too. The
// error is domain.ErrNotFound if there is nothing to confirm.
func (p *People) ConfirmFriend(ctx context.Context, id domain.PeerID) error {
	p.mu.Lock()
	who := p.known[id]
	switch {
	case who == nil || who.Blocked || !who.Confirmed && !who.intro.open():
		p.mu.Unlock()
		return domain.Fault(domain.ErrNotFound, "%s has not asked; add %s as a friend first", p.nameOf(id), p.nameOf(id))
	case !who.Confirmed && who.intro.State == domain.IntroductionAsked:
		p.mu.Unlock()
		return domain.Fault(domain.ErrNotFound, "there are no words of %s yet", p.nameOf(id))
	case who.Friend:
		p.mu.Unlock()
		return nil
	}
	return p.confirm(ctx, who)
}

// confirm keeps that the user has confirmed, and tells it. It is called with the
// lock held, and releases it.
func (p *People) confirm(ctx context.Context, who *person) error {
	who.Confirmed, who.met = true, true
	p.mu.Unlock()
	// Kept before it is told: the other side counts on it.
	if err := p.put(ctx, who.ID); err != nil {
		return err
	}
	p.mu.Lock()
	befriended := false
	if who.intro.open() {
		if who.intro.confirmed {
			p.befriend(who)
			befriended = true
		} else {
			p.await(who)
			p.publishIntro(who)
		}
	}
	p.publish(who.ID, who)
	p.mu.Unlock()
	if befriended {
		p.changedFriends()
	}
	p.tell(ctx, who.ID)
	return ctx.Err()
}

// befriend makes a friend of a peer: both have confirmed. The lock is held;
// changedFriends is to be called without it. That it is stored a little later is
// enough, since what it was made of is kept on both sides.
func (p *People) befriend(who *person) {
	who.Friend, who.Confirmed, who.met = true, true, true
	who.removed, who.untold = nil, false
	if who.intro != nil {
		who.intro.State, who.intro.Reason = domain.IntroductionDone, domain.Saying{}
		who.intro.until = p.cfg.Now().Add(endShown)
		p.publishIntro(who)
	}
	p.changed(who.ID)
	p.renamed()
}

// DeclineFriend ends an introduction on both sides, and takes a confirmation
// back; of one that has ended it puts the end out of sight. The error is
// domain.ErrNotFound if there is none.
func (p *People) DeclineFriend(ctx context.Context, id domain.PeerID) error {
	p.mu.Lock()
	who := p.known[id]
	if who == nil || who.intro == nil && (!who.Confirmed || who.Friend) {
		p.mu.Unlock()
		return domain.Fault(domain.ErrNotFound, "%s has not asked", p.nameOf(id))
	}
	if who.intro != nil && !who.intro.open() {
		p.retract(who)
		p.tidy(who)
		p.mu.Unlock()
		return nil
	}
	if !who.Friend {
		who.Confirmed = false
	}
	if who.intro != nil {
		p.end(who, domain.Say("You declined."))
	}
	p.mu.Unlock()
	err := p.put(ctx, who.ID)
	telling, cancel := context.WithTimeout(ctx, tellWait)
	defer cancel()
	if _, err := p.cfg.Friends.Tell(telling, id, domain.FriendDecline); err != nil {
		p.cfg.Log.DebugContext(ctx, "could not tell that the user declined", "peer", id, "err", err)
	}
	return err
}
