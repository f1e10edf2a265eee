package offers

import (
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// everySent is how often it is published how much went to the receiver.
	everySent = 200 * time.Millisecond
	// stillSent is after how long without a byte nothing is on its way any more.
	stillSent = 3 * time.Second
)

// pace measures what goes to the receiver of an offer.
type pace struct {
	since time.Time // begin of the interval that is measured
	bytes int64     // in it
	still *time.Timer
}

// Sent is told that n bytes of an offer that was made here went to its receiver.
func (o *Offers) Sent(id string, n int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	one, ok := o.all[id]
	if !ok || one.Incoming || one.State.Ended() || !o.started || o.ctx.Err() != nil {
		return
	}
	now := o.cfg.Now()
	p := &one.pace
	one.Sent = min(one.Sent+n, one.Bytes)
	p.bytes += n
	if p.still == nil {
		p.since = now
		p.still = time.AfterFunc(stillSent, func() { o.rests(one) })
		o.publish(one)
		return
	}
	p.still.Reset(stillSent)
	passed := now.Sub(p.since)
	if passed < everySent {
		return
	}
	rate := float64(p.bytes) / passed.Seconds()
	if one.Rate > 0 { // over about two seconds
		share := min(1, passed.Seconds()/2)
		rate = one.Rate + (rate-one.Rate)*share
	}
	one.Rate, p.since, p.bytes = rate, now, 0
	o.publish(one)
}

// rests takes it that nothing goes to the receiver any more.
func (o *Offers) rests(one *offer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	one.pace.still, one.pace.bytes, one.Rate = nil, 0, 0
	if o.all[one.ID] == one && one.State == domain.OfferAccepted {
		o.publish(one)
	}
}
