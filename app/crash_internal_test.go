package app

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

// crashFolder says to the test that it is the child that shall crash.
const crashFolder = "POTLUCK_TEST_CRASH"

// TestLastCrash lets a process of its own crash really, once in a goroutine
// that nobody watches and once by a fault that cannot be caught.
func TestLastCrash(t *testing.T) {
	if data := os.Getenv(crashFolder); data != "" {
		crash(data, os.Getenv(crashFolder+"_HOW"))
		return
	}
	data := t.TempDir()
	run := func(how string) (said string, ended bool) {
		t.Helper()
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestLastCrash$")
		cmd.Env = append(os.Environ(), crashFolder+"="+data, crashFolder+"_HOW="+how)
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
	expect := func(when, want string) {
		t.Helper()
		report, ok := LastCrash(data)
		if want == "" {
			if ok {
				t.Errorf("%s: told of a crash:\n%s", when, report)
			}
			return
		}
		for _, part := range []string{"Potluck " + Version + " on a test", "started 2", want, "goroutine ", "crash_internal_test.go"} {
			if !strings.Contains(report, part) {
				t.Errorf("%s: the report lacks %q:\n%s", when, part, report)
			}
		}
		if _, again := LastCrash(data); !ok || again {
			t.Errorf("%s: told %v, and then %v; want it told once", when, ok, again)
		}
		if info, err := os.Stat(filepath.Join(data, oldCrashFile)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: the report that was read is %v (%v), want it for this user only", when, info, err)
		}
	}
	expect("before the first run", "")
	if said, ended := run("well"); !ended {
		t.Fatalf("a run that should end well did not:\n%s", said)
	}
	expect("after a run that ended well", "")
	for _, c := range []struct{ how, said, want string }{
		{"panic", "the soup is spilt", "panic: the soup is spilt"},
		{"fatal", "stack overflow", "runtime.throw"}, // the report holds only where
	} {
		if said, ended := run(c.how); ended || !strings.Contains(said, c.said) {
			t.Fatalf("a run that should crash did not:\n%s", said)
		}
		expect("after a crash", c.want)
		// The next run tells of nothing older than the last.
		if _, ended := run("well"); !ended {
			t.Error("a run after a crash did not end well")
		}
		expect("after a run that ended well after a crash", "")
	}

	long := append([]byte("Potluck\n\npanic"), bytes.Repeat([]byte("x"), crashMost)...)
	if err := os.WriteFile(filepath.Join(data, crashFile), long, 0o600); err != nil {
		t.Fatal(err)
	}
	if report, ok := LastCrash(data); !ok || len(report) != crashMost {
		t.Errorf("of a report of %d bytes, %d were read", len(long), len(report))
	}
}

// crash begins a run and ends it in one of three ways.
func crash(data, how string) {
	watchCrashes(data, "a test", slog.New(slog.DiscardHandler))
	switch how {
	case "panic":
		done := make(chan struct{})
		go func() { panic("the soup is spilt") }()
		<-done
	case "fatal":
		debug.SetMaxStack(1 << 20)
		os.Exit(dig(1))
	}
}

func dig(depth int) int {
	if depth == 0 {
		return 0
	}
	return dig(depth+1) + 1
}
