package fetch

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

const (
	// openTimeout is how long dialling and negotiating may take.
	openTimeout = 10 * time.Second
	// A session has as much asked for as it brings in windowTime, within these
	// limits. The largest one stays clear of what a provider holds for a peer.
	windowTime  = 500 * time.Millisecond
	windowFirst = 4 << 20
	windowLeast = wire.MaxAnswer
	windowMost  = 16 << 20
	// maxPending is how many requests a session has out at most.
	maxPending = 512
	// requestCost is what a request counts at least.
	requestCost = 1 << 10
	// measureTime is over how long the rate is measured at least.
	measureTime = 100 * time.Millisecond
)

// session is one stream to a provider, with its requests. What is not said to
// be otherwise is guarded by Fetcher.mu.
type session struct {
	p *peer
	f *Fetcher

	open    bool  // requests may be put on it
	useful  bool  // an answer came
	cause   error // why we end it
	pending map[uint64]*request
	lastID  uint64
	out     []frame // to be written
	cost    int64   // of what is pending
	window  int64
	since   time.Time // when pending began, or ceased, to be empty

	rate     float64 // bytes per second, 0 while unknown
	measured time.Time
	brought  int64

	lastRead atomic.Int64  // Unix nanoseconds; any goroutine
	outReady chan struct{} // holds a token after something came into out
	cancel   context.CancelFunc
	ctx      context.Context
}

// request is one question that is on its way, and its answer as it comes in.
type request struct {
	s     *session
	id    uint64
	src   *source // nil: a probe
	probe *probe
	what  wire.What
	index int
	set   []byte // of a request for Any piece
	layer []byte // all of it, to be verified
	want  int    // bytes expected
	cost  int64  // of the budget

	answered bool // the response came
	buf      []byte
	got      int
	reading  bool // the session's goroutine is writing into buf
	dead     bool // nobody wants it any more
}

// frame is a question, or a word about one, on its way out.
type frame struct {
	head wire.Header
	body []byte
}

func newSession(p *peer, now time.Time) *session {
	ctx, cancel := context.WithCancel(p.f.ctx)
	return &session{
		p: p, f: p.f,
		pending:  make(map[uint64]*request),
		window:   windowFirst,
		since:    now,
		outReady: make(chan struct{}, 1),
		ctx:      ctx,
		cancel:   cancel,
	}
}

// run is the session from dialling to its end.
func (s *session) run() {
	defer s.cancel()
	err := s.serve(s.ctx)
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	if s.cause != nil {
		err = s.cause
	}
	s.p.ended(s, err)
}

func (s *session) serve(ctx context.Context) error {
	stream, err := s.dial(ctx)
	if err != nil {
		return err
	}
	// A reset gets both goroutines out of their read or write.
	defer context.AfterFunc(ctx, func() { _ = stream.Reset() })()
	defer func() { _ = stream.Reset() }() // there is nothing left to say
	s.f.mu.Lock()
	s.open = true
	s.since = s.f.cfg.Now()
	s.f.fill(s, s.since)
	s.f.mu.Unlock()

	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		defer s.cancel()
		if err := s.write(ctx, stream); err != nil && ctx.Err() == nil {
			s.f.mu.Lock()
			s.shut(fmt.Errorf("asking: %w", err))
			s.f.mu.Unlock()
		}
	})
	defer s.cancel()
	return s.read(stream)
}

func (s *session) dial(ctx context.Context) (wire.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	return s.f.cfg.Open.Open(ctx, s.p.id)
}

// shut ends the session for that reason.
func (s *session) shut(err error) {
	s.open = false
	if s.cause == nil {
		s.cause = err
	}
	s.cancel()
}

