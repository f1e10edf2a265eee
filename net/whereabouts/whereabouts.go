package whereabouts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"golang.org/x/time/rate"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/host/talk"
	"github.com/potluck-share/potluck/net/whereabouts/pb"
)

const (
	protocolID   = "/potluck/whereabouts/1"
	exchangeTime = 10 * time.Second
	saltSize     = 16
	hashSize     = 16
	// MostSought is how many people are asked for at once.
	MostSought = 64
	// mostAddresses is how many addresses of one are told, of so many bytes each.
	mostAddresses = 8
	maxAddress    = 256
	// maxRequest and maxReply are the most bytes of a message.
	maxRequest = 4 << 10
	maxReply   = MostSought * (mostAddresses*(maxAddress+4) + 32)
	// Each friend may ask so often per second, with such a burst.
	askRate  rate.Limit = 0.2
	askBurst int        = 6
)

// Host is what this package needs of the libp2p host; *host.Host has it.
type Host interface {
	Handle(proto string, rule host.Rule, handler func(ctx context.Context, s network.Stream, asker domain.Asker))
	Open(ctx context.Context, peer domain.PeerID, proto string) (network.Stream, error)
	// AddressesOf returns the addresses at which a peer can be reached.
	AddressesOf(id domain.PeerID) []string
	// Connected reports whether there is a connection to a peer.
	Connected(id domain.PeerID) bool
}

var _ Host = (*host.Host)(nil)

// Config is what a Teller needs.
type Config struct {
	// Self is the own peer ID.
	Self domain.PeerID
	// Friends returns the peers that are friends. It must not block.
	Friends func() []domain.PeerID
}

// Teller speaks the protocol. Make one with New.
type Teller struct {
	cfg    Config
	host   Host
	rates  *talk.Rates
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
}

// New begins to serve the protocol on the host, until Close.
func New(h Host, cfg Config) *Teller {
	t := &Teller{cfg: cfg, host: h, rates: talk.NewRates(askRate, askBurst)}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	h.Handle(protocolID, host.NearOnly, t.serve)
	return t
}

// Close ends what runs. The error is always nil.
func (t *Teller) Close() error {
	t.cancel()
	return nil
}

// Ask asks a friend where others are, the first MostSought of them, and calls
// told for each of whom it knows. Errors: domain.ErrOffline, ErrVersion,
// ErrMalformed.
func (t *Teller) Ask(ctx context.Context, friend domain.PeerID, others []domain.PeerID, told func(peer domain.PeerID, addresses []string)) error {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	request := &pb.Request{Salt: salt}
	sought := make(map[[hashSize]byte]domain.PeerID)
	for _, id := range others[:min(len(others), MostSought)] {
		h := hash(salt, t.cfg.Self, id)
		sought[h] = id
		request.Sought = append(request.Sought, h[:])
	}
	if len(sought) == 0 {
		return nil
	}
	var known []*pb.Known
	err := talk.With(ctx, t.host, friend, protocolID, exchangeTime, func(rw io.ReadWriter) error {
		if err := talk.Write(rw, request); err != nil {
			return err
		}
		var err error
		known, err = talk.Read(rw, maxReply, decodeReply)
		return err
	})
	if err != nil {
		return fmt.Errorf("ask %s where others are: %w", friend.Short(), err)
	}
	for _, k := range known {
		if id, ok := sought[[hashSize]byte(k.GetSought())]; ok && len(k.GetAddresses()) > 0 {
			told(id, k.GetAddresses())
		}
	}
	return nil
}

// hash is what stands for a peer in a request of an asker.
func hash(salt []byte, asker, sought domain.PeerID) [hashSize]byte {
	sum := sha256.New()
	sum.Write(salt)
	sum.Write([]byte(asker))
	sum.Write([]byte(sought))
	return [hashSize]byte(sum.Sum(nil))
}

func decodeRequest(raw []byte) (*pb.Request, error) {
	var m pb.Request
	if err := proto.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", domain.ErrMalformed, err)
	}
	if len(m.GetSalt()) != saltSize || len(m.GetSought()) > MostSought {
		return nil, fmt.Errorf("%w: a salt of %d bytes, %d people", domain.ErrMalformed, len(m.GetSalt()), len(m.GetSought()))
	}
	for _, h := range m.GetSought() {
		if len(h) != hashSize {
			return nil, fmt.Errorf("%w: a hash of %d bytes", domain.ErrMalformed, len(h))
		}
	}
	return &m, nil
}

func decodeReply(raw []byte) ([]*pb.Known, error) {
	var m pb.Reply
	if err := proto.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", domain.ErrMalformed, err)
	}
	if len(m.GetKnown()) > MostSought {
		return nil, fmt.Errorf("%w: %d people", domain.ErrMalformed, len(m.GetKnown()))
	}
	for _, k := range m.GetKnown() {
		if len(k.GetSought()) != hashSize || len(k.GetAddresses()) > mostAddresses {
			return nil, fmt.Errorf("%w: a hash of %d bytes, %d addresses", domain.ErrMalformed, len(k.GetSought()), len(k.GetAddresses()))
		}
		for _, a := range k.GetAddresses() {
			if len(a) > maxAddress {
				return nil, fmt.Errorf("%w: an address of %d bytes", domain.ErrMalformed, len(a))
			}
		}
	}
	return m.GetKnown(), nil
}

// serve tells a friend where friends of both are.
func (t *Teller) serve(_ context.Context, s network.Stream, asker domain.Asker) {
	if !asker.Friend {
		_ = s.ResetWithError(network.StreamGated) // near, and no friend
		return
	}
	_ = talk.Serve(t.ctx, s, exchangeTime, func(rw io.ReadWriter) error { //nolint:contextcheck // Close ends it
		request, err := talk.Read(rw, maxRequest, decodeRequest)
		if err != nil {
			return err
		}
		reply := &pb.Reply{}
		if t.rates.Allow(asker.Peer) {
			reply.Known = t.answer(asker.Peer, request)
		}
		return talk.Write(rw, reply)
	})
}

// answer finds those of the sought who are friends here, and connected.
func (t *Teller) answer(asker domain.PeerID, request *pb.Request) (known []*pb.Known) {
	sought := make(map[[hashSize]byte]bool)
	for _, h := range request.GetSought() {
		sought[[hashSize]byte(h)] = true
	}
	for _, id := range t.cfg.Friends() {
		h := hash(request.GetSalt(), asker, id)
		if id == asker || !sought[h] || !t.host.Connected(id) {
			continue
		}
		one := &pb.Known{Sought: h[:]}
		for _, a := range t.host.AddressesOf(id) {
			if len(a) <= maxAddress && len(one.Addresses) < mostAddresses {
				one.Addresses = append(one.Addresses, a)
			}
		}
		known = append(known, one)
	}
	return known
}
