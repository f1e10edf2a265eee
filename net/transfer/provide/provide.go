// Package provide serves contents to other peers over the transfer protocol.
//
// A Provider takes streams (Handle), and on each of them answers requests for
// any mix of contents in the order in which they came. It asks its Source anew
// for every single request, with the asker as the host sees it at that moment,
// so that whoever stops being near, or loses a share, gets nothing from then
// on. What is private is answered like what is absent.
//
// Whoever asks for a content follows it: it hears of further pieces of what is
// here in part (Grown), and of the others who fetch it, if those may know of
// each other. Whoever only looks at it, or is not to be seen by them, does not.
//
// Three goroutines serve one stream: one reads requests, so that a cancel is
// heard while a body is on its way; one reads pieces from disk, taking turns
// with the other peers; one writes. All exported methods may be called from any
// goroutine. The Source, its Contents and the Uploads hook are called from
// those goroutines, several at once; one Content by one goroutine at a time.
package provide

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host/complain"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

// Source has the contents. Both methods decide for the asker given; they are
// called for every request, so they should be quick.
type Source interface {
	// Open opens the content for the asker, who may have it. The context is
	// that of the stream. An error that is domain.ErrChanged or domain.ErrBusy
	// is told to the asker, any other one is told as "absent". The Content is
	// closed by the Provider.
	Open(ctx context.Context, asker domain.Asker, id domain.ContentID) (Content, error)
	// Allowed reports whether the asker may have the content now. It is asked
	// instead of Open while the content is still open from an earlier request.
	Allowed(asker domain.Asker, id domain.ContentID) bool
}

// Content is an open file, whole, or in part if it is a Partial too.
type Content interface {
	// Size is in bytes.
	Size() int64
	// Layer returns the chaining values of all pieces, 32 bytes each; it may be
	// nil for a content of up to one piece.
	Layer() []byte
	// ReadAt reads as io.ReaderAt does.
	ReadAt(p []byte, off int64) (int, error)
	// Fresh returns nil while the file is what it was when it was announced.
	// It is asked before and after each read.
	Fresh() error
	// Spread says how far those who fetch the content may be told of each
	// other and serve it on.
	Spread() Spread
	Close() error
}

// Spread is how far a content may go on from those who fetch it.
type Spread uint8

const (
	// Kept goes nowhere: nobody is told of anybody.
	Kept Spread = iota
	// Granted goes to whom Config.Grant gives leave: those who fetch it are
	// told of each other.
	Granted
	// Nearby goes to everyone nearby.
	Nearby
)

// Partial is a Content of which only some pieces are here. Provider.Grown is
// told of each further one.
type Partial interface {
	Content
	// Has reports whether the piece is here.
	Has(piece int) bool
}

// Upload reports that bytes of a content were handed to the connection.
type Upload struct {
	Peer    domain.PeerID
	Content domain.ContentID
	// Size of the content in bytes.
	Size int64
	// Sent is how many bytes went out since the last report for this peer and
	// content: add them up.
	Sent int64
	// Look is true if they are looked at and not kept.
	Look bool
}

// Config is what a Provider needs. Source must be set.
type Config struct {
	Source Source
	Log    *slog.Logger // nil: none
	// MaxPerPeer is how many bytes of requests are held for one peer; what is
	// asked beyond it is answered as busy. 0: 32 MiB.
	MaxPerPeer int64
	// Idle is after how long without a request a stream is closed.
	// 0: three minutes.
	Idle time.Duration
	// Patience is how long one write may take before the peer is taken to be
	// gone. 0: one minute.
	Patience time.Duration
	// Uploads is told a few times a second, and when a stream has nothing more
	// to send. It must not block. It may be nil.
	Uploads func(Upload)
	// Addresses returns where a peer can be reached, as multiaddresses without
	// the peer ID, to be told to others who fetch the same. It must not block.
	// nil: nothing is known.
	Addresses func(domain.PeerID) []string
	// Among reports whether the asker may have the content together with others,
	// and not only because it was given to it alone: only then others hear of it
	// and it of them. It is asked for contents that are Granted. nil: as
	// Source.Allowed.
	Among func(asker domain.Asker, content domain.ContentID) bool
	// Friend reports whether a peer is a friend at this moment, of those who have
	// left. Nil: they are what they were.
	Friend func(domain.PeerID) bool
	// Grant returns a signed leave for the peer to fetch the content from
	// others, which is Granted here. nil: there are none.
	Grant func(peer domain.PeerID, content domain.ContentID, size int64) ([]byte, error)
	// Shown is called when an asker shows a grant, which is not proven yet.
	// nil: they are of no use.
	Shown func(asker domain.Asker, grant []byte)
	// Now is the clock that expiry reads. nil: time.Now.
	Now func() time.Time
}

