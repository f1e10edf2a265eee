package race

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tool returns where a program lies; those of the system are often not on a
// user's path.
func tool(t *testing.T, name string) string {
	t.Helper()
	for _, try := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} {
		if path, err := exec.LookPath(try); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed; make bench-peers does that on Debian", name)
	return ""
}

// write makes a file of a program's settings.
func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// rsyncCopy is rsync's daemon, which does not encrypt, and its client, which
// flushes each file.
func rsyncCopy(ctx context.Context, t *testing.T, source string) entrant {
	t.Helper()
	rsync := tool(t, "rsync")
	settings := filepath.Join(memoryFolder(t), "rsyncd.conf")
	user := ""
	if os.Geteuid() == 0 {
		user = "uid = root\ngid = root\n" // else it would not read what is ours
	}
	write(t, settings, user+fmt.Sprintf("use chroot = no\n[it]\npath = %s\nread only = yes\n", filepath.Dir(source)))
	port := here.port(t)
	daemon := launch(t, exec.CommandContext(ctx, rsync, "--daemon", "--no-detach", "--address="+here.ip,
		"--port="+port, "--config="+settings, "--log-file=/dev/stderr"))
	from := fmt.Sprintf("rsync://%s/it/", here.address(port))
	answers(ctx, t, daemon, func() error { return exec.CommandContext(ctx, rsync, from).Run() })
	return entrant{name: "rsync --fsync", copy: func(ctx context.Context, t *testing.T, to string) sample {
		w := start(t, []int{daemon.Process.Pid}, nil)
		_, err := w.run(receiver, exec.CommandContext(ctx, rsync, "-rt", "--fsync", from+filepath.Base(source), to+"/"))
		s := w.stop(t)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}}
}

// answers waits until a server does.
func answers(ctx context.Context, t *testing.T, server *process, try func() error) {
	t.Helper()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v: %s", server.Path, err, server.said)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// nginx starts a server of the files in a folder and returns its URL.
func nginx(ctx context.Context, t *testing.T, at place, folder string) (server *process, url string) {
	t.Helper()
	own := memoryFolder(t)
	address := at.address(at.port(t))
	write(t, filepath.Join(own, "nginx.conf"), fmt.Sprintf(`daemon off;
master_process off;
pid %[1]s/pid;
error_log stderr;
events {}
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  server {
    listen %[2]s;
    root %[3]s;
  }
}
`, own, address, folder))
	server = launch(t, at.command(ctx, tool(t, "nginx"), "-p", own, "-e", "stderr", "-c", filepath.Join(own, "nginx.conf")))
	url = "http://" + address + "/"
	answers(ctx, t, server, func() error {
		if at.host != nil {
			return at.command(ctx, tool(t, "curl"), "-s", "-o", os.DevNull, url).Run()
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			err = response.Body.Close()
		}
		return err
	})
	return server, url
}

// curl makes the command that fetches a file, or with -r a part of one.
func curl(ctx context.Context, t *testing.T, at place, url, file string, more ...string) *exec.Cmd {
	t.Helper()
	return at.command(ctx, tool(t, "curl"), append(more, "-s", "-S", "-f", "-o", file, url)...)
}

// flush lets the system write what it holds of a file.
func flush(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // was only read
	return f.Sync()
}

// httpCopy is nginx and curl without encryption.
func httpCopy(ctx context.Context, t *testing.T, source string, from, to place) entrant {
	t.Helper()
	server, url := nginx(ctx, t, from, filepath.Dir(source))
	name := filepath.Base(source)
	return entrant{name: "nginx, curl", copy: func(ctx context.Context, t *testing.T, folder string) sample {
		w := start(t, []int{server.Process.Pid}, nil)
		_, err := w.run(receiver, curl(ctx, t, to, url+name, filepath.Join(folder, name)))
		if err == nil {
			err = flush(filepath.Join(folder, name))
		}
		s := w.stop(t)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}}
}

// iperfCopy is iperf3, which sends as many bytes as a file has from memory to
// memory.
func iperfCopy(t *testing.T, source string, from, to place) entrant {
	t.Helper()
	iperf := tool(t, "iperf3")
	info, err := os.Stat(source)
	if err != nil {
		t.Fatal(err)
	}
	return entrant{name: "iperf3", unchecked: true, copy: func(ctx context.Context, t *testing.T, _ string) sample {
		port := from.port(t)
		server := launch(t, from.command(ctx, iperf, "-s", "-1", "-B", from.ip, "-p", port, "--forceflush"))
		for line := ""; !strings.HasPrefix(line, "Server listening"); {
			if line, err = server.line(ctx); err != nil {
				t.Fatal(err)
			}
		}
		w := start(t, []int{server.Process.Pid}, nil)
		_, err = w.run(receiver, to.command(ctx, iperf, "-c", from.ip, "-p", port, "-R", "-n", strconv.FormatInt(info.Size(), 10)))
		s := w.stop(t)
		if err != nil {
			t.Fatal(err)
		}
		server.kill()
		return s
	}}
}

// python is the one that Debian's packages are for; another one may come first
// on the user's path.
const python = "/usr/bin/python3"

// driver is the program that works libtorrent.
func driver(ctx context.Context, at place, args ...string) *exec.Cmd {
	return at.command(ctx, python, append([]string{filepath.Join("testdata", "torrent.py")}, args...)...)
}

// A tuning of libtorrent: its settings, and the size of a torrent's pieces. Of
// those that were tried each is the fastest for its purpose.
type tuning struct{ settings, piece string }

var (
	forPairs  = tuning{"fast", "1048576"}
	forSwarms = tuning{"usual", "262144"}
)

// makeTorrent makes the torrent of a file or folder.
func makeTorrent(ctx context.Context, t *testing.T, source string, tuned tuning) (torrent string) {
	t.Helper()
	torrent = filepath.Join(memoryFolder(t), "torrent")
	if out, err := driver(ctx, here, "make", torrent, source, tuned.piece).CombinedOutput(); err != nil {
		t.Fatalf("make a torrent: %v: %s", err, out)
	}
	return torrent
}

// torrentPeer starts a libtorrent that seeds or fetches and waits until it
// listens.
func torrentPeer(ctx context.Context, t *testing.T, at place, tuned tuning, role, torrent, folder string, peers ...string) (p *process, address string) {
	t.Helper()
	address = at.address(at.port(t))
	p = launch(t, driver(ctx, at, append([]string{role, torrent, folder, tuned.settings, address}, peers...)...))
	p.expect(ctx, t, "ready")
	return p, address
}

// torrentCopy is libtorrent, seeding and fetching. Both are started anew for
// each copy, and ready before the clock starts.
func torrentCopy(ctx context.Context, t *testing.T, source string, from, to place) entrant {
	t.Helper()
	torrent := makeTorrent(ctx, t, source, forPairs)
	return entrant{name: "libtorrent", copy: func(ctx context.Context, t *testing.T, folder string) sample {
		seed, address := torrentPeer(ctx, t, from, forPairs, "seed", torrent, filepath.Dir(source))
		peer, _ := torrentPeer(ctx, t, to, forPairs, "fetch", torrent, folder, address)
		w := start(t, []int{seed.Process.Pid}, []int{peer.Process.Pid})
		peer.tell(t, "go")
		peer.expect(ctx, t, "done")
		s := w.stop(t)
		peer.kill()
		seed.kill()
		return s
	}}
}
