// Package fetch gets contents from other peers over the transfer protocol.
//
// A Fetcher has one session, which is one stream, with each provider, and puts
// the requests of all running fetches on it. Who is asked for what, and what
// comes of it, is decided under one lock that is never held during I/O: each
// session has a goroutine that reads and one that writes, and each fetch has a
// few that verify pieces and put them into its Sink; a content of one piece has
// the caller of Fetch do so. A piece takes buffer space
// from a common budget from the moment it is asked for until it is in the Sink,
// so that a slow disk slows the asking and not the memory.
//
// All exported functions may be called from any goroutine.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host/complain"
	"github.com/potluck-share/potluck/net/transfer/wire"
	"github.com/potluck-share/potluck/storage/content"
)

// Opener opens streams of the transfer protocol to peers, dialling them where
// needed.
type Opener interface {
	Open(ctx context.Context, peer domain.PeerID) (wire.Stream, error)
}

// Sink takes the pieces of one content. Its methods are called from several
// goroutines at once, though never two Puts of the same piece, and not after
// Fetch has returned. A Put must not keep the piece's data afterwards, because
// the buffer is used again.
type Sink interface {
	// Layer returns the layer if it is known from an earlier run.
	Layer() (content.Layer, bool)
	// SetLayer is called once, before the first Put, if Layer knew nothing or
	// one of another size. An error of it ends the fetch.
	SetLayer(layer content.Layer) error
	// Has reports whether the piece is here.
	Has(index int) bool
	// Missing returns the pieces that are not here, in order.
	Missing() []int
	// Done returns the verified bytes.
	Done() int64
	// Put stores a piece. An error of it ends the fetch.
	Put(p content.Piece) error
}

// Providers are the peers that may have a content. They may come and go while
// it is fetched.
type Providers interface {
	// Providers returns the peers at this moment.
	Providers() []domain.PeerID
	// Changed returns a channel that gets a value, or is closed, when
	// Providers answers differently than after this call; nil if it never
	// does. It is called anew, before Providers, after each change.
	Changed() <-chan struct{}
}

// Fixed are providers that do not change.
type Fixed []domain.PeerID

// Providers returns them.
func (f Fixed) Providers() []domain.PeerID { return f }

// Changed returns nil.
func (f Fixed) Changed() <-chan struct{} { return nil }

// Config is what a Fetcher needs. Open must be set. The functions are called
// with locks held: they must not block nor call back.
type Config struct {
	Open Opener
	Self domain.PeerID // who is never asked
	Log  *slog.Logger  // nil: none
	// Told is called with the addresses at which somebody else who holds a
	// content is said to be, before a stream to it is opened. nil: nobody
	// cares.
	Told func(peer domain.PeerID, addresses []string)
	// Coming is called when a piece begins to come, to be told to others who
	// fetch the same. nil: nobody cares.
	Coming func(content domain.ContentID, piece int)
	// Nearby is called when a provider says, for the first time or differently
	// than before, whether everyone nearby may have a content. It is for the
	// caller to know whether the provider may decide that. nil: nobody cares.
	Nearby func(content domain.ContentID, provider domain.PeerID, nearby bool)
	// Hidden reports whether nobody but those who are asked is to know of this
	// machine. nil: never.
	Hidden func() bool
	// Budget is how many bytes of buffers there are for all fetches together.
	// 0: 64 MiB; at least one piece.
	Budget int64
	// Stall is after how long without a byte a provider is left for a while.
	// 0: four seconds.
	Stall time.Duration
	// Idle is after how long without a request a session is closed.
	// 0: thirty seconds.
	Idle time.Duration
	// Now is the clock that back-off and expiry read. nil: time.Now.
	Now func() time.Time
}

const (
	// tick is how often what only time changes is looked at.
	tick = 100 * time.Millisecond
	// reportEvery is how often a fetch reports at most.
	reportEvery = 200 * time.Millisecond
	// maxLies is how many contents a peer may send wrong bytes for.
	maxLies = 3
)

var (
	errClosed  = errors.New("the transfer engine is closed")
	errStalled = errors.New("nothing came for a while")
	errIdle    = errors.New("nothing to ask for")
	errGrant   = fmt.Errorf("%w: a grant that is not by whom it came from, or for us and this", domain.ErrMalformed)
	errChoice  = fmt.Errorf("%w: a piece that was not in the set", domain.ErrMalformed)
)

// Fetcher runs fetches. Make one with New.
type Fetcher struct {
	cfg        Config
	log        *slog.Logger
	complaints *complain.Complaints
	workers    int // goroutines that verify, per fetch
	seed       uint64

	ctx   context.Context // the Fetcher's lifetime, ended by Close
	stop  context.CancelFunc
	wg    sync.WaitGroup // sessions and the ticker
	wake  chan struct{}  // holds a token after something came that needs the ticker
	looks chan struct{}  // a token per look that is under way

	mu      sync.Mutex
	closed  bool
	peers   map[domain.PeerID]*peer
	jobs    map[*job]struct{}
	holders map[domain.ContentID]*holders
	free    int64 // of the budget
	starved bool  // something waits for budget
}

