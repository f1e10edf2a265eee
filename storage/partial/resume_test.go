package partial_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/partial"
)

func TestResumeAfterClose(t *testing.T) {
	s := newSample(t, 5<<20+9)
	folder := t.TempDir()
	want := s.want(folder, "sub/x")
	f := open(t, want)
	setLayer(t, f, s)
	put(t, f, s, 5, 0, 2)
	closeFile(t, f)
	closeFile(t, f)

	f = open(t, want)
	if layer, known := f.Layer(); !known || layer.Size() != int64(len(s.data)) {
		t.Fatal("the layer was not kept")
	}
	expectMissing(t, f, s, 1, 3, 4)
	put(t, f, s, 1, 3)
	closeFile(t, f)

	f = open(t, want)
	put(t, f, s, 4)
	finish(t, f, s, filepath.Join(folder, "sub", "x"))
	expectFiles(t, folder, "sub", "sub/x")
}

func TestResumeOfASinglePiece(t *testing.T) {
	s := newSample(t, 5000)
	folder := t.TempDir()
	f := open(t, s.want(folder, "x"))
	put(t, f, s, 0)
	closeFile(t, f)
	f = open(t, s.want(folder, "x"))
	expectMissing(t, f, s)
	closeFile(t, f)
	flip(t, find(t, folder, ".part"), 4000)
	f = open(t, s.want(folder, "x"))
	expectMissing(t, f, s, 0)
	put(t, f, s, 0)
	finish(t, f, s, filepath.Join(folder, "x"))
}

// flip damages a file without changing its length.
func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0xff
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// copyAway copies the part and sidecar of a download that is still open, as
// they would be after a kill, to another folder.
func copyAway(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range files(t, from) {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func TestResumeFromACopyMadeWhileOpen(t *testing.T) {
	s := newSample(t, 8<<20)
	folder := t.TempDir()
	f := open(t, s.want(folder, "x"))
	setLayer(t, f, s)
	never := copyAway(t, folder)
	put(t, f, s, 0, 3)
	early := copyAway(t, folder)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	put(t, f, s, 4, 6)
	late := copyAway(t, folder)
	for where, missing := range map[string][]int{
		never: {0, 1, 2, 3, 4, 5, 6, 7},
		early: {1, 2, 4, 5, 6, 7},
		late:  {1, 2, 5, 7},
	} {
		g := open(t, s.want(where, "x"))
		if _, known := g.Layer(); !known {
			t.Error("the layer was not kept")
		}
		expectMissing(t, g, s, missing...)
		put(t, g, s, missing...)
		finish(t, g, s, filepath.Join(where, "x"))
	}
	closeFile(t, f)
}

// keepTime puts a file's modified time back after something was done to it.
func keepTime(t *testing.T, path string, do func()) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	do()
	if err := os.Chtimes(path, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
}

// TestUnmarkedPiecesAreHashed takes the sidecar of an earlier moment.
func TestUnmarkedPiecesAreHashed(t *testing.T) {
	s := newSample(t, 6<<20)
	folder := t.TempDir()
	f := open(t, s.want(folder, "x"))
	setLayer(t, f, s)
	put(t, f, s, 5)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	part := find(t, folder, ".part")
	// The part keeps its length and time, so that the sidecar is believed in
	// what it marks.
	keepTime(t, part, func() { put(t, f, s, 0, 1, 2) })
	killed := copyAway(t, folder)
	info, err := os.Stat(part)
	if err != nil {
		t.Fatal(err)
	}
	copied := find(t, killed, ".part")
	flip(t, copied, 1<<20+77) // unmarked: noticed
	if err := os.Chtimes(copied, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	g := open(t, s.want(killed, "x"))
	expectMissing(t, g, s, 1, 3, 4)
	put(t, g, s, 1, 3, 4)
	finish(t, g, s, filepath.Join(killed, "x"))
	closeFile(t, f)
}

func TestMarkedPiecesThatWereDamagedAreFetchedAgain(t *testing.T) {
	s := newSample(t, 6<<20+100)
	for name, damage := range map[string]func(part string) error{
		"flipped":   func(part string) error { flip(t, part, 2<<20+5); return nil },
		"cut short": func(part string) error { return os.Truncate(part, 2<<20+5) },
		"emptied":   func(part string) error { return os.Truncate(part, 0) },
		"longer":    func(part string) error { return os.Truncate(part, 10<<20) },
		"removed":   os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			f := open(t, s.want(folder, "x"))
			setLayer(t, f, s)
			put(t, f, s, 0, 1, 2, 3, 6)
			closeFile(t, f)
			if err := damage(find(t, folder, ".part")); err != nil {
				t.Fatal(err)
			}
			f = open(t, s.want(folder, "x"))
			missing := f.Missing()
			switch name {
			case "flipped":
				expectMissing(t, f, s, 2, 4, 5)
			case "cut short":
				expectMissing(t, f, s, 2, 3, 4, 5, 6)
			case "longer":
				expectMissing(t, f, s, 4, 5)
			default:
				expectMissing(t, f, s, 0, 1, 2, 3, 4, 5, 6)
			}
			put(t, f, s, missing...)
			finish(t, f, s, filepath.Join(folder, "x"))
			expectFiles(t, folder, "x")
		})
	}
}

// TestDamagedSidecar damages each of its parts in turn. Whatever is lost of it,
// nothing that the part holds is fetched again once the layer is known.
func TestDamagedSidecar(t *testing.T) {
	s := newSample(t, 4<<20+1)
	for name, damage := range map[string]func(side string) error{
		"header":    func(side string) error { flip(t, side, 10); return nil },
		"layer":     func(side string) error { flip(t, side, 100); return nil },
		"slot 0":    func(side string) error { flip(t, side, 4096+33); return nil },
		"slot 1":    func(side string) error { flip(t, side, 8192+33); return nil },
		"cut":       func(side string) error { return os.Truncate(side, 90) },
		"no slots":  func(side string) error { return os.Truncate(side, 80+5*32) },
		"empty":     func(side string) error { return os.Truncate(side, 0) },
		"removed":   os.Remove,
		"overgrown": func(side string) error { return os.Truncate(side, 1<<30) },
		"link": func(side string) error {
			if err := os.Remove(side); err != nil {
				return err
			}
			return os.Symlink("/etc/hostname", side)
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			f := open(t, s.want(folder, "x"))
			setLayer(t, f, s)
			put(t, f, s, 0)
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
			put(t, f, s, 3, 4)
			closeFile(t, f)
			if err := damage(find(t, folder, ".state")); err != nil {
				t.Fatal(err)
			}
			f = open(t, s.want(folder, "x"))
			if _, known := f.Layer(); known != (strings.HasPrefix(name, "slot") || name == "no slots" || name == "overgrown") {
				t.Errorf("the layer is known: %v", known)
			}
			setLayer(t, f, s)
			expectMissing(t, f, s, 1, 2)
			closeFile(t, f)
			f = open(t, s.want(folder, "x"))
			expectMissing(t, f, s, 1, 2)
			put(t, f, s, 1, 2)
			finish(t, f, s, filepath.Join(folder, "x"))
			expectFiles(t, folder, "x")
		})
	}
}

