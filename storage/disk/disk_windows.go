package disk

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// nonblock has no use here: there are no pipes among the files.
const nonblock = 0

// full reports whether err means that there is no room left.
func full(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) ||
		errors.Is(err, windows.ERROR_DISK_QUOTA_EXCEEDED)
}

// rename tries for two seconds: virus scanners and the search index open a new
// file just when it is to be renamed.
func rename(root *os.Root, from, to string) error {
	for wait := 10 * time.Millisecond; ; wait *= 2 {
		err := root.Rename(from, to)
		busy := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !busy || wait > time.Second {
			return err
		}
		time.Sleep(wait)
	}
}

// syncFolder does nothing: NTFS keeps names in its journal, and a folder cannot
// be flushed.
func syncFolder(_ *os.Root, _ string) error { return nil }

func syncOpen(_ *os.File) error { return nil }

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
		// A byte far beyond any content: the lock keeps others off what it covers.
		where := windows.Overlapped{OffsetHigh: 1 << 30}
		flags := uint32(windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY)
		lockErr = windows.LockFileEx(windows.Handle(fd), flags, 0, 1, 0, &where)
	})
	return err == nil && !errors.Is(lockErr, windows.ERROR_LOCK_VIOLATION)
}
