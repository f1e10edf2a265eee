package desktop

import (
	"os/exec"
	"syscall"
)

// endWithUs lets the program end when this process is killed, too.
func endWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
