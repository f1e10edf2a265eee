//go:build !linux && !darwin

package disk

import (
	"errors"
	"os"
)

func renameNew(_ *os.File, _, _ string) error { return errors.ErrUnsupported }
