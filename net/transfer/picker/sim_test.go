package picker

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// This is a simulator of peers with links, in virtual time. A node sends to
// others in chunks, to each in turn, and as far as its uplink, the receiver's
// downlink and the bytes under way to the receiver allow. What a node asks for
// follows the rules of the fetcher: a window per provider that fits its rate, a
// budget of bytes in flight over all contents, and contents in turn.

const (
	pieceBytes = 1 << 20
	mbit200    = 25e6 // bytes per second
)

// tuning are the rules that the simulation is to judge.
type tuning struct {
	order   Order
	opens   int   // open claims per whole provider in a swarm; 0: it is asked for named pieces
	began   bool  // claims that are not begun are given to whoever is idle
	coming  bool  // neighbours tell what they are receiving
	pipe    int64 // bytes under way on one connection
	chunk   int64
	latency time.Duration
	rumour  time.Duration // how much later neighbours hear of pieces
	budget  int64
	least   int64 // window of a provider, see the fetcher
	first   int64
	most    int64
	span    time.Duration
	turns   int // answers that a provider sends at a time; 0: one to each that asks
	sources int // window of a whole provider in a swarm, in pieces; 0: as any other's
}

func usual() tuning {
	return tuning{
		order: Rarest, opens: 2, began: true, coming: true, turns: 2,
		pipe: 256 << 10, chunk: 128 << 10, latency: time.Millisecond,
		budget: 64 << 20,
		least:  1 << 20, first: 4 << 20, most: 16 << 20, span: 500 * time.Millisecond,
	}
}

