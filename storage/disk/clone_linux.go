package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Clone makes dst, an empty file, share the blocks of src. It fails where the
// file system cannot do that, and across file systems.
func Clone(dst, src *os.File) error {
	to, err := dst.SyscallConn()
	if err != nil {
		return err
	}
	from, err := src.SyscallConn()
	if err != nil {
		return err
	}
	var toErr, fromErr, cloneErr error
	toErr = to.Control(func(dstFD uintptr) {
		fromErr = from.Control(func(srcFD uintptr) {
			cloneErr = unix.IoctlFileClone(int(dstFD), int(srcFD))
		})
	})
	return errors.Join(toErr, fromErr, cloneErr)
}

// NextData returns the offset of the first byte at or after offset that is not
// in a hole of the file, or the file's end. It may return offset itself where
// the system cannot tell. It moves the file's own offset.
func NextData(f *os.File, offset int64) int64 {
	next, err := f.Seek(offset, unix.SEEK_DATA)
	switch {
	case err == nil:
		return next
	case isErrno(err, unix.ENXIO): // nothing but a hole follows
		if info, err := f.Stat(); err == nil {
			return max(offset, info.Size())
		}
	}
	return offset
}
