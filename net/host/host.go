// Package host is Potluck's end of the network: the identity, the libp2p host
// with its transports and limits, who is near, which connections are made, kept
// and ended, and the gate through which every stream of a protocol passes.
//
// Discovery reports sightings to it; the protocol packages (gossip, catalogue,
// transfer) open and serve their streams through it; the application reads
// presences from it. Everything may be called from any goroutine. Callbacks in
// Config must not block, and are never called with a lock of the host held, so
// they may call back into the host.
package host

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host/complain"
)

// DefaultPort is the port, for TCP and for QUIC over UDP, on which Potluck
// listens unless it is taken. IANA has not assigned it; a phone's keys spell
// POTL with its last four digits.
const DefaultPort = 17685

// Config is what a host needs. Identity and Hello are required.
type Config struct {
	Identity Identity
	// Listen holds multiaddresses to listen on, TCP or QUIC v1. If it is empty
	// the host listens on Port of all interfaces, IPv4 and IPv6, by TCP and
	// QUIC, and on another port where that is taken.
	Listen []string
	// Port is used without Listen; 0 stands for DefaultPort.
	Port int
	// Nearby is the owner's word at first: whoever connects from there is near.
	// SetNearby changes it.
	Nearby []netip.Prefix
	// Surroundings tells about interfaces and hearings; without it nobody was
	// heard.
	Surroundings Surroundings
	// Hello says what this peer says of itself to another one, which is named.
	// Near is filled in by the host.
	Hello func(domain.PeerID) domain.Hello
	// Friend and Blocked tell whom the user trusts and does not want; nil for
	// nobody. After a change call Rejudge.
	Friend, Blocked func(domain.PeerID) bool
	// Hidden reports whether others are not to see this machine: then nobody is
	// let in, nobody is dialled but by Reach, and only connections to peers are
	// kept of whom Fetching says that something is fetched from them. nil for
	// never. After a change call Rejudge.
	Hidden func() bool
	// Shown reports whether everyone on a network is shown what is shared with
	// everyone nearby; nil means always. It must not block.
	Shown    func(network string) bool
	Fetching func(domain.PeerID) bool
	// Presence is told of every change of a peer's connection, of one peer in
	// order and by one goroutine. What changes while it is busy is merged, but
	// no loss of a connection is.
	Presence func(domain.Presence)
	Log      *slog.Logger
	// Now is the clock for the expiry of addresses and for back-off.
	Now func() time.Time

	times *times // shorter ones for tests
}

// times are the durations by which the host goes.
type times struct {
	stranger    time.Duration // how long a far stranger stays after its hello, and anyone without one
	tie         time.Duration // the head start of the smaller of two IDs that hear each other
	backoffMin  time.Duration // the wait after the first failed dial; doubles
	backoffMax  time.Duration
	steady      time.Duration // a connection that lasted this long was a good one
	pingEvery   time.Duration // between pings while nothing else comes
	pingTimeout time.Duration
	settle      time.Duration // how long two connections to one peer may live side by side
	shake       time.Duration // how long whoever opens a bulk connection may take to shake hands and name the protocol
	bulk        time.Duration // how long the opening of one may take us, at all addresses together
	handlers    time.Duration // how long after a connection's start its protocols may still be coming up
}

func defaultTimes() *times {
	return &times{
		stranger:   30 * time.Second,
		tie:        700 * time.Millisecond,
		backoffMin: time.Second,
		backoffMax: 5 * time.Minute,
		steady:     time.Minute,
		// Together, with jitter, below the 15 s in which a pulled cable is to be
		// noticed.
		pingEvery:   7 * time.Second,
		pingTimeout: 4 * time.Second,
		settle:      2 * time.Second,
		shake:       5 * time.Second,
		// Systems repeat a lost first packet after a second. A stream does as
		// well, so nobody waits for longer.
		bulk:     2 * time.Second,
		handlers: 2 * time.Second,
	}
}

// Host is this machine's end of all connections. Make one with New.
type Host struct {
	made       atomic.Bool // libp2p is set
	cfg        Config
	times      *times
	log        *slog.Logger
	complaints *complain.Complaints
	id         domain.PeerID
	instance   uint64 // of this run, told in hellos
	libp2p     libp2phost.Host
	rcmgr      network.ResourceManager
	activity   *activity
	bulks      bulks
	nearby     atomic.Pointer[[]netip.Prefix] // by the owner's word

	ctx    context.Context // ends at Close
	cancel context.CancelFunc
	tasks  tasks

	rejudge chan struct{} // holds one token while connections are to be judged anew
	dial    chan struct{} // holds one token while the dialler is to look again
	queued  chan struct{} // holds one token while presences are queued

	mu       sync.Mutex
	peers    map[domain.PeerID]*entry
	trying   map[peer.ID][]ma.Multiaddr // addresses that the user typed, while they are tried
	sequence uint64                     // of the newest connection
	onNear   []func(domain.PeerID)
	presence []domain.Presence // queued, oldest first
	asked    time.Time         // when Surroundings.Ask was last called
	// foreign are the last connections on which no hello is known, also when
	// they have ended: whoever made one may look a moment later.
	foreign *simplelru.LRU[network.Conn, struct{}]
}

