package provide

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

const (
	// maxFollows is how many contents one stream may follow. For what is
	// beyond, the asker has to ask again what is here.
	maxFollows = 1024
	// maxTold is of how many others a follower is told: enough for every piece
	// to find its way, few enough for a crowd.
	maxTold = 30
	// maxHaves is how many new pieces may wait to be told to one follower.
	maxHaves = 4096
	// holdTime is how long somebody who has fetched a content from here is
	// named to others as one who holds it, and maxHeld of how many contents
	// nobody fetches at the moment that is kept.
	holdTime = time.Hour
	maxHeld  = 256
	// renewTime is after how long a follower gets a new grant: well within the
	// life of one.
	renewTime = 20 * time.Minute
	// reviewTime is how often it is looked whether a follower that is told of
	// further pieces may still have the content.
	reviewTime = 5 * time.Second
)

// crowds are those who fetch a content from here, or have done so lately, by
// content.
type crowds struct {
	now func() time.Time
	mu  sync.Mutex
	all map[domain.ContentID]*crowd
}

// crowd is who fetches one content. It is guarded by crowds.mu, which is taken
// before a stream's own.
type crowd struct {
	followers map[*stream]*follower
	// given is how often each piece went out, or is about to, since somebody
	// began to follow.
	given []uint16
	// held are those who followed to the end and did not say that they leave.
	held map[domain.PeerID]held
	last time.Time // when somebody went
}

// held is somebody who went with a content.
type held struct {
	asker  domain.Asker // as it was then
	spread Spread       // likewise
	at     time.Time
}

// follower is one stream's part in a crowd.
type follower struct {
	told     map[domain.PeerID]bool // others it was told of
	granted  time.Time              // when it got a grant; zero: never
	known    bool                   // others may be told of it
	asker    domain.Asker           // as it was when it was told of others
	spread   Spread                 // likewise
	reviewed time.Time              // when it was last allowed to have the content
}

// follow makes the stream a follower of the content, and tells it and the
// others of each other. spread is what the content says of itself now: it is
// not asked again with the lock held, since that may take a look at a database.
func (t *stream) follow(id domain.ContentID, c Content, spread Spread) {
	if c.Size() <= domain.PieceSize {
		return // a single piece is not worth a detour
	}
	all := &t.p.crowds
	all.mu.Lock()
	defer all.mu.Unlock()
	one := all.all[id]
	if one != nil && one.followers[t] != nil {
		t.renew(id, c, spread, one.followers[t])
		return
	}
	if len(t.follows) >= maxFollows || t.ended {
		return
	}
	if one == nil {
		one = &crowd{followers: make(map[*stream]*follower), held: make(map[domain.PeerID]held)}
		all.all[id] = one
	}
	if len(one.followers) == 0 {
		one.given = make([]uint16, domain.Pieces(c.Size()))
	}
	me := &follower{told: make(map[domain.PeerID]bool), reviewed: all.now()}
	one.followers[t] = me
	t.follows[id] = struct{}{}
	delete(one.held, t.peer)
	t.introduce(id, c, spread, one, me)
}

// introduce tells the stream and the other followers of each other, as far as
// they may know.
func (t *stream) introduce(id domain.ContentID, c Content, spread Spread, one *crowd, me *follower) {
	asker := t.asker()
	if !t.p.mayKnow(asker, id, spread) {
		return
	}
	me.known, me.asker, me.spread = true, asker, spread
	now := t.p.crowds.now()
	var holders []wire.Holder
	for other, they := range one.followers {
		if other.peer == t.peer || !t.p.mayKnow(other.asker(), id, spread) {
			continue
		}
		if me.tell(other.peer) {
			holders = append(holders, t.p.holder(other.peer))
		}
		if they.tell(t.peer) {
			other.hint(id, []wire.Holder{t.p.holder(t.peer)}, other.grant(id, c, spread, they))
		}
	}
	for peer, then := range one.held {
		if now.Sub(then.at) < holdTime && t.p.stillHolds(then, asker, id, spread) && me.tell(peer) {
			holders = append(holders, t.p.holder(peer))
		}
	}
	if len(holders) > 0 {
		t.hint(id, holders, t.grant(id, c, spread, me))
	}
}

// mayKnow reports whether somebody who follows a content may be told of others who
// do, and they of it.
func (p *Provider) mayKnow(asker domain.Asker, id domain.ContentID, spread Spread) bool {
	switch spread {
	case Nearby:
		return asker.Near
	case Granted:
		return (asker.Near || asker.Friend) && p.cfg.Among(asker, id)
	default:
		return false
	}
}