// New returns a Fetcher. Close ends it.
func New(cfg Config) *Fetcher {
	if cfg.Budget <= 0 {
		cfg.Budget = 64 << 20
	}
	cfg.Budget = max(cfg.Budget, domain.PieceSize)
	if cfg.Stall <= 0 {
		cfg.Stall = 4 * time.Second
	}
	if cfg.Idle <= 0 {
		cfg.Idle = 30 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	f := &Fetcher{
		cfg:        cfg,
		log:        cfg.Log,
		complaints: complain.New(cfg.Log),
		workers:    min(4, runtime.GOMAXPROCS(0)),
		seed:       rand.Uint64(), //nolint:gosec // spreads requests, guards nothing
		ctx:        ctx,
		stop:       stop,
		wake:       make(chan struct{}, 1),
		looks:      make(chan struct{}, looksAtOnce),
		peers:      make(map[domain.PeerID]*peer),
		jobs:       make(map[*job]struct{}),
		holders:    make(map[domain.ContentID]*holders),
		free:       cfg.Budget,
	}
	f.wg.Go(f.run)
	return f
}

// Close ends all fetches and sessions and waits for what the Fetcher runs. The
// error is always nil.
func (f *Fetcher) Close() error {
	f.mu.Lock()
	f.closed = true
	for j := range f.jobs {
		j.end(errClosed)
	}
	f.mu.Unlock()
	f.stop()
	f.wg.Wait()
	return nil
}

// Fetch gets what is missing of a content of size bytes into the sink, from all
// providers that have it at once and from those that they name, and returns nil
// when all of it is there.
// While no provider can be reached it waits. It returns
//   - the context's error when that ends;
//   - the sink's error if that fails;
//   - domain.ErrChanged if the file was changed at the source and none of the
//     other providers has the content;
//   - domain.ErrDamaged if the content cannot be of that size;
//   - domain.ErrTooLarge or domain.ErrMalformed for an impossible size.
//
// report, which may be nil, is called a few times a second while something
// changes, by the calling goroutine.
func (f *Fetcher) Fetch(ctx context.Context, id domain.ContentID, size int64, sink Sink, providers Providers, report func(domain.Progress)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j, err := f.newJob(id, size, sink)
	if err != nil {
		return fmt.Errorf("content %v: %w", id, err)
	}
	return f.bring(ctx, j, providers, report)
}

// bring runs the job to its end.
func (f *Fetcher) bring(ctx context.Context, j *job, providers Providers, report func(domain.Progress)) error {
	// The goroutines of the job use the sink until they have returned.
	defer j.workers.Wait()
	if !f.start(j) {
		return errClosed
	}
	changed := providers.Changed()
	f.setProviders(j, providers.Providers())

	last := domain.Progress{Done: -1}
	tell := func() {
		if report == nil {
			return
		}
		now := f.progress(j)
		if !now.Equal(last) {
			last = now
			report(now)
		}
	}
	defer tell()
	ticker := time.NewTicker(reportEvery)
	defer ticker.Stop()
	for {
		select {
		case <-j.done:
			return j.err
		case <-ctx.Done():
			f.mu.Lock()
			j.end(ctx.Err())
			f.mu.Unlock()
		case <-j.alone:
			f.mu.Lock()
			j.takeAll()
			f.mu.Unlock()
		case <-changed:
			changed = providers.Changed()
			f.setProviders(j, providers.Providers())
		case <-ticker.C:
			tell()
		}
	}
}

// Probe asks the peer whether it has the content, and returns the size that it
// claims. The error is domain.ErrNotFound if it does not have it or does not
// let us have it, domain.ErrChanged if it had it, domain.ErrBusy, or
// domain.ErrOffline if it cannot be reached.
func (f *Fetcher) Probe(ctx context.Context, id domain.PeerID, want domain.ContentID) (size int64, err error) {
	pr := &probe{content: want, reply: make(chan reply, 1)}
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return 0, errClosed
	}
	p := f.peer(id)
	p.probes = append(p.probes, pr)
	p.retryAt = time.Time{}
	f.attend(p)
	f.nudge()
	f.mu.Unlock()
	select {
	case r := <-pr.reply:
		if r.err != nil {
			return 0, fmt.Errorf("asking %s for content %v: %w", id.Short(), want, r.err)
		}
		return r.size, nil
	case <-ctx.Done():
		f.mu.Lock()
		p.forget(pr)
		f.mu.Unlock()
		return 0, ctx.Err()
	}
}

// hidden reports whether providers are not to tell others of this machine.
func (f *Fetcher) hidden() bool { return f.cfg.Hidden != nil && f.cfg.Hidden() }

// Uses reports whether something is fetched from the peer at this moment, or
// would be if it could be reached.
func (f *Fetcher) Uses(id domain.PeerID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.peers[id]
	return p != nil && (p.session != nil && len(p.session.pending) > 0 || p.wanted(f.cfg.Now()))
}

// nudge gets the ticker going.
func (f *Fetcher) nudge() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// run looks after what only time changes, as long as there is something.
func (f *Fetcher) run() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		f.mu.Lock()
		busy := f.sweep(f.cfg.Now())
		f.mu.Unlock()
		if !busy {
			ticker.Stop()
			select {
			case <-f.wake:
				ticker.Reset(tick)
			case <-f.ctx.Done():
				return
			}
		}
		select {
		case <-ticker.C:
		case <-f.ctx.Done():
			return
		}
	}
}

// start makes the job one of those that run.
func (f *Fetcher) start(j *job) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.jobs[j] = struct{}{}
	j.check()
	if h := f.holders[j.id]; h != nil && !j.look && f.cfg.Now().Sub(h.at) < rememberFor {
		for _, peer := range h.peers {
			j.join(peer)
		}
	}
	f.nudge()
	return true
}
