package hostile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/programs"
)

// victim is a running Potluck. Its home folder holds its data and its downloads
// and nothing else, so that what is written elsewhere is seen.
type victim struct {
	t       *testing.T
	program string
	home    string
	data    string
	id      domain.PeerID
	address string
	pid     int
	log     fmt.Stringer
	window  *window // nil for a program without one
}

// journal is what a program says, as it says it.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// run starts a Potluck of that name on loopback, whose neighbours are all who
// connect from there.
func run(t *testing.T, name string, flags ...string) *victim {
	t.Helper()
	home := t.TempDir()
	v := &victim{t: t, home: home, data: filepath.Join(home, "data"), program: programs.Headless(t)}
	serve := v.command(context.Background(), append(onLoopback(name, flags), "serve")...)
	said := &journal{}
	v.log, serve.Stderr = said, said
	ready, err := serve.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Signal(os.Interrupt)
		if err := serve.Wait(); err != nil {
			t.Errorf("%s ended with %v and said\n%s", name, err, v.log)
		}
	})
	v.pid = serve.Process.Pid
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	v.learn()
	return v
}

// onLoopback are the flags of a program whose neighbours are all who connect
// from there.
func onLoopback(name string, more []string) []string {
	return append([]string{"--name", name, "--listen", "/ip4/127.0.0.1/tcp/0", "--nearby", "127.0.0.0/8"}, more...)
}

// learn asks the running program who it is and where it listens.
func (v *victim) learn() {
	v.t.Helper()
	var status struct {
		PeerID    domain.PeerID `json:"peer_id"`
		Addresses []string      `json:"addresses"`
	}
	if v.ask(&status, "status"); len(status.Addresses) == 0 {
		v.t.Fatalf("it listens nowhere: %+v", status)
	}
	v.id, v.address = status.PeerID, status.Addresses[0]+"/p2p/"+string(status.PeerID)
}

func (v *victim) command(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{"--data", v.data}, args...)
	if v.window != nil {
		c := v.window.screen.Command(ctx, v.program, args...)
		// What the toolkit keeps is no file of an attack.
		kept := v.window.screen.Home
		c.Env = append(c.Env, "HOME="+v.home, "XDG_CACHE_HOME="+filepath.Join(kept, "cache"), "XDG_CONFIG_HOME="+filepath.Join(kept, "config"))
		return c
	}
	c := exec.CommandContext(ctx, v.program, args...)
	c.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "XDG_") }), "HOME="+v.home)
	return c
}

// do runs a command and returns what it printed.
func (v *victim) do(args ...string) string {
	v.t.Helper()
	out, err := v.try(args...)
	if err != nil {
		v.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// try is do for what may fail.
func (v *victim) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.t.Context()), time.Minute)
	defer cancel()
	out, err := v.command(ctx, args...).CombinedOutput()
	return string(out), err
}

// ask runs a command that prints JSON.
func (v *victim) ask(into any, args ...string) {
	v.t.Helper()
	text := v.do(append([]string{"--json"}, args...)...)
	if err := json.Unmarshal([]byte(text), into); err != nil {
		v.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, text)
	}
}

// meets connects two running programs.
func (v *victim) meets(other *victim) {
	v.t.Helper()
	v.do("connect", other.address)
}

// downloads is where what it fetches goes.
func (v *victim) downloads() string { return filepath.Join(v.home, "Downloads", "Potluck") }

// named reports whether the log names the peer.
func (v *victim) named(id domain.PeerID) bool {
	text := v.log.String()
	return strings.Contains(text, string(id)) || strings.Contains(text, "peer="+id.Short())
}

// elsewhere returns what lies in the home folder outside of the data and the
// download folder.
func (v *victim) elsewhere() (paths []string) {
	err := filepath.WalkDir(v.home, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // what is being written comes and goes
		}
		if err != nil {
			return err
		}
		switch path {
		case v.data, v.downloads():
			if d.IsDir() {
				return fs.SkipDir
			}
		case v.home, filepath.Dir(v.downloads()):
			return nil
		}
		paths = append(paths, path)
		return nil
	})
	if err != nil {
		v.t.Error(err)
	}
	return paths
}

// resident returns the memory of the running program, in bytes, on systems that
// tell it.
func (v *victim) resident() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", v.pid))
	if err != nil {
		v.t.Error(err)
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				v.t.Error(err)
			}
			return kib << 10
		}
	}
	v.t.Error("the system does not tell how much memory a program uses")
	return 0
}

func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not happen: %s", what)
		}
	}
}
