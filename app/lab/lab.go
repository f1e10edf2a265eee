// Package lab builds small real networks for tests: hosts that are network
// namespaces, joined by switches that are bridges in one more namespace. A
// test runs programs on the hosts, pulls cables, and changes addresses.
//
// It needs Linux and the programs ip, tc, unshare and nsenter, and either root or
// leave to make user namespaces. Where that is missing the test is skipped and
// says why; with POTLUCK_STRICT=1 in the environment it fails instead.
//
// The namespaces have no names and belong to waiting child processes, so that
// nothing stays behind however the test ends, and tests that run at the same
// time cannot collide. A Lab and its hosts are used from the test's own
// goroutine; only Host.Command may be called from others.
package lab

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// DefaultSwitch is the switch to which New connects every host.
const DefaultSwitch = "br0"

// Lab is a set of hosts and the switches between them.
type Lab struct {
	t        testing.TB
	root     bool // no user namespace is needed
	switches *Host
	bridges  map[string]bool
	hosts    map[string]*Host
	ports    int // cables made so far, for unique port names
}

// Host is one machine: a network namespace with a loopback interface and
// those that Connect made.
type Host struct {
	lab  *Lab
	name string
	pid  int // of the process that keeps the namespace
	// nics maps the host's interface names to the switch's port names.
	nics map[string]string
}

// New makes the hosts and connects the interface eth0 of each to
// DefaultSwitch, the first with the address 10.77.0.1/24, the second with
// 10.77.0.2/24 and so on. The lab ends with the test.
func New(t testing.TB, hosts ...string) *Lab {
	t.Helper()
	l := Bare(t, hosts...)
	for i, name := range hosts {
		l.Host(name).Connect(DefaultSwitch, "eth0", fmt.Sprintf("10.77.0.%d/24", i+1))
	}
	return l
}

// Bare makes hosts that are connected to nothing.
func Bare(t testing.TB, hosts ...string) *Lab {
	t.Helper()
	if runtime.GOOS != "linux" {
		unavailable(t, "network namespaces need Linux")
	}
	for _, program := range []string{"ip", "tc", "unshare", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			unavailable(t, fmt.Sprintf("the program %s is missing: %v", program, err))
		}
	}
	l := &Lab{
		t:       t,
		root:    os.Geteuid() == 0,
		bridges: make(map[string]bool),
		hosts:   make(map[string]*Host),
	}
	var err error
	if l.switches, err = l.keep("switches", nil); err != nil {
		unavailable(t, fmt.Sprintf("no network namespace can be made: %v", err))
	}
	for _, name := range hosts {
		h, err := l.keep(name, l.switches)
		if err != nil {
			t.Fatalf("lab: making host %s: %v", name, err)
		}
		h.IP("link", "set", "lo", "up")
		l.hosts[name] = h
	}
	return l
}

// unavailable skips the test, or fails it where that is asked for.
func unavailable(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("POTLUCK_STRICT") == "1" {
		t.Fatalf("lab: %s", why)
	}
	t.Skipf("skipped: %s", why)
}

// keep starts a process in a new network namespace, in a new user namespace
// too if we are not root and inside is nil, else in that of inside. The
// process waits for the end of its input, so it ends with us even if we are
// killed.
func (l *Lab) keep(name string, inside *Host) (*Host, error) {
	args := []string{"unshare", "-n"}
	switch {
	case inside != nil:
		args = append(inside.enter(false), args...)
	case !l.root:
		args = append(args, "-Ur")
	}
	args = append(args, "sh", "-c", "echo ready && exec cat")
	cmd := exec.Command(args[0], args[1:]...) //nolint:gosec // made of constants and process IDs
	var complaint strings.Builder
	cmd.Stderr = &complaint
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("input of %s: %w", name, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("output of %s: %w", name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		_ = in.Close() // the process is given up already
		_ = cmd.Wait()
		return nil, fmt.Errorf("%s: %s", strings.Join(args, " "), strings.TrimSpace(complaint.String()))
	}
	l.t.Cleanup(func() {
		if err := closeAndWait(in, cmd); err != nil {
			l.t.Logf("lab: ending %s: %v", name, err)
		}
	})
	return &Host{lab: l, name: name, pid: cmd.Process.Pid, nics: make(map[string]string)}, nil
}

func closeAndWait(in io.Closer, cmd *exec.Cmd) error {
	if err := in.Close(); err != nil {
		return err
	}
	return cmd.Wait()
}

// Host returns the host of that name, which New or Bare made.
func (l *Lab) Host(name string) *Host {
	l.t.Helper()
	h, ok := l.hosts[name]
	if !ok {
		l.t.Fatalf("lab: there is no host %s", name)
	}
	return h
}

// bridge makes the switch of that name if there is none yet. It forwards all
// multicast, as a plain switch does.
func (l *Lab) bridge(name string) {
	l.t.Helper()
	if l.bridges[name] {
		return
	}
	l.bridges[name] = true
	l.switches.IP("link", "add", name, "type", "bridge", "mcast_snooping", "0", "forward_delay", "0")
	l.switches.IP("link", "set", name, "up")
}

// enter returns the beginning of a command line that runs the rest in the
// host's user namespace and, if network is true, its network namespace.
func (h *Host) enter(network bool) []string {
	args := []string{"nsenter", "-t", strconv.Itoa(h.pid)}
	if !h.lab.root {
		args = append(args, "-U", "--preserve-credentials")
	}
	if network {
		args = append(args, "-n")
	}
	if len(args) == 3 {
		return nil
	}
	return append(args, "--")
}

// Name returns the name given to New.
func (h *Host) Name() string { return h.name }

// Command returns a command that will run on the host, with the same file
// system and, seen from outside, the same user. It is killed when ctx ends;
// its process ID is that of the program itself.
func (h *Host) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	line := append(h.enter(true), name)
	line = append(line, args...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...) //nolint:gosec // running what the test says is the point
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// IP runs the program ip on the host, as in h.IP("route", "show"), and returns
// what it prints. The test fails if it fails.
func (h *Host) IP(args ...string) string {
	h.lab.t.Helper()
	return h.tool("ip", args...)
}

// tool is IP for another program. It has no context, so that hosts can be set
// up and changed in a line each.
//
//nolint:contextcheck,nolintlint // it takes 20 s at most; contextcheck reads this when it looks at callers
func (h *Host) tool(name string, args ...string) string {
	h.lab.t.Helper()
	ctx, cancel := context.WithTimeout(h.lab.t.Context(), 20*time.Second)
	defer cancel()
	out, err := h.Command(ctx, name, args...).CombinedOutput()
	if err != nil {
		h.lab.t.Fatalf("lab: on %s: %s %s: %v: %s", h.name, name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
