package reach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"golang.org/x/time/rate"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/host/talk"
	"github.com/potluck-share/potluck/net/reach/pb"
)

const (
	protocolID = "/potluck/reach/1"
	// dialTime is how long a try may take, exchangeTime the whole conversation.
	dialTime     = 3 * time.Second
	exchangeTime = 10 * time.Second
	// maxMessage is the most bytes of a message.
	maxMessage = 64
	// All together may ask for so many tries per second, with such a burst, and
	// so many at once.
	tryRate   rate.Limit = 2
	tryBurst  int        = 10
	tryAtOnce            = 8
)

// Host is what this package needs of the libp2p host; *host.Host has it.
type Host interface {
	Handle(proto string, rule host.Rule, handler func(ctx context.Context, s network.Stream, asker domain.Asker))
	Open(ctx context.Context, peer domain.PeerID, proto string) (network.Stream, error)
	// Ports returns the ports that are listened on, 0 for none.
	Ports() (tcp, udp int)
}

var _ Host = (*host.Host)(nil)

// Reacher speaks the protocol. Make one with New.
type Reacher struct {
	host   Host
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	places chan struct{}

	mu    sync.Mutex
	tries *rate.Limiter
}

// New begins to serve the protocol on the host, until Close.
func New(h Host) *Reacher {
	r := &Reacher{host: h, places: make(chan struct{}, tryAtOnce), tries: rate.NewLimiter(tryRate, tryBurst)}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	h.Handle(protocolID, host.NearOnly, r.serve)
	return r
}

// Close ends what runs. The error is always nil.
func (r *Reacher) Close() error {
	r.cancel()
	return nil
}

// TryMe asks a peer to try whether it can connect to this machine. Errors:
// domain.ErrOffline, ErrBusy, ErrVersion for one that does not know how,
// ErrNotFound if nothing is listened on.
func (r *Reacher) TryMe(ctx context.Context, peer domain.PeerID) (domain.Reach, error) {
	port, _ := r.host.Ports()
	if port == 0 {
		return "", fmt.Errorf("there is no TCP port: %w", domain.ErrNotFound)
	}
	var outcome pb.Outcome
	err := talk.With(ctx, r.host, peer, protocolID, exchangeTime, func(rw io.ReadWriter) error {
		if err := talk.Write(rw, &pb.Request{TcpPort: uint32(port)}); err != nil {
			return err
		}
		reply, err := talk.Read(rw, maxMessage, decodeReply)
		outcome = reply
		return err
	})
	if err != nil {
		return "", fmt.Errorf("ask %s for a try: %w", peer.Short(), err)
	}
	switch outcome {
	case pb.Outcome_OUTCOME_OK:
		return domain.ReachOK, nil
	case pb.Outcome_OUTCOME_REFUSED:
		return domain.ReachRefused, nil
	case pb.Outcome_OUTCOME_TIMEOUT:
		return domain.ReachTimeout, nil
	default:
		return "", fmt.Errorf("ask %s for a try: %w", peer.Short(), domain.ErrBusy)
	}
}

func decodeReply(raw []byte) (pb.Outcome, error) {
	var m pb.Reply
	if err := proto.Unmarshal(raw, &m); err != nil {
		return 0, fmt.Errorf("%w: %w", domain.ErrMalformed, err)
	}
	return m.GetOutcome(), nil
}

func decodeRequest(raw []byte) (port uint16, err error) {
	var m pb.Request
	if err := proto.Unmarshal(raw, &m); err != nil {
		return 0, fmt.Errorf("%w: %w", domain.ErrMalformed, err)
	}
	// Lower ones are other programs' on most systems.
	if m.GetTcpPort() < domain.LeastPort || m.GetTcpPort() > math.MaxUint16 {
		return 0, fmt.Errorf("%w: port %d", domain.ErrMalformed, m.GetTcpPort())
	}
	return uint16(m.GetTcpPort()), nil
}

// serve tries to connect to whoever asks.
func (r *Reacher) serve(_ context.Context, s network.Stream, _ domain.Asker) {
	_ = talk.Serve(r.ctx, s, exchangeTime, func(rw io.ReadWriter) error { //nolint:contextcheck // Close ends it
		port, err := talk.Read(rw, maxMessage, decodeRequest)
		if err != nil {
			return err
		}
		return talk.Write(rw, &pb.Reply{Outcome: r.try(s.Conn().RemoteMultiaddr(), port)})
	})
}

// try connects to the host of an address.
func (r *Reacher) try(remote ma.Multiaddr, port uint16) pb.Outcome {
	ip, err := ipOf(remote)
	if err != nil || !r.allow() {
		return pb.Outcome_OUTCOME_BUSY
	}
	select {
	case r.places <- struct{}{}:
		defer func() { <-r.places }()
	default:
		return pb.Outcome_OUTCOME_BUSY
	}
	ctx, cancel := context.WithTimeout(r.ctx, dialTime)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(ip.String(), strconv.Itoa(int(port))))
	switch {
	case err == nil:
		_ = conn.Close() // nothing was said
		return pb.Outcome_OUTCOME_OK
	case errors.Is(err, syscall.ECONNREFUSED):
		return pb.Outcome_OUTCOME_REFUSED
	default:
		return pb.Outcome_OUTCOME_TIMEOUT
	}
}

// ipOf returns the IP address that a connection comes from directly.
func ipOf(remote ma.Multiaddr) (netip.Addr, error) {
	if _, err := remote.ValueForProtocol(ma.P_CIRCUIT); err == nil {
		return netip.Addr{}, fmt.Errorf("%w: it comes through a relay", domain.ErrRefused)
	}
	ip, err := manet.ToIP(remote)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%w: %w", domain.ErrMalformed, err)
	}
	addr, ok := netip.AddrFromSlice(ip)
	if !ok {
		return netip.Addr{}, domain.ErrMalformed
	}
	addr = addr.Unmap()
	if zone, err := remote.ValueForProtocol(ma.P_IP6ZONE); err == nil {
		addr = addr.WithZone(zone)
	}
	return addr, nil
}

func (r *Reacher) allow() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tries.Allow()
}
