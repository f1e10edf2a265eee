//go:build unix

package library

import (
	"errors"
	"os"
	"syscall"
)

// dontWait keeps opening a pipe from waiting for a writer.
const dontWait = syscall.O_NONBLOCK

// isNoFolder reports whether a path leads through something that is no folder.
func isNoFolder(err error) bool { return errors.Is(err, syscall.ENOTDIR) }

// isDrive reports whether another file system begins at the folder.
func isDrive(folder, parent os.FileInfo) bool {
	in, ok := folder.Sys().(*syscall.Stat_t)
	above, ok2 := parent.Sys().(*syscall.Stat_t)
	return ok && ok2 && in.Dev != above.Dev
}
