package provide

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

// stream is one stream of a peer: the queue between the goroutine that reads
// requests and the one that loads answers, and what lies between that one and
// the writing one.
type stream struct {
	p     *Provider
	s     wire.Stream
	asker func() domain.Asker
	peer  domain.PeerID
	open  *cache

	follows map[domain.ContentID]struct{} // guarded by crowds.mu
	ended   bool                          // guarded by crowds.mu

	mu      sync.Mutex
	queue   []question                  // requests not looked at yet, oldest first
	control []control                   // short answers that go ahead of bodies
	haves   map[domain.ContentID]*haves // news that go ahead of bodies
	current map[uint64]bool             // requests being answered; true: cancelled meanwhile

	// Of the goroutine that writes: what was sent since the last report.
	upload   Upload
	reported time.Time

	queued chan struct{} // holds a token after something was queued
	told   chan struct{} // holds a token after something came into control or haves
	loaded chan answer
}

// question is a request.
type question struct {
	wire.Header
	set []byte // of a request for Any
}

// control is a short frame.
type control struct {
	head wire.Header
	body []byte
}

// answer is a response on its way out.
type answer struct {
	head  wire.Header
	id    domain.ContentID
	body  []byte // from bodies if not nil
	held  int64
	piece int // counted as given; -1: none
	look  bool
	slot  bool // it has one of Provider.slots
}

const (
	// linger is how long a small answer waits for the next one, so that both
	// are sent in one go.
	linger = time.Millisecond
	// smallAnswer is up to how many bytes it does so.
	smallAnswer = 64 << 10
)

// bodies are the buffers that pieces are read into.
var bodies = sync.Pool{New: func() any { return new([wire.MaxAnswer]byte) }}

func newStream(p *Provider, s wire.Stream, asker func() domain.Asker) *stream {
	return &stream{
		p: p, s: s, asker: asker, peer: asker().Peer,
		open:    newCache(),
		follows: make(map[domain.ContentID]struct{}),
		haves:   make(map[domain.ContentID]*haves),
		current: make(map[uint64]bool),
		queued:  make(chan struct{}, 1),
		told:    make(chan struct{}, 1),
		// One answer is loaded while another one is written.
		loaded: make(chan answer),
	}
}

// run serves the stream until the peer ends it, it fails, or ctx ends.
func (t *stream) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A reset gets every goroutine out of its read or write.
	defer context.AfterFunc(ctx, func() { _ = t.s.Reset() })()
	var wg sync.WaitGroup
	wg.Go(func() {
		defer cancel()
		t.load(ctx)
	})
	wg.Go(func() {
		defer cancel()
		if err := t.write(ctx); err != nil && ctx.Err() == nil {
			t.p.log.DebugContext(ctx, "sending to a peer ended", "peer", t.peer.Short(), "err", err)
		}
	})
	err := t.read(ctx)
	if err != nil && !errors.Is(err, io.EOF) && ctx.Err() == nil {
		t.p.complaints.Served(t.peer, wire.Protocol, err)
		t.p.log.DebugContext(ctx, "requests of a peer ended", "peer", t.peer.Short(), "err", err)
	}
	cancel()
	wg.Wait()
	_ = t.s.Reset() // the stream has nothing more to say
	t.unfollowAll()
	t.settle()
}

// read takes requests and cancels until the stream ends.
func (t *stream) read(ctx context.Context) error {
	r := wire.NewReader(t.s)
	defer r.Release()
	for ctx.Err() == nil {
		if err := t.s.SetReadDeadline(time.Now().Add(t.p.cfg.Idle)); err != nil {
			return err
		}
		h, err := r.Next()
		if err != nil {
			if isTimeout(err) && t.busy() {
				continue // it reads what it asked for, slowly
			}
			return err
		}
		switch h.Kind {
		case wire.Request:
			q := question{Header: h}
			if h.What == wire.Any {
				q.set = make([]byte, h.Body)
				if err := r.ReadBody(q.set); err != nil {
					return err
				}
			}
			if !t.ask(q) {
				return domain.ErrBusy
			}
		case wire.Cancel:
			t.cancel(h.Request)
		case wire.Leave:
			t.unfollow(h.Content)
		case wire.Grant:
			grant := make([]byte, h.Body) // at most MaxGrant
			if err := r.ReadBody(grant); err != nil {
				return err
			}
			if t.p.cfg.Shown != nil {
				t.p.cfg.Shown(t.asker(), grant)
			}
		case wire.Response, wire.Data, wire.Have, wire.Hint:
			// Nothing was asked of this side; skip it like an unknown frame.
		}
	}
	return ctx.Err()
}

// ask queues a request, or says why not. It returns false if the peer asks on
// and on without reading the answers.
func (t *stream) ask(q question) bool {
	cost := cost(q.Header)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) >= maxQueue || !t.p.hold(t.peer, cost) {
		if len(t.control) >= maxQueue {
			return false
		}
		t.control = append(t.control, control{head: wire.Header{
			Kind: wire.Response, Request: q.Request, Status: wire.Busy, Last: true,
		}})
		wake(t.told)
		return true
	}
	t.queue = append(t.queue, q)
	wake(t.queued)
	return true
}

func (t *stream) cancel(request uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.current[request]; ok {
		t.current[request] = true
		return
	}
	for i, q := range t.queue {
		if q.Request == request {
			t.p.release(t.peer, cost(q.Header))
			t.queue = append(t.queue[:i], t.queue[i+1:]...)
			return
		}
	}
}

