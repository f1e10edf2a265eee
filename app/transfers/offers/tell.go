package offers

import (
	"context"
	"errors"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

// talk is what is said to one peer, one thing after the other. The fields are
// guarded by Offers.mu.
type talk struct {
	running bool
	again   bool // something became due while it ran
	online  bool // as far as the events told
	pause   time.Duration
	timer   *time.Timer // until the next try; nil: none
}

// rest ends the wait for the next try. The lock is held.
func (t *talk) rest() {
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}

// with returns the talk with a peer. The lock is held.
func (o *Offers) with(peer domain.PeerID) *talk {
	t := o.talk[peer]
	if t == nil {
		t = &talk{pause: firstPause}
		o.talk[peer] = t
	}
	return t
}

// wake has said to a peer what is due. The lock is held.
func (o *Offers) wake(peer domain.PeerID) {
	if !o.started || o.ctx.Err() != nil {
		return
	}
	t := o.with(peer)
	t.rest()
	if t.running {
		t.again = true
		return
	}
	t.running = true
	o.done.Go(func() { o.tell(o.ctx, peer, t) })
}

// tell says to a peer what is due, until nothing is, or it cannot be reached:
// then it tries again later, and at once when the peer is back.
func (o *Offers) tell(ctx context.Context, peer domain.PeerID, t *talk) {
	for {
		o.mu.Lock()
		one := o.next(peer)
		if one == nil || ctx.Err() != nil {
			t.running, t.again = false, false // what was due meanwhile would have been found
			o.mu.Unlock()
			return
		}
		t.again = false
		one.due = false
		now := one.told()
		o.mu.Unlock()
		err := o.say(ctx, one, now)
		if ctx.Err() != nil {
			return
		}
		o.mu.Lock()
		failed := o.said(one, now, err) //nolint:contextcheck // a download is ended even if Close comes
		if failed {
			one.due = true
			t.running = false
			o.later(peer, t)
			o.mu.Unlock()
			o.kept(ctx, now.ID)
			return
		}
		if one.Removed && !one.Untold {
			delete(o.all, now.ID)
		}
		t.pause = firstPause
		o.mu.Unlock()
		o.kept(ctx, now.ID)
	}
}

// later tries once more after a pause. The lock is held.
func (o *Offers) later(peer domain.PeerID, t *talk) {
	if who, _ := o.cfg.People.Peer(peer); !who.Online && !t.again {
		return // follow sees when it comes
	}
	t.rest()
	wait := t.pause
	if t.again { // it has just come back
		t.again, wait = false, time.Second
	}
	t.pause = min(2*t.pause, lastPause)
	t.timer = time.AfterFunc(wait, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.wake(peer)
	})
}

// next returns an offer of which something is to be said to the peer; nil if
// there is none. The lock is held.
func (o *Offers) next(peer domain.PeerID) *offer {
	for _, one := range o.all {
		if one.Peer != peer || !one.due {
			continue
		}
		if one.speaks() {
			return one
		}
		one.due = false
	}
	return nil
}

// speaks reports whether there is anything to say in its state. The lock is held.
func (o *offer) speaks() bool {
	switch o.State {
	case domain.OfferReading, domain.OfferFailed:
		return o.Untold
	case domain.OfferWaiting, domain.OfferAsked:
		return !o.Incoming
	case domain.OfferAccepted:
		return true
	default:
		return o.Untold || o.Incoming && o.State != domain.OfferWithdrawn // its answer may have been lost
	}
}

// say says to the other side what there is to say of an offer as it is now, and
// asks it for the list of files of one that was just accepted.
func (o *Offers) say(ctx context.Context, one *offer, now domain.Offer) error {
	ctx, cancel := context.WithTimeout(ctx, sayTime)
	defer cancel()
	net := o.cfg.Network
	if !now.Incoming {
		if now.State == domain.OfferWithdrawn {
			return net.Withdraw(ctx, now.Peer, now.ID)
		}
		return net.Offer(ctx, now.Peer, domain.OfferSummary{
			ID: now.ID, Name: now.Name, Items: now.Items, Folder: now.Folder, Entries: now.Entries, Bytes: now.Bytes, Note: now.Note,
		})
	}
	switch now.State {
	case domain.OfferAccepted:
		if err := net.Answer(ctx, now.Peer, now.ID, domain.OfferAccept); err != nil || now.Transfer != "" {
			return err
		}
		listing, done := context.WithTimeout(context.WithoutCancel(ctx), listTime)
		defer done()
		stop := context.AfterFunc(o.ctx, done) //nolint:contextcheck // Close ends it as well
		defer stop()
		return o.pull(listing, one)
	case domain.OfferDone:
		return net.Answer(ctx, now.Peer, now.ID, domain.OfferArrived)
	default:
		return net.Answer(ctx, now.Peer, now.ID, domain.OfferDecline)
	}
}

// listTime is how long the list of a large offer may take.
const listTime = 5 * time.Minute

