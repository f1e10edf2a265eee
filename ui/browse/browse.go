// Package browse is the page that shows what others share, and searches it.
package browse

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

// Browse is what the page needs of the use case. Its methods may be called
// from any goroutine and may block.
type Browse interface {
	// List returns what lies directly in a folder of peer; the empty folder
	// holds the shares, and the empty peer stands for everyone.
	List(ctx context.Context, peer domain.PeerID, folder string) ([]domain.Result, error)
	// Search returns up to limit entries whose names hold all words, of peer
	// or, if that is empty, of everyone.
	Search(ctx context.Context, words string, peer domain.PeerID, limit int) ([]domain.Result, error)
}
