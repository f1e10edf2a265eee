package gossip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/crypto"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/host/complain"
)

// Everyone stands for everyone nearby: for this asker, Config.Own returns the
// head that the whole network may see. Its peer ID is nobody's.
var Everyone = domain.Asker{Peer: "everyone", Near: true}

// Host is what this package needs of the libp2p host; *host.Host has it.
type Host interface {
	Libp2p() libp2phost.Host
	// Asker says who is at the other end of the connection.
	Asker(conn network.Conn) domain.Asker
	// AskerFor is Asker for the best live connection to the peer.
	AskerFor(peer domain.PeerID) domain.Asker
	// Handle serves a protocol to those that the rule lets in.
	Handle(proto string, rule host.Rule, handler func(ctx context.Context, s network.Stream, asker domain.Asker))
	// Open opens a stream of a protocol to the peer.
	Open(ctx context.Context, peer domain.PeerID, proto string) (network.Stream, error)
	// OnNear calls f whenever a connected peer begins to count as near or as
	// a friend, and for those that do already.
	OnNear(f func(peer domain.PeerID))
}

var _ Host = (*host.Host)(nil)

// Config is what a Gossip needs. None of its functions may block but Answer.
type Config struct {
	Host Host
	// Own returns the own head as asker may see it: Version, Entries and Bytes.
	// The rest is filled in here. It is asked with Everyone for the head that
	// is gossiped.
	Own func(asker domain.Asker) domain.Head
	// Delta returns the changes of what everyone nearby may see since a version, in
	// at most so many bytes, and the version to which they lead; nothing if they
	// are more or not known. They ride with the head. Nil: nothing rides.
	Delta func(since domain.Version, most int) (packed []byte, to domain.Version)
	// Name returns the own nickname.
	Name func() string
	// Heard reports whether the peer was heard by own discovery on the present
	// network, or counts as near by the owner's word. Heads of others are left
	// alone, and not passed on.
	Heard func(peer domain.PeerID) bool
	// Vouched reports whether the peer is near by the owner's word alone; all
	// heads that such a peer passes on are taken. Nil: nobody is.
	Vouched func(peer domain.PeerID) bool
	// TwoNetworks reports whether near peers are connected on more than one
	// network. Then nothing of others is passed on. Nil: never.
	TwoNetworks func() bool
	// Hidden reports whether nothing is to be told to anybody, of ourselves or
	// of others. After a change call Announce. Nil: never.
	Hidden func() bool
	// Reserved reports whether there is somebody near, on some network, who is
	// not to see what everyone nearby sees elsewhere. Then the own head is not
	// gossiped, but told to each one over a stream as they may see it. Nil:
	// never.
	Reserved func() bool
	// Head is told every fresh head of another peer, also one that only
	// repeats what was known; of several in quick succession the last. Heard is
	// when it left its owner, as far as is known, to the second below: a head
	// that comes by others may be minutes old.
	Head func(h domain.Head, heard time.Time)
	// Behind is told when a peer shows a head that this one signed and that is
	// newer than what Own returns: the change log was lost, or brought back
	// from a backup, and needs a new epoch. Nil: ignored.
	Behind func(seen domain.Version)
	// Answer returns what everyone nearby may see here that has all the words,
	// which are in lower case, in its path: up to MaxFound bytes, nil for nothing
	// and for somebody who gets no answer. It may take a moment, which ctx
	// bounds. Nil: no question is answered.
	Answer func(ctx context.Context, asker domain.PeerID, words []string) []byte
	// Known holds signed heads remembered from the last run. They count as
	// stale until they are heard again. Damaged ones are left out.
	Known [][]byte
	Log   *slog.Logger     // nil: silent
	Now   func() time.Time // nil: time.Now
}

// timing holds the times that tests shorten.
type timing struct {
	merge  time.Duration // changes within it go out as one
	repeat time.Duration // mean time between repeats of an unchanged head
	jitter time.Duration // most that a repeat comes earlier or later
	gap    time.Duration // an equal head is taken after this much signed time
	settle time.Duration // from a swap until gossip surely reaches the peer
	intro  time.Duration // between introductions to those beyond new neighbours
	yield  time.Duration // how long one of two peers leaves the swap to the other
	beat   time.Duration // between looks of pubsub at its mesh
	reopen time.Duration // until a peer is met again whose stream of pubsub has ended
}

func defaultTiming() timing {
	return timing{
		merge:  2 * time.Second,
		repeat: 10 * time.Minute,
		jitter: time.Minute,
		gap:    8 * time.Minute,
		settle: 3 * time.Second,
		intro:  30 * time.Second,
		yield:  300 * time.Millisecond,
		beat:   time.Second,
		reopen: time.Minute,
	}
}

// Gossip tells near peers of the own head and keeps theirs.
type Gossip struct {
	cfg        Config
	timing     timing
	log        *slog.Logger
	complaints *complain.Complaints
	self       domain.PeerID
	key        crypto.PrivKey

	ctx    context.Context // ends with Close; every goroutine's
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	taskMu sync.Mutex // orders the start of tasks and the wait for them

	gate       *gate
	topics     map[string]*pubsub.Topic
	leave      []pubsub.RelayCancelFunc
	forwarders *limiters     // messages, by forwarder
	streams    *limiters     // swap streams, by opener
	swaps      chan struct{} // places for swaps that we open
	pushes     chan struct{} // places for pushes
	served     chan struct{} // places for swaps and pushes of others
	notifiee   network.Notifiee

	changed chan struct{}      // Announce was called
	flush   chan chan struct{} // Flush was called; what comes is closed when it is done
	joined  chan struct{}      // gossip reaches one more who is near
	news    *news

	questions *questions

	mu         sync.Mutex
	table      *table
	neighbours map[domain.PeerID]*neighbour
	published  domain.Head    // the last that was gossiped
	base       domain.Version // the own one that others know by now: what rides with a head leads on from there
}

