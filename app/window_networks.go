//go:build !headless

package app

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

// networksFront is the part of front that is about networks.
type networksFront struct{ *front }

// Networks is networks.Networks.Networks.
func (f networksFront) Networks() []domain.Network {
	if n := f.node.Load(); n != nil {
		return n.places.Networks()
	}
	return nil
}

// Answer is networks.Networks.Answer.
func (f networksFront) Answer(ctx context.Context, id string, answer domain.NetworkAnswer) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.places.Answer(ctx, id, answer)
}
