package app_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/lab"
)

// Four computers fetch the same from a fifth at once, over cables that are no
// faster than its own. What it sends leaves it about once, for they get the
// rest from each other; and so they still get all of it when it is killed soon
// after everything has gone out.
func TestSwarm(t *testing.T) {
	const (
		size = 64 << 20
		rate = 100_000_000 // bits per second, each way
	)
	bin := headlessProgram(t)
	for _, c := range []struct {
		name string
		kill bool // the provider, once it has sent 1.1 copies
	}{{"together", false}, {"without the provider", true}} {
		t.Run(c.name, func(t *testing.T) {
			names := []string{"ana", "ben", "cleo", "dora", "emil"}
			network := lab.New(t, names...)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			var all []*copyOfPotluck
			var programs []*exec.Cmd
			var began sync.WaitGroup
			for _, name := range names {
				network.Host(name).SetRate(rate)
				p := newCopy(t, name, func(ctx context.Context, args ...string) *exec.Cmd {
					return exec.CommandContext(ctx, bin, args...)
				})
				all = append(all, p)
				cmd := network.Host(name).Command(ctx, bin,
					"--data", p.data, "--downloads", p.downloads, "--name", name, "--json", "serve")
				programs = append(programs, cmd)
				serve(t, p, cmd, &began)
			}
			began.Wait()
			var meeting sync.WaitGroup
			for _, p := range all {
				meeting.Go(func() { meet(ctx, p, len(all)-1, time.Now()) })
			}
			meeting.Wait()
			source := filepath.Join(t.TempDir(), "big.bin")
			random(t, source, size)
			all[0].run(ctx, t, "share", source)

			sent := network.Host("ana").Sent()
			begin := time.Now()
			var getting sync.WaitGroup
			failures := make([]error, len(all))
			for i, p := range all[1:] {
				getting.Go(func() {
					if out, err := p.command(ctx, "--data", p.data, "get", "ana:big.bin").CombinedOutput(); err != nil {
						failures[i] = &fetchError{p.name, out, err}
					}
				})
			}
			if c.kill {
				eventually(ctx, t, "the provider has sent 1.1 copies", func() bool {
					return network.Host("ana").Sent()-sent > size*11/10
				})
				if err := programs[0].Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			getting.Wait()
			copies := float64(network.Host("ana").Sent()-sent) / size
			t.Logf("all have it after %.2f times what one copy takes, the provider sent %.2f copies",
				time.Since(begin).Seconds()*rate/8/size, copies)
			want, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			for i, p := range all[1:] {
				if failures[i] != nil {
					t.Error(failures[i])
					continue
				}
				got, err := os.ReadFile(filepath.Join(p.downloads, "big.bin"))
				if err != nil || string(got) != string(want) {
					t.Errorf("the copy of %s differs (%v)", p.name, err)
				}
			}
			if copies > 2 {
				t.Errorf("the provider sent %.2f copies, want little more than one", copies)
			}
		})
	}
}

// random writes a file of random bytes.
func random(t *testing.T, path string, size int64) {
	t.Helper()
	from, err := os.Open("/dev/urandom")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }() // only read from
	to, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(to, from, size); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
}
