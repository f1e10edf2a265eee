package race

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/programs"
)

// A potluck is a running Potluck.
type potluck struct {
	*process
	bin, data, name string
	at              place
	listens         string // its multiaddress
}

// serve starts a Potluck on a data folder.
func serve(ctx context.Context, t *testing.T, at place, data, name string) *potluck {
	t.Helper()
	bin := programs.Headless(t)
	network := "127.0.0.0/8"
	if at.host != nil {
		network = "10.77.0.0/24"
	}
	p := &potluck{bin: bin, data: data, name: name, at: at}
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

// hostPorts is how many ports programs of hosts got.
var hostPorts atomic.Int32

// port returns a port on which nobody listens.
func (p place) port(t *testing.T) string {
	t.Helper()
	if p.host != nil {
		return strconv.Itoa(7700 + int(hostPorts.Add(1))) // a host is ours alone
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

// meet connects to others and waits until it sees all that each of them shares
// under a name: one file, or a folder with so many.
func (p *potluck) meet(ctx context.Context, t *testing.T, name string, files int, others ...*potluck) {
	t.Helper()
	for _, other := range others {
		p.must(ctx, t, "connect", other.listens)
		for p.sees(ctx, other, name) < files {
			select {
			case <-ctx.Done():
				t.Fatalf("%s: %s of %s is not seen: %v", p.name, name, other.name, ctx.Err())
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
}

// sees returns how many files it sees of another one: that of a name, or those
// in a folder of that name.
func (p *potluck) sees(ctx context.Context, other *potluck, name string) (files int) {
	for _, folder := range [][]string{nil, {name}} {
		out, err := p.ask(ctx, append([]string{"--json", "browse", other.name}, folder...)...).Output()
		lines := json.NewDecoder(bytes.NewReader(out))
		for err == nil && lines.More() { // an error says that it sees nothing yet
			var row struct{ Kind, Path string }
			if err = lines.Decode(&row); err == nil && row.Kind == "file" && (row.Path == name || folder != nil) {
				files++
			}
		}
	}
	return files
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
// command get for a file, or a folder of so many. Both are started anew for each copy.
func potluckGet(ctx context.Context, t *testing.T, source string, files int, from, to place) entrant {
	t.Helper()
	data := shared(ctx, t, from, "ana", source)
	name := filepath.Base(source)
	return entrant{name: "potluck", copy: func(ctx context.Context, t *testing.T, folder string) sample {
		ana := serve(ctx, t, from, data, "ana")
		ben := serve(ctx, t, to, filepath.Join(memoryFolder(t), "ben"), "ben")
		ben.meet(ctx, t, name, files, ana)
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
