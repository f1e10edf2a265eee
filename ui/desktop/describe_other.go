//go:build !linux && !windows

package desktop

import (
	"runtime"
	"syscall"
)

// system returns the version of macOS.
func system() string {
	if version, err := syscall.Sysctl("kern.osproductversion"); err == nil {
		return "macOS " + version
	}
	return runtime.GOOS
}
