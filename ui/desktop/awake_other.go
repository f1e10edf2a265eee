//go:build !linux && !windows

package desktop

import (
	"os"
	"os/exec"
	"strconv"
)

// keepAwake lets a program of macOS hold for as long as this one runs.
func keepAwake(string) (release func()) {
	cmd := exec.Command("caffeinate", "-i", "-w", strconv.Itoa(os.Getpid()))
	if err := cmd.Start(); err != nil {
		return func() {}
	}
	return func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()
	}
}