// stillHolds reports whether the asker may be told of somebody who went with the
// content: only if what it is to others has not changed since, nor what the one
// who went is to this user, and on the same network.
func (p *Provider) stillHolds(then held, asker domain.Asker, id domain.ContentID, spread Spread) bool {
	if then.spread != spread || spread == Nearby && then.asker.Network != asker.Network {
		return false
	}
	if p.cfg.Friend != nil {
		then.asker.Friend = p.cfg.Friend(then.asker.Peer)
	}
	return p.cfg.Source.Allowed(then.asker, id) && p.mayKnow(then.asker, id, spread)
}

// grant returns a new grant for the follower if it needs one, else nothing.
func (t *stream) grant(id domain.ContentID, c Content, spread Spread, me *follower) []byte {
	now := t.p.crowds.now()
	if spread != Granted || t.p.cfg.Grant == nil || !me.granted.IsZero() && now.Sub(me.granted) < renewTime {
		return nil
	}
	signed, err := t.p.cfg.Grant(t.peer, id, c.Size())
	if err != nil {
		t.p.log.Warn("a grant could not be made", "peer", t.peer.Short(), "content", id, "err", err)
		return nil
	}
	me.granted = now
	return signed
}

// renew sends a follower that goes on asking a new grant in time.
func (t *stream) renew(id domain.ContentID, c Content, spread Spread, me *follower) {
	if me.granted.IsZero() {
		return
	}
	if grant := t.grant(id, c, spread, me); grant != nil {
		t.hint(id, nil, grant)
	}
}

// tell reports whether the follower is to be told of the peer, and notes it.
func (f *follower) tell(peer domain.PeerID) bool {
	if f.told[peer] || len(f.told) >= maxTold {
		return false
	}
	f.told[peer] = true
	return true
}

func (p *Provider) holder(peer domain.PeerID) wire.Holder {
	h := wire.Holder{Peer: peer}
	if p.cfg.Addresses != nil {
		h.Addresses = p.cfg.Addresses(peer)
	}
	return h
}

// hint queues a hint to the stream.
func (t *stream) hint(id domain.ContentID, holders []wire.Holder, grant []byte) {
	body, err := wire.EncodeHolders(holders, grant)
	if err != nil {
		t.p.log.Warn("others cannot be told of", "content", id, "err", err)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.control) < maxQueue {
		t.control = append(t.control, control{wire.Header{Kind: wire.Hint, Content: id}, body})
		wake(t.told)
	}
}

// unfollow ends what follow began, since the peer says that it leaves.
func (t *stream) unfollow(id domain.ContentID) {
	all := &t.p.crowds
	all.mu.Lock()
	defer all.mu.Unlock()
	if one := all.leave(t, id); one != nil {
		all.tidy(id, one)
	}
}

// unfollowAll is for a stream that has ended.
func (t *stream) unfollowAll() {
	all := &t.p.crowds
	all.mu.Lock()
	defer all.mu.Unlock()
	t.ended = true
	for id := range t.follows {
		me := all.all[id].followers[t]
		one := all.leave(t, id)
		one.last = all.now()
		maps.DeleteFunc(one.held, func(_ domain.PeerID, then held) bool { return one.last.Sub(then.at) >= holdTime })
		if me.known && len(one.held) < maxTold {
			one.held[t.peer] = held{me.asker, me.spread, one.last}
		}
		all.tidy(id, one)
	}
}

// leave takes the stream out of the crowd, which it returns; nil if it was not
// in it.
func (all *crowds) leave(t *stream, id domain.ContentID) *crowd {
	if _, follows := t.follows[id]; !follows {
		return nil
	}
	delete(t.follows, id)
	one := all.all[id]
	delete(one.followers, t)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.haves, id)
	return one
}

// tidy forgets a crowd that nobody is in, and of those that have gone the
// oldest if they are too many.
func (all *crowds) tidy(id domain.ContentID, one *crowd) {
	if len(one.followers) > 0 {
		return
	}
	one.given = nil
	if len(one.held) == 0 {
		delete(all.all, id)
	}
	gone, oldest := 0, id
	for other, c := range all.all {
		if len(c.followers) > 0 {
			continue
		}
		gone++
		if all.all[oldest] == nil || c.last.Before(all.all[oldest].last) {
			oldest = other
		}
	}
	if gone > maxHeld {
		delete(all.all, oldest)
	}
}