// ask puts a request on the session.
func (s *session) ask(r *request, content domain.ContentID, now time.Time) {
	if len(s.pending) == 0 {
		s.since = now
		s.measured, s.brought = now, 0
	}
	s.lastID++
	r.s, r.id = s, s.lastID
	r.cost = max(requestCost, int64(r.want))
	s.pending[r.id] = r
	s.cost += r.cost
	s.f.free -= r.cost
	s.send(wire.Header{
		Kind: wire.Request, Request: r.id, What: r.what, Content: content, Index: r.index, Length: r.want,
		Look: r.src != nil && r.src.job.look, Alone: r.src != nil && s.f.hidden(),
	}, r.set)
}

func (s *session) send(h wire.Header, body []byte) {
	s.out = append(s.out, frame{h, body})
	select {
	case s.outReady <- struct{}{}:
	default:
	}
}

// settle takes a request off the session. Its share of the budget stays booked.
func (s *session) settle(r *request) {
	delete(s.pending, r.id)
	s.cost -= r.cost
	if len(s.pending) == 0 {
		s.since = s.f.cfg.Now()
	}
	if r.src != nil {
		delete(r.src.requests, r)
	}
}

// abandon takes back a request that is pending.
func (r *request) abandon() {
	r.s.settle(r)
	if r.src != nil {
		r.src.job.rouse()
	}
	r.s.send(wire.Header{Kind: wire.Cancel, Request: r.id}, nil)
	r.kill()
}

// fail is abandon for a session that has ended.
func (r *request) fail() {
	r.s.settle(r)
	r.kill()
	if r.src != nil {
		r.src.failed(r)
	}
}

func (r *request) kill() {
	r.dead = true
	if !r.reading {
		r.release()
	}
}

// release gives back the buffer and its share of the budget.
func (r *request) release() {
	f := r.s.f
	if r.buf != nil {
		putBuffer(r.buf)
		r.buf = nil
	}
	f.free += r.cost
	r.cost = 0
}

// write sends what is in out, until ctx ends.
func (s *session) write(ctx context.Context, stream io.Writer) error {
	w := wire.NewWriter(stream)
	defer w.Release()
	var frames []frame
	for {
		runtime.Gosched() // others that are about to ask come along
		s.f.mu.Lock()
		frames, s.out = s.out, frames[:0]
		s.f.mu.Unlock()
		if len(frames) == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
			select {
			case <-s.outReady:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		for _, f := range frames {
			if err := w.Write(f.head, f.body); err != nil {
				return err
			}
		}
		clear(frames) // or the sets would be kept
	}
}

// watched notes when something was last read.
type watched struct {
	r io.Reader
	s *session
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		w.s.lastRead.Store(w.s.f.cfg.Now().UnixNano())
	}
	return n, err
}

// read takes answers until the stream ends. It always returns an error.
func (s *session) read(stream io.Reader) error {
	r := wire.NewReader(watched{stream, s})
	defer r.Release()
	for {
		h, err := r.Next()
		if err != nil {
			return err
		}
		switch h.Kind {
		case wire.Response, wire.Data:
			err = s.take(r, h)
		case wire.Have, wire.Hint:
			err = s.listen(r, h)
		case wire.Request, wire.Cancel, wire.Leave, wire.Grant:
			// Nothing is given on this side; skip it like an unknown frame.
		}
		if err != nil {
			return err
		}
	}
}

// listen takes what a provider says by itself.
func (s *session) listen(r *wire.Reader, h wire.Header) error {
	body := make([]byte, h.Body) // at most a frame
	if err := r.ReadBody(body); err != nil {
		return err
	}
	if h.Kind == wire.Have {
		pieces, err := wire.Indices(body)
		if err == nil {
			s.news(h, pieces)
		}
		return err
	}
	holders, grant, err := wire.DecodeHolders(body)
	if err == nil {
		s.hinted(h.Content, holders, grant)
	}
	return err
}

