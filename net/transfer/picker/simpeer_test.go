package picker

import (
	"slices"
	"time"
)

const stallTime = 4 * time.Second

// link is one connection, seen by the downloader.
type link struct {
	s        *sim
	me, peer *node
	lane     *lane
	pending  []*ask
	opens    int
	cost     int64
	window   int64
	turn     int // the file whose turn it is

	rate     float64
	measured time.Duration
	brought  int64
	lastRead time.Duration
	retryAt  time.Duration
	failures int
}

// meet lets a node ask another.
func (n *node) meet(peer *node) *link {
	for _, l := range n.links {
		if l.peer == peer {
			return l
		}
	}
	l := &link{s: n.s, me: n, peer: peer, window: n.s.first}
	l.lane = &lane{from: peer, to: n, link: l}
	peer.lanes = append(peer.lanes, l.lane)
	n.links = append(n.links, l)
	return l
}

// fetch begins a download.
func (n *node) fetch(content, pieces int, seed uint64, swarm bool, from ...*node) *file {
	n.room(content)
	f := &file{
		content: content, have: make([]bool, pieces), left: pieces, given: make([]int, pieces),
		picker: New(pieces, all(pieces), Options{Seed: seed}), swarm: swarm, began: n.s.now,
	}
	f.picker.SetOrder(n.s.order)
	n.files[content] = f
	n.s.open++
	for _, peer := range from {
		n.meet(peer)
		n.learn(f, peer)
	}
	n.s.after(0, n.fillAll)
	return f
}

// learn tells the picker what a provider has at this moment.
func (n *node) learn(f *file, peer *node) {
	if n.lied[peer] || peer.gone {
		return
	}
	has := peer.files[f.content]
	if has.whole() {
		f.picker.Whole(peer.id)
		return
	}
	bitmap := make([]byte, (len(has.have)+7)/8)
	for i, have := range has.have {
		if have {
			bitmap[i/8] |= 1 << (i % 8)
		}
	}
	f.picker.Partial(peer.id, bitmap)
}

// know makes nodes that fetch the same content each other's neighbours.
func know(content int, a, b *node) {
	for _, pair := range [][2]*node{{a, b}, {b, a}} {
		pair[0].meet(pair[1])
		pair[0].neighbours = append(pair[0].neighbours, pair[1])
		pair[0].learn(pair[0].files[content], pair[1])
	}
}

func (n *node) fillAll() {
	n.starved = false
	for _, l := range n.links {
		l.fill()
	}
}

func (n *node) relieve() {
	if n.starved && n.free >= pieceBytes {
		n.fillAll()
	}
}

// fill asks for as much as the window and the budget allow.
func (l *link) fill() {
	if l.peer.gone || l.s.now < l.retryAt {
		return
	}
	window := min(l.window, max(l.s.least, l.s.budget/int64(len(l.me.links))))
	for l.cost < window || len(l.pending) == 0 {
		if l.me.free < pieceBytes {
			l.me.starved = true
			return
		}
		a := l.pick()
		if a == nil {
			return
		}
		if len(l.pending) == 0 {
			l.lastRead, l.measured, l.brought = l.s.now, l.s.now, 0
		}
		l.pending = append(l.pending, a)
		l.cost += pieceBytes
		l.me.free -= pieceBytes
		l.s.after(l.s.latency, func() {
			l.lane.queue = append(l.lane.queue, a)
			l.peer.kick()
		})
	}
}

// pick takes a request from the files, each in its turn.
func (l *link) pick() *ask {
	for i := range l.me.files {
		at := (l.turn + i) % len(l.me.files)
		if a := l.from(l.me.files[at]); a != nil {
			l.turn = at + 1
			return a
		}
	}
	return nil
}

func (l *link) from(f *file) *ask {
	if f == nil || f.picker == nil || f.ended > 0 {
		return nil
	}
	now := l.s.clock()
	source := f.swarm && f.picker.providers[l.peer.id] != nil && f.picker.providers[l.peer.id].have == nil
	if source && l.s.sources > 0 && len(l.pending) >= l.s.sources {
		return nil
	}
	if source && l.s.opens > 0 {
		if l.opens >= l.s.opens {
			return nil
		}
		if first, set, ok := f.picker.Open(l.peer.id, now); ok {
			l.opens++
			return &ask{link: l, file: f, piece: -1, open: true, first: first, set: set}
		}
	}
	piece, ok := f.picker.Next(l.peer.id, now)
	if !ok {
		return nil
	}
	f.asked = append(f.asked, piece)
	l.me.tell(f, func(_ *node, p *Picker) { p.Coming(l.me.id, piece) })
	return &ask{link: l, file: f, piece: piece, known: true}
}

// tell lets the neighbours know something, a little later.
func (n *node) tell(f *file, what func(*node, *Picker)) {
	if !n.s.coming {
		return
	}
	n.broadcast(f, what)
}

func (n *node) broadcast(f *file, what func(*node, *Picker)) {
	if len(n.neighbours) == 0 {
		return
	}
	n.s.after(n.s.latency+n.s.rumour, func() {
		for _, o := range n.neighbours {
			if g := o.files[f.content]; g != nil && g.picker != nil && !o.lied[n] {
				what(o, g.picker)
			}
		}
	})
}

