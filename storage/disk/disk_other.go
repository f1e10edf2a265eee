//go:build !unix && !windows

package disk

import "os"

const nonblock = 0

func full(_ error) bool { return false }

func rename(root *os.Root, from, to string) error { return root.Rename(from, to) }

func syncFolder(_ *os.Root, _ string) error { return nil }

func syncOpen(_ *os.File) error { return nil }

// Lock takes the file for this process alone, as long as it is open, and
// reports whether it could. On a system without locks it always can.
func Lock(_ *os.File) bool { return true }
