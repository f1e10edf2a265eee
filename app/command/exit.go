package command

import (
	"errors"

	"github.com/potluck-share/potluck/app/domain"
)

// The exit codes, the same for all commands; of several items the highest.
const (
	ExitDone        = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitNotRunning  = 3
	ExitNotFound    = 4
	ExitRefused     = 5
	ExitWaiting     = 6
	ExitInterrupted = 130
)

// ExitCode returns the exit code for an error.
func ExitCode(err error) int {
	for _, k := range []struct {
		kind error
		code int
	}{
		{domain.ErrWaiting, ExitWaiting},
		{domain.ErrRefused, ExitRefused},
		{domain.ErrNotFound, ExitNotFound},
		{domain.ErrNotRunning, ExitNotRunning},
		{domain.ErrUsage, ExitUsage},
	} {
		if errors.Is(err, k.kind) {
			return k.code
		}
	}
	return ExitFailed
}
