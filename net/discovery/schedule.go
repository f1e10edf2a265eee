package discovery

import (
	"net/netip"
	"time"
)

// The rhythm of one interface.
const (
	firstInterval    = time.Second // between questions, growing threefold
	longestInterval  = time.Minute
	announceAgain    = time.Second
	askSpacing       = time.Second
	answerDelay      = 20 * time.Millisecond
	answerSpread     = 100 * time.Millisecond
	answerPerPeer    = time.Millisecond // more spread where more peers answer
	truncatedDelay   = 400 * time.Millisecond
	broadcastAfter   = 10 * time.Second
	longestBroadcast = time.Minute
	maxAskers        = 64
	longestSilence   = 20 * time.Minute // without a question of our own
)

// duties are what is to be sent now.
type duties struct {
	announce  bool // multicast our records
	meta      bool // and that our service exists
	query     bool // multicast the question
	broadcast bool // broadcast our records
}

// schedule decides when one interface speaks. It neither reads a clock nor
// sends: it is told the time and says what is due.
type schedule struct {
	jitter   func(time.Duration) time.Duration // below the one given
	patience time.Duration                     // before the first broadcast

	announces  int // still to come
	announceAt time.Time

	queryAt  time.Time
	interval time.Duration
	askedAt  time.Time

	answerAt time.Time // zero: no answer is pending
	meta     bool
	// askers are who waits for the pending answer; each may still say that it
	// knows us. With unconditional the answer goes out in any case.
	askers        map[netip.Addr]struct{}
	unconditional bool
	answers       bucket

	multicastHeard    bool
	broadcastAt       time.Time
	broadcastInterval time.Duration
	broadcasts        bucket
	usedBroadcast     bool // so a goodbye is owed there too
}

// bucket allows a burst of three, then one a second. It keeps a flood of
// questions from becoming a flood of answers.
type bucket struct {
	full time.Time // when it will have all three again
}

const (
	bucketSize = 3
	bucketEach = time.Second
)

// ready returns when the next one is allowed.
func (b *bucket) ready() time.Time { return b.full.Add(-(bucketSize - 1) * bucketEach) }

func (b *bucket) take(now time.Time) {
	if b.full.Before(now) {
		b.full = now
	}
	b.full = b.full.Add(bucketEach)
	if most := now.Add(bucketSize * bucketEach); b.full.After(most) {
		b.full = most
	}
}

// restart begins anew: the interface has come, or has changed.
func (s *schedule) restart(now time.Time) {
	s.announces, s.announceAt = 2, now
	s.queryAt, s.interval = now, firstInterval
	s.dropAnswer()
	s.answers, s.broadcasts = bucket{}, bucket{}
	s.alone(now)
}

// announceSoon announces twice, as after a restart, without asking.
func (s *schedule) announceSoon(now time.Time) { s.announces, s.announceAt = 2, now }

// next returns when due is to be called again.
func (s *schedule) next() time.Time {
	at := s.queryAt
	for _, other := range []time.Time{s.broadcastAt, s.answerAt} {
		if !other.IsZero() && other.Before(at) {
			at = other
		}
	}
	if s.announces > 0 && s.announceAt.Before(at) {
		at = s.announceAt
	}
	return at
}

// due returns what is to be sent now and counts it as sent.
func (s *schedule) due(now time.Time) duties {
	var d duties
	if s.announces > 0 && !s.announceAt.After(now) {
		d.announce = true
		s.announces--
		s.announceAt = now.Add(announceAgain)
	}
	if !s.answerAt.IsZero() && (d.announce || !s.answerAt.After(now)) {
		d.announce, d.meta = true, s.meta
		s.dropAnswer()
	}
	if d.announce {
		s.answers.take(now)
	}
	if !s.queryAt.After(now) {
		d.query = true
		s.askedAt = now
		s.rest(now)
	}
	if !s.broadcastAt.IsZero() && !s.broadcastAt.After(now) {
		d.broadcast = true
		s.broadcasts.take(now)
		s.broadcastAt = time.Time{}
		s.usedBroadcast = true
		if !s.multicastHeard {
			s.broadcastAt = now.Add(s.broadcastInterval + s.jitter(s.broadcastInterval/5))
			s.broadcastInterval = min(2*s.broadcastInterval, longestBroadcast)
		}
	}
	return d
}

