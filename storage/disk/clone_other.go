//go:build !linux

package disk

import (
	"errors"
	"os"
)

// Clone makes dst, an empty file, share the blocks of src; not here, where the
// system clones by path only, or not at all.
func Clone(_, _ *os.File) error { return errors.ErrUnsupported }

// NextData returns the offset of the first byte at or after offset that is not
// in a hole of the file. It may return offset itself where the system cannot
// tell, as here.
func NextData(_ *os.File, offset int64) int64 { return offset }
