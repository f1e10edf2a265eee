//go:build unix

package disk

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// nonblock keeps opening a pipe from waiting for its other end.
const nonblock = syscall.O_NONBLOCK

func isErrno(err error, which ...syscall.Errno) bool {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return false
	}
	for _, w := range which {
		if errno == w {
			return true
		}
	}
	return false
}

// full reports whether err means that there is no room left.
func full(err error) bool { return isErrno(err, syscall.ENOSPC, syscall.EDQUOT) }

func rename(root *os.Root, from, to string) error { return root.Rename(from, to) }

func syncFolder(root *os.Root, rel string) error {
	folder, err := root.Open(rel)
	if err != nil {
		return err
	}
	err = syncOpen(folder)
	_ = folder.Close() // it was only read
	return err
}

func syncOpen(folder *os.File) error {
	err := folder.Sync()
	if isErrno(err, syscall.EINVAL, syscall.ENOTSUP, syscall.EACCES, syscall.EBADF) {
		return nil // network and FUSE file systems that cannot
	}
	return err
}

// Lock takes the file for this process alone, as long as it is open, and
// reports whether it could. Another handle on it counts as another process. On
// a file system without locks it always can.
func Lock(f *os.File) bool {
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	var lockErr error
	err = conn.Control(func(fd uintptr) {
		lockErr = unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB)
	})
	return err == nil && !isErrno(lockErr, unix.EWOULDBLOCK)
}