// Grown is told by whoever owns a Partial that a further piece of it is here,
// so that those who fetch it from here hear of it. It does not block.
func (p *Provider) Grown(id domain.ContentID, piece int) { p.news(id, piece, false) }

// Coming is told by whoever owns a Partial that a further piece of it is on its
// way, so that others do not ask the same provider for it. It does not block.
func (p *Provider) Coming(id domain.ContentID, piece int) { p.news(id, piece, true) }

func (p *Provider) news(id domain.ContentID, piece int, coming bool) {
	for _, t := range p.due(id) {
		if !p.cfg.Source.Allowed(t.asker(), id) {
			t.unfollow(id)
		}
	}
	p.crowds.mu.Lock()
	defer p.crowds.mu.Unlock()
	if one := p.crowds.all[id]; one != nil {
		for t := range one.followers {
			t.have(id, piece, coming)
		}
	}
}

// due returns the followers of a content of whom it was not looked for a while
// whether they may have it.
func (p *Provider) due(id domain.ContentID) (some []*stream) {
	p.crowds.mu.Lock()
	defer p.crowds.mu.Unlock()
	one := p.crowds.all[id]
	if one == nil {
		return nil
	}
	now := p.crowds.now()
	for t, f := range one.followers {
		if now.Sub(f.reviewed) >= reviewTime {
			f.reviewed = now
			some = append(some, t)
		}
	}
	return some
}

// have queues the news of a piece.
func (t *stream) have(id domain.ContentID, piece int, coming bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	news := t.haves[id]
	if news == nil {
		news = &haves{}
		t.haves[id] = news
	}
	switch {
	case coming && len(news.coming) < maxHaves:
		news.coming = append(news.coming, piece)
	case coming: // it will be told of when it is here
	case len(news.pieces) < maxHaves:
		news.pieces = append(news.pieces, piece)
	default:
		news.lost = true
	}
	wake(t.told)
}

// haves are pieces that a follower is to be told of.
type haves struct {
	pieces []int
	lost   bool // there were too many
	coming []int
}

// frames returns the frames that tell of the pieces.
func (h *haves) frames(id domain.ContentID) (frames []control) {
	head := wire.Header{Kind: wire.Have, Content: id}
	if h.lost {
		return []control{{head: head}}
	}
	tell := func(pieces []int) {
		if len(pieces) == 0 {
			return
		}
		body := make([]byte, 0, 4*len(pieces)) // maxHaves fit a frame
		for _, piece := range pieces {
			body = wire.AppendIndex(body, piece)
		}
		frames = append(frames, control{head, body})
	}
	tell(h.pieces)
	head.Coming = true
	tell(slices.DeleteFunc(h.coming, func(piece int) bool { return slices.Contains(h.pieces, piece) }))
	return frames
}

// choose picks from the set the piece that was given least, and counts it as
// given. Of pieces alike a single follower gets the first, which is the
// quickest to read; several get any, so that one who asks two providers is not
// given the same by both. ok is false if none of the set is here.
func (p *Provider) choose(id domain.ContentID, c Content, first int, set []byte) (best int, ok bool) {
	p.crowds.mu.Lock()
	defer p.crowds.mu.Unlock()
	one := p.crowds.all[id]
	partial, isPartial := c.(Partial)
	alike := 0
	for i := range min(8*len(set), domain.Pieces(c.Size())-first) {
		piece := first + i
		if set[i/8]&(1<<(i%8)) == 0 || isPartial && !partial.Has(piece) {
			continue
		}
		if one == nil {
			return piece, true
		}
		switch {
		case !ok || one.given[piece] < one.given[best]:
			best, ok, alike = piece, true, 1
		case one.given[piece] == one.given[best] && len(one.followers) > 1:
			alike++
			if rand.IntN(alike) == 0 { //nolint:gosec // spreads load, guards nothing
				best = piece
			}
		}
	}
	if ok {
		one.count(best, 1)
	}
	return best, ok
}

// give counts a piece as given, or as not given after all if by is -1.
func (p *Provider) give(id domain.ContentID, piece, by int) {
	p.crowds.mu.Lock()
	defer p.crowds.mu.Unlock()
	if one := p.crowds.all[id]; one != nil {
		one.count(piece, by)
	}
}

func (c *crowd) count(piece, by int) {
	if piece < len(c.given) { // the file may have been another one in between
		c.given[piece] = uint16(max(0, min(int(c.given[piece])+by, 1<<16-1)))
	}
}
