//go:build !linux && !darwin && !freebsd && !windows

package disk

import "errors"

func free(_ string) (int64, error) { return 0, errors.ErrUnsupported }
