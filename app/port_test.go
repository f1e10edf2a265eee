package app_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/lab"
	"github.com/potluck-share/potluck/app/programs"
)

// TestChosenPort starts two on one computer that both are to listen on the same
// port: the second one takes another, and says so.
func TestChosenPort(t *testing.T) {
	bin := programs.Headless(t)
	network := lab.New(t, "Mira")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	on := func(ctx context.Context, args ...string) *exec.Cmd {
		return network.Host("Mira").Command(ctx, bin, args...)
	}
	type status struct {
		Port  int `json:"port"`
		Taken int `json:"port_taken"`
	}
	var all []status
	var last string
	for _, name := range []string{"Mira", "Ben"} {
		p := newCopy(t, name, on)
		if err := os.MkdirAll(p.data, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(p.data, "settings.toml"), []byte("port = 20123\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var ready sync.WaitGroup
		serve(t, p, p.command(ctx, "--data", p.data, "--downloads", p.downloads, "--name", name, "--json", "serve"), &ready)
		ready.Wait()
		all = append(all, ask[status](ctx, t, p, "status"))
		last = string(p.run(ctx, t, "status"))
	}
	if all[0] != (status{Port: 20123}) {
		t.Errorf("the first one says %+v", all[0])
	}
	if all[1].Port == 0 || all[1].Port == 20123 || all[1].Taken != 20123 {
		t.Errorf("the second one says %+v", all[1])
	}
	if !strings.Contains(last, "because another program has 20123") {
		t.Errorf("the second one says in words:\n%s", last)
	}
}