// take waits for the next request. It closes files that nobody asks for any
// more while it waits.
func (t *stream) take(ctx context.Context) (question, bool) {
	var quiet <-chan time.Time
	for {
		t.mu.Lock()
		if len(t.queue) > 0 {
			q := t.queue[0]
			t.queue = t.queue[1:]
			t.current[q.Request] = false
			t.mu.Unlock()
			return q, true
		}
		t.mu.Unlock()
		if quiet == nil && t.open.len() > 0 {
			quiet = time.After(keepOpen)
		}
		select {
		case <-t.queued:
		case <-quiet:
			quiet = nil
			t.open.clear()
		case <-ctx.Done():
			return question{}, false
		}
	}
}

func (t *stream) load(ctx context.Context) {
	defer t.open.clear()
	for {
		q, ok := t.take(ctx)
		if !ok {
			return
		}
		a := t.answer(ctx, q)
		select {
		case t.loaded <- a:
		case <-ctx.Done():
			t.finish(a, false)
			return
		}
	}
}

func (t *stream) write(ctx context.Context) error {
	w := wire.NewWriter(deadlined{t.s, t.p.cfg.Patience})
	defer w.Release()
	defer t.report()
	small := false // the last answer, which is not flushed
	for {
		var a answer
		select { // more without waiting, else send what is there
		case a = <-t.loaded:
		case <-t.told:
			if err := t.writeControl(w); err != nil {
				return err
			}
			continue
		default:
			var ok bool
			if small {
				if a, ok = t.soon(ctx); ok {
					break
				}
			}
			small = false
			if err := w.Flush(); err != nil {
				return err
			}
			if !t.busy() {
				t.report()
			}
			select {
			case a = <-t.loaded:
			case <-t.told:
				if err := t.writeControl(w); err != nil {
					return err
				}
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		sent, err := t.writeAnswer(w, a)
		small = a.head.Length <= smallAnswer
		t.finish(a, sent)
		if err != nil {
			return err
		}
	}
}

// soon waits a moment for the next answer, if there is to be one. It is not ok
// if none came.
func (t *stream) soon(ctx context.Context) (a answer, ok bool) {
	if !t.busy() {
		return a, false
	}
	timer := time.NewTimer(linger)
	defer timer.Stop()
	select {
	case a = <-t.loaded:
		return a, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return a, false
}

// writeAnswer writes the response and its body, frame by frame, and stops if
// it is cancelled meanwhile.
func (t *stream) writeAnswer(w *wire.Writer, a answer) (sent bool, err error) {
	left := a.body[:a.head.Length]
	head := a.head
	for {
		if err := t.writeControl(w); err != nil {
			return false, err
		}
		if t.cancelled(head.Request) {
			return false, nil
		}
		body := left[:min(len(left), wire.MaxBody)]
		left = left[len(body):]
		head.Last = len(left) == 0
		if err := w.Write(head, body); err != nil {
			return false, err
		}
		if head.Last {
			break
		}
		head = wire.Header{Kind: wire.Data, Request: head.Request}
	}
	if a.head.Length > 0 {
		t.count(a)
	}
	return true, nil
}

// count adds an answer to what is reported of the uploads.
func (t *stream) count(a answer) {
	now := time.Now()
	if t.upload.Content != a.id || t.upload.Look != a.look || now.Sub(t.reported) >= reportEvery {
		t.report()
		t.reported = now
	}
	t.upload = Upload{Peer: t.peer, Content: a.id, Size: a.head.Size, Sent: t.upload.Sent + int64(a.head.Length), Look: a.look}
}

// report tells what was counted.
func (t *stream) report() {
	if t.upload.Sent > 0 && t.p.cfg.Uploads != nil {
		t.p.cfg.Uploads(t.upload)
	}
	t.upload.Sent = 0
}

// writeControl writes the short answers and the news that wait.
func (t *stream) writeControl(w *wire.Writer) error {
	t.mu.Lock()
	frames := t.control
	t.control = nil
	for id, news := range t.haves {
		frames = append(frames, news.frames(id)...)
	}
	clear(t.haves)
	t.mu.Unlock()
	for _, f := range frames {
		if err := w.Write(f.head, f.body); err != nil {
			return err
		}
	}
	return nil
}

// finish gives back what an answer used.
func (t *stream) finish(a answer, sent bool) {
	if a.piece >= 0 && (!sent || a.head.Status != wire.OK) {
		t.p.give(a.id, a.piece, -1)
	}
	if a.slot {
		t.p.slots.done(t.peer, a.id)
	}
	if a.body != nil {
		bodies.Put((*[wire.MaxAnswer]byte)(a.body[:wire.MaxAnswer]))
	}
	t.mu.Lock()
	delete(t.current, a.head.Request)
	t.mu.Unlock()
	t.p.release(t.peer, a.held)
}

// settle gives back what requests that were never looked at hold.
func (t *stream) settle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range t.queue {
		t.p.release(t.peer, cost(q.Header))
	}
	t.queue = nil
}

func (t *stream) cancelled(request uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.current[request]
}

func (t *stream) busy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.queue) > 0 || len(t.current) > 0
}

// cost is what a request is counted as.
func cost(h wire.Header) int64 { return max(requestCost, int64(h.Length)) }

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// deadlined gives every write its own deadline.
type deadlined struct {
	s        wire.Stream
	patience time.Duration
}

func (d deadlined) Write(p []byte) (int, error) {
	if err := d.s.SetWriteDeadline(time.Now().Add(d.patience)); err != nil {
		return 0, err
	}
	return d.s.Write(p)
}
