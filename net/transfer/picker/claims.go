package picker

import (
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// maxCopies is from how many providers Next has one piece asked at the same
	// time at most. There are so many only if each is expected to be much
	// earlier than all before.
	maxCopies = 6
	// maxWaiting is the same for a piece that nobody has begun.
	maxWaiting = 3
	// patience is how old a claim is before a provider of unknown speed may
	// try the same piece.
	patience = 2 * time.Second
	// slack keeps providers of about the same speed from doing each other's
	// work over again at the end.
	slack = 100 * time.Millisecond
	// hesitation is how long a claim waits to be begun before a provider that has
	// nothing to do is asked too.
	hesitation = 200 * time.Millisecond
)

// asked is a piece with those that were asked for it, at least one.
type asked struct {
	piece  int
	claims []claim // oldest first
}

type claim struct {
	provider *provider
	at       time.Time
	begun    bool // the answer is coming
	arrived  bool
}

// claim books that v is asked for the piece since that time.
func (p *Picker) claim(v *provider, piece int, at time.Time) {
	if v.have != nil && !p.waits() {
		p.near.last = at
	}
	p.unsetFree(piece)
	a := p.asked[piece]
	if a == nil {
		a = &asked{piece: piece}
		p.asked[piece] = a
		p.queue = append(p.queue, a)
	}
	a.claims = append(a.claims, claim{provider: v, at: at})
}

// release forgets a piece that nobody is asked for any more. It is free again
// if it is missing.
func (p *Picker) release(a *asked) {
	delete(p.asked, a.piece)
	if i := slices.Index(p.queue, a); i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
	}
	if p.want.has(a.piece) {
		p.setFree(a.piece)
	}
}

// Began says that the provider begins to answer. It returns those who were asked
// for the piece too and have not begun: they are not needed, and their claims
// are dropped.
//
// Calling it is optional. Once it has been called, a provider that has nothing
// else to do is given what others were asked for and have not begun: whoever
// gets to it first brings it.
func (p *Picker) Began(id domain.PeerID, piece int) (others []domain.PeerID) {
	c := p.find(id, piece, func(c *claim) bool { return !c.begun })
	if c == nil {
		return nil
	}
	c.begun = true
	p.begins = true
	a := p.asked[piece]
	a.claims = slices.DeleteFunc(a.claims, func(c claim) bool {
		if c.begun || c.provider.id == id {
			return false
		}
		others = append(others, c.provider.id)
		return true
	})
	return others
}

// Arrived says that the provider's bytes for the piece are here, not yet
// verified; from now on nobody else is asked for it.
func (p *Picker) Arrived(id domain.PeerID, piece int, now time.Time) {
	c := p.find(id, piece, func(c *claim) bool { return !c.arrived })
	if c == nil {
		return
	}
	c.arrived, c.begun = true, true
	v := c.provider
	took := max(now.Sub(c.at), time.Microsecond)
	if v.pace == 0 {
		v.pace = took
	} else {
		v.pace += (took - v.pace) / 4
	}
	if v.have != nil {
		p.near.brought(now)
	}
}

// Done says that the piece is verified and stored. It returns those who were
// asked for it and are not needed any more, without the ones that brought it.
func (p *Picker) Done(piece int) (others []domain.PeerID) {
	if !p.valid(piece) {
		return nil
	}
	if p.want.unset(piece) {
		p.unsetFree(piece)
		for _, v := range p.partial {
			if v.have.has(piece) {
				v.wanted--
			}
		}
	}
	a := p.asked[piece]
	if a == nil {
		return nil
	}
	for _, c := range a.claims {
		if !c.arrived {
			others = append(others, c.provider.id)
		}
	}
	p.release(a)
	return others
}

// Failed says that the provider did not bring the piece, or a wrong one, or was
// told not to. It is free again, unless others were asked for it too. If the
// provider was asked for it twice, that is about the answer that has arrived, or
// else about the later one.
func (p *Picker) Failed(id domain.PeerID, piece int) {
	a := p.asked[piece]
	if a == nil {
		return
	}
	which := -1
	for i, c := range a.claims {
		if c.provider.id == id && (which < 0 || !a.claims[which].arrived) {
			which = i
		}
	}
	if which < 0 {
		return
	}
	a.claims = slices.Delete(a.claims, which, which+1)
	if len(a.claims) == 0 {
		p.release(a)
	}
}

// find returns the provider's oldest claim of the piece that fits, or nil.
func (p *Picker) find(id domain.PeerID, piece int, fits func(*claim) bool) *claim {
	a := p.asked[piece]
	if a == nil {
		return nil
	}
	for i := range a.claims {
		if c := &a.claims[i]; c.provider.id == id && fits(c) {
			return c
		}
	}
	return nil
}

// late returns a claimed piece that v has and may bring before those who were
// asked for it: one that none of them has begun, else the one that is expected
// to take them the longest.
func (p *Picker) late(v *provider, now time.Time) (best int, ok bool) {
	if v.have != nil && v.wanted == 0 || len(v.opens) > 0 {
		return 0, false // with an open claim it may choose the same piece
	}
	if best, ok = p.idle(v, now); ok {
		return best, true
	}
	var most time.Duration
	if p.order == Rarest && p.free.n > 0 {
		// It is not the end yet, and in a swarm everyone is busy: what is
		// brought twice now is missed elsewhere.
		most = 8*v.pace + patience
	}
	for _, a := range p.queue {
		if !p.mayCopy(v, a) {
			continue
		}
		wait := a.wait(now)
		if wait > most && v.beats(wait, a.claims[0].at, now) {
			best, most, ok = a.piece, wait, true
		}
	}
	return best, ok
}

// idle returns a piece that v has and that waits for others to begin: the one
// that the fewest were asked for, and of those the last one asked for, since
// they get to that last.
func (p *Picker) idle(v *provider, now time.Time) (best int, ok bool) {
	if !p.begins {
		return 0, false
	}
	fewest := maxWaiting
	for i := len(p.queue) - 1; i >= 0; i-- {
		a := p.queue[i]
		n := len(a.claims)
		if n < fewest && !a.begun() && now.Sub(a.claims[n-1].at) > hesitation && p.mayCopy(v, a) {
			best, fewest, ok = a.piece, n, true
		}
	}
	return best, ok
}

// mayCopy reports whether v may be asked for a claimed piece too.
func (p *Picker) mayCopy(v *provider, a *asked) bool {
	return len(a.claims) < maxCopies && (v.have == nil || v.have.has(a.piece)) && p.want.has(a.piece) &&
		!slices.ContainsFunc(a.claims, func(c claim) bool { return c.provider == v || c.arrived })
}

func (a *asked) begun() bool {
	return slices.ContainsFunc(a.claims, func(c claim) bool { return c.begun })
}

// wait returns how long the piece will still take with those who were asked for
// it.
func (a *asked) wait(now time.Time) (least time.Duration) {
	for i, c := range a.claims {
		if rest := c.provider.rest(c.at, now); i == 0 || rest < least {
			least = rest
		}
	}
	return least
}

// rest returns how long a claim of that time will still take. One that is
// overdue may be so for as long again.
func (v *provider) rest(at, now time.Time) time.Duration {
	age := now.Sub(at)
	if v.pace > age {
		return v.pace - age
	}
	return age
}

// beats reports whether v would bring something much earlier than in that time,
// for which others are known since the other one.
func (v *provider) beats(wait time.Duration, since, now time.Time) bool {
	if v.pace == 0 && now.Sub(since) < patience {
		return false
	}
	return wait > 2*v.pace+slack
}
