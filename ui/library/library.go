// Package library is the page of what this user shares.
package library

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

// Library is what the page needs of the use case. Its methods may be called
// from any goroutine and may block.
type Library interface {
	// Share offers paths to audience. What could not be shared is named in the
	// report; an error means that nothing was.
	Share(ctx context.Context, paths []string, audience domain.Audience) (domain.ShareReport, error)
	// Unshare stops offering the shares of these names. It deletes no file.
	Unshare(ctx context.Context, names []string) error
	// Assess tells which of paths should be asked about before sharing them.
	Assess(ctx context.Context, paths []string) []domain.Risk
	Shares() []domain.Share
	DefaultAudience() domain.Audience
}
