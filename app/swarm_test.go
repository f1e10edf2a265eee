package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
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

const (
	swarmSize = 64 << 20
	swarmRate = 100_000_000 // bits per second of each cable, each way
)

// swarm is a few computers on cables of the same rate.
type swarm struct {
	network  *lab.Lab
	all      []*copyOfPotluck
	programs []*exec.Cmd
	data     []byte // of the file that the first one shares as big.bin
}

func newSwarm(ctx context.Context, t *testing.T, names ...string) *swarm {
	t.Helper()
	bin := programs.Headless(t)
	s := &swarm{network: lab.New(t, names...), data: random(t, swarmSize)}
	var began sync.WaitGroup
	for _, name := range names {
		s.network.Host(name).SetRate(swarmRate)
		p := newCopy(t, name, func(ctx context.Context, args ...string) *exec.Cmd {
			return exec.CommandContext(ctx, bin, args...)
		})
		cmd := s.network.Host(name).Command(ctx, bin,
			"--data", p.data, "--downloads", p.downloads, "--name", name, "--json", "serve")
		s.all, s.programs = append(s.all, p), append(s.programs, cmd)
		serve(t, p, cmd, &began)
	}
	began.Wait()
	var meeting sync.WaitGroup
	for _, p := range s.all {
		meeting.Go(func() { meet(ctx, p, len(s.all)-1, time.Now()) })
	}
	meeting.Wait()
	return s
}

// share lets the first one share the file, and returns its path.
func (s *swarm) share(ctx context.Context, t *testing.T, more ...string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "big.bin")
	if err := os.WriteFile(path, s.data, 0o600); err != nil {
		t.Fatal(err)
	}
	s.all[0].run(ctx, t, append([]string{"share", path}, more...)...)
}

// get lets these fetch the file at once, and returns how many copies left the
// first one's cable meanwhile. While they do, the test may do something else.
func (s *swarm) get(ctx context.Context, t *testing.T, who []*copyOfPotluck, meanwhile func()) (copies float64) {
	t.Helper()
	sent := s.network.Host(s.all[0].name).Sent()
	begin := time.Now()
	var getting sync.WaitGroup
	failures := make([]error, len(who))
	took := make([]float64, len(who)) // in times of one copy
	for i, p := range who {
		getting.Go(func() {
			defer func() { took[i] = time.Since(begin).Seconds() * swarmRate / 8 / swarmSize }()
			if out, err := p.command(ctx, "--data", p.data, "get", "ana:big.bin").CombinedOutput(); err != nil {
				failures[i] = &fetchError{p.name, out, err}
			}
		})
	}
	meanwhile()
	getting.Wait()
	copies = s.copies(sent)
	t.Logf("they have it after %.2f times what one copy takes, the provider sent %.2f copies", took, copies)
	for i, p := range who {
		if failures[i] != nil {
			t.Error(failures[i])
			continue
		}
		got, err := os.ReadFile(filepath.Join(p.downloads, "big.bin"))
		if err != nil || !bytes.Equal(got, s.data) {
			t.Errorf("the copy of %s differs (%v)", p.name, err)
		}
	}
	return copies
}

// copies returns how many copies the first one has sent since a count.
func (s *swarm) copies(since int64) float64 {
	return float64(s.network.Host(s.all[0].name).Sent()-since) / swarmSize
}

// Four computers fetch the same from a fifth at once, over cables that are no
// faster than its own. What it sends leaves it about once, for they get the
// rest from each other.
func TestSwarm(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s := newSwarm(ctx, t, "ana", "ben", "cleo", "dora", "emil")
	s.share(ctx, t)
	if copies := s.get(ctx, t, s.all[1:], func() {}); copies > 2 {
		t.Errorf("the provider sent %.2f copies, want little more than one", copies)
	}
}

// The provider is killed when the others have every piece between them. Their
// cables are slower than its own, so that each has much left then to get from the
// others.
func TestSwarmWithoutItsProvider(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s := newSwarm(ctx, t, "ana", "ben", "cleo", "dora", "emil")
	for _, p := range s.all[1:] {
		s.network.Host(p.name).SetRate(swarmRate / 4)
	}
	s.share(ctx, t)
	begin := s.network.Host("ana").Sent()
	s.get(ctx, t, s.all[1:], func() {
		pieces := make(map[int]bool)
		eventually(ctx, t, "the others have all of it between them", func() bool { return s.has(t, s.all[1:], pieces) == swarmSize>>20 })
		t.Logf("the others have all of it when %.2f copies have been sent", s.copies(begin))
		for _, p := range s.all[1:] {
			for _, m := range ask[[]move](ctx, t, p, "transfers") {
				if m.Kind == "download" && m.State != "running" {
					t.Errorf("%s has nothing left to get from the others: %+v", p.name, m)
				}
			}
		}
		if err := s.programs[0].Process.Kill(); err != nil {
			t.Fatal(err)
		}
	})
}

// has counts the pieces that these have between them, and adds them to found: it
// looks into the files in which their downloads are made.
func (s *swarm) has(t *testing.T, who []*copyOfPotluck, found map[int]bool) int {
	t.Helper()
	piece := make([]byte, 1<<20)
	for _, p := range who {
		parts, err := filepath.Glob(filepath.Join(p.downloads, ".potluck-*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range parts {
			part, err := os.Open(path)
			if err != nil {
				continue // it was finished just now
			}
			for i := range swarmSize >> 20 {
				if found[i] {
					continue
				}
				if _, err := part.ReadAt(piece, int64(i)<<20); err == nil && bytes.Equal(piece, s.data[i<<20:(i+1)<<20]) {
					found[i] = true
				}
			}
			_ = part.Close() // only read from
		}
	}
	return len(found)
}

// Those whom a share is for get it from each other, too, by the owner's grants.
// To somebody else it is as absent with them as it is with the owner.
func TestSwarmOfWhatIsPrivate(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s := newSwarm(ctx, t, "ana", "ben", "cleo", "dora")
	dora := s.all[3]
	s.share(ctx, t, "--audience", "ben,cleo")
	var id string
	copies := s.get(ctx, t, s.all[1:3], func() {
		// While it is under way, and all that is known of it is its ID.
		row := ask[struct {
			ContentID string `json:"content_id"`
		}](ctx, t, s.all[1], "browse", "ana")
		id = row.ContentID
		refuse(ctx, t, dora, id)
	})
	if copies > 1.7 {
		t.Errorf("the provider sent %.2f copies to two, who could get half from each other", copies)
	}
	refuse(ctx, t, dora, id)
}

// refuse makes sure that one does not get the content, as if it were absent.
func refuse(ctx context.Context, t *testing.T, p *copyOfPotluck, id string) {
	t.Helper()
	out, err := p.command(ctx, "--data", p.data, "--json", "get", id).Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 4 {
		t.Errorf("%s asks for %q: %v, %s", p.name, id, err, out)
		return
	}
	var failure struct {
		Error string `json:"error"`
	}
	line, _, _ := strings.Cut(string(exit.Stderr), "\n")
	if err := json.Unmarshal([]byte(line), &failure); err != nil || failure.Error != "not_found" {
		t.Errorf("%s asks for %q and is told %q", p.name, id, exit.Stderr)
	}
}

// random returns n random bytes.
func random(t *testing.T, n int) []byte {
	t.Helper()
	from, err := os.Open("/dev/urandom")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }() // only read from
	data := make([]byte, n)
	if _, err := io.ReadFull(from, data); err != nil {
		t.Fatal(err)
	}
	return data
}
