package picker

import (
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// maxCopies is from how many providers Next has one piece asked at the same
	// time at most.
	maxCopies = 3
	// patience is how old a claim is before a provider of unknown speed may
	// try the same piece.
	patience = 2 * time.Second
	// slack keeps providers of about the same speed from doing each other's
	// work over again at the end.
	slack = 100 * time.Millisecond
)

// asked is a piece with those that were asked for it, at least one.
type asked struct {
	piece  int
	claims []claim // oldest first
}

type claim struct {
	provider *provider
	at       time.Time
	arrived  bool
}

// claim books that v is asked for the piece since that time.
func (p *Picker) claim(v *provider, piece int, at time.Time) {
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

// Arrived says that the provider's bytes for the piece are here, not yet
// verified; from now on nobody else is asked for it.
func (p *Picker) Arrived(id domain.PeerID, piece int, now time.Time) {
	c := p.find(id, piece, func(c *claim) bool { return !c.arrived })
	if c == nil {
		return
	}
	c.arrived = true
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
// told not to. It is free again, unless others were asked for it too.
func (p *Picker) Failed(id domain.PeerID, piece int) {
	c := p.find(id, piece, func(*claim) bool { return true })
	if c == nil {
		return
	}
	a := p.asked[piece]
	for i := range a.claims {
		if &a.claims[i] == c {
			a.claims = slices.Delete(a.claims, i, i+1)
			break
		}
	}
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

// late returns the claimed piece that v has and is expected to bring the most
// time before any of those who were asked for it.
func (p *Picker) late(v *provider, now time.Time) (best int, ok bool) {
	if v.have != nil && v.wanted == 0 {
		return 0, false
	}
	var most time.Duration
	for _, a := range p.queue {
		if len(a.claims) >= maxCopies || v.have != nil && !v.have.has(a.piece) || !p.want.has(a.piece) {
			continue
		}
		wait := a.wait(now)
		if wait > most && v.beats(wait, a.claims[0].at, now) && p.find(v.id, a.piece, always) == nil {
			best, most, ok = a.piece, wait, true
		}
	}
	return best, ok
}

// wait returns how long the piece will still take with those who were asked for
// it.
func (a *asked) wait(now time.Time) (least time.Duration) {
	for i, c := range a.claims {
		rest := c.provider.rest(c.at, now)
		if c.arrived {
			rest = 0
		}
		if i == 0 || rest < least {
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

func always(*claim) bool { return true }
