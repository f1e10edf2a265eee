package disk

import (
	"fmt"
	"io"
	"os"
)

// Copy makes dst, an empty file, hold what src holds, sharing the blocks where
// the file system can (reflinked), otherwise copying the bytes. It moves the
// offsets of both and does not flush.
func Copy(dst, src *os.File) (reflinked bool, err error) {
	if clone(dst, src) == nil {
		return true, nil
	}
	for _, f := range []*os.File{dst, src} {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return false, fmt.Errorf("copying %s: %w", src.Name(), Kind(err))
		}
	}
	if _, err := io.Copy(dst, src); err != nil {
		return false, fmt.Errorf("copying %s: %w", src.Name(), Kind(err))
	}
	return false, nil
}
