package app_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/desktop"
	"github.com/potluck-share/potluck/app/programs"
)

// TestTray is the life of a program that is started at login: it waits in the
// tray, which may come later than it, opens by a click there, closes to there,
// and ends by the menu of its icon though its window is hidden.
func TestTray(t *testing.T) {
	bin := programs.Window(t)
	screen := desktop.Start(t, 1120, 780)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	mira := newCopy(t, "Mira", func(ctx context.Context, args ...string) *exec.Cmd { return screen.Command(ctx, bin, args...) })
	if err := os.MkdirAll(mira.data, 0o700); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(mira.data, "settings.toml")
	if err := os.WriteFile(settings, []byte("introduced = true\nkeep_running = true\ntheme = \"light\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := mira.command(ctx, "--data", mira.data, "--downloads", mira.downloads, "--listen", "/ip4/127.0.0.1/tcp/0", "--background")
	said := stderr(t)
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end(t, mira.name, cmd, said)

	icon, err := screen.OpenTray(t).Icon(ctx)
	if err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "a running Potluck answers", func() bool {
		return mira.command(ctx, "--data", mira.data, "status").Run() == nil
	})
	if titles, err := screen.Windows(); err != nil || len(titles) != 0 {
		t.Errorf("in the background the windows are %q (%v)", titles, err)
	}
	rests(t, cmd.Process.Pid)
	if err := icon.Click(ctx); err != nil {
		t.Fatal(err)
	}
	window, err := screen.FindWindow(ctx, desktop.Match{PID: cmd.Process.Pid})
	if err != nil {
		t.Fatal(err)
	}
	const looks = 40 // of 120 in two seconds, on a busy machine
	eventually(ctx, t, "with its window open the program looks for input often", func() bool {
		before := wakes(t, cmd.Process.Pid)
		time.Sleep(2 * time.Second)
		return wakes(t, cmd.Process.Pid)-before > looks
	})
	hintsDrags(ctx, t, screen, window)
	if err := screen.Close(window); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "the window is hidden", func() bool {
		titles, err := screen.Windows()
		return err == nil && len(titles) == 0
	})
	mira.run(ctx, t, "status")
	rests(t, cmd.Process.Pid)
	if err := icon.Choose(ctx, "Quit"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the program ended with: %v", err)
	}
	for _, complaint := range []string{"systray error", "Translation failure"} {
		if strings.Contains(text(t, said), complaint) {
			t.Errorf("it complained of a %s", complaint)
		}
	}
}

// rests looks whether a program whose window is closed lets its first thread sleep,
// on which the toolkit else looks for input sixty times a second.
func rests(t *testing.T, pid int) {
	t.Helper()
	const span = 2 * time.Second
	before := wakes(t, pid)
	time.Sleep(span)
	if n := wakes(t, pid) - before; n > 80 {
		t.Errorf("with its window closed it wakes %d times in %v", n, span)
	}
}

// wakes returns how often the first thread of a process was woken so far.
func wakes(t *testing.T, pid int) (n int) {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/status", pid, pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if _, err := fmt.Sscanf(line, "voluntary_ctxt_switches: %d", &n); err == nil {
			return n
		}
	}
	t.Fatal("the system does not tell how often a thread was woken")
	return 0
}

// hintsDrags holds files over a window that was closed at first, and wants it to
// say what letting them go will do.
func hintsDrags(ctx context.Context, t *testing.T, screen *desktop.Screen, window desktop.Window) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(file, []byte("notes"), 0o600); err != nil {
		t.Fatal(err)
	}
	place, err := screen.Place(window)
	if err != nil {
		t.Fatal(err)
	}
	w := &hand{t: t, ctx: ctx, screen: screen, window: window}
	// It looks each second whether its window is open, and a drag that it did not
	// see begin it does not see.
	eventually(ctx, t, "the window's edge lights up under a drag", func() bool {
		time.Sleep(2 * time.Second)
		drag, err := screen.Drag(ctx, window, place.Dx()/2, place.Dy()/2, []string{file})
		if err != nil {
			t.Fatal(err)
		}
		lit := w.outlined(t)
		for until := time.Now().Add(3 * time.Second); !lit && time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
			lit = w.outlined(t)
		}
		if err := drag.Leave(); err != nil {
			t.Fatal(err)
		}
		return lit
	})
}
