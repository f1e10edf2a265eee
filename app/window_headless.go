//go:build headless

package app

import (
	"context"
	"fmt"

	"github.com/potluck-share/potluck/app/domain"
)

// window tells that this build has none.
func (c *commands) window(context.Context) error {
	return fmt.Errorf("%w: this Potluck was built without a window; run it with: potluck serve (see: potluck --help)", domain.ErrUsage)
}