// take takes one frame of an answer.
func (s *session) take(r *wire.Reader, h wire.Header) error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	req := s.pending[h.Request]
	if req == nil {
		return nil // taken back meanwhile
	}
	if req.answered == (h.Kind == wire.Response) {
		return fmt.Errorf("%w: frame of kind %d out of order", domain.ErrMalformed, h.Kind)
	}
	if h.Kind == wire.Response {
		req.answered = true
		if wanted, err := req.accept(h); !wanted || err != nil {
			return err
		}
		if h.Length != req.want {
			return fmt.Errorf("%w: answer of %d bytes, not %d", domain.ErrMalformed, h.Length, req.want)
		}
	}
	if h.Body > req.want-req.got {
		return fmt.Errorf("%w: more than the %d bytes that were asked for", domain.ErrMalformed, req.want)
	}
	if h.Body > 0 {
		if err := s.body(r, req, h.Body); err != nil || req.dead {
			return err
		}
	}
	if !h.Last {
		return nil
	}
	if req.got < req.want {
		return fmt.Errorf("%w: answer ends after %d of %d bytes", domain.ErrMalformed, req.got, req.want)
	}
	now := s.f.cfg.Now()
	s.settle(req)
	s.measure(req.got, now)
	req.src.arrived(req, now)
	s.f.fill(s, now)
	return nil
}

// body reads the next n bytes of an answer, without the lock.
func (s *session) body(r *wire.Reader, req *request, n int) error {
	if req.buf == nil {
		req.buf = getBuffer(req.want)
	}
	req.reading = true
	part := req.buf[req.got : req.got+n]
	s.f.mu.Unlock()
	err := r.ReadBody(part)
	s.f.mu.Lock()
	req.reading = false
	if req.dead {
		req.release()
		s.f.relieve()
	}
	if err == nil {
		req.got += n
	}
	return err
}

// accept looks at the response to a request. It returns true if bytes follow
// that are wanted.
func (r *request) accept(h wire.Header) (wanted bool, err error) {
	s := r.s
	s.p.failures = 0
	s.useful = true
	if r.probe != nil {
		s.settle(r)
		r.release()
		s.p.answered(r.probe, h)
		s.f.fill(s, s.f.cfg.Now())
		return false, nil
	}
	if h.Status == wire.OK && h.Size == r.src.job.size {
		r.src.shy, r.src.away = 0, false
		if r.what == wire.Piece || r.what == wire.Any {
			r.src.place = 0
			s.p.unqueued()
		}
		r.src.says(h.Nearby)
		if h.Partial {
			r.src.isPartial()
		}
		if r.what == wire.Info && !h.Partial {
			// It has become whole: there is no bitmap any more.
			s.settle(r)
			r.release()
			r.src.isWhole()
			s.f.fill(s, s.f.cfg.Now())
			return false, nil
		}
		if r.what == wire.Any {
			if wanted, err = r.chosen(h); !wanted && err == nil {
				r.src.failed(r)
				r.abandon()
				s.f.fill(s, s.f.cfg.Now())
			}
			if !wanted || err != nil {
				return false, err
			}
		}
		if r.what == wire.Piece {
			r.src.begins(r.index)
		}
		return true, nil
	}
	s.settle(r)
	r.release()
	r.src.refused(r, h)
	s.f.attendAll()
	return false, nil
}

// measure counts what came and fits the window to the rate.
func (s *session) measure(n int, now time.Time) {
	s.brought += int64(n)
	took := now.Sub(s.measured)
	if took < measureTime {
		return
	}
	rate := float64(s.brought) / took.Seconds()
	if s.rate == 0 {
		s.rate = rate
	} else {
		s.rate += (rate - s.rate) / 2
	}
	s.measured, s.brought = now, 0
	s.window = int64(min(windowMost, max(windowLeast, s.rate*windowTime.Seconds())))
}

// stalled reports whether answers are due and nothing came for too long.
func (s *session) stalled(now time.Time) bool {
	if !s.open || len(s.pending) == 0 {
		return false
	}
	last := time.Unix(0, s.lastRead.Load())
	if s.since.After(last) {
		last = s.since
	}
	return now.Sub(last) > s.f.cfg.Stall
}
