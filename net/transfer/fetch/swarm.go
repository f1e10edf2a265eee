package fetch

import (
	"cmp"
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/grant"
	"github.com/potluck-share/potluck/net/transfer/picker"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

const (
	// maxHinted is how many providers a fetch has at most that it was told of:
	// enough for every piece to find its way.
	maxHinted = 40
	// maxByHinted is how many of these may be named by those who were only
	// named themselves, so that nobody fills the list with inventions.
	maxByHinted = 10
	// rememberContents is of how many contents it is remembered who else was
	// said to hold them, and rememberFor for how long.
	rememberContents = 256
	rememberFor      = time.Hour
	// shyTime is how long somebody who was said to hold a content is not asked
	// again at first when it has nothing to give: it may only just have begun.
	shyTime = 500 * time.Millisecond
	// A provider that gives to others too has few pieces to choose at a time,
	// or some more above fastRate bytes per second: in simulations few are as
	// good as many for equals, and better beside somebody slow.
	fewUndecided, manyUndecided = 2, 4
	fastRate                    = 100e6
	// maxNews is how many new pieces are kept until the bitmap is here.
	maxNews = 1 << 16
)

// holders are the peers that were said to hold a content.
type holders struct {
	at       time.Time
	peers    []domain.PeerID
	byHinted int       // of these, named by somebody who was only named
	grant    []byte    // the owner's leave, to be shown to them; nil: none is needed
	until    time.Time // when it ends: who shows it later looks like an attacker
}

// Holders returns the peers that were said within the last hour, by providers
// that were asked for it, to hold or fetch the content.
func (f *Fetcher) Holders(id domain.ContentID) []domain.PeerID {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h := f.holders[id]; h != nil && f.cfg.Now().Sub(h.at) < rememberFor {
		return slices.Clone(h.peers)
	}
	return nil
}

// hinted takes what a provider says of other holders.
func (s *session) hinted(id domain.ContentID, told []wire.Holder, signed []byte) {
	s.f.mu.Lock()
	known := s.sources(id)
	byHinted := !slices.ContainsFunc(known, func(src *source) bool { return !src.hinted })
	if len(known) > 0 && len(signed) > 0 {
		s.f.granted(id, s.p.id, signed)
	}
	s.f.mu.Unlock()
	if len(known) == 0 {
		return // we never asked it for that
	}
	for _, h := range told {
		if h.Peer == s.f.cfg.Self || h.Peer == s.p.id {
			continue
		}
		s.f.mu.Lock()
		took := s.f.remember(id, h.Peer, byHinted)
		s.f.mu.Unlock()
		if !took {
			continue // there are enough
		}
		if s.f.cfg.Told != nil {
			s.f.cfg.Told(h.Peer, h.Addresses)
		}
		s.f.mu.Lock()
		for j := range s.f.jobs {
			if j.id == id && !j.look {
				j.join(h.Peer)
			}
		}
		s.f.mu.Unlock()
	}
}

// granted keeps the owner's leave and shows it to those it is for, if it is
// ours, and by whom it came from: nobody can spoil another one's.
func (f *Fetcher) granted(id domain.ContentID, from domain.PeerID, signed []byte) {
	g, err := grant.Open(signed, f.cfg.Now())
	if err != nil || g.Issuer != from || g.Holder != f.cfg.Self || g.Content != id {
		f.complaints.About(from, "grants", cmp.Or(err, errGrant))
		return
	}
	h := f.holdersOf(id)
	h.grant, h.until = signed, g.Expires
	for j := range f.jobs {
		if j.id == id {
			for _, src := range j.sources {
				src.show()
			}
		}
	}
}

// show shows the owner's leave to somebody who was said to hold the content.
// That it comes before the first question is seen to by asking.
func (src *source) show() {
	s, h := src.peer.session, src.job.f.holders[src.job.id]
	if src.hinted && src.asked && s != nil && s.open && h != nil && h.grant != nil && src.job.f.cfg.Now().Before(h.until) {
		s.send(wire.Header{Kind: wire.Grant, Content: src.job.id}, h.grant)
	}
}

// remember notes that the peer is said to hold the content, unless so many are.
func (f *Fetcher) remember(id domain.ContentID, peer domain.PeerID, byHinted bool) bool {
	h := f.holdersOf(id)
	if slices.Contains(h.peers, peer) {
		return true
	}
	if len(h.peers) >= maxHinted || byHinted && h.byHinted >= maxByHinted {
		return false
	}
	if byHinted {
		h.byHinted++
	}
	h.peers = append(h.peers, peer)
	return true
}

// holdersOf returns what is remembered of the content, making room for it.
func (f *Fetcher) holdersOf(id domain.ContentID) *holders {
	h := f.holders[id]
	if h == nil {
		if len(f.holders) >= rememberContents {
			oldest := id
			for other, o := range f.holders {
				if f.holders[oldest] == nil || o.at.Before(f.holders[oldest].at) {
					oldest = other
				}
			}
			delete(f.holders, oldest)
		}
		h = &holders{}
		f.holders[id] = h
	}
	h.at = f.cfg.Now()
	return h
}

// join makes somebody who is said to hold the content one of the providers.
func (j *job) join(id domain.PeerID) {
	hinted := 0
	for _, src := range j.sources {
		if src.hinted {
			hinted++
		}
	}
	if j.ended || j.sources[id] != nil || hinted >= maxHinted {
		return
	}
	src := newSource(j, j.f.peer(id), true)
	j.crowd()
	j.f.attend(src.peer)
}

// crowd notes that others fetch the same. From now on what is rare comes
// first, and whole providers choose what they give.
func (j *job) crowd() {
	j.crowded = true
	if j.picker != nil {
		j.picker.SetOrder(picker.Rarest)
	}
}

// sources returns the provider's parts in the fetches of the content.
func (s *session) sources(id domain.ContentID) (all []*source) {
	for _, src := range s.p.sources {
		if src.job.id == id {
			all = append(all, src)
		}
	}
	return all
}

// news takes what a provider says of further pieces; none means that some were
// left out.
func (s *session) news(h wire.Header, pieces []int) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	for _, src := range s.sources(h.Content) {
		if h.Coming {
			src.gains(pieces)
		} else {
			src.gained(pieces)
		}
	}
	s.f.fill(s, s.f.cfg.Now())
}

