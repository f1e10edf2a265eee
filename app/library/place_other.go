//go:build !unix

package library

import "os"

// dontWait is for systems whose pipes have paths.
const dontWait = 0

func isNoFolder(error) bool { return false }

// isDrive reports whether another file system begins at the folder. Drives have
// letters here and are known by their path.
func isDrive(_, _ os.FileInfo) bool { return false }
