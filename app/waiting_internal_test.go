package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/potluck-share/potluck/app/command"
	"github.com/potluck-share/potluck/app/control"
	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/shape"
)

// TestNothingStirsBeforeTheFirstStart is the core's side of the first launch:
// commands are told to wait, a second launch raises the window, and what the
// window starts later works.
func TestNothingStirsBeforeTheFirstStart(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	c := &commands{opts: options{data: t.TempDir(), downloads: t.TempDir(), name: "Mira", listen: []string{"/ip4/127.0.0.1/tcp/0"}}}
	c.Data = c.opts.data
	ctx := t.Context()
	chosen, lock, err := claim(ctx, c.opts)
	if err != nil {
		t.Fatal(err)
	}
	if chosen.Values().Introduced {
		t.Fatal("the flags answered the sheet")
	}
	r := &running{commands: c, bus: event.NewBus(), log: slog.New(slog.DiscardHandler)}
	var mu sync.Mutex
	var raised []string
	quits := 0
	quit := func() {
		mu.Lock()
		defer mu.Unlock()
		quits++
	}
	raise := func(_ context.Context, link string) error {
		mu.Lock()
		defer mu.Unlock()
		raised = append(raised, link)
		return nil
	}
	if err := r.wait(ctx, lock, quit, raise); err != nil {
		t.Fatal(err)
	}
	const link = "potluck:peer/12D3/Holiday"
	try := func(started bool) {
		t.Helper()
		for _, name := range []string{"status", "share", "get", "whatever"} {
			err := c.Call(ctx, name, struct{}{}, nil)
			waits := err != nil && strings.Contains(err.Error(), "waits for its first start in its window")
			if waits == started || waits && command.ExitCode(err) != command.ExitNotRunning {
				t.Errorf("%s: %v, exit code %d", name, err, command.ExitCode(err))
			}
		}
		for _, text := range []string{"", link} {
			if err := c.Call(ctx, "raise", shape.RaiseRequest{Link: text}, nil); err != nil {
				t.Error(err)
			}
		}
		if err := c.Call(ctx, "raise", shape.RaiseRequest{Link: "potluck:wish/1"}, nil); !errors.Is(err, domain.ErrUsage) {
			t.Errorf("a link that is none: %v", err)
		}
	}
	try(false)
	for _, path := range []string{databasePath(c.opts.data), settingsPath(c.opts.data)} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is there before the first start: %v", path, err)
		}
	}

	if err := r.start(ctx, chosen, lock, quit, raise); err != nil {
		t.Fatal(err)
	}
	try(true)
	if err := c.Call(ctx, "stop", struct{}{}, nil); err != nil {
		t.Error(err)
	}
	r.stop()
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if strings.Join(raised, ",") != ","+link+",,"+link || quits != 1 {
		t.Errorf("raised with %q, ended %d times", raised, quits)
	}
	// There is a database: whoever made it was introduced.
	again, err := prepare(c.opts)
	if err != nil {
		t.Fatal(err)
	}
	if !again.Values().Introduced {
		t.Error("the next start would ask again")
	}
}

// A window that is closed before its first start leaves nothing behind.
func TestAWindowMayCloseUnanswered(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	c := &commands{opts: options{data: t.TempDir(), downloads: t.TempDir()}}
	c.Data = c.opts.data
	chosen, lock, err := claim(t.Context(), c.opts)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{commands: c, log: slog.New(slog.DiscardHandler)}
	if err := r.wait(t.Context(), lock, func() {}, func(context.Context, string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	r.stop()
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Dial(t.Context(), c.opts.data); !errors.Is(err, domain.ErrNotRunning) {
		t.Errorf("after it was closed: %v", err)
	}
	if again, err := prepare(c.opts); err != nil || again.Values().Introduced || chosen.Values().Introduced {
		t.Errorf("introduced without an answer (%v)", err)
	}
}
