// Package desktop gives a test a screen of its own, on which it starts a real
// window program and does what a person would: look, click, type, and drag
// files in from another program.
//
// The screen is an Xvfb with the window manager openbox and a session bus of
// its own, so that nothing reaches the desktop of whoever runs the tests, and
// nothing is left behind. Where one of these programs is missing the test is
// skipped and says why; with POTLUCK_STRICT=1 in the environment it fails
// instead.
//
// A Screen is used from one goroutine at a time, except for Command.
package desktop

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"
)

// startTimeout is how long the programs of the screen may take to start. They
// need half a second; a machine busy with compiling needs more.
const startTimeout = 30 * time.Second

// Screen is a display with a window manager.
type Screen struct {
	// Display is what DISPLAY says to programs on this screen.
	Display string
	// Home is the home folder of programs on this screen, empty at first.
	Home string

	bus     string // address of the session bus
	runtime string // XDG_RUNTIME_DIR, with a path short enough for sockets

	x    *xgb.Conn
	root xproto.Window
	keys map[xproto.Keysym]key

	mu    sync.Mutex
	atoms map[string]xproto.Atom
}

// Start starts a screen of width × height pixels that ends with the test.
func Start(t testing.TB, width, height int) *Screen {
	t.Helper()
	for _, program := range []string{"Xvfb", "openbox", "dbus-daemon"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("POTLUCK_STRICT") == "1" {
				t.Fatalf("desktop: %v", err)
			}
			t.Skipf("skipped: no screen to open a window on: %v", err)
		}
	}
	s := &Screen{Home: t.TempDir(), atoms: make(map[string]xproto.Atom)}
	var err error
	// The runtime folder holds sockets, whose paths are limited to about a
	// hundred bytes; the folder of a test with a long name is too deep.
	if s.runtime, err = os.MkdirTemp("", "potluck"); err != nil {
		t.Fatalf("desktop: %v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(s.runtime); err != nil {
			t.Logf("desktop: %v", err)
		}
	})
	// Fyne complains where there is no cache folder.
	if err := os.Mkdir(filepath.Join(s.Home, ".cache"), 0o700); err != nil {
		t.Fatalf("desktop: %v", err)
	}

	quiet()
	s.Display = startServer(t, s, width, height)
	s.bus, err = launch(t, s, "dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=3", "--address=unix:dir="+s.runtime)
	if err != nil {
		t.Fatalf("desktop: %v", err)
	}

	if s.x, err = xgb.NewConnDisplay(s.Display); err != nil {
		t.Fatalf("desktop: connect to the screen %s: %v", s.Display, err)
	}
	t.Cleanup(s.x.Close)
	if err := xtest.Init(s.x); err != nil {
		t.Fatalf("desktop: the screen has no XTEST: %v", err)
	}
	s.root = xproto.Setup(s.x).DefaultScreen(s.x).Root
	if s.keys, err = keyboard(s.x); err != nil {
		t.Fatalf("desktop: %v", err)
	}

	if _, err := launch(t, s, "openbox", "--sm-disable"); err != nil {
		t.Fatalf("desktop: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	if err := s.waitManaged(ctx); err != nil {
		t.Fatalf("desktop: openbox does not manage the screen: %v", err)
	}
	return s
}

// waitManaged tries with a window of its own whether windows are managed yet.
// What openbox says of itself does not tell: a window that is shown while it
// looks through those that are already there is lost to it.
func (s *Screen) waitManaged(ctx context.Context) error {
	w, err := xproto.NewWindowId(s.x)
	if err != nil {
		return err
	}
	err = xproto.CreateWindowChecked(s.x, 0, w, s.root, 0, 0, 50, 50, 0,
		xproto.WindowClassInputOutput, xproto.WindowClassCopyFromParent, 0, nil).Check()
	if err != nil {
		return err
	}
	err = poll(ctx, func() (bool, error) {
		for _, step := range []error{
			xproto.UnmapWindowChecked(s.x, w).Check(),
			xproto.MapWindowChecked(s.x, w).Check(),
		} {
			if step != nil {
				return false, step
			}
		}
		time.Sleep(100 * time.Millisecond)
		clients, err := s.longs(s.root, "_NET_CLIENT_LIST")
		return slices.Contains(clients, uint32(w)), err
	})
	if err != nil {
		return err
	}
	if err := xproto.DestroyWindowChecked(s.x, w).Check(); err != nil {
		return err
	}
	return s.WaitClosed(ctx, w)
}

