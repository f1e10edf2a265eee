//go:build !headless

package app

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

// offersFront is the part of front that is about offers.
type offersFront struct{ *front }

// Send is offers.Offers.Send.
func (f offersFront) Send(ctx context.Context, to domain.PeerID, paths []string, note string) (string, error) {
	n, err := f.ready()
	if err != nil {
		return "", err
	}
	return n.offers.Send(ctx, to, paths, note)
}

// Accept is offers.Offers.Accept.
func (f offersFront) Accept(ctx context.Context, id, to string) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.offers.Accept(ctx, id, to)
}

// Decline is offers.Offers.Decline.
func (f offersFront) Decline(ctx context.Context, id string) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.offers.Decline(ctx, id)
}