type event struct {
	at  time.Duration
	seq int
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

// sim is the simulated network.
type sim struct {
	tuning
	now    time.Duration
	seq    int
	events events
	rnd    *rand.Rand
	nodes  []*node
	open   int // files that are not finished
}

func newSim(seed uint64, t tuning) *sim {
	return &sim{tuning: t, rnd: rand.New(rand.NewPCG(seed, 7))}
}

func (s *sim) after(d time.Duration, do func()) {
	s.seq++
	heap.Push(&s.events, event{s.now + d, s.seq, do})
}

func (s *sim) clock() time.Time { return time.Unix(0, 0).Add(s.now) }

// run goes on until every file is finished, and reports whether that was in
// time.
func (s *sim) run(limit time.Duration) bool {
	s.after(0, s.sweep)
	for s.open > 0 && len(s.events) > 0 {
		e := heap.Pop(&s.events).(event)
		if e.at > limit {
			return false
		}
		s.now = e.at
		e.do()
	}
	return s.open == 0
}

func (s *sim) sweep() {
	for _, n := range s.nodes {
		n.sweep()
	}
	s.after(100*time.Millisecond, s.sweep)
}

// node is a peer.
type node struct {
	s        *sim
	id       domain.PeerID
	up, down float64 // bytes per second
	files    []*file // by content; nil: it has none of it

	// As a provider.
	lanes   []*lane
	turn    int
	sending bool
	sent    int64
	leaveAt int64 // it leaves for good after so many bytes; 0: never
	gone    bool
	stalled bool // it takes requests and sends nothing
	liar    bool

	// As a receiver.
	inbox     []chunk
	receiving bool

	// As a downloader.
	links      []*link
	neighbours []*node
	free       int64 // of the budget
	starved    bool
	lied       map[*node]bool
}

// file is what a node has of a content.
type file struct {
	content int
	have    []bool
	left    int
	given   []int
	picker  *Picker // nil: it had all from the beginning
	swarm   bool    // others fetch it too
	began   time.Duration
	ended   time.Duration // 0: it still misses some
	fetched int           // pieces that came, useful or not
	ahead   int           // most pieces that one came before the first that was missing
	asked   []int         // pieces in the order in which they were asked for
}

func (f *file) whole() bool { return f.left == 0 }

func (s *sim) node(up, down float64) *node {
	n := &node{
		s: s, id: domain.PeerID(fmt.Sprint("n", len(s.nodes))),
		up: up, down: down, free: s.budget, lied: make(map[*node]bool),
	}
	s.nodes = append(s.nodes, n)
	return n
}

func (n *node) room(content int) {
	for len(n.files) <= content {
		n.files = append(n.files, nil)
	}
}

// share gives the node all of a content.
func (n *node) share(content, pieces int) {
	n.room(content)
	n.files[content] = &file{content: content, have: trues(pieces), given: make([]int, pieces)}
}

func trues(n int) []bool { return slices.Repeat([]bool{true}, n) }

// lane is one connection, seen by the provider.
type lane struct {
	from, to *node
	link     *link
	queue    []*ask
	under    int64 // bytes that were sent and not received
}

// ask is one request.
type ask struct {
	link  *link
	file  *file // the asker's
	piece int   // -1: not chosen yet
	open  bool
	first int
	set   []byte

	begun     bool // the provider has begun to answer
	sent, got int64
	known     bool // the asker knows the piece
	dead      bool // the asker does not want it any more
	cancelled bool // the provider knows that
}

type chunk struct {
	ask  *ask
	size int64
	lane *lane
}

// kick has the node send if it can.
func (n *node) kick() {
	for !n.sending && !n.gone && !n.stalled {
		l := n.nextLane()
		if l == nil {
			return
		}
		a := l.queue[0]
		if !a.begun && !n.begin(a) {
			l.queue = l.queue[1:]
			n.s.after(n.s.latency, func() { a.link.refused(a) })
			continue
		}
		size := min(n.s.chunk, pieceBytes-a.sent, max(1<<10, int64(n.up/10)))
		a.sent += size
		l.under += size
		if a.sent == pieceBytes {
			l.queue = l.queue[1:]
		}
		n.sending = true
		n.s.after(seconds(float64(size)/n.up), func() { n.didSend(chunk{a, size, l}) })
	}
}

// nextLane returns the connection whose turn it is: of an answer that is being
// sent, if as many are as may be at a time.
func (n *node) nextLane() *lane {
	begun := 0
	for _, l := range n.lanes {
		for len(l.queue) > 0 && l.queue[0].cancelled {
			l.queue = l.queue[1:]
		}
		if len(l.queue) > 0 && l.queue[0].begun && l.under < n.s.pipe {
			begun++
		}
	}
	for i := range n.lanes {
		l := n.lanes[(n.turn+i)%len(n.lanes)]
		if len(l.queue) == 0 || l.under >= n.s.pipe {
			continue
		}
		if n.s.turns == 0 || begun < n.s.turns || l.queue[0].begun {
			n.turn = (n.turn + i + 1) % len(n.lanes)
			return l
		}
	}
	return nil
}

// begin begins to answer: now is when a piece of a set is chosen, the one that
// was given least.
func (n *node) begin(a *ask) bool {
	f := n.files[a.file.content]
	a.begun = true
	if a.open {
		a.piece = n.choose(f, a)
	}
	if a.piece < 0 || !f.have[a.piece] {
		return false
	}
	f.given[a.piece]++
	return true
}

func (n *node) choose(f *file, a *ask) int {
	best, ties := -1, 0
	for i := range len(a.set) * 8 {
		piece := a.first + i
		if a.set[i/8]&(1<<(i%8)) == 0 || !f.have[piece] {
			continue
		}
		switch {
		case best < 0 || f.given[piece] < f.given[best]:
			best, ties = piece, 1
		case f.given[piece] == f.given[best]:
			if ties++; n.s.rnd.IntN(ties) == 0 {
				best = piece
			}
		}
	}
	return best
}

func (n *node) didSend(c chunk) {
	n.sending = false
	n.sent += c.size
	n.s.after(n.s.latency, func() { c.lane.to.receive(c) })
	if n.leaveAt > 0 && n.sent >= n.leaveAt {
		n.leave()
	}
	n.kick()
}

// leave takes the node off the network.
func (n *node) leave() {
	n.gone = true
	for _, o := range n.s.nodes {
		n.s.after(n.s.latency, func() { o.lost(n) })
	}
}

func (n *node) receive(c chunk) {
	n.inbox = append(n.inbox, c)
	n.drain()
}

// drain takes the next chunk off the downlink.
func (n *node) drain() {
	if n.receiving || len(n.inbox) == 0 {
		return
	}
	c := n.inbox[0]
	n.inbox = n.inbox[1:]
	n.receiving = true
	c.ask.link.header(c.ask)
	n.s.after(seconds(float64(c.size)/n.down), func() {
		n.receiving = false
		c.lane.under -= c.size
		n.s.after(n.s.latency, c.lane.from.kick)
		c.ask.link.got(c.ask, c.size)
		n.drain()
	})
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
