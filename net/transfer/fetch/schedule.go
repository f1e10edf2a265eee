package fetch

import (
	"cmp"
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

// fill asks the session's provider for as much as it, and the budget, can bear.
func (f *Fetcher) fill(s *session, now time.Time) {
	if !s.open {
		return
	}
	for _, pr := range s.p.probes {
		if !pr.asked {
			pr.asked = true
			s.ask(&request{probe: pr, what: wire.Info}, pr.content, now)
		}
	}
	if s.p.banned() {
		return
	}
	window := min(s.window, f.share())
	if s.p.place > 0 {
		if now.Before(s.p.placeAt) {
			return
		}
		window = 1 // is it our turn?
	}
	for len(s.pending) < maxPending && (s.cost < window || len(s.pending) == 0) {
		if f.free < wire.MaxAnswer {
			f.starved = true
			return
		}
		r := s.p.pick(now)
		if r == nil {
			return
		}
		s.ask(r, r.src.job.id, now)
	}
}

// share is how much of the budget one session may have in flight, so that the
// first one does not leave the others nothing.
func (f *Fetcher) share() int64 {
	open := 0
	for _, p := range f.peers {
		if p.session != nil && p.session.open {
			open++
		}
	}
	return max(windowLeast, f.cfg.Budget/int64(max(1, open)))
}

// pick takes a request from the peer's sources, each in its turn. Those that
// rest are passed over: hundreds of small files may be on their way, of which
// each was asked for.
func (p *peer) pick(now time.Time) *request {
	for range len(p.awake) {
		p.next %= len(p.awake)
		src := p.awake[p.next]
		r := src.pick(now)
		if src.mayRest() {
			src.rests = true
			p.awake = slices.Delete(p.awake, p.next, p.next+1)
		} else {
			p.next++
		}
		if r != nil {
			return r
		}
	}
	return nil
}

// attendAll does for every peer what can be done now.
func (f *Fetcher) attendAll() {
	f.starved = false
	for _, p := range f.peers {
		f.attend(p)
	}
}

// relieve goes on with what waited for budget, after some was given back.
func (f *Fetcher) relieve() {
	if f.starved && f.free >= wire.MaxAnswer {
		f.attendAll()
	}
}

// sweep looks after what only time changes: providers that stall, sessions
// that nobody needs, back-off and verdicts that have run out, pieces that are
// late. It reports whether it has to be called again.
func (f *Fetcher) sweep(now time.Time) (again bool) {
	for id, p := range f.peers {
		for _, src := range p.sources {
			src.rouse()
		}
		if s := p.session; s != nil {
			switch {
			case s.stalled(now):
				s.shut(errStalled)
			case s.open && len(s.pending) == 0 && now.Sub(s.since) > f.cfg.Idle && !p.following(now):
				s.shut(errIdle)
			}
		}
		f.attend(p)
		if p.session != nil {
			again = true
		}
		if p.idle() {
			delete(f.peers, id)
		}
	}
	return again || len(f.jobs) > 0
}

// setProviders makes these peers the job's providers.
func (f *Fetcher) setProviders(j *job, list []domain.PeerID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if j.ended {
		return
	}
	listed := make(map[domain.PeerID]bool, len(list))
	for _, id := range list {
		listed[id] = true
	}
	for id, src := range j.sources {
		if !listed[id] && !src.hinted {
			src.remove()
		}
	}
	for _, id := range list {
		if j.sources[id] == nil {
			p := f.peer(id)
			if j.hadProviders || j.look {
				p.retryAt = time.Time{} // it has just come (back), or a look cannot wait
			}
			newSource(j, p, false)
		}
	}
	j.hadProviders = true
	j.judge()
	f.attendLightest(j)
}

// attendLightest attends to the job's providers, those with the least to do
// first, so that small files spread over all of them.
func (f *Fetcher) attendLightest(j *job) {
	peers := make([]*peer, 0, len(j.sources))
	for _, src := range j.sources {
		peers = append(peers, src.peer)
	}
	slices.SortFunc(peers, func(a, b *peer) int { return cmp.Compare(a.load(), b.load()) })
	for _, p := range peers {
		f.attend(p)
	}
}

// load is how many bytes are asked of the peer; a lot while it is not there.
func (p *peer) load() int64 {
	if p.session == nil || !p.session.open {
		return windowMost
	}
	return p.session.cost
}

// following reports whether the peer is to tell of further pieces.
func (p *peer) following(now time.Time) bool {
	for _, src := range p.sources {
		if src.partial && src.wanted(now) {
			return true
		}
	}
	return false
}

// progress returns how far the job is, and by how many it is served at this
// moment.
func (f *Fetcher) progress(j *job) domain.Progress {
	done := j.sink.Done()
	f.mu.Lock()
	defer f.mu.Unlock()
	serving := 0
	now := f.cfg.Now()
	from := slices.Clone(j.brought)
	for id, src := range j.sources {
		s := src.peer.session
		place := cmp.Or(src.peer.place, src.place)
		if s == nil || !s.open || place == 0 && !src.serves(now) {
			continue
		}
		at := slices.IndexFunc(from, func(s domain.Served) bool { return s.Peer == id })
		if at < 0 {
			at, from = len(from), append(from, domain.Served{Peer: id})
		}
		if from[at].Queue = place; place == 0 {
			from[at].Serving = true
			serving++
		}
	}
	slices.SortFunc(from, func(a, b domain.Served) int { return cmp.Compare(a.Peer, b.Peer) })
	return domain.Progress{Done: done, Providers: serving, Damaged: j.liar, From: from}
}
