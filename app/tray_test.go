package app_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/desktop"
)

// TestTray is the life of a program that is started at login: it waits in the
// tray, which may come later than it, opens by a click there, closes to there,
// and ends by the menu of its icon though its window is hidden.
func TestTray(t *testing.T) {
	bin := windowProgram(t)
	screen := desktop.Start(t, 1120, 780)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	mira := newCopy(t, "Mira", func(ctx context.Context, args ...string) *exec.Cmd { return screen.Command(ctx, bin, args...) })
	if err := os.MkdirAll(mira.data, 0o700); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(mira.data, "settings.toml")
	if err := os.WriteFile(settings, []byte("introduced = true\nkeep_running = true\n"), 0o600); err != nil {
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
	if err := icon.Click(ctx); err != nil {
		t.Fatal(err)
	}
	window, err := screen.FindWindow(ctx, desktop.Match{PID: cmd.Process.Pid})
	if err != nil {
		t.Fatal(err)
	}
	if err := screen.Close(window); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "the window is hidden", func() bool {
		titles, err := screen.Windows()
		return err == nil && len(titles) == 0
	})
	mira.run(ctx, t, "status")
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
