// Package programs gives tests the programs that users run: those that
// POTLUCK_BIN and POTLUCK_HEADLESS name, as make test sets them, else what is
// built now, once, beside the test's own program.
//
// Its functions are called from a test's own goroutine.
package programs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// Window returns the path of the program as its users have it, with the window.
func Window(t testing.TB) string {
	t.Helper()
	return given(t, "POTLUCK_BIN", window)
}

// Headless returns the path of the static program without a window.
func Headless(t testing.TB) string {
	t.Helper()
	return given(t, "POTLUCK_HEADLESS", headless)
}

var (
	window = sync.OnceValues(func() (string, error) {
		tags := "no_animations,migrated_fynedo"
		if runtime.GOOS == "linux" {
			tags = "gles," + tags // as in the Makefile, so that it is built from the cache
		}
		return build("potluck-window", tags)
	})
	headless = sync.OnceValues(func() (string, error) {
		return build("potluck-headless", "headless", "CGO_ENABLED=0")
	})
)

func given(t testing.TB, variable string, build func() (string, error)) string {
	t.Helper()
	if path := os.Getenv(variable); path != "" {
		return path
	}
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// build builds a program in the folder of the test's own program, which go test
// removes.
func build(name, tags string, env ...string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("where to build the program: %w", err)
	}
	path := filepath.Join(filepath.Dir(self), name)
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-tags", tags, "-o", path, "github.com/potluck-share/potluck")
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
}
