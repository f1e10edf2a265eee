//go:build headless

package app

import (
	"context"
	"fmt"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/shape"
)

// window hands a link to the window that another build of Potluck has open; it
// can open none itself.
func (c *commands) window(ctx context.Context, link string) error {
	if link != "" {
		return c.Call(ctx, "raise", shape.RaiseRequest{Link: link}, nil)
	}
	return fmt.Errorf("%w: this Potluck was built without a window; run it with: potluck serve (see: potluck --help)", domain.ErrUsage)
}