// said takes the outcome of say for an offer that was as told then, and reports
// whether it is to be tried again. The lock is held.
func (o *Offers) said(one *offer, then domain.Offer, err error) (again bool) {
	if one.State != then.State {
		one.due = true // there is something else to say now
		return false
	}
	switch {
	case err == nil:
		one.Untold = false
		if !one.Incoming && one.State == domain.OfferWaiting {
			o.set(one, domain.OfferAsked, domain.Say("%s hasn't answered yet.", one.PeerName))
		}
		return false
	case then.State.Ended():
		// Whoever does not know of it any more needs not be told.
		if errors.Is(err, domain.ErrNotFound) || errors.Is(err, domain.ErrMalformed) {
			one.Untold = false
			return false
		}
		return true
	case one.Incoming:
		return o.notTaken(one, err)
	}
	return o.notGiven(one, err)
}

// notTaken takes it that an accepted offer could not be asked for. The lock is
// held.
func (o *Offers) notTaken(one *offer, err error) (again bool) {
	switch {
	case errors.Is(err, domain.ErrNotFound):
		o.over(one)
	case errors.Is(err, errTooMuch), errors.Is(err, domain.ErrMalformed), errors.Is(err, domain.ErrTooLarge):
		o.cfg.Log.Warn("a peer's offer is not what it said", "peer", one.Peer, "offer", one.ID, "err", err)
		one.Untold, one.due = true, true
		o.set(one, domain.OfferFailed, domain.Say("%s offered something else than was announced.", one.PeerName))
	case errors.Is(err, domain.ErrNoSpace), errors.Is(err, domain.ErrUnwritable):
		o.set(one, one.State, domain.KindSaying(err))
		return true
	default:
		o.set(one, one.State, o.trouble(one, err))
		return true
	}
	return false
}

// notGiven takes it that an offer could not be told. The lock is held.
func (o *Offers) notGiven(one *offer, err error) (again bool) {
	if errors.Is(err, domain.ErrMalformed) || errors.Is(err, domain.ErrTooLarge) {
		o.set(one, domain.OfferFailed, domain.Say("%s can't take this: %s", one.PeerName, err.Error()))
		return false
	}
	if one.State != domain.OfferWaiting {
		return true // it was told before
	}
	o.set(one, one.State, o.trouble(one, err))
	return true
}

// trouble says why the other side could not be told. The lock is held.
func (o *Offers) trouble(one *offer, err error) domain.Saying {
	if said := o.waits(one.Peer); !said.IsZero() {
		return said
	}
	switch {
	case errors.Is(err, domain.ErrBusy):
		return domain.Say("%s has many unanswered offers. Trying again.", one.PeerName)
	case errors.Is(err, domain.ErrVersion):
		return domain.Say("%s uses another version of Potluck. Update the older one.", one.PeerName)
	case errors.Is(err, domain.ErrRefused):
		return domain.Say("%s doesn't take anything from you now. Trying again.", one.PeerName)
	}
	return domain.Say("%s's computer doesn't answer. Trying again.", one.PeerName)
}

// follow takes who comes and goes, and how the downloads do, until ctx ends.
func (o *Offers) follow(ctx context.Context, events *event.Subscription) {
	for {
		batch, err := events.Next(ctx)
		if err != nil {
			return
		}
		for _, e := range batch {
			if who, ok := event.As(event.Peers, e); ok {
				o.met(who, e.Gone) //nolint:contextcheck // as in tell
			}
			if t, ok := event.As(event.Transfers, e); ok && t.Offer != "" {
				o.ended(t, e.Gone)
			}
		}
	}
}

// met takes whether a peer is around: whoever has come is told everything anew.
func (o *Offers) met(who domain.Peer, gone bool) {
	o.mu.Lock()
	online := who.Online && !who.FarForThem && !gone
	t := o.talk[who.ID]
	was := t != nil && t.online
	involved := false
	for _, one := range o.all {
		involved = involved || one.Peer == who.ID
	}
	if !involved {
		delete(o.talk, who.ID) // nobody to talk with; what runs knows it
		o.mu.Unlock()
		return
	}
	o.with(who.ID).online = online
	blocked := o.who(who.ID).Blocked // the event of one who is blocked says only that they are gone
	var changed []string
	for id, one := range o.all {
		if one.Peer != who.ID {
			continue
		}
		if blocked && !one.State.Ended() {
			o.cutOff(one)
			changed = append(changed, id)
			continue
		}
		if who.Name != "" && one.PeerName != who.Name && !one.State.Ended() {
			one.PeerName = who.Name
			o.publish(one)
			changed = append(changed, id)
		}
		if online != was && one.State == domain.OfferWaiting {
			o.set(one, one.State, o.waits(who.ID))
		}
		one.due = one.due || online && !was
	}
	if online && !was {
		o.wake(who.ID)
	}
	ctx := o.ctx
	o.mu.Unlock()
	for _, id := range changed {
		o.kept(ctx, id)
	}
}

// cutOff ends an offer of or for somebody who is blocked. The lock is held.
func (o *Offers) cutOff(one *offer) {
	if !one.Incoming {
		o.takeBack(one)
		one.Untold, one.due = false, false
		return
	}
	asked := one.State == domain.OfferAsked
	o.over(one)
	if asked {
		o.set(one, domain.OfferDeclined, domain.Saying{})
	}
}