const (
	victimEnv  = "POTLUCK_TEST_VICTIM"
	smallEnv   = "POTLUCK_TEST_SMALL_VICTIM"
	victimSize = 24<<20 + 333
)

// victim downloads into folder, one piece for each byte that it reads, and
// tells of each piece that was put.
func victim(folder string) int {
	s, err := makeSample(victimSize)
	if err != nil {
		return 1
	}
	f, err := partial.Open(s.want(folder, "x"))
	if err != nil {
		return 1
	}
	if err := f.SetLayer(s.layer); err != nil {
		return 1
	}
	fmt.Println("begin", len(f.Missing()))
	for _, i := range f.Missing() {
		if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
			return 1
		}
		p, err := s.layer.Verify(i, s.bytesOf(i))
		if err != nil {
			return 1
		}
		if err := f.Put(p); err != nil {
			return 1
		}
		fmt.Println(i)
		if i%7 == 0 {
			if err := f.Sync(); err != nil {
				return 1
			}
		}
	}
	return 0
}

// prey is a running victim.
type prey struct {
	cmd   *exec.Cmd
	allow io.WriteCloser
	lines *bufio.Scanner
}

func startVictim(t *testing.T, folder, env string) prey {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), env+"="+folder)
	allow, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return prey{cmd: cmd, allow: allow, lines: bufio.NewScanner(out)}
}

// kill returns what the victim still said before it died.
func (p prey) kill(t *testing.T) (last []string) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for p.lines.Scan() {
		last = append(last, p.lines.Text())
	}
	var exit *exec.ExitError
	if err := p.cmd.Wait(); !errors.As(err, &exit) || exit.Exited() && exit.ExitCode() == 0 {
		t.Fatalf("it ended before it was killed: %v", err)
	}
	return last
}

// TestResumeAfterKill kills a program in the middle of writing, twice
// over: what it had put is there.
func TestResumeAfterKill(t *testing.T) {
	s := newSample(t, victimSize)
	folder := t.TempDir()
	told := make(map[string]bool)
	for _, pieces := range []int{1, 12} {
		p := startVictim(t, folder, victimEnv)
		if !p.lines.Scan() || p.lines.Text() != fmt.Sprint("begin ", s.layer.Pieces()-len(told)) {
			t.Errorf("began with %q after %d pieces were put", p.lines.Text(), len(told))
		}
		// One more than is waited for, so that it dies in the midst of it.
		if _, err := p.allow.Write(make([]byte, pieces+1)); err != nil {
			t.Fatal(err)
		}
		for range pieces {
			if !p.lines.Scan() {
				t.Fatal("it ended by itself")
			}
			told[p.lines.Text()] = true
		}
		for _, line := range p.kill(t) {
			told[line] = true
		}
		// One more piece may have been put and not told of.
		f := open(t, s.want(folder, "x"))
		if have := s.layer.Pieces() - len(f.Missing()); have < len(told) || have > len(told)+1 {
			t.Errorf("%d pieces are here, %d were put", have, len(told))
		}
		for i := range s.layer.Pieces() {
			if told[fmt.Sprint(i)] && !f.Has(i) {
				t.Errorf("piece %d was put and is lost", i)
			}
			if f.Has(i) {
				told[fmt.Sprint(i)] = true
			}
		}
		closeFile(t, f)
	}
	f := open(t, s.want(folder, "x"))
	put(t, f, s, f.Missing()...)
	finish(t, f, s, filepath.Join(folder, "x"))
	expectFiles(t, folder, "x")
}

// TestBusyInAnotherProcess opens what another program has open.
func TestBusyInAnotherProcess(t *testing.T) {
	folder := t.TempDir()
	p := startVictim(t, folder, victimEnv)
	if !p.lines.Scan() {
		t.Error("it did not begin")
	}
	s := newSample(t, victimSize)
	if _, err := partial.Open(s.want(folder, "x")); !errors.Is(err, domain.ErrBusy) {
		t.Errorf("opened twice: %v", err)
	}
	p.kill(t)
	closeFile(t, open(t, s.want(folder, "x")))
}
