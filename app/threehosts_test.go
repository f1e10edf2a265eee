package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/lab"
	"github.com/potluck-share/potluck/app/programs"
)

// meetWithin is the longest that people who have just started Potluck may have
// to look at an empty list.
const meetWithin = 2 * time.Second

// seenWithin is the longest that others may have to wait for what is shared.
const seenWithin = time.Second

// TestThreeHosts is the main job from end to end: three computers on one
// network find each other by themselves, one shares a folder, the others see
// it and fetch it, and their copies are the same to the byte.
func TestThreeHosts(t *testing.T) {
	bin := programs.Headless(t)
	network := lab.New(t, "ana", "ben", "cleo")
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()

	var all []*copyOfPotluck
	for _, name := range []string{"ana", "ben", "cleo"} {
		all = append(all, newCopy(t, name, func(ctx context.Context, args ...string) *exec.Cmd {
			return exec.CommandContext(ctx, bin, args...)
		}))
	}
	var began sync.WaitGroup
	for _, p := range all {
		serve(t, p, network.Host(p.name).Command(ctx, bin,
			"--data", p.data, "--downloads", p.downloads, "--name", p.name, "--json", "serve"), &began)
	}
	began.Wait()
	ready := time.Now()

	var meeting sync.WaitGroup
	took := make([]time.Duration, len(all))
	for i, p := range all {
		meeting.Go(func() { took[i] = meet(ctx, p, len(all)-1, ready) })
	}
	meeting.Wait()
	if t.Failed() {
		t.FailNow()
	}
	t.Logf("each saw the two others %v after the last was ready", took)
	if slowest := slices.Max(took); slowest > meetWithin+busy || slowest == 0 {
		t.Errorf("the slowest saw both others after %v, want %v", slowest, meetWithin)
	}

	ana, others := all[0], all[1:]
	const name = "Grüße & 日本 🎉"
	source := filepath.Join(t.TempDir(), name)
	entries := makeFolder(t, source)
	ana.run(ctx, t, "share", source)

	shared := time.Now()
	for _, p := range others {
		got := browse(ctx, t, p, "ana", name)
		for !slices.Equal(got, entries) && time.Since(shared) < seenWithin+busy {
			got = browse(ctx, t, p, "ana", name)
		}
		if !slices.Equal(got, entries) {
			t.Errorf("%s does not see what is shared:\n%s", p.name, differences(strings.Join(got, "\n"), strings.Join(entries, "\n")))
		}
	}

	want, err := digestTree(source)
	if err != nil {
		t.Fatal(err)
	}
	var fetching sync.WaitGroup
	failures := make([]error, len(others))
	begin := time.Now()
	for i, p := range others {
		fetching.Go(func() {
			out, err := p.command(ctx, "--data", p.data, "get", "ana:"+name).CombinedOutput()
			if err != nil {
				failures[i] = &fetchError{p.name, out, err}
			}
		})
	}
	fetching.Wait()
	t.Logf("both fetched the folder in %v", time.Since(begin).Round(time.Millisecond))
	for i, p := range others {
		if failures[i] != nil {
			t.Fatal(failures[i])
		}
		got, err := digestTree(filepath.Join(p.downloads, name))
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("the copy of %s differs:\n%s", p.name, differences(got, want))
		}
		left, err := filepath.Glob(filepath.Join(p.downloads, ".*"))
		if err != nil || len(left) > 0 {
			t.Errorf("%s has left-overs of the download: %q %v", p.name, left, err)
		}
		info, err := os.Stat(filepath.Join(p.downloads, name, "old.txt"))
		if err != nil || !info.ModTime().Equal(longAgo) {
			t.Errorf("%s: old.txt is of %v (%v), want its own time, %v", p.name, info.ModTime(), err, longAgo)
		}
	}
	for _, p := range all {
		p.run(ctx, t, "stop")
	}
}

// differences returns the lines that only one of two texts has.
func differences(got, want string) string {
	var b strings.Builder
	gots, wants := strings.Split(got, "\n"), strings.Split(want, "\n")
	for _, line := range wants {
		if !slices.Contains(gots, line) {
			b.WriteString("missing: " + line + "\n")
		}
	}
	for _, line := range gots {
		if !slices.Contains(wants, line) {
			b.WriteString("too much: " + line + "\n")
		}
	}
	return b.String()
}