const (
	// maxStreams is how many streams one peer may have; an honest one has one.
	maxStreams = 4
	// reportEvery is how often a stream reports to Uploads at most, for one
	// content after another.
	reportEvery = 200 * time.Millisecond
	// maxQueue is how many requests one stream may have waiting.
	maxQueue = 8192
	// requestCost is what a request costs at least of MaxPerPeer.
	requestCost = 1 << 10
	// readers is how many pieces are read from disk at once, over all peers.
	readers = 4
)

// Provider serves streams. Make one with New.
type Provider struct {
	cfg        Config
	log        *slog.Logger
	complaints *complain.Complaints
	turns      *turns
	slots      *slots
	wg         sync.WaitGroup // one for each stream
	crowds     crowds

	mu     sync.Mutex
	closed bool
	peers  map[domain.PeerID]*account
	ends   map[*stream]context.CancelFunc // of all streams
}

// account is what one peer uses.
type account struct {
	streams int
	held    int64
}

// New returns a Provider. Close ends it.
func New(cfg Config) *Provider {
	if cfg.MaxPerPeer <= 0 {
		cfg.MaxPerPeer = 32 << 20
	}
	if cfg.Idle <= 0 {
		cfg.Idle = 3 * time.Minute
	}
	if cfg.Patience <= 0 {
		cfg.Patience = time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Among == nil {
		cfg.Among = func(asker domain.Asker, id domain.ContentID) bool { return cfg.Source.Allowed(asker, id) }
	}
	return &Provider{
		cfg:        cfg,
		log:        cfg.Log,
		complaints: complain.New(cfg.Log),
		turns:      newTurns(readers),
		slots:      newSlots(cfg.Now),
		crowds:     crowds{now: cfg.Now, all: make(map[domain.ContentID]*crowd)},
		peers:      make(map[domain.PeerID]*account),
		ends:       make(map[*stream]context.CancelFunc),
	}
}

// Handle serves one stream and returns when it has ended. asker judges the
// peer at the other end, anew for each request: for the very connection that
// the stream runs on.
func (p *Provider) Handle(ctx context.Context, s wire.Stream, asker func() domain.Asker) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := newStream(p, s, asker)
	if !p.enter(t, cancel) {
		_ = s.Reset() // the peer has too many streams, or we are closing: nothing to tell
		return
	}
	defer p.leave(t)
	t.run(ctx)
}

// SetSlots limits how many people are served at once, and how many contents
// larger than a piece each of them gets at once; 0 is no limit. Whoever comes
// later waits in a queue and is told the place in it. It holds from the next
// requests on.
func (p *Provider) SetSlots(people, perPerson int) { p.slots.set(people, perPerson) }

// Close ends all streams and waits for them.
func (p *Provider) Close() {
	p.mu.Lock()
	p.closed = true
	for _, end := range p.ends {
		end()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

func (p *Provider) enter(t *stream, end context.CancelFunc) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.peers[t.peer]
	if p.closed || t.peer == "" || a != nil && a.streams >= maxStreams {
		return false
	}
	if a == nil {
		a = &account{}
		p.peers[t.peer] = a
	}
	a.streams++
	p.ends[t] = end
	p.wg.Add(1)
	return true
}

func (p *Provider) leave(t *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.ends, t)
	a := p.peers[t.peer]
	a.streams--
	if a.streams == 0 {
		delete(p.peers, t.peer)
		p.slots.gone(t.peer)
	}
	p.wg.Done()
}

// hold books the bytes of a request on the peer, unless it has too many.
func (p *Provider) hold(peer domain.PeerID, n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.peers[peer]
	if a.held+n > p.cfg.MaxPerPeer {
		return false
	}
	a.held += n
	return true
}

func (p *Provider) release(peer domain.PeerID, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.peers[peer].held -= n
}
