// Package people is the page that says who is around, and who was.
package people

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

// People is what the page needs of the use case. Its methods may be called
// from any goroutine and may block.
type People interface {
	// People returns everyone who is around or is remembered.
	People() []domain.Peer
	// Connect dials a typed address and returns who answered there.
	Connect(ctx context.Context, address string) (domain.Peer, error)
}
