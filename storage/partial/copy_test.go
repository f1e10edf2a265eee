package partial_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/partial"
)

// source writes data into a file and opens it.
func source(t *testing.T, data []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // only read from
	return f
}

func TestCopyFromAFileOfThisMachine(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, domain.PieceSize, domain.PieceSize + 1, 5*domain.PieceSize + 77} {
		s := newSample(t, size)
		folder := t.TempDir()
		f := open(t, s.want(folder, "x"))
		shared, err := f.CopyFrom(t.Context(), source(t, s.data), s.layer)
		if err != nil || f.Done() != int64(size) {
			t.Fatalf("%d bytes: %d done, %v", size, f.Done(), err)
		}
		t.Logf("%d bytes, blocks shared: %v", size, shared)
		finish(t, f, s, filepath.Join(folder, "x"))
	}
}

func TestCopyTakesOnlyWhatIsRight(t *testing.T) {
	t.Parallel()
	s := newSample(t, 4*domain.PieceSize+1000)
	for name, spoil := range map[string]func([]byte) []byte{
		"changed": func(d []byte) []byte { d[domain.PieceSize+5]++; return d },
		"cut":     func(d []byte) []byte { return d[:3*domain.PieceSize-1] },
		"longer":  func(d []byte) []byte { return append(d, "more"...) },
		"gone":    func([]byte) []byte { return nil },
	} {
		folder := t.TempDir()
		f := open(t, s.want(folder, "x"))
		src := source(t, spoil(append([]byte(nil), s.data...)))
		if _, err := f.CopyFrom(t.Context(), src, s.layer); err != nil {
			t.Fatal(name, err)
		}
		missing := map[string]int{"changed": 1, "cut": 3, "longer": 0, "gone": 5}[name]
		if got := f.Missing(); len(got) != missing {
			t.Errorf("%s: missing %v", name, got)
		}
		for _, i := range f.Missing() {
			put(t, f, s, i)
		}
		finish(t, f, s, filepath.Join(folder, "x"))
	}
}

// TestCopyGoesOnWithAPart takes only what is missing, and what was copied is
// there after an interruption.
func TestCopyGoesOnWithAPart(t *testing.T) {
	t.Parallel()
	s := newSample(t, 6*domain.PieceSize)
	folder := t.TempDir()
	f := open(t, s.want(folder, "x"))
	setLayer(t, f, s)
	put(t, f, s, 0, 1)
	half := append([]byte(nil), s.data[:4*domain.PieceSize]...)
	if _, err := f.CopyFrom(t.Context(), source(t, half), s.layer); err != nil {
		t.Fatal(err)
	}
	closeFile(t, f)
	f = open(t, s.want(folder, "x"))
	if f.Done() != 4*domain.PieceSize {
		t.Errorf("%d bytes were kept", f.Done())
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.CopyFrom(stopped, source(t, s.data), s.layer); !errors.Is(err, context.Canceled) {
		t.Errorf("a copy that was stopped: %v", err)
	}
	if _, err := f.CopyFrom(t.Context(), source(t, s.data), newSample(t, 99).layer); !errors.Is(err, domain.ErrDamaged) {
		t.Errorf("a layer of something else: %v", err)
	}
	if _, err := f.CopyFrom(t.Context(), source(t, s.data), s.layer); err != nil {
		t.Fatal(err)
	}
	finish(t, f, s, filepath.Join(folder, "x"))
}

func TestFinderKnowsAFileByItsContent(t *testing.T) {
	t.Parallel()
	s := newSample(t, 2*domain.PieceSize+3)
	folder := t.TempDir()
	want := s.want(folder, "sub/film.mp4")
	var finder partial.Finder
	var read int64
	find := func() string {
		t.Helper()
		read = 0
		path, err := finder.Find(t.Context(), want, func(n int64) { read += n })
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	if got := find(); got != "" {
		t.Errorf("found %q in an empty folder", got)
	}
	write := func(name string, data []byte) string {
		t.Helper()
		path := filepath.Join(folder, "sub", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	other := append([]byte(nil), s.data...)
	other[0]++
	write("film.mp4", other)
	write("film (2).mp4", []byte("short"))
	if got := find(); got != "" || read != s.sum.Size {
		t.Errorf("found %q after %d bytes", got, read)
	}
	if got := find(); got != "" || read != 0 {
		t.Errorf("found %q, and read %d bytes once more", got, read)
	}
	third := write("film (3).mp4", s.data)
	if got := find(); got != third || read != s.sum.Size {
		t.Errorf("found %q after %d bytes, want %q", got, read, third)
	}
	// The first is what was wanted after all: its time tells.
	first := write("film.mp4", s.data)
	if err := os.Chtimes(first, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := find(); got != first {
		t.Errorf("found %q, want %q", got, first)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := finder.Find(stopped, want, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a search that was stopped: %v", err)
	}
}
