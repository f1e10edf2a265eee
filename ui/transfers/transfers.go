// Package transfers is the page of downloads and uploads.
package transfers

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

// Transfers is what the page needs of the use case. Its methods may be called
// from any goroutine and may block.
type Transfers interface {
	// Get begins a download and returns its ID.
	Get(ctx context.Context, req domain.GetRequest) (id string, err error)
	Pause(ctx context.Context, ids []string) error
	Resume(ctx context.Context, ids []string) error
	Cancel(ctx context.Context, ids []string) error
	Retry(ctx context.Context, ids []string) error
	// Clear removes what has ended from the list.
	Clear(ctx context.Context) error
	Transfers() []domain.Transfer
}