// rest waits for the present interval before the next question and makes the
// one after it longer.
func (s *schedule) rest(now time.Time) {
	s.queryAt = now.Add(s.interval + s.jitter(s.interval/5))
	s.interval = min(3*s.interval, longestInterval)
}

// ask brings the next question forward to now, or to a second after the last.
func (s *schedule) ask(now time.Time) {
	at := now
	if earliest := s.askedAt.Add(askSpacing); !s.askedAt.IsZero() && earliest.After(now) {
		at = earliest
	}
	if at.Before(s.queryAt) {
		s.queryAt = at
	}
	if !s.multicastHeard && s.usedBroadcast {
		s.broadcastSoon(now, 0)
	}
}

// askWithin brings the next question forward to some moment within spread,
// which whoever has the same need will do at other moments, so that one of us
// asks for all.
func (s *schedule) askWithin(now time.Time, spread time.Duration) {
	if at := now.Add(s.jitter(spread)); at.Before(s.queryAt) {
		s.queryAt = at
	}
}

// overheard takes somebody else's question, which listed no answer that we
// would not have listed, for our own next one: its answers reach us as well.
// Now and then we ask all the same, since what was listed is not all read.
func (s *schedule) overheard(now time.Time) {
	if !s.queryAt.After(now) || now.Sub(s.askedAt) > longestSilence {
		return
	}
	s.rest(now)
}

// inquiry is a question that we can answer.
type inquiry struct {
	from      netip.Addr
	crowd     int  // how many others may answer as well
	truncated bool // more of its known answers follow
	meta      bool // asks which services there are
	firm      bool // wants the answer whether or not it knows us
}

// asked plans an answer. In a crowd the answers are spread over more time, and
// if known answers are still to follow, ours waits for them.
func (s *schedule) asked(now time.Time, q inquiry) {
	delay := answerDelay + s.jitter(answerSpread+min(time.Duration(q.crowd)*answerPerPeer, time.Second))
	if q.truncated {
		delay += truncatedDelay
	}
	at := now.Add(delay)
	if ready := s.answers.ready(); at.Before(ready) {
		at = ready
	}
	if s.answerAt.IsZero() || at.Before(s.answerAt) {
		s.answerAt = at
	}
	s.meta = s.meta || q.meta
	if s.askers == nil {
		s.askers = make(map[netip.Addr]struct{})
	}
	if q.firm || len(s.askers) == maxAskers {
		s.unconditional = true
		return
	}
	s.askers[q.from] = struct{}{}
}

// knows takes back what from asked: it knows us, as it turns out.
func (s *schedule) knows(from netip.Addr) {
	if _, waits := s.askers[from]; !waits {
		return
	}
	delete(s.askers, from)
	if len(s.askers) == 0 && !s.unconditional {
		s.dropAnswer()
	}
}

func (s *schedule) dropAnswer() {
	s.answerAt, s.meta, s.unconditional = time.Time{}, false, false
	clear(s.askers)
}

// heardMulticast ends the broadcasts: multicast passes here.
func (s *schedule) heardMulticast() {
	s.multicastHeard = true
	s.broadcastAt = time.Time{}
}

// alone starts the wait for somebody to be heard by multicast anew.
func (s *schedule) alone(now time.Time) {
	s.multicastHeard = false
	s.broadcastAt = now.Add(s.patience)
	s.broadcastInterval = broadcastAfter
}

// heardNewcomer answers somebody who was first heard by broadcast in kind:
// multicast may not reach it.
func (s *schedule) heardNewcomer(now time.Time) {
	s.broadcastSoon(now, answerDelay+s.jitter(answerSpread))
}

func (s *schedule) broadcastSoon(now time.Time, delay time.Duration) {
	at := now.Add(delay)
	if ready := s.broadcasts.ready(); at.Before(ready) {
		at = ready
	}
	if s.broadcastAt.IsZero() || at.Before(s.broadcastAt) {
		s.broadcastAt = at
	}
}
