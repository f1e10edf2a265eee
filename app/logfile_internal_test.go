package app

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestTheLogNeverGrowsBeyondItsBound(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "potluck.log")
	if err := os.WriteFile(path, []byte("the last run\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const most = 10_000
	file, err := newLogFile(path, most)
	if err != nil {
		t.Fatal(err)
	}
	if old, err := os.ReadFile(path + ".old"); err != nil || string(old) != "the last run\n" {
		t.Errorf("of the last run is kept %q, %v", old, err)
	}
	log := slog.New(slog.NewTextHandler(file, nil))
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 500 {
				log.Warn("a peer broke the protocol", "peer", i, "n", n)
			}
		})
	}
	all.Wait()
	log.Warn("the last word")
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + ".old"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) == 0 || len(text) > most {
			t.Errorf("%s has %d bytes", filepath.Base(name), len(text))
		}
		if name == path && !strings.HasSuffix(string(text), "the last word\"\n") {
			t.Errorf("the log ends with %q", text[max(0, len(text)-100):])
		}
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			if !strings.HasPrefix(line, "time=") {
				t.Errorf("a torn line: %q", line)
			}
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 2 {
		t.Errorf("there are %s, %v", fmt.Sprint(entries), err)
	}
}
