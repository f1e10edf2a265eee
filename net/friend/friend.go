package friend

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/friend/pb"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/host/complain"
	"github.com/potluck-share/potluck/net/host/talk"
)

const (
	protocolID = "/potluck/friend/1"
	// exchangeTime is how long one exchange of messages may take.
	exchangeTime = 10 * time.Second
	// keepTime is how long a connection is kept for an introduction.
	keepTime = 10 * time.Minute
	// keepReason is how the host knows it.
	keepReason = "introduction"
)

// Host is what this package needs of the libp2p host; *host.Host has it.
type Host interface {
	ID() domain.PeerID
	// Handle serves a protocol to those that the rule lets in.
	Handle(proto string, rule host.Rule, handler func(ctx context.Context, s network.Stream, asker domain.Asker))
	// Open opens a stream of a protocol to the peer.
	Open(ctx context.Context, peer domain.PeerID, proto string) (network.Stream, error)
	// Keep gives the connection to the peer a reason to stay, Release takes it
	// back.
	Keep(peer domain.PeerID, reason string)
	Release(peer domain.PeerID, reason string)
}

var _ Host = (*host.Host)(nil)

// Handler takes what others say. Its methods must not block. Names are claims,
// not cleaned for display.
type Handler interface {
	// Asked says that a peer wants to be a friend and which words both sides
	// are to compare. An error is told to the peer: domain.ErrBusy, or else
	// that it is not wanted.
	Asked(from domain.Asker, name string, words []string) error
	// Invited says that a peer brings an invitation's token. An error wrapping
	// domain.ErrNotFound says that there is none of that token, any other one
	// is told as by Asked.
	Invited(from domain.Asker, name, token string) error
	// Told says what the peer's user wants, and returns whether our user has
	// confirmed the peer.
	Told(from domain.Asker, what domain.FriendAsk) (confirmed bool)
}

// Config is what a Friend needs. Handler is required.
type Config struct {
	Handler Handler
	// Name returns the own nickname; nil: none is told.
	Name func() string
	Log  *slog.Logger     // nil: silent
	Now  func() time.Time // nil: time.Now
}

// Friend speaks the protocol. Make one with New.
type Friend struct {
	cfg        Config
	host       Host
	limits     *limits
	complaints *complain.Complaints
	cancel     context.CancelFunc
	ctx        context.Context // ends with Close
	tasks      sync.WaitGroup

	mu   sync.Mutex
	kept map[domain.PeerID]time.Time // until when its connection is kept
}

// New begins to serve the protocol on the host, until Close.
func New(h Host, cfg Config) *Friend {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Name == nil {
		cfg.Name = func() string { return "" }
	}
	f := &Friend{cfg: cfg, host: h, limits: newLimits(cfg.Now), complaints: complain.New(cfg.Log), kept: make(map[domain.PeerID]time.Time)}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.tasks.Go(f.release)
	h.Handle(protocolID, host.Anyone, f.serve)
	return f
}

// Close ends what runs and waits for it. The error is always nil.
func (f *Friend) Close() error {
	f.cancel()
	f.tasks.Wait()
	return nil
}