// Command returns a command that will run on the screen. It is asked to end
// (SIGTERM) when ctx ends, and killed ten seconds later.
func (s *Screen) Command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = s.environment()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	endWithUs(cmd)
	return cmd
}

// environment is that of a person who has just logged in, with nothing of the
// person who runs the tests but what a program needs to be found.
func (s *Screen) environment() []string {
	env := []string{
		"HOME=" + s.Home,
		"PATH=" + os.Getenv("PATH"),
		"LANG=C.UTF-8",
		"XDG_RUNTIME_DIR=" + s.runtime,
		"XDG_SESSION_TYPE=x11",
		"FYNE_SCALE=1", // else the scale follows the monitor's density
		"LIBGL_ALWAYS_SOFTWARE=1",
		"NO_AT_BRIDGE=1",
	}
	if s.Display != "" {
		env = append(env, "DISPLAY="+s.Display)
	}
	if s.bus != "" {
		env = append(env, "DBUS_SESSION_BUS_ADDRESS="+s.bus)
	}
	return env
}

// quiet keeps xgb from writing to standard error that there is no file of X
// authority, which it does on each connection.
var quiet = sync.OnceFunc(func() { xgb.Logger = log.New(io.Discard, "", 0) })

// startServer starts Xvfb and returns its display. Servers that look for the
// lowest free number at the same time may take the same one (one listens on
// the path, the other on the abstract socket), so each gets a number by
// chance.
func startServer(t testing.TB, s *Screen, width, height int) string {
	t.Helper()
	// Of several servers on a fresh machine only one can make this folder, and
	// the others give up.
	if err := os.Mkdir("/tmp/.X11-unix", 0o777); err == nil {
		err = os.Chmod("/tmp/.X11-unix", 0o777|os.ModeSticky) // whatever the mask is
		if err != nil {
			t.Fatal(err)
		}
	}
	for try := 1; ; try++ {
		display := fmt.Sprintf(":%d", 100+rand.IntN(50_000))
		_, err := launch(t, s, "Xvfb", display, "-displayfd", "3", "-noreset", "-nolisten", "tcp",
			"-screen", "0", fmt.Sprintf("%dx%dx24", width, height))
		if err == nil {
			return display
		}
		if try == 5 {
			t.Fatalf("desktop: %v", err)
		}
	}
}

// launch starts a program of the screen, which ends with the test, and returns
// the line that it writes to its descriptor 3 when it is ready; nothing for
// openbox, which writes none.
func launch(t testing.TB, s *Screen, program string, args ...string) (ready string, err error) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = s.environment()
	endWithUs(cmd)
	// A file, so that it can be read while the program runs.
	complaints := filepath.Join(t.TempDir(), program)
	said := func() string {
		b, err := os.ReadFile(complaints)
		return strings.TrimSpace(string(b)) + errorText(err)
	}
	stderr, err := os.Create(complaints)
	if err != nil {
		t.Fatalf("desktop: %v", err)
	}
	defer func() { _ = stderr.Close() }() // only the program writes
	cmd.Stderr = stderr
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatalf("desktop: %v", err)
	}
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		return "", errors.Join(err, w.Close(), r.Close())
	}
	t.Cleanup(func() {
		// It may have ended by itself; whether it did does not matter.
		_ = cmd.Process.Signal(syscall.SIGTERM)
		stop := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		defer stop.Stop()
		err := cmd.Wait()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			t.Logf("desktop: %s: %v", program, err)
		}
		if t.Failed() {
			t.Logf("desktop: %s said: %s", program, said())
		}
	})
	if err := w.Close(); err != nil {
		t.Fatalf("desktop: %v", err)
	}
	defer func() { _ = r.Close() }() // was only read
	if program == "openbox" {
		return "", nil
	}
	if err := r.SetReadDeadline(time.Now().Add(startTimeout)); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s is not ready (%w): %s", program, err, said())
	}
	return strings.TrimSpace(line), nil
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// poll asks until done says yes, and gives up with its error or with ctx.
func poll(ctx context.Context, done func() (bool, error)) error {
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(25 * time.Millisecond):
		}
	}
}