// gains takes pieces that are on their way to the provider.
func (src *source) gains(pieces []int) {
	if src.partial && src.job.picker != nil && src.verdict == good {
		for _, piece := range pieces {
			src.job.picker.Coming(src.peer.id, piece)
		}
	}
}

// begins is called when the provider begins to send a piece: others who were
// asked for it too and have not begun are not needed.
func (src *source) begins(piece int) {
	for _, other := range src.job.picker.Began(src.peer.id, piece) {
		src.job.abandon(other, piece)
	}
	if f := src.job.f; f.cfg.Coming != nil && !src.job.look {
		f.cfg.Coming(src.job.id, piece)
	}
}

// gained takes further pieces of the provider.
func (src *source) gained(pieces []int) {
	switch {
	case !src.partial || src.job.picker == nil || src.verdict != good:
		return // it tells what it has when it is asked for that
	case len(pieces) == 0:
		src.infoAt = time.Time{}
	case src.infoAsked:
		// The bitmap on its way may be older.
		if len(src.newer)+len(pieces) <= maxNews {
			src.newer = append(src.newer, pieces...)
		} else {
			src.lost = true
		}
	default:
		for _, piece := range pieces {
			src.job.picker.Has(src.peer.id, piece)
		}
	}
}

// informed takes the whole bitmap of a partial provider.
func (src *source) informed(now time.Time) {
	p := src.job.picker
	p.Partial(src.peer.id, src.info)
	for _, piece := range src.newer {
		p.Has(src.peer.id, piece)
	}
	src.infoAt = now.Add(infoTime)
	if src.lost {
		src.infoAt = now
	}
	src.newer, src.lost = nil, false
}

// mayChoose reports whether it is for the provider to choose what it gives: a
// whole one that gives to others too, as far as we know, or that is the only
// one. The others may only just be coming, and ask for the same.
func (src *source) mayChoose() bool {
	if src.partial || src.job.look || src.job.f.hidden() {
		return false
	}
	if src.job.crowded {
		return true
	}
	for _, other := range src.job.sources {
		if other != src && other.verdict == good {
			return false
		}
	}
	return true
}

// undecided returns how many pieces the provider has not chosen yet.
func (src *source) undecided() (n int) {
	for r := range src.requests {
		if r.what == wire.Any {
			n++
		}
	}
	return n
}

// mostUndecided returns how many that may be while it gives to others too.
func (src *source) mostUndecided() int {
	if src.peer.session.rate > fastRate {
		return manyUndecided
	}
	return fewUndecided
}

// pickPiece makes r a request for a piece. It returns false if there is none to
// ask the provider for now.
func (src *source) pickPiece(r *request, now time.Time) bool {
	j := src.job
	if src.mayChoose() {
		if j.crowded && src.undecided() >= src.mostUndecided() {
			return false // later it knows better what to give
		}
		if src.pickAny(r, now) {
			return true
		}
	}
	piece, ok := j.picker.Next(src.peer.id, now)
	if !ok {
		return false
	}
	r.what, r.index = wire.Piece, piece
	r.want = domain.PieceLength(j.size, piece)
	return true
}

// pickAny makes r a request that leaves the choice to a whole provider. It
// returns false if that would be of no use.
func (src *source) pickAny(r *request, now time.Time) bool {
	first, set, ok := src.job.picker.Open(src.peer.id, now)
	if !ok {
		return false
	}
	r.what, r.index, r.set = wire.Any, first, set
	r.want = min(domain.PieceSize, int(src.job.size)) // the last piece may be shorter
	return true
}

// chosen takes the provider's choice. The request is for that piece then. It
// returns false if the piece is not needed any more.
func (r *request) chosen(h wire.Header) (needed bool, err error) {
	at := h.Index - r.index
	if at < 0 || at/8 >= len(r.set) || r.set[at/8]&(1<<(at%8)) == 0 {
		return false, errChoice
	}
	src := r.src
	fresh := src.job.picker.Chosen(src.peer.id, h.Index, r.s.f.cfg.Now())
	r.what, r.index, r.set = wire.Piece, h.Index, nil
	r.want = domain.PieceLength(src.job.size, h.Index)
	return fresh, nil
}
