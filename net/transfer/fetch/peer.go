package fetch

import (
	"errors"
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

const (
	backoffFirst = 500 * time.Millisecond
	backoffMost  = 15 * time.Second
)

// peer is what the Fetcher knows of a provider. It is guarded by Fetcher.mu.
type peer struct {
	f       *Fetcher
	id      domain.PeerID
	session *session // nil: none
	sources []*source
	awake   []*source // those that do not rest
	next    int       // the one of them whose turn it is
	probes  []*probe

	place   int       // in its queue, from 1; 0: it serves us, or has not said otherwise
	placeAt time.Time // when to ask again

	failures int // sessions in a row that brought nothing
	retryAt  time.Time
	wrong    map[domain.ContentID]struct{} // contents that wrong bytes came for
}

// probe is a question for the size of a content.
type probe struct {
	content domain.ContentID
	reply   chan reply // has room for the one reply
	asked   bool
}

type reply struct {
	size int64
	err  error
}

func (f *Fetcher) peer(id domain.PeerID) *peer {
	p := f.peers[id]
	if p == nil {
		p = &peer{f: f, id: id}
		f.peers[id] = p
	}
	return p
}

// banned reports whether the peer has lied too often.
func (p *peer) banned() bool { return len(p.wrong) >= maxLies }

// attend does for the peer what can be done now: it opens a session if one is
// wanted, or fills the one that is open.
func (f *Fetcher) attend(p *peer) {
	now := f.cfg.Now()
	if p.session != nil {
		f.fill(p.session, now)
		return
	}
	if f.closed || now.Before(p.retryAt) || !p.wanted(now) {
		return
	}
	p.session = newSession(p, now)
	f.wg.Go(p.session.run)
}

// queued notes our place in the peer's queue. All that was asked of it may be
// asked of others; it is asked for one thing in a while, to keep the place.
func (p *peer) queued(place int, now time.Time) {
	first := p.place == 0 || !now.Before(p.placeAt)
	p.place = place
	if !first {
		return // the answer to what was asked at the same time
	}
	p.placeAt = now.Add(busyTime)
	for _, src := range slices.Clone(p.sources) {
		if src.verdict == good {
			src.drop(busy, p.placeAt)
		}
	}
}

// unqueued notes that the peer serves us.
func (p *peer) unqueued() { p.place, p.placeAt = 0, time.Time{} }

// wanted reports whether there is anything to ask the peer for.
func (p *peer) wanted(now time.Time) bool {
	if len(p.probes) > 0 {
		return true
	}
	if p.banned() {
		return false
	}
	for _, src := range p.sources {
		if src.wanted(now) {
			return true
		}
	}
	return false
}

// lied notes wrong bytes for a content.
func (p *peer) lied(id domain.ContentID, err error) {
	if p.wrong == nil {
		p.wrong = make(map[domain.ContentID]struct{})
	}
	p.wrong[id] = struct{}{}
	p.f.log.Warn("wrong bytes came from a peer", "peer", p.id.Short(), "content", id, "contents", len(p.wrong), "err", err)
	if p.banned() {
		p.f.log.Warn("a peer that sent wrong bytes is asked for nothing any more", "peer", p.id.Short(), "contents", len(p.wrong))
		for _, src := range slices.Clone(p.sources) {
			src.drop(lied, time.Time{})
		}
	}
}

// ended is called when the peer's session is over.
func (p *peer) ended(s *session, err error) {
	p.session = nil
	p.unqueued()
	now := p.f.cfg.Now()
	cut := len(s.pending) > 0
	for _, r := range s.pending {
		r.fail()
	}
	for _, src := range p.sources {
		src.asked = false // what it tells by itself ends with the session
		src.forgetInfo()
	}
	switch {
	case errors.Is(err, errIdle):
	case !s.useful || errors.Is(err, errStalled):
		p.retryAt = now.Add(backoff(p.failures))
		p.failures++
	case cut:
		p.failures = 0
		p.retryAt = now.Add(backoff(0))
	default:
		p.failures = 0
	}
	if err != nil && !errors.Is(err, errIdle) && p.f.ctx.Err() == nil {
		if errors.Is(err, errStalled) {
			p.f.complaints.About(p.id, "answers nothing", err)
		}
		p.f.complaints.Fault(p.id, "answers of the transfer protocol", err)
		p.f.log.Debug("session with a provider ended", "peer", p.id.Short(), "failures", p.failures, "err", err)
	}
	probes := p.probes
	p.probes = nil
	for _, pr := range probes {
		pr.reply <- reply{err: errors.Join(domain.ErrOffline, err)}
	}
	if !s.useful || errors.Is(err, errStalled) {
		for _, src := range slices.Clone(p.sources) {
			src.unreachable()
		}
	}
	p.f.attendAll() // others may do what this one was asked for
}

// forget drops a probe that nobody waits for any more.
func (p *peer) forget(pr *probe) {
	p.probes = slices.DeleteFunc(p.probes, func(x *probe) bool { return x == pr })
}

// answered gives a probe its answer.
func (p *peer) answered(pr *probe, h wire.Header) {
	p.forget(pr)
	switch h.Status {
	case wire.OK:
		pr.reply <- reply{size: h.Size}
	case wire.Changed:
		pr.reply <- reply{err: domain.ErrChanged}
	case wire.Busy:
		pr.reply <- reply{err: domain.ErrBusy}
	default:
		pr.reply <- reply{err: domain.ErrNotFound}
	}
}

// idle reports whether nothing is left to remember of the peer.
func (p *peer) idle() bool {
	return p.session == nil && len(p.sources) == 0 && len(p.probes) == 0 && len(p.wrong) == 0
}

func backoff(failures int) time.Duration {
	return min(backoffMost, backoffFirst<<min(failures, 10))
}