// settle takes a request off the link.
func (l *link) settle(a *ask) {
	i := slices.Index(l.pending, a)
	if i < 0 {
		return
	}
	l.pending = slices.Delete(l.pending, i, i+1)
	l.cost -= pieceBytes
	l.me.free += pieceBytes
	if a.open && !a.known {
		l.opens--
	}
}

// abandon takes back a request.
func (l *link) abandon(a *ask) {
	l.settle(a)
	a.dead = true
	l.s.after(l.s.latency, func() { a.cancelled = true })
}

// fail gives a request back to the picker.
func (l *link) fail(a *ask) {
	if a.open && !a.known {
		a.file.picker.OpenFailed(l.peer.id)
	} else {
		a.file.picker.Failed(l.peer.id, a.piece)
	}
}

// header is the begin of an answer: which piece it is.
func (l *link) header(a *ask) {
	l.lastRead = l.s.now
	if a.dead {
		return
	}
	if a.known {
		l.began(a)
		return
	}
	a.known = true
	l.opens--
	if fresh := a.file.picker.Chosen(l.peer.id, a.piece, l.s.clock()); !fresh {
		l.fail(a)
		l.abandon(a)
		l.fill()
		return
	}
	l.me.tell(a.file, func(_ *node, p *Picker) { p.Coming(l.me.id, a.piece) })
	l.began(a)
	l.fill()
}

func (l *link) began(a *ask) {
	if !l.s.began {
		return
	}
	others := a.file.picker.Began(l.peer.id, a.piece)
	for _, o := range l.me.links {
		if slices.Contains(others, o.peer.id) {
			for _, b := range slices.Clone(o.pending) {
				if b.file == a.file && b.piece == a.piece && b.known {
					o.abandon(b)
				}
			}
			o.fill()
		}
	}
}

func (l *link) got(a *ask, size int64) {
	l.lastRead = l.s.now
	a.got += size
	if a.got < pieceBytes || a.dead {
		return
	}
	l.settle(a)
	l.measure()
	f, now := a.file, l.s.clock()
	f.picker.Arrived(l.peer.id, a.piece, now)
	f.fetched++
	f.ahead = max(f.ahead, a.piece-slices.Index(f.have, false))
	if l.peer.liar {
		f.picker.Failed(l.peer.id, a.piece)
		l.me.drop(l)
		return
	}
	others := f.picker.Done(a.piece)
	if !f.have[a.piece] {
		f.have[a.piece] = true
		f.left--
		l.me.got(f, a.piece)
	}
	for _, o := range l.me.links {
		if slices.Contains(others, o.peer.id) {
			for _, b := range slices.Clone(o.pending) {
				if b.file == f && b.piece == a.piece && b.known {
					o.abandon(b)
				}
			}
			o.fill()
		}
	}
	l.me.relieve()
	l.fill()
}

// got tells the neighbours of a piece.
func (n *node) got(f *file, piece int) {
	if f.left == 0 {
		f.ended = n.s.now
		n.s.open--
		for _, l := range n.links {
			for _, a := range slices.Clone(l.pending) {
				if a.file == f {
					l.abandon(a)
				}
			}
		}
	}
	n.broadcast(f, func(o *node, p *Picker) {
		if f.left == 0 {
			p.Whole(n.id)
		} else {
			p.Has(n.id, piece)
		}
		o.meet(n).fill()
	})
}

// measure fits the window to the rate.
func (l *link) measure() {
	l.brought += pieceBytes
	took := l.s.now - l.measured
	if took < 100*time.Millisecond {
		return
	}
	rate := float64(l.brought) / took.Seconds()
	if l.rate == 0 {
		l.rate = rate
	} else {
		l.rate += (rate - l.rate) / 2
	}
	l.measured, l.brought = l.s.now, 0
	l.window = int64(min(float64(l.s.most), max(float64(l.s.least), l.rate*l.s.span.Seconds())))
}

// refused takes an answer that there is no such piece.
func (l *link) refused(a *ask) {
	if a.dead {
		return
	}
	l.fail(a)
	l.settle(a)
	if !a.open {
		a.file.picker.Lacks(l.peer.id, a.piece)
	}
	l.fill()
}

// drop ends a link for good.
func (n *node) drop(l *link) {
	n.lied[l.peer] = true
	l.retryAt = time.Hour
	for _, a := range slices.Clone(l.pending) {
		l.abandon(a)
	}
	for _, f := range n.files {
		if f != nil && f.picker != nil {
			f.picker.Gone(l.peer.id)
		}
	}
	n.fillAll()
}

// lost is told that a peer has left.
func (n *node) lost(peer *node) {
	for _, l := range n.links {
		if l.peer == peer {
			n.drop(l)
		}
	}
}

// sweep does what only the time changes.
func (n *node) sweep() {
	for _, l := range n.links {
		if len(l.pending) > 0 && l.s.now-l.lastRead > stallTime {
			l.retryAt = l.s.now + 500*time.Millisecond<<min(l.failures, 5)
			l.failures++
			for _, a := range slices.Clone(l.pending) {
				l.fail(a)
				l.abandon(a)
			}
		}
	}
	n.fillAll()
}
