package hostile_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/desktop"
	"github.com/potluck-share/potluck/app/programs"
)

// window is a program's window and the hand that uses it, from one goroutine.
type window struct {
	screen *desktop.Screen
	shown  desktop.Window
	page   int // the number of the page that is open, from 0
}

// Where the rows of the sidebar are that open People and Browse, and the colour
// of the one that is open, in the light theme.
var (
	rows = [...]image.Point{{14, 74}, {14, 114}}
	open = color.RGBA{0xd5, 0xeb, 0xe4, 0xff}
)

// runWindow is run for the program with a window.
func runWindow(t *testing.T, screen *desktop.Screen, name string, flags ...string) *victim {
	t.Helper()
	home := t.TempDir()
	v := &victim{t: t, home: home, data: filepath.Join(home, "data"), program: programs.Window(t), window: &window{screen: screen}}
	v.log = logFile(filepath.Join(v.data, "potluck.log"))
	if err := os.Mkdir(v.data, 0o700); err != nil {
		t.Fatal(err)
	}
	chosen := "introduced = true\nkeep_running = false\ntheme = \"light\"\n"
	if err := os.WriteFile(filepath.Join(v.data, "settings.toml"), []byte(chosen), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	said := &journal{}
	cmd := v.command(context.WithoutCancel(ctx), onLoopback(name, append(flags, "--downloads", v.downloads()))...)
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		v.do("stop")
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s ended with %v and said\n%s", name, err, said)
		}
	})
	v.pid = cmd.Process.Pid
	var err error
	if v.window.shown, err = screen.FindWindow(ctx, desktop.Match{PID: v.pid}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the program with a window answers", func() bool { _, err := v.try("status"); return err == nil })
	v.learn()
	return v
}

// turn goes to the other page by its key and returns how long it took until the
// window showed that.
func (w *window) turn() (time.Duration, error) {
	w.page = 1 - w.page
	if err := w.screen.Key(fmt.Sprintf("ctrl+%d", w.page+1)); err != nil {
		return 0, err
	}
	begun := time.Now()
	at := rows[w.page]
	for time.Since(begun) < patience {
		seen, err := w.screen.LookAt(w.shown, image.Rectangle{at, at.Add(image.Pt(1, 1))})
		if err != nil {
			return 0, err
		}
		if seen.RGBAAt(0, 0) == open {
			return time.Since(begun), nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return patience, errors.New("it does not go to another page")
}

// logFile is the path of a log.
type logFile string

func (l logFile) String() string {
	text, err := os.ReadFile(string(l))
	if err != nil {
		return err.Error()
	}
	return string(text)
}