type fetchError struct {
	name string
	out  []byte
	err  error
}

func (e *fetchError) Error() string { return e.name + ": get: " + e.err.Error() + "\n" + string(e.out) }

// serve starts a Potluck without a window; began waits for its ready line.
func serve(t *testing.T, p *copyOfPotluck, cmd *exec.Cmd, began *sync.WaitGroup) {
	t.Helper()
	said := stderr(t)
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end(t, p.name, cmd, said)
	began.Go(func() {
		line, err := bufio.NewReader(out).ReadBytes('\n')
		var status struct {
			Name string `json:"name"`
		}
		if err == nil {
			err = json.Unmarshal(line, &status)
		}
		if err != nil || status.Name != p.name {
			t.Errorf("%s prints %q (%v) when ready, want its status", p.name, line, err)
		}
	})
}

// meet waits until p sees n others online and returns how long that took since
// a time; 0 if it never came to it.
func meet(ctx context.Context, p *copyOfPotluck, n int, since time.Time) time.Duration {
	for ctx.Err() == nil {
		out, err := p.command(ctx, "--data", p.data, "--json", "peers").Output()
		var peers []struct {
			Near   bool `json:"near"`
			Online bool `json:"online"`
		}
		if err == nil && json.Unmarshal(out, &peers) == nil {
			online := 0
			for _, peer := range peers {
				if peer.Near && peer.Online {
					online++
				}
			}
			if online == n {
				return time.Since(since).Round(time.Millisecond)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return 0
}

// browse returns the paths of all that a peer shows below a folder, sorted,
// folders with a slash at the end.
func browse(ctx context.Context, t *testing.T, p *copyOfPotluck, peer, folder string) (paths []string) {
	t.Helper()
	lines := json.NewDecoder(bytes.NewReader(p.run(ctx, t, "--json", "browse", peer, folder)))
	for {
		var row struct {
			Kind string `json:"kind"`
			Path string `json:"path"`
		}
		err := lines.Decode(&row)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if row.Kind == "folder" {
			paths = append(paths, row.Path+"/")
			paths = append(paths, browse(ctx, t, p, peer, row.Path)...)
		} else {
			paths = append(paths, row.Path)
		}
	}
	slices.Sort(paths)
	return paths
}

// longAgo is the time of a file whose own time must survive.
var longAgo = time.Date(2001, 9, 9, 1, 46, 40, 0, time.UTC)

// makeFolder makes a folder as people have them and returns what others must
// see in it: paths that begin with its name, sorted.
func makeFolder(t *testing.T, root string) (entries []string) {
	t.Helper()
	files := map[string]int{
		"empty":                    0,
		"one piece.bin":            1 << 20,
		"one piece and a byte.bin": 1<<20 + 1,
		"old.txt":                  1000,
		"-rf":                      3,
		"100 % #1.txt":             10,
		"nested/a/b/c/d/deep.txt":  5,
		"nested/a/ελληνικά.txt":    6,
		"nested/Räksmörgås/emoji 👩‍👩‍👧.txt": 7,
	}
	for i := range 40 {
		files[path.Join("many", string(rune('a'+i%26))+string(rune('0'+i/26)))] = 100 * i
	}
	for name, size := range files {
		at := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, noise(name, size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	writeNoise(t, filepath.Join(root, "large.bin"), "large.bin", 300<<20)
	if err := os.MkdirAll(filepath.Join(root, "nested", "an empty folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(root, "old.txt"), longAgo, longAgo); err != nil {
		t.Fatal(err)
	}
	err := fs.WalkDir(os.DirFS(filepath.Dir(root)), filepath.Base(root), func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == filepath.Base(root):
		case d.IsDir():
			entries = append(entries, name+"/")
		default:
			entries = append(entries, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(entries)
	return entries
}

// writeNoise writes a file of so many bytes that look random and are the same
// for the same seed.
func writeNoise(t *testing.T, name, seed string, size int64) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.CopyN(f, noiseOf(seed), size)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}
