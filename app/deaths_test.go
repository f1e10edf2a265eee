package app_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/control"
	"github.com/potluck-share/potluck/app/lab"
	"github.com/potluck-share/potluck/app/programs"
)

// mbit is a million bits per second, for lab.Host.SetRate.
const mbit = 1_000_000

// A mortal is a Potluck on a host of its own, which a test kills and starts
// again.
type mortal struct {
	*copyOfPotluck
	t    *testing.T // which it lives as long as
	host *lab.Host
	bin  string
	// around is what stands before the program's own command line: a program
	// that runs it with fewer rights, or in another mount namespace.
	around []string
	// world is where the test finds the program's root folder; empty: in its
	// own.
	world string
	// item is the path of the download that is meant; empty: the last one.
	item string
	cmd  *exec.Cmd
}

// mortals makes a lab with a Potluck on each host and starts them.
func mortals(ctx context.Context, t *testing.T, names ...string) []*mortal {
	t.Helper()
	all := unborn(t, names...)
	start(ctx, t, all...)
	return all
}

// unborn makes a lab with a Potluck on each host that is yet to be started.
func unborn(t *testing.T, names ...string) []*mortal {
	t.Helper()
	bin := programs.Headless(t)
	network := lab.New(t, names...)
	all := make([]*mortal, len(names))
	for i, name := range names {
		m := &mortal{t: t, host: network.Host(name), bin: bin}
		m.copyOfPotluck = newCopy(t, name, m.program)
		all[i] = m
	}
	return all
}

// program makes a command that runs Potluck where m is.
func (m *mortal) program(ctx context.Context, args ...string) *exec.Cmd {
	line := append(slices.Clone(m.around), m.bin)
	line = append(line, args...)
	return m.host.Command(ctx, line[0], line[1:]...)
}

// start starts programs and waits until all are ready.
func start(ctx context.Context, t *testing.T, all ...*mortal) {
	t.Helper()
	var began sync.WaitGroup
	for _, m := range all {
		m.cmd = m.program(ctx, "--data", m.data, "--downloads", m.downloads, "--name", m.name, "--json", "serve")
		serve(m.t, m.copyOfPotluck, m.cmd, &began)
	}
	began.Wait()
	if all[0].t.Failed() {
		t.FailNow()
	}
}

// kill ends the program as kill -9 does.
func (m *mortal) kill(t *testing.T) {
	t.Helper()
	if err := m.cmd.Process.Kill(); err != nil {
		t.Fatalf("killing %s: %v", m.name, err)
	}
	_ = m.cmd.Wait() // it was killed, which is an error
}

// stop ends the program in order.
func (m *mortal) stop(t *testing.T) {
	t.Helper()
	m.signal(t, syscall.SIGTERM)
	if err := m.cmd.Wait(); err != nil {
		t.Errorf("%s ended in order: %v", m.name, err)
	}
}

// signal sends the program a signal.
func (m *mortal) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := m.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%v to %s: %v", s, m.name, err)
	}
}

// said returns what the program wrote to standard error since its last start.
func (m *mortal) said(t *testing.T) string {
	t.Helper()
	return text(t, m.cmd.Stderr.(*os.File))
}

// download is a download as a Potluck tells of it.
type download struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Path      string `json:"path"`
	Size      int64  `json:"size"`
	Done      int64  `json:"done"`
	State     string `json:"state"`
	Reason    string `json:"reason"`
	Providers int    `json:"providers"`
	Final     string `json:"final"`
}

// percent is how much of the download is here and verified.
func (d download) percent() int64 { return 100 * d.Done / max(1, d.Size) }

// get begins a download and returns while it runs.
func (m *mortal) get(ctx context.Context, t *testing.T, item string) {
	t.Helper()
	out, err := m.command(ctx, "--data", m.data, "get", "--to", m.downloads, "--wait", "1ms", item).CombinedOutput()
	if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() != 6) { //nolint:errorlint // nothing wraps it
		t.Fatalf("%s: get %s: %v\n%s", m.name, item, err, out)
	}
}

// with returns the same program with another download folder, for the download
// of that path.
func (m *mortal) with(downloads, item string) *mortal {
	folders, other := *m.copyOfPotluck, *m
	folders.downloads = downloads
	other.copyOfPotluck, other.item = &folders, item
	return &other
}

