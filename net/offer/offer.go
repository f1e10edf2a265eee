package offer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"golang.org/x/time/rate"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/host/complain"
	"github.com/potluck-share/potluck/net/host/talk"
	"github.com/potluck-share/potluck/net/offer/pb"
)

const (
	protocolID = "/potluck/offer/1"
	// exchangeTime is how long a message and its reply may take.
	exchangeTime = 10 * time.Second
	// Each peer may send so many messages per second, with such a burst.
	messageRate  rate.Limit = 2
	messageBurst int        = 40
)

var errTooMany = fmt.Errorf("%w: more messages than it may send", domain.ErrBusy)

// Host is what this package needs of the libp2p host; *host.Host has it.
type Host interface {
	// Handle serves a protocol to those that the rule lets in.
	Handle(proto string, rule host.Rule, handler func(ctx context.Context, s network.Stream, asker domain.Asker))
	// Open opens a stream of a protocol to the peer.
	Open(ctx context.Context, peer domain.PeerID, proto string) (network.Stream, error)
}

var _ Host = (*host.Host)(nil)

// Handler takes what others say of offers. Everything may be said more than
// once. Names and notes are not cleaned for display. Errors are told as
// domain.ErrBusy, ErrNotFound, and all others as ErrRefused.
type Handler interface {
	// Offered says that a peer offers something.
	Offered(from domain.Asker, s domain.OfferSummary) error
	// Withdrawn says that a peer takes one of its offers back.
	Withdrawn(from domain.PeerID, id string)
	// Answered says what a peer says to an offer that was made to it.
	// domain.ErrNotFound: there is no such offer.
	Answered(from domain.PeerID, id string, what domain.OfferAnswer) error
}

// Config is what an Offers needs. Handler is required.
type Config struct {
	Handler Handler
	Log     *slog.Logger // nil: silent
}

// Offers speaks the protocol. Make one with New.
type Offers struct {
	cfg        Config
	host       Host
	complaints *complain.Complaints
	rates      *talk.Rates
	ctx        context.Context // ends with Close
	cancel     context.CancelFunc
}

// New begins to serve the protocol on the host, until Close.
func New(h Host, cfg Config) *Offers {
	o := &Offers{cfg: cfg, host: h, complaints: complain.New(cfg.Log), rates: talk.NewRates(messageRate, messageBurst)}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	h.Handle(protocolID, host.NearOnly, o.serve)
	return o
}

// Close ends what runs. The error is always nil.
func (o *Offers) Close() error {
	o.cancel()
	return nil
}

// Offer tells a peer of an offer, and returns when it has taken note. Errors:
// domain.ErrRefused if it does not want it, or does not count us as near,
// ErrBusy if it has too many, ErrOffline, ErrVersion.
func (o *Offers) Offer(ctx context.Context, peer domain.PeerID, s domain.OfferSummary) error {
	return o.say(ctx, peer, pb.Kind_KIND_OFFER, s)
}

// Withdraw takes an offer back. Errors as for Offer.
func (o *Offers) Withdraw(ctx context.Context, peer domain.PeerID, id string) error {
	return o.say(ctx, peer, pb.Kind_KIND_WITHDRAW, domain.OfferSummary{ID: id})
}

// Answer says what our user says to an offer of the peer, or that all of it has
// arrived. Errors as for Offer, and domain.ErrNotFound if there is no such offer
// any more.
func (o *Offers) Answer(ctx context.Context, peer domain.PeerID, id string, what domain.OfferAnswer) error {
	kind, ok := map[domain.OfferAnswer]pb.Kind{
		domain.OfferAccept: pb.Kind_KIND_ACCEPT, domain.OfferDecline: pb.Kind_KIND_DECLINE, domain.OfferArrived: pb.Kind_KIND_ARRIVED,
	}[what]
	if !ok {
		return fmt.Errorf("%w: the answer %q", domain.ErrUsage, what)
	}
	return o.say(ctx, peer, kind, domain.OfferSummary{ID: id})
}

func (o *Offers) say(ctx context.Context, peer domain.PeerID, kind pb.Kind, s domain.OfferSummary) error {
	m, err := encode(kind, s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(o.ctx, cancel)() //nolint:contextcheck // Close ends it as well as the caller
	err = talk.With(ctx, o.host, peer, protocolID, exchangeTime, func(rw io.ReadWriter) error {
		if err := talk.Write(rw, m); err != nil {
			return err
		}
		status, err := talk.Read(rw, maxReply, decodeReply)
		if err != nil {
			return err
		}
		return said(status)
	})
	if err != nil {
		return fmt.Errorf("tell %s of an offer: %w", peer.Short(), err)
	}
	return nil
}

func said(status pb.Status) error {
	switch status {
	case pb.Status_STATUS_OK:
		return nil
	case pb.Status_STATUS_REFUSED:
		return domain.ErrRefused
	case pb.Status_STATUS_BUSY:
		return domain.ErrBusy
	case pb.Status_STATUS_ABSENT:
		return domain.ErrNotFound
	default:
		return domain.ErrMalformed
	}
}

// serve takes a message that another one sends.
func (o *Offers) serve(_ context.Context, s network.Stream, asker domain.Asker) {
	_ = talk.Serve(o.ctx, s, exchangeTime, func(rw io.ReadWriter) error { //nolint:contextcheck // Close ends it
		// Whatever comes is counted, also what makes no sense.
		allowed := o.rates.Allow(asker.Peer)
		m, err := talk.Read(rw, maxMessage, decode)
		if errors.Is(err, domain.ErrOffline) {
			return err
		}
		status := pb.Status_STATUS_MALFORMED
		switch {
		case !allowed:
			o.complaints.About(asker.Peer, "offers", errTooMany)
			status = pb.Status_STATUS_BUSY
		case err != nil:
			o.complaints.About(asker.Peer, "offers", err)
		default:
			status = statusOf(o.take(asker, m))
		}
		return talk.Write(rw, &pb.Reply{Status: status})
	})
}

func (o *Offers) take(asker domain.Asker, m message) error {
	answer := map[pb.Kind]domain.OfferAnswer{
		pb.Kind_KIND_ACCEPT: domain.OfferAccept, pb.Kind_KIND_DECLINE: domain.OfferDecline, pb.Kind_KIND_ARRIVED: domain.OfferArrived,
	}
	switch m.kind {
	case pb.Kind_KIND_OFFER:
		return o.cfg.Handler.Offered(asker, m.OfferSummary)
	case pb.Kind_KIND_WITHDRAW:
		o.cfg.Handler.Withdrawn(asker.Peer, m.ID)
		return nil
	default:
		if what, ok := answer[m.kind]; ok {
			return o.cfg.Handler.Answered(asker.Peer, m.ID, what)
		}
		return domain.ErrMalformed
	}
}

func statusOf(err error) pb.Status {
	switch {
	case err == nil:
		return pb.Status_STATUS_OK
	case errors.Is(err, domain.ErrNotFound):
		return pb.Status_STATUS_ABSENT
	case errors.Is(err, domain.ErrBusy):
		return pb.Status_STATUS_BUSY
	case errors.Is(err, domain.ErrMalformed):
		return pb.Status_STATUS_MALFORMED
	default:
		return pb.Status_STATUS_REFUSED
	}
}