// Ask asks a peer to become friends and returns the words that both sides show
// now. The connection is kept for ten minutes. Errors: domain.ErrRefused if the
// other side does not want it or is blocked, ErrBusy after three attempts that
// nobody confirmed, or if the other side has too many, ErrOffline, ErrVersion,
// ErrMalformed.
func (f *Friend) Ask(ctx context.Context, peer domain.PeerID) ([]string, error) {
	if !f.limits.try(peer) {
		return nil, fmt.Errorf("ask %s: %w", peer.Short(), errPause)
	}
	var words []string
	err := f.exchange(ctx, peer, func(s io.ReadWriter) error {
		me := sides{opener: f.host.ID(), other: peer}
		mine := newNonce()
		commitment := me.commitment(mine)
		if err := talk.Write(s, &pb.Message{Kind: pb.Kind_KIND_ASK, Name: f.name(), Commitment: commitment[:]}); err != nil {
			return err
		}
		answer, err := readAny(s)
		if err != nil {
			return err
		}
		if answer.GetKind() != pb.Kind_KIND_NONCE {
			return unwanted(answer)
		}
		if err := talk.Write(s, &pb.Message{Kind: pb.Kind_KIND_REVEAL, Nonce: mine[:]}); err != nil {
			return err
		}
		if _, err := f.answer(s); err != nil {
			return err
		}
		words = me.words(mine, nonce(answer.GetNonce()))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", peer.Short(), err)
	}
	f.keep(peer)
	return words, nil
}

// unwanted is what a message means that comes instead of a nonce.
func unwanted(m *pb.Message) error {
	if m.GetKind() == pb.Kind_KIND_ANSWER {
		if err := said(m.GetStatus()); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: a message of kind %d instead of a nonce", domain.ErrMalformed, m.GetKind())
}

// Invite hands an invitation's token over to whom it came from. Errors as for
// Ask, and domain.ErrNotFound if the token is unknown there, or used up.
func (f *Friend) Invite(ctx context.Context, peer domain.PeerID, token string) error {
	err := f.exchange(ctx, peer, func(s io.ReadWriter) error {
		if err := talk.Write(s, &pb.Message{Kind: pb.Kind_KIND_INVITED, Name: f.name(), Token: token}); err != nil {
			return err
		}
		_, err := f.answer(s)
		return err
	})
	if err != nil {
		return fmt.Errorf("bring an invitation to %s: %w", peer.Short(), err)
	}
	f.keep(peer)
	return nil
}

// Tell tells a peer what our user wants, and returns whether its user has
// confirmed us. Errors as for Ask.
func (f *Friend) Tell(ctx context.Context, peer domain.PeerID, what domain.FriendAsk) (confirmed bool, err error) {
	m := &pb.Message{Kind: pb.Kind_KIND_TOLD, What: pb.What_WHAT_CONFIRM}
	if what == domain.FriendDecline {
		m.What = pb.What_WHAT_DECLINE
	}
	err = f.exchange(ctx, peer, func(s io.ReadWriter) error {
		if err := talk.Write(s, m); err != nil {
			return err
		}
		answer, err := f.answer(s)
		confirmed = err == nil && answer.GetConfirmed()
		return err
	})
	if err != nil {
		return false, fmt.Errorf("tell %s: %w", peer.Short(), err)
	}
	if confirmed || what == domain.FriendDecline {
		f.settled(peer, confirmed)
	}
	return confirmed, nil
}

func (f *Friend) name() string { return talk.Cut(f.cfg.Name(), maxName) }

// exchange runs a conversation on a stream of its own.
func (f *Friend) exchange(ctx context.Context, peer domain.PeerID, say func(io.ReadWriter) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(f.ctx, cancel)() //nolint:contextcheck // Close ends it as well as the caller
	return talk.With(ctx, f.host, peer, protocolID, exchangeTime, say)
}

// answer reads what ends an exchange. The error is the other side's no.
func (f *Friend) answer(s io.Reader) (*pb.Message, error) {
	m, err := readMessage(s, pb.Kind_KIND_ANSWER)
	if err != nil {
		return nil, err
	}
	return m, said(m.GetStatus())
}

func said(status pb.Status) error {
	switch status {
	case pb.Status_STATUS_OK:
		return nil
	case pb.Status_STATUS_DECLINED:
		return domain.ErrRefused
	case pb.Status_STATUS_BUSY:
		return domain.ErrBusy
	case pb.Status_STATUS_ABSENT:
		return domain.ErrNotFound
	default:
		return domain.ErrMalformed
	}
}

// keep keeps the connection to a peer for a while.
func (f *Friend) keep(peer domain.PeerID) {
	f.mu.Lock()
	f.kept[peer] = f.cfg.Now().Add(keepTime)
	f.mu.Unlock()
	f.host.Keep(peer, keepReason)
}

// settled ends the introduction: both have confirmed, or one does not want it.
func (f *Friend) settled(peer domain.PeerID, confirmed bool) {
	if confirmed {
		f.limits.forget(peer)
	}
	f.mu.Lock()
	_, kept := f.kept[peer]
	delete(f.kept, peer)
	f.mu.Unlock()
	if kept {
		f.host.Release(peer, keepReason)
	}
}

// release releases connections whose time is up.
func (f *Friend) release() {
	tick := time.NewTicker(keepTime / 60)
	defer tick.Stop()
	for {
		select {
		case <-f.ctx.Done():
			return
		case <-tick.C:
		}
		var over []domain.PeerID
		f.mu.Lock()
		for peer, until := range f.kept {
			if !f.cfg.Now().Before(until) {
				over = append(over, peer)
				delete(f.kept, peer)
			}
		}
		f.mu.Unlock()
		for _, peer := range over {
			f.host.Release(peer, keepReason)
		}
	}
}
