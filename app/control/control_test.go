package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/control"
	"github.com/potluck-share/potluck/app/domain"
)

// folder returns a data folder whose socket lies in a folder of the test.
func folder(t *testing.T) string {
	t.Helper()
	runtime := t.TempDir()
	if err := os.Chmod(runtime, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	return t.TempDir()
}

func serve(t *testing.T, data string, handlers map[string]control.Handler) func() {
	t.Helper()
	lock, ok, err := control.Acquire(data)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	listener, err := lock.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := control.Serve(listener, handlers, slog.New(slog.DiscardHandler))
	return func() {
		if err := errors.Join(s.Close(), lock.Release()); err != nil {
			t.Error(err)
		}
	}
}

func TestCallsStreamValuesAndErrors(t *testing.T) {
	data := folder(t)
	type request struct{ N int }
	defer serve(t, data, map[string]control.Handler{
		"count": control.Typed(func(_ context.Context, r request, emit func(any) error) error {
			for i := range r.N {
				if err := emit(i); err != nil {
					return err
				}
			}
			return fmt.Errorf("%w: no more", domain.ErrNotFound)
		}),
	})()
	c, err := control.Dial(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	err = c.Call(t.Context(), "count", request{5}, func(raw json.RawMessage) error {
		var i int
		defer func() { sum += i }()
		return json.Unmarshal(raw, &i)
	})
	if !errors.Is(err, domain.ErrNotFound) || !strings.Contains(err.Error(), "no more") {
		t.Errorf("error %v", err)
	}
	if sum != 10 {
		t.Errorf("sum %d, want 10", sum)
	}
	if err := c.Call(t.Context(), "dance", nil, nil); !errors.Is(err, domain.ErrVersion) {
		t.Errorf("an unknown call gave %v", err)
	}
	if err := c.Call(t.Context(), "count", "five", nil); !errors.Is(err, domain.ErrMalformed) {
		t.Errorf("a malformed request gave %v", err)
	}
}

func TestHandlerEndsWithItsCaller(t *testing.T) {
	data := folder(t)
	ended := make(chan error, 1)
	defer serve(t, data, map[string]control.Handler{
		"wait": control.Typed(func(ctx context.Context, _ struct{}, emit func(any) error) error {
			if err := emit("begun"); err != nil {
				return err
			}
			<-ctx.Done()
			ended <- ctx.Err()
			return ctx.Err()
		}),
	})()
	c, err := control.Dial(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = c.Call(ctx, "wait", struct{}{}, func(json.RawMessage) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the caller got %v", err)
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the handler went on without its caller")
	}
}

func TestOneHolderAtATimeAndNobody(t *testing.T) {
	data := folder(t)
	if _, err := control.Dial(t.Context(), data); !errors.Is(err, domain.ErrNotRunning) {
		t.Errorf("nobody there: %v", err)
	}
	if _, err := control.Dial(t.Context(), filepath.Join(data, "none")); !errors.Is(err, domain.ErrNotRunning) {
		t.Errorf("no folder: %v", err)
	}
	stop := serve(t, data, nil)
	if _, ok, err := control.Acquire(data); ok || err != nil {
		t.Errorf("two holders: %v, %v", ok, err)
	}
	path, err := control.SocketPath(data)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(p)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want %v", p, info.Mode(), err, want)
		}
	}
	stop()
	if _, err := control.Dial(t.Context(), data); !errors.Is(err, domain.ErrNotRunning) {
		t.Errorf("after it ended: %v", err)
	}
}

func TestSocketOfACrashIsReplaced(t *testing.T) {
	data := folder(t)
	path, err := control.SocketPath(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Dial(t.Context(), data); !errors.Is(err, domain.ErrNotRunning) {
		t.Errorf("a dead socket gave %v", err)
	}
	defer serve(t, data, nil)()
	if _, err := control.Dial(t.Context(), data); err != nil {
		t.Error(err)
	}
}

func TestRuntimeFolderOfOthersIsRefused(t *testing.T) {
	data := folder(t)
	open := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "potluck")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := control.SocketPath(data); err == nil {
		t.Error("a folder that everyone may write was taken")
	}
}
