//go:build linux || darwin

package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// renameNew renames within a folder. It fails with fs.ErrExist if something has
// the name to.
func renameNew(dir *os.File, from, to string) error {
	conn, err := dir.SyscallConn()
	if err != nil {
		return err
	}
	var renameErr error
	if err := conn.Control(func(fd uintptr) { renameErr = renameExclusive(int(fd), from, to) }); err != nil {
		return err
	}
	// A file system that does not know how says that the call is not valid.
	if isErrno(renameErr, unix.EINVAL, unix.ENOSYS, unix.ENOTSUP, unix.EOPNOTSUPP) {
		return errors.ErrUnsupported
	}
	return renameErr
}
