package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// artefacts returns the folder where a test leaves what a person may want to
// look at afterwards.
func artefacts(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("POTLUCK_ARTEFACTS")
	if folder == "" {
		folder = filepath.Join("..", "build")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	return folder
}

// A copyOfPotluck is a data folder on which a program runs, and how to run
// commands on it.
type copyOfPotluck struct {
	name      string
	data      string
	downloads string
	// command makes a command with the right environment.
	command func(ctx context.Context, args ...string) *exec.Cmd
}

// newCopy makes the folders of a Potluck below a folder of the test.
func newCopy(t *testing.T, name string, command func(ctx context.Context, args ...string) *exec.Cmd) *copyOfPotluck {
	t.Helper()
	home := t.TempDir()
	return &copyOfPotluck{name: name, data: filepath.Join(home, "data"), downloads: filepath.Join(home, "Downloads"), command: command}
}

// run runs a command and returns what it printed; a command that fails ends
// the test.
func (p *copyOfPotluck) run(ctx context.Context, t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := p.command(ctx, append([]string{"--data", p.data}, args...)...).Output()
	if err != nil {
		t.Fatalf("%s: potluck %q: %v\n%s%s", p.name, args, err, out, complaint(err))
	}
	return out
}

// ask runs a command that prints one JSON value and returns it.
func ask[T any](ctx context.Context, t *testing.T, p *copyOfPotluck, args ...string) (answer T) {
	t.Helper()
	out := p.run(ctx, t, append([]string{"--json"}, args...)...)
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%s: potluck %q: %v in %s", p.name, args, err, out)
	}
	return answer
}

func complaint(err error) []byte {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.Stderr
	}
	return nil
}

// eventually asks every 50 ms until the answer is yes.
func eventually(ctx context.Context, t *testing.T, what string, yes func() bool) {
	t.Helper()
	for !yes() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// end ends a program that a test started, however the test went, and logs what
// it wrote to standard error if the test failed. The complaint of the build of
// make test-threads fails it.
func end(t *testing.T, name string, cmd *exec.Cmd, said *os.File) {
	t.Helper()
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill() // it may have ended by itself
			_ = cmd.Wait()
		}
		if strings.Contains(text(t, said), "Error in Fyne call thread") {
			t.Errorf("%s called the toolkit from the wrong thread", name)
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, text(t, said))
		}
	})
}

// stderr is a file for what a program writes to standard error, so that it can
// be read while the program runs.
func stderr(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// text returns what a file holds from its beginning.
func text(t *testing.T, f *os.File) string {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	if err != nil {
		t.Error(err)
	}
	return string(b)
}