// New starts to gossip over cfg.Host until ctx ends or Close is called.
func New(ctx context.Context, cfg Config) (*Gossip, error) {
	return start(ctx, cfg, defaultTiming())
}

func start(ctx context.Context, cfg Config, timing timing) (*Gossip, error) {
	h := cfg.Host.Libp2p()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	key := h.Peerstore().PrivKey(h.ID())
	if key == nil {
		return nil, errors.New("starting gossip: the host has no key to sign with")
	}
	g := &Gossip{
		cfg:        cfg,
		timing:     timing,
		log:        cfg.Log,
		complaints: complain.New(cfg.Log),
		self:       domain.PeerID(h.ID().String()),
		key:        key,
		topics:     make(map[string]*pubsub.Topic),
		forwarders: newLimiters(forwarderRate, forwarderBurst),
		streams:    newLimiters(streamRate, streamBurst),
		// Few at a time, so that the digests of later swaps already hold what
		// earlier ones brought.
		swaps:      make(chan struct{}, 2),
		pushes:     make(chan struct{}, 8),
		served:     make(chan struct{}, 8),
		changed:    make(chan struct{}, 1),
		flush:      make(chan chan struct{}),
		joined:     make(chan struct{}, 1),
		base:       cfg.Own(Everyone).Version,
		news:       newNews(),
		questions:  newQuestions(),
		table:      newTable(timing.gap),
		neighbours: make(map[domain.PeerID]*neighbour),
	}
	g.ctx, g.cancel = context.WithCancel(ctx)
	g.remember(cfg.Known)

	if err := g.join(); err != nil {
		g.cancel()
		return nil, fmt.Errorf("starting gossip: %w", err)
	}
	g.run(g.announceLoop)
	g.run(g.tellNews)

	g.notifiee = &network.NotifyBundle{DisconnectedF: g.gone}
	h.Network().Notify(g.notifiee)
	cfg.Host.Handle(headsProtocol, host.Anyone, g.handler(headsProtocol, g.answer))
	cfg.Host.Handle(answersProtocol, host.NearOnly, g.handler(answersProtocol, g.takeAnswers))
	cfg.Host.OnNear(g.met)
	return g, nil
}

// Announce says that the own catalogue, or what somebody may see of it, has
// changed. After a quiet time it goes out at once, further changes are merged.
func (g *Gossip) Announce() {
	select {
	case g.changed <- struct{}{}:
	default: // one is due already, and it reads the state of its own time
	}
}

// reserved reports whether the own head is told to each one alone.
func (g *Gossip) reserved() bool { return g.cfg.Reserved != nil && g.cfg.Reserved() }

// hidden reports whether nothing is told to anybody.
func (g *Gossip) hidden() bool { return g.cfg.Hidden != nil && g.cfg.Hidden() }

// Flush sends out at once what Announce has told of and is still being merged,
// and returns when it is handed to the network. It is for the end of something
// that a person did: they tell the others that it is there now. The error is
// that of ctx.
func (g *Gossip) Flush(ctx context.Context) error {
	done := make(chan struct{})
	for flush := g.flush; ; flush = nil {
		select {
		case flush <- done:
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-g.ctx.Done():
			return g.ctx.Err()
		}
	}
}

// Heads returns the fresh heads of all other peers.
func (g *Gossip) Heads() []domain.Head {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.table.fresh(g.cfg.Now())
}

// Signed returns the peer's head as its owner signed it, fresh or not, to be
// handed to a later run; nil if there is none.
func (g *Gossip) Signed(peer domain.PeerID) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.table.signed(peer)
}

// Close leaves the topics, ends all swaps and waits for them.
func (g *Gossip) Close() error {
	g.cfg.Host.Libp2p().Network().StopNotify(g.notifiee)
	for _, leave := range g.leave {
		leave()
	}
	g.taskMu.Lock()
	g.cancel()
	g.taskMu.Unlock()
	g.gate.close()
	g.tasks.Wait()
	return nil
}

// run starts a goroutine that Close waits for. It is false, and nothing
// starts, if the end has come.
func (g *Gossip) run(task func(context.Context)) bool {
	if !g.begin() {
		return false
	}
	go func() {
		defer g.tasks.Done()
		task(g.ctx)
	}()
	return true
}

// begin counts a task in, so that Close waits for its Done.
func (g *Gossip) begin() bool {
	g.taskMu.Lock()
	defer g.taskMu.Unlock()
	if g.ctx.Err() != nil {
		return false
	}
	g.tasks.Add(1)
	return true
}

func (g *Gossip) remember(known [][]byte) {
	for _, signed := range known {
		h, err := open(signed)
		if err != nil {
			g.log.Warn("a remembered head is damaged", "error", err)
			continue
		}
		if h.Peer != g.self {
			g.table.take(h, h.personal, time.Time{})
		}
	}
}
