package hostile_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
)

// victim is a running Potluck.
type victim struct {
	t       *testing.T
	program string
	data    string
	id      domain.PeerID
	address string
	pid     int
}

// run starts a Potluck of that name on loopback, whose neighbours are all who
// connect from there.
func run(t *testing.T, name string) *victim {
	t.Helper()
	v := &victim{t: t, data: filepath.Join(t.TempDir(), "data")}
	if v.program = os.Getenv("POTLUCK_HEADLESS"); v.program == "" {
		v.program = filepath.Join(t.TempDir(), "potluck")
		build := exec.Command("go", "build", "-buildvcs=false", "-tags", "headless", "-o", v.program, "../..")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build the program: %v\n%s", err, out)
		}
	}
	serve := v.command(context.Background(), "--name", name, "--listen", "/ip4/127.0.0.1/tcp/0", "--nearby", "127.0.0.0/8", "serve")
	ready, err := serve.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Signal(os.Interrupt)
		_ = serve.Wait() // however it ended
	})
	v.pid = serve.Process.Pid
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	var status struct {
		PeerID    domain.PeerID `json:"peer_id"`
		Addresses []string      `json:"addresses"`
	}
	if err := json.Unmarshal([]byte(v.do("--json", "status")), &status); err != nil || len(status.Addresses) == 0 {
		t.Fatalf("status: %v, %+v", err, status)
	}
	v.id, v.address = status.PeerID, status.Addresses[0]+"/p2p/"+string(status.PeerID)
	return v
}

func (v *victim) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, v.program, append([]string{"--data", v.data}, args...)...)
	c.Env = append(os.Environ(), "HOME="+filepath.Dir(v.data), "XDG_RUNTIME_DIR=")
	return c
}

// do runs a command and returns what it printed.
func (v *victim) do(args ...string) string {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), time.Minute)
	defer cancel()
	out, err := v.command(ctx, args...).CombinedOutput()
	if err != nil {
		v.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// attacker is a host of our own, near the victim.
func attacker(t *testing.T, name string) *host.Host {
	t.Helper()
	identity, err := host.LoadIdentity(filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.New(t.Context(), host.Config{
		Identity: identity, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Nearby: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Hello: func(domain.PeerID) domain.Hello { return domain.Hello{Name: name, Version: "1"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() }) // the test is over
	if err := h.Listen(); err != nil {
		t.Fatal(err)
	}
	return h
}
