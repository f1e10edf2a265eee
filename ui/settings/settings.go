// Package settings is the page of what the user may choose.
package settings

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

// Settings is what the page needs of the use case. Its methods may be called
// from any goroutine and may block.
type Settings interface {
	Values() domain.Settings
	// Set applies and keeps values, or returns why they cannot be and changes
	// nothing.
	Set(ctx context.Context, values domain.Settings) error
}
