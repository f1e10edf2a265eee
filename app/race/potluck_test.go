package race

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// program returns the program without a window: the one that POTLUCK_HEADLESS
// names, else one that is built now.
var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("POTLUCK_HEADLESS"); path != "" {
		return path, nil
	}
	path, err := filepath.Abs(filepath.Join("..", "..", "build", "potluck-headless"))
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-tags", "headless", "-o", path, "../..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w: %s", err, out)
	}
	return path, nil
})

// A potluck is a running Potluck.
type potluck struct {
	*process
	bin, data string
	at        place
	listens   string // its multiaddress
}

// serve starts a Potluck on a data folder.
func serve(ctx context.Context, t *testing.T, at place, data, name string) *potluck {
	t.Helper()
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	network := "127.0.0.0/8"
	if at.host != nil {
		network = "10.77.0.0/24"
	}
	p := &potluck{bin: bin, data: data, at: at}
	p.process = launch(t, at.command(ctx, bin, "--data", data, "--downloads", filepath.Join(data, "downloads"),
		"--name", name, "--listen", fmt.Sprintf("/ip4/%s/tcp/%s", at.ip, at.port(t)), "--nearby", network, "--json", "serve"))
	line, err := p.line(ctx)
	var status struct {
		Addresses []string `json:"addresses"`
	}
	if err == nil {
		err = json.Unmarshal([]byte(line), &status)
	}
	if err != nil || len(status.Addresses) == 0 {
		t.Fatalf("%s prints %q (%v) when ready, want its status: %s", name, line, err, p.said)
	}
	p.listens = status.Addresses[0]
	return p
}

// port returns a port on which nobody listens.
func (p place) port(t *testing.T) string {
	t.Helper()
	if p.host != nil {
		return "7700" // a host has few programs
	}
	l, err := net.Listen("tcp", p.address("0"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it is to be free
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// ask makes a command to it.
func (p *potluck) ask(ctx context.Context, args ...string) *exec.Cmd {
	return p.at.command(ctx, p.bin, append([]string{"--data", p.data}, args...)...)
}

// must runs a command and returns what it printed.
func (p *potluck) must(ctx context.Context, t *testing.T, args ...string) string {
	t.Helper()
	cmd := p.ask(ctx, args...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("potluck %q: %v: %s%s", args, err, out, complaint.String())
	}
	return string(out)
}

// stop ends it as its user would.
func (p *potluck) stop(ctx context.Context, t *testing.T) {
	t.Helper()
	p.must(ctx, t, "stop")
	if err := p.Wait(); err != nil {
		t.Errorf("potluck serve: %v: %s", err, p.said)
	}
	_ = p.in.Close() // as the program is gone
}

// meet connects to others and waits until it sees so many of them offer a file
// or folder of that name at the top of a share.
func (p *potluck) meet(ctx context.Context, t *testing.T, name string, others ...*potluck) {
	t.Helper()
	for _, other := range others {
		p.must(ctx, t, "connect", other.listens)
	}
	for {
		if p.offers(ctx, t, name) >= len(others) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s is not seen by %s: %v", name, p.data, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// offers returns how many people offer what has that name.
func (p *potluck) offers(ctx context.Context, t *testing.T, name string) (n int) {
	t.Helper()
	lines := json.NewDecoder(strings.NewReader(p.must(ctx, t, "--json", "search", name)))
	for lines.More() {
		var row struct {
			Path      string `json:"path"`
			Providers []struct {
				Online bool `json:"online"`
			} `json:"providers"`
		}
		if err := lines.Decode(&row); err != nil {
			t.Fatal(err)
		}
		if row.Path == name {
			n += len(row.Providers)
		}
	}
	return n
}

// shared makes a data folder of a Potluck that shares something.
func shared(ctx context.Context, t *testing.T, at place, name, source string) (data string) {
	t.Helper()
	data = filepath.Join(memoryFolder(t), name)
	p := serve(ctx, t, at, data, name)
	p.must(ctx, t, "share", source)
	p.stop(ctx, t)
	return data
}

// potluckGet is Potluck: two running programs that know each other, and the
// command get. Both are started anew for each copy.
func potluckGet(ctx context.Context, t *testing.T, source string, from, to place) entrant {
	t.Helper()
	data := shared(ctx, t, from, "ana", source)
	name := filepath.Base(source)
	return entrant{name: "potluck", copy: func(ctx context.Context, t *testing.T, folder string) sample {
		ana := serve(ctx, t, from, data, "ana")
		ben := serve(ctx, t, to, filepath.Join(memoryFolder(t), "ben"), "ben")
		ben.meet(ctx, t, name, ana)
		w := start(t, []int{ana.Process.Pid}, []int{ben.Process.Pid})
		_, err := w.run(receiver, ben.ask(ctx, "get", "ana:"+name, "--to", folder))
		s := w.stop(t)
		if err != nil {
			t.Fatal(err)
		}
		ben.stop(ctx, t)
		ana.stop(ctx, t)
		return s
	}}
}
