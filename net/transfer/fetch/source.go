package fetch

import (
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

// verdict is why a provider is not asked for a content.
type verdict uint8

const (
	good      verdict = iota
	absent            // it says that it does not have it, or not for us
	busy              // it has it and no room
	changed           // its file is not the content any more
	otherSize         // it says that the content has another size
	lied              // it sent wrong bytes
)

const (
	// dropTime is how long a provider is not asked again for a content that it
	// does not have.
	dropTime = 30 * time.Second
	// busyTime is the same for one that has no room.
	busyTime = time.Second
	// infoTime is how often a partial provider is asked what it has, besides
	// what it tells by itself.
	infoTime = 15 * time.Second
	// hedgeTime is after how long a layer is asked of a second provider.
	hedgeTime = time.Second
	// layerTime is after how long one that was asked for a layer does not keep
	// others from being asked, whatever it sends meanwhile.
	layerTime = 5 * time.Second
	// maxLayers is of how many providers a layer is asked at a time.
	maxLayers = 2
)

// source is one provider of one content that is being fetched. It is guarded by
// Fetcher.mu.
type source struct {
	job      *job
	peer     *peer
	requests map[*request]struct{}

	verdict verdict
	until   time.Time // when a verdict ends; zero: never
	place   int       // in the queue for this content, from 1; 0: it does not wait in one

	layer     []byte    // the pages that came from this provider so far
	layerAt   time.Time // when the page on its way was asked for; zero: none is
	partial   bool
	info      []byte // the pages of the bitmap that came so far
	infoAsked bool
	infoAt    time.Time // when the bitmap is to be asked for
	newer     []int     // pieces told of while the bitmap was on its way
	lost      bool      // there were too many of these

	// rests is set while there is nothing to ask for, until something happens to
	// the content or the time is looked at. It is then not in peer.awake.
	rests bool

	hinted  bool // not one of the caller's providers, but named by one
	away    bool // the last session with it brought nothing; for looks
	shy     int  // times in a row that it had nothing to give
	asked   bool // on the present session, so it sees us as a follower
	toldYet bool // it has said whether everyone nearby may have the content
	nearby  bool // what it said
}

// newSource adds the peer to the job's providers. One that was hinted is taken
// to have nothing until it says what it has.
func newSource(j *job, p *peer, hinted bool) *source {
	src := &source{job: j, peer: p, requests: make(map[*request]struct{}), hinted: hinted, partial: hinted}
	j.sources[p.id] = src
	p.sources = append(p.sources, src)
	p.awake = append(p.awake, src)
	if _, wrong := p.wrong[j.id]; wrong || p.banned() {
		src.verdict = lied
		return src
	}
	src.enlist()
	return src
}

// remove takes the provider off the job.
func (src *source) remove() {
	src.abandonAll()
	if src.job.picker != nil {
		src.job.picker.Gone(src.peer.id)
	}
	delete(src.job.sources, src.peer.id)
	same := func(x *source) bool { return x == src }
	src.peer.sources = slices.DeleteFunc(src.peer.sources, same)
	if !src.rests {
		src.peer.awake = slices.DeleteFunc(src.peer.awake, same)
	}
	src.rests = false
}

// mayRest reports whether the provider need not be looked at again, after pick,
// before something happens: the only piece there is was asked of it or of
// another one.
func (src *source) mayRest() bool {
	return src.job.size <= domain.PieceSize && src.job.picker != nil && !src.partial
}

// rouse ends the rest of the provider.
func (src *source) rouse() {
	if src.rests {
		src.rests = false
		src.peer.awake = append(src.peer.awake, src)
	}
}

// rouse has all providers looked at again, since what was asked for may be free
// again.
func (j *job) rouse() {
	for _, src := range j.sources {
		src.rouse()
	}
}

// leave tells the provider that we will not hold the content.
func (src *source) leave() {
	if s := src.peer.session; s != nil && s.open && src.asked && !src.job.look && src.job.size > domain.PieceSize {
		s.send(wire.Header{Kind: wire.Leave, Content: src.job.id}, nil)
	}
}

// enlist tells the picker of the provider.
func (src *source) enlist() {
	if src.job.picker == nil || src.verdict != good {
		return
	}
	if src.partial {
		src.job.picker.Partial(src.peer.id, src.info)
	} else {
		src.job.picker.Whole(src.peer.id)
	}
}

func (src *source) abandonAll() {
	for r := range src.requests {
		r.abandon()
	}
	src.layer, src.layerAt = nil, time.Time{}
	src.forgetInfo()
}

// forgetInfo takes back what is known of the pieces of a partial provider.
func (src *source) forgetInfo() {
	src.info, src.infoAsked, src.infoAt = nil, false, time.Time{}
	src.newer, src.lost = nil, false
}

// drop stops asking the provider for the content until that time.
func (src *source) drop(v verdict, until time.Time) {
	if src.verdict == lied {
		return
	}
	src.verdict, src.until = v, until
	src.job.rouse()
	src.abandonAll()
	if src.job.picker != nil {
		src.job.picker.Gone(src.peer.id)
	}
	src.job.judge()
}

// usable reports whether the provider may be asked, and forgives it if its time
// is over.
func (src *source) usable(now time.Time) bool {
	if src.verdict != good && !src.until.IsZero() && !now.Before(src.until) {
		src.verdict = good
		src.partial = src.hinted
		src.forgetInfo()
		src.enlist()
	}
	return src.verdict == good
}

// wanted reports whether there is something to ask the provider for, now or
// soon.
func (src *source) wanted(now time.Time) bool {
	switch {
	case src.job.ended || !src.usable(now):
		return false
	case src.job.picker == nil || src.partial:
		return true
	default:
		return src.job.picker.Wants(src.peer.id)
	}
}

// serves reports whether the provider has something that we want.
func (src *source) serves(now time.Time) bool {
	if src.job.picker == nil {
		return src.wanted(now)
	}
	return src.wanted(now) && src.job.picker.Wants(src.peer.id)
}

// pick returns the next request to this provider for the content, or nil.
func (src *source) pick(now time.Time) *request {
	j := src.job
	if j.ended || !src.usable(now) {
		return nil
	}
	r := &request{src: src}
	switch {
	case j.picker == nil:
		if !src.mayAskLayer(now) {
			return nil
		}
		src.layerAt = now
		r.what = wire.Layer
		r.index = len(src.layer) / wire.PageSize
		r.want = wire.PageLength(j.layerLength(), r.index)
	case src.partial && !src.infoAsked && !now.Before(src.infoAt):
		src.infoAsked = true
		if len(src.info)%wire.PageSize != 0 || int64(len(src.info)) == j.bitmapLength() {
			src.info = nil // the last one is complete, begin anew
		}
		r.what = wire.Info
		r.index = len(src.info) / wire.PageSize
		r.want = wire.PageLength(j.bitmapLength(), r.index)
	case !src.pickPiece(r, now):
		return nil
	}
	src.requests[r] = struct{}{}
	if !src.asked {
		src.asked = true
		src.show()
	}
	return r
}

// mayAskLayer reports whether the next page of the layer is to be asked of this
// provider: one is asked, and a second one if the first takes long.
func (src *source) mayAskLayer(now time.Time) bool {
	if src.job.checking || !src.layerAt.IsZero() {
		return false
	}
	if len(src.layer) > 0 {
		return true // it has begun
	}
	asked := 0
	for _, other := range src.job.sources {
		if other.layerAt.IsZero() || now.Sub(other.layerAt) > layerTime {
			continue
		}
		asked++
		if now.Sub(other.layerAt) < hedgeTime {
			return false
		}
	}
	return asked < maxLayers
}

// arrived takes a complete answer.
func (src *source) arrived(r *request, now time.Time) {
	j := src.job
	switch r.what {
	case wire.Piece:
		j.picker.Arrived(src.peer.id, r.index, now)
		j.process(r)
		return
	case wire.Layer:
		src.layer = append(src.layer, r.buf...)
		src.layerAt = time.Time{}
		if int64(len(src.layer)) == j.layerLength() && !j.checking {
			j.checking = true
			r.release()
			j.process(&request{src: src, s: r.s, what: wire.Layer, layer: src.layer})
			src.layer = nil
			return
		}
	case wire.Info:
		src.infoAsked = false
		src.info = append(src.info, r.buf...)
		if int64(len(src.info)) == j.bitmapLength() {
			src.informed(now)
		}
	case wire.Any, wire.UnknownWhat: // Any has become Piece
	}
	r.release()
}

// refused takes a response that is no answer.
func (src *source) refused(r *request, h wire.Header) {
	now := src.job.f.cfg.Now()
	src.failed(r)
	switch h.Status {
	case wire.OK: // of another size
		src.drop(otherSize, now.Add(dropTime))
	case wire.Missing:
		if src.job.picker != nil && (r.what == wire.Piece || r.what == wire.Any) {
			src.isPartial()
			if r.what == wire.Piece {
				src.job.picker.Lacks(src.peer.id, r.index)
			}
			return
		}
		src.drop(absent, now.Add(src.absence()))
	case wire.Changed:
		src.drop(changed, now.Add(dropTime))
	case wire.Busy:
		if h.Queue > 0 && !h.QueuedAlone {
			src.peer.queued(h.Queue, now)
			return
		}
		src.place = h.Queue
		src.drop(busy, now.Add(busyTime))
	default:
		src.drop(absent, now.Add(src.absence()))
	}
}

// absence is how long a provider that has nothing to give is not asked again.
func (src *source) absence() time.Duration {
	if !src.hinted {
		return dropTime
	}
	src.shy++
	return min(dropTime, shyTime<<min(src.shy-1, 10))
}

// failed takes back what a request was for.
func (src *source) failed(r *request) {
	src.job.rouse()
	switch r.what {
	case wire.Piece:
		if src.job.picker != nil {
			src.job.picker.Failed(src.peer.id, r.index)
		}
	case wire.Layer:
		src.layer, src.layerAt = nil, time.Time{}
	case wire.Any:
		if src.job.picker != nil {
			src.job.picker.OpenFailed(src.peer.id)
		}
	case wire.Info:
		src.forgetInfo()
	case wire.UnknownWhat:
	}
}

// isPartial notes that the provider does not have all pieces. Until it has told
// which ones it has, it is asked for no more, but for what is on its way.
func (src *source) isPartial() {
	if src.partial {
		return
	}
	src.partial = true
	src.job.rouse()
	src.infoAt = time.Time{}
	if src.job.picker != nil {
		src.job.picker.Partial(src.peer.id, nil)
	}
	src.job.crowd()
}

// isWhole notes that the provider has all pieces by now.
func (src *source) isWhole() {
	src.partial = false
	src.forgetInfo()
	src.enlist()
}

// says notes whether everyone nearby may have the content, as it says.
func (src *source) says(nearby bool) {
	if src.toldYet && src.nearby == nearby {
		return
	}
	src.toldYet, src.nearby = true, nearby
	if f := src.job.f; f.cfg.Nearby != nil {
		f.cfg.Nearby(src.job.id, src.peer.id, nearby)
	}
}
