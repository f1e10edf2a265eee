package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/shape"
	"github.com/potluck-share/potluck/app/transfers/offers"
)

// handleSend offers files to somebody, and tells how that goes until everything
// has arrived, or the wait is over.
func (n *node) handleSend(ctx context.Context, r shape.SendRequest, emit func(any) error) error {
	to, err := n.someone(ctx, r.Peer)
	if err != nil {
		return err
	}
	events := n.bus.Subscribe(event.Offers.Name())
	defer events.Close()
	id, err := n.offers.Send(ctx, to, r.Paths, r.Note)
	if err != nil {
		return err
	}
	wait, told := ctx, false
	if r.Wait > 0 {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, r.Wait)
		defer cancel()
	}
	for {
		batch, err := events.Next(wait)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("%w: the offer %s stays open until: potluck cancel %s", domain.ErrWaiting, id[:shape.ShortOffer], id[:shape.ShortOffer])
		}
		if err != nil {
			return err
		}
		for _, e := range batch {
			o, ok := event.As(event.Offers, e)
			if !ok || o.ID != id {
				continue
			}
			row := offers.Row(o)
			if row.State == domain.Waiting && !o.Problem.IsZero() && !told {
				left := row
				left.Reason, told = o.Problem, true
				if err := emit(shape.OfTransfer(left)); err != nil {
					return err
				}
			}
			if err := emit(shape.OfTransfer(row)); err != nil {
				return err
			}
			switch o.State {
			case domain.OfferDone:
				return nil
			case domain.OfferDeclined, domain.OfferWithdrawn:
				return fmt.Errorf("%w: %s", domain.ErrRefused, o.Reason)
			case domain.OfferFailed:
				return fmt.Errorf("%w: %s", domain.ErrNotFound, o.Reason)
			case domain.OfferReading, domain.OfferWaiting, domain.OfferAsked, domain.OfferAccepted:
			}
		}
	}
}

// asked returns the full IDs of the offers that begin so; the word all stands
// for those that wait for an answer.
func (n *node) asked(ids []string) (full []string, err error) {
	if len(ids) == 1 && ids[0] == "all" {
		for _, o := range n.offers.Offers() {
			if o.Incoming && o.State == domain.OfferAsked {
				full = append(full, o.ID)
			}
		}
		return full, nil
	}
	for _, id := range ids {
		o, err := n.offers.Find(id)
		if err != nil {
			return nil, err
		}
		full = append(full, o.ID)
	}
	return full, nil
}

func (n *node) handleAccept(ctx context.Context, r shape.AcceptOfferRequest, _ func(any) error) error {
	ids, err := n.asked(r.IDs)
	if err != nil {
		return err
	}
	var problems []error
	for _, id := range ids {
		problems = append(problems, n.offers.Accept(ctx, id, r.To))
	}
	return errors.Join(problems...)
}

func (n *node) handleDecline(ctx context.Context, r shape.IDsRequest, _ func(any) error) error {
	ids, err := n.asked(r.IDs)
	if err != nil {
		return err
	}
	var problems []error
	for _, id := range ids {
		problems = append(problems, n.offers.Decline(ctx, id))
	}
	return errors.Join(problems...)
}

// apart tells offers from the other transfers among IDs, of which those of
// offers may be cut short.
func (n *node) apart(ids []string) (ofOffers, others []string) {
	for _, id := range ids {
		if _, known := n.transfers.Transfer(id); !known {
			if o, err := n.offers.Find(id); err == nil {
				ofOffers = append(ofOffers, o.ID)
				continue
			}
		}
		others = append(others, id)
	}
	return ofOffers, others
}

// cancelTransfers ends downloads, and takes offers back.
func (n *node) cancelTransfers(ctx context.Context, ids []string) error {
	given, others := n.apart(ids)
	return errors.Join(n.offers.Cancel(ctx, given), n.transfers.Cancel(ctx, others))
}

// resumeTransfers goes on with downloads, and makes offers again.
func (n *node) resumeTransfers(ctx context.Context, ids []string) error {
	given, others := n.apart(ids)
	return errors.Join(n.offers.Resume(ctx, given), n.transfers.Resume(ctx, others))
}

// removeTransfers takes what has ended out of the list.
func (n *node) removeTransfers(ctx context.Context, ids []string) error {
	given, others := n.apart(ids)
	return errors.Join(n.offers.Remove(ctx, given), n.transfers.Remove(ctx, others))
}

// clearTransfers takes all that has ended out of the list.
func (n *node) clearTransfers(ctx context.Context) error {
	return errors.Join(n.offers.Clear(ctx), n.transfers.Clear(ctx))
}