// last returns the download that was begun last. It asks over the control
// socket, as the commands do, because starting a command takes long.
func (m *mortal) last(ctx context.Context, t *testing.T) (d download) {
	t.Helper()
	client, err := control.Dial(ctx, m.data)
	if err != nil {
		t.Fatalf("%s: %v", m.name, err)
	}
	found := false
	err = client.Call(ctx, "transfers", struct{}{}, func(raw json.RawMessage) error {
		var one download
		err := json.Unmarshal(raw, &one)
		if one.Kind == "download" && !found && (m.item == "" || m.item == one.Path) {
			d, found = one, true
		}
		return err
	})
	if err != nil {
		t.Fatalf("%s: transfers: %v", m.name, err)
	}
	return d
}

// await waits until the last download is as yes wants it. One that ended
// otherwise is not waited for.
func (m *mortal) await(ctx context.Context, t *testing.T, what string, yes func(download) bool) download {
	t.Helper()
	for {
		d := m.last(ctx, t)
		switch {
		case yes(d):
			return d
		case d.State == "failed" || d.State == "cancelled" || d.State == "done":
			t.Fatalf("%s: the download is %s (%s), waiting until %s", m.name, d.State, d.Reason, what)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: waited in vain until %s; the download is %s at %d of %d: %s", m.name, what, d.State, d.Done, d.Size, d.Reason)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// awaitPercent waits until so much of the last download is here.
func (m *mortal) awaitPercent(ctx context.Context, t *testing.T, percent int64) download {
	t.Helper()
	return m.await(ctx, t, "it is under way", func(d download) bool { return d.Size > 0 && d.percent() >= percent })
}

// awaitDone waits until the last download is done and checks that it is the
// same as the source, in its place and alone there. Then it is removed.
func (m *mortal) awaitDone(ctx context.Context, t *testing.T, source string) download {
	t.Helper()
	d := m.await(ctx, t, "it is done", func(d download) bool { return d.State == "done" })
	if want := filepath.Join(m.downloads, filepath.Base(source)); d.Final != want {
		t.Errorf("%s: it lies at %s, want %s", m.name, d.Final, want)
	}
	sameFile(ctx, t, m.reach(d.Final), source)
	m.nothingLeft(t, filepath.Base(source))
	if err := os.Remove(m.reach(d.Final)); err != nil {
		t.Error(err)
	}
	return d
}

// awaitReason waits until the last download waits for a reason that begins so.
func (m *mortal) awaitReason(ctx context.Context, t *testing.T, reason string) download {
	t.Helper()
	return m.await(ctx, t, "it waits because: "+reason, func(d download) bool {
		return d.State == "waiting" && strings.HasPrefix(d.Reason, reason)
	})
}

// nothingLeft checks that nothing but these lies in the download folder.
func (m *mortal) nothingLeft(t *testing.T, names ...string) {
	t.Helper()
	expected := make(map[string]bool)
	for _, name := range names {
		expected[name] = true
	}
	found, err := os.ReadDir(m.reach(m.downloads))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if !expected[f.Name()] {
			t.Errorf("%s has %s left in its downloads", m.name, f.Name())
		}
	}
}

// reach returns the path by which the test sees what the program sees at path.
func (m *mortal) reach(path string) string { return m.world + path }

// part returns the path of the only file in the download folder that ends so.
func (m *mortal) part(t *testing.T, ending string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(m.reach(m.downloads), ".potluck-*"+ending))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s has %q (%v), want one %s", m.name, found, err, ending)
	}
	return found[0]
}

// sameFile checks that two files hold the same bytes.
func sameFile(ctx context.Context, t *testing.T, got, want string) {
	t.Helper()
	if out, err := exec.CommandContext(ctx, "cmp", got, want).CombinedOutput(); err != nil {
		t.Errorf("%s differs from %s: %v %s", got, want, err, out)
	}
}

// share makes a file of noise, other noise for each name, and shares it.
func (m *mortal) share(ctx context.Context, t *testing.T, name string, size int64) (source string) {
	t.Helper()
	source = filepath.Join(t.TempDir(), name)
	writeNoise(t, source, name, size)
	m.run(ctx, t, "share", source)
	return source
}