// mostForeign is how many such connections are remembered.
const mostForeign = 64

// New makes a host that nobody can reach yet: protocols are registered now, then
// Listen is called. ctx bounds the start only. The caller ends the host with
// Close.
func New(ctx context.Context, cfg Config) (*Host, error) {
	if cfg.Identity.key == nil {
		return nil, fmt.Errorf("start the network: %w: no identity", domain.ErrUsage)
	}
	if cfg.Hello == nil {
		return nil, fmt.Errorf("start the network: %w: no hello", domain.ErrUsage)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start the network: %w", err)
	}
	if cfg.Surroundings == nil {
		cfg.Surroundings = deaf{}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.times == nil {
		cfg.times = defaultTimes()
	}
	var instance [8]byte
	if _, err := rand.Read(instance[:]); err != nil {
		return nil, fmt.Errorf("start the network: %w", err)
	}
	foreign, err := simplelru.NewLRU[network.Conn, struct{}](mostForeign, nil)
	if err != nil {
		return nil, fmt.Errorf("start the network: %w", err)
	}
	h := &Host{
		cfg:        cfg,
		times:      cfg.times,
		log:        cfg.Log,
		complaints: complain.New(cfg.Log),
		id:         cfg.Identity.ID(),
		instance:   binary.LittleEndian.Uint64(instance[:]),
		activity:   newActivity(),
		rejudge:    make(chan struct{}, 1),
		dial:       make(chan struct{}, 1),
		queued:     make(chan struct{}, 1),
		peers:      make(map[domain.PeerID]*entry),
		trying:     make(map[peer.ID][]ma.Multiaddr),
		foreign:    foreign,
	}
	h.nearby.Store(&cfg.Nearby)
	// The host outlives the start, so its context is its own.
	h.ctx, h.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := h.start(); err != nil { //nolint:contextcheck // handlers live until Close, not until the start is over
		return nil, errors.Join(fmt.Errorf("start the network: %w", err), h.Close())
	}
	return h, nil
}

func (h *Host) start() error {
	var err error
	if h.rcmgr, err = newResourceManager(); err != nil {
		return err
	}
	if h.bulks.identity, err = libp2ptls.NewIdentity(h.cfg.Identity.key); err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	if h.libp2p, err = h.newLibp2p(); err != nil {
		return err
	}
	h.made.Store(true)
	identified, err := h.watchIdentified()
	if err != nil {
		return err
	}
	h.Handle(helloProtocol, Anyone, h.hearHello)
	h.libp2p.Network().Notify(notifiee{h})
	for _, loop := range []func(){h.rejudgeLoop, h.dialLoop, h.presenceLoop, identified} {
		h.tasks.spawn(loop)
	}
	return nil
}

// Close ends all connections and waits for every goroutine, handlers of streams
// and callbacks included. It may be called more than once.
func (h *Host) Close() error {
	h.cancel()
	h.tasks.close()
	h.bulks.close()
	var err error
	if h.libp2p != nil {
		err = h.libp2p.Close()
	}
	h.tasks.wait()
	if h.rcmgr != nil {
		err = errors.Join(err, h.rcmgr.Close())
	}
	if err != nil {
		return fmt.Errorf("stop the network: %w", err)
	}
	return nil
}

// ID returns this machine's peer ID.
func (h *Host) ID() domain.PeerID { return h.id }

// Libp2p returns the libp2p host, for what pubsub needs. Streams of Potluck's
// own protocols go through Open and Handle.
func (h *Host) Libp2p() libp2phost.Host { return h.libp2p }

// tasks counts goroutines, so that Close can wait for them.
type tasks struct {
	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

// begin counts one in; false if no more may begin. The caller owes an end.
func (t *tasks) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.wg.Add(1)
	return true
}

func (t *tasks) end() { t.wg.Done() }

// spawn runs f in a goroutine; false if no more may begin.
func (t *tasks) spawn(f func()) bool {
	if !t.begin() {
		return false
	}
	go func() {
		defer t.end()
		f()
	}()
	return true
}

func (t *tasks) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}

func (t *tasks) wait() { t.wg.Wait() }

// signal puts a token into a channel that has room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
