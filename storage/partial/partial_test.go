package partial_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
	"github.com/potluck-share/potluck/storage/partial"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(victimEnv); folder != "" {
		os.Exit(victim(folder))
	}
	if folder := os.Getenv(smallEnv); folder != "" {
		os.Exit(smallVictim(folder))
	}
	goleak.VerifyTestMain(m)
}

func TestDownload(t *testing.T) {
	for _, size := range []int{0, 1, 1000, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3 << 20, 9<<20 + 17} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s := newSample(t, size)
			folder := t.TempDir()
			want := s.want(folder, "sub/deep/file.bin")
			want.Modified = time.Date(2019, 5, 6, 7, 8, 9, 0, time.UTC)
			f := open(t, want)
			if f.Size() != int64(size) {
				t.Errorf("the size is %d", f.Size())
			}
			if _, known := f.Layer(); known != (size <= domain.PieceSize) {
				t.Errorf("the layer is known: %v", known)
			}
			setLayer(t, f, s)
			if layer, known := f.Layer(); !known || layer.ID() != s.sum.ID || layer.Size() != int64(size) {
				t.Error("the layer is not the one that was set")
			}
			for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(s.layer.Pieces()) {
				if size > 0 {
					if _, err := f.Finish(); !errors.Is(err, domain.ErrWaiting) {
						t.Fatalf("finished with a piece missing: %v", err)
					}
				}
				put(t, f, s, i, i)
				buf := make([]byte, domain.PieceSize)
				if n, err := f.ReadPiece(i, buf); err != nil || !bytes.Equal(buf[:n], s.bytesOf(i)) {
					t.Fatalf("piece %d reads as %d bytes, %v", i, n, err)
				}
			}
			expectMissing(t, f, s)
			finish(t, f, s, filepath.Join(folder, "sub", "deep", "file.bin"))
			expectFiles(t, folder, "sub", "sub/deep", "sub/deep/file.bin")
			info, err := os.Stat(filepath.Join(folder, "sub", "deep", "file.bin"))
			if err != nil || !info.ModTime().Equal(want.Modified) {
				t.Errorf("the modified time is %v, %v", info.ModTime(), err)
			}
			closeFile(t, f)
			if _, err := f.Finish(); err == nil {
				t.Error("finished twice")
			}
		})
	}
}

func TestByAllAtOnce(t *testing.T) {
	s := newSample(t, 12<<20+5)
	folder := t.TempDir()
	f := open(t, s.want(folder, "x"))
	setLayer(t, f, s)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			buf := make([]byte, domain.PieceSize)
			for i := range s.layer.Pieces() {
				index := (i*5 + worker) % s.layer.Pieces()
				p, err := s.layer.Verify(index, s.bytesOf(index))
				if err == nil {
					err = f.Put(p)
				}
				if err == nil {
					_, err = f.ReadPiece(index, buf)
				}
				if err == nil && i%4 == 0 {
					err = f.Sync()
				}
				if err != nil || !f.Has(index) || len(f.Missing()) >= s.layer.Pieces() || f.Done() == 0 {
					t.Errorf("piece %d: %v", index, err)
				}
			}
		})
	}
	wg.Wait()
	finish(t, f, s, filepath.Join(folder, "x"))
}

func TestNeverOverwrites(t *testing.T) {
	folder := t.TempDir()
	for _, size := range []int{100, 2 << 20} {
		s := newSample(t, size)
		name := fmt.Sprintf("%d.bin", size)
		if err := os.WriteFile(filepath.Join(folder, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		f := open(t, s.want(folder, name))
		setLayer(t, f, s)
		for i := range s.layer.Pieces() {
			put(t, f, s, i)
		}
		finish(t, f, s, filepath.Join(folder, fmt.Sprintf("%d (2).bin", size)))
		if data, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(data) != "mine" {
			t.Errorf("the file that was there holds %d bytes, %v", len(data), err)
		}
	}
}

func TestSizeThatIsNotKnown(t *testing.T) {
	for _, size := range []int{0, 500, 1 << 20, 5<<20 + 3} {
		s := newSample(t, size)
		folder := t.TempDir()
		want := s.want(folder, "x")
		want.Size = -1
		f := open(t, want)
		if _, known := f.Layer(); known || f.Size() != -1 || f.Missing() != nil || f.Done() != 0 {
			t.Error("something is known of nothing")
		}
		if err := f.Put(s.piece(t, 0)); !errors.Is(err, domain.ErrDamaged) {
			t.Errorf("a piece before the layer: %v", err)
		}
		setLayer(t, f, s)
		last := s.layer.Pieces() - 1
		put(t, f, s, last)
		closeFile(t, f)
		f = open(t, want)
		if _, known := f.Layer(); size > 0 && (!known || !f.Has(last)) {
			t.Errorf("%d bytes: the layer is known again: %v", size, known)
		}
		setLayer(t, f, s)
		for i := range last {
			put(t, f, s, i)
		}
		finish(t, f, s, filepath.Join(folder, "x"))
	}
}

// TestSizeThatWasALie takes another layer until the last piece proves one.
func TestSizeThatWasALie(t *testing.T) {
	s := newSample(t, 3<<20)
	lie, err := content.NewLayer(s.sum.ID, s.sum.Size-100, s.sum.Layer)
	if err != nil {
		t.Fatal(err)
	}
	small, err := content.NewLayer(s.sum.ID, 1000, nil)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	want := s.want(folder, "x")
	want.Size = -1
	f := open(t, want)
	for _, layer := range []content.Layer{small, lie} {
		if err := f.SetLayer(layer); err != nil {
			t.Fatal(err)
		}
		if f.Size() != layer.Size() {
			t.Errorf("the size is %d, not %d", f.Size(), layer.Size())
		}
	}
	put(t, f, s, 1) // right under both
	setLayer(t, f, s)
	expectMissing(t, f, s, 0, 2)
	put(t, f, s, 2)
	if err := f.SetLayer(lie); !errors.Is(err, domain.ErrDamaged) {
		t.Errorf("another size after the last piece: %v", err)
	}
	put(t, f, s, 0)
	finish(t, f, s, filepath.Join(folder, "x"))
	expectFiles(t, folder, "x")
}

func TestRefusesWhatDoesNotBelong(t *testing.T) {
	s, other := newSample(t, 2<<20), newSample(t, 2<<20+1)
	folder := t.TempDir()
	f := open(t, s.want(folder, "x"))
	if err := f.Put(s.piece(t, 0)); !errors.Is(err, domain.ErrDamaged) {
		t.Errorf("a piece without a layer: %v", err)
	}
	if err := f.SetLayer(other.layer); !errors.Is(err, domain.ErrDamaged) {
		t.Errorf("another content's layer: %v", err)
	}
	short, err := content.NewLayer(s.sum.ID, s.sum.Size-1, s.sum.Layer)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetLayer(short); !errors.Is(err, domain.ErrDamaged) {
		t.Errorf("a layer for another size: %v", err)
	}
	setLayer(t, f, s)
	if err := f.Put(other.piece(t, 0)); !errors.Is(err, domain.ErrDamaged) {
		t.Errorf("another content's piece: %v", err)
	}
	if err := f.Put(content.Piece{}); !errors.Is(err, domain.ErrDamaged) {
		t.Errorf("a piece of nothing: %v", err)
	}
	expectMissing(t, f, s, 0, 1)
	if _, err := f.ReadPiece(0, make([]byte, domain.PieceSize)); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("reading a piece that is not here: %v", err)
	}
	put(t, f, s, 0)
	if _, err := f.ReadPiece(0, make([]byte, 10)); !errors.Is(err, io.ErrShortBuffer) {
		t.Errorf("reading into a short buffer: %v", err)
	}
	for _, index := range []int{-1, 2, 1 << 40} {
		if f.Has(index) {
			t.Errorf("piece %d is here", index)
		}
	}
	closeFile(t, f)
	for name, err := range map[string]error{"Put": f.Put(s.piece(t, 1)), "Sync": f.Sync(), "SetLayer": f.SetLayer(s.layer)} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s on a closed file: %v", name, err)
		}
	}
	if _, err := f.ReadPiece(0, make([]byte, domain.PieceSize)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("ReadPiece on a closed file: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	s := newSample(t, 10)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*domain.Want)
		err    error
	}{
		"upwards":              {func(w *domain.Want) { w.Target = "../x" }, domain.ErrMalformed},
		"no name":              {func(w *domain.Want) { w.Target = "" }, domain.ErrMalformed},
		"relative folder":      {func(w *domain.Want) { w.Folder = "here" }, domain.ErrUsage},
		"no folder":            {func(w *domain.Want) { w.Folder = filepath.Join(folder, "gone") }, domain.ErrUnwritable},
		"folder is a file":     {func(w *domain.Want) { w.Folder = filepath.Join(folder, "file") }, domain.ErrUnwritable},
		"sub-folder is a file": {func(w *domain.Want) { w.Target = "file/x" }, domain.ErrUnwritable},
		"too large":            {func(w *domain.Want) { w.Size = domain.MaxFileSize + 1 }, domain.ErrTooLarge},
		"not empty":            {func(w *domain.Want) { w.Size = 0 }, domain.ErrDamaged},
	} {
		want := s.want(folder, "x")
		c.change(&want)
		if _, err := partial.Open(want); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	expectFiles(t, folder, "file")
}

func TestNamesAreMadeSafe(t *testing.T) {
	s := newSample(t, 10)
	folder := t.TempDir()
	f := open(t, s.want(folder, `/CON/a:b\c. `))
	put(t, f, s, 0)
	finish(t, f, s, filepath.Join(folder, "_CON", "a_b_c"))
}

func TestOnlyOnceAtATime(t *testing.T) {
	s := newSample(t, 2<<20)
	folder := t.TempDir()
	want := s.want(folder, "x")
	f := open(t, want)
	if _, err := partial.Open(want); !errors.Is(err, domain.ErrBusy) {
		t.Errorf("opened twice: %v", err)
	}
	if err := partial.Remove(want); !errors.Is(err, domain.ErrBusy) {
		t.Errorf("removed while it is open: %v", err)
	}
	link := folder + "-link"
	if err := os.Symlink(folder, link); err == nil {
		other := want
		other.Folder = link
		if _, err := partial.Open(other); !errors.Is(err, domain.ErrBusy) {
			t.Errorf("opened twice by way of a link: %v", err)
		}
	}
	other := want
	other.Target = "y"
	closeFile(t, open(t, other))
	closeFile(t, f)
	closeFile(t, open(t, want))
}

func TestDiscardAndRemove(t *testing.T) {
	for _, size := range []int{10, 3 << 20} {
		s := newSample(t, size)
		folder := t.TempDir()
		want := s.want(folder, "x")
		f := open(t, want)
		setLayer(t, f, s)
		put(t, f, s, 0)
		if err := f.Discard(); err != nil {
			t.Fatal(err)
		}
		expectFiles(t, folder)
		f = open(t, want)
		setLayer(t, f, s)
		put(t, f, s, 0)
		closeFile(t, f)
		if len(files(t, folder)) == 0 {
			t.Error("Close kept nothing")
		}
		if err := partial.Remove(want); err != nil {
			t.Fatal(err)
		}
		expectFiles(t, folder)
		if err := partial.Remove(want); err != nil {
			t.Errorf("removing nothing: %v", err)
		}
		want.Folder = filepath.Join(folder, "gone", "too")
		if err := partial.Remove(want); err != nil {
			t.Errorf("removing from a folder that is gone: %v", err)
		}
	}
}

func TestCloseLeavesNothingOfNothing(t *testing.T) {
	s := newSample(t, 3<<20)
	folder := t.TempDir()
	closeFile(t, open(t, s.want(folder, "x")))
	expectFiles(t, folder)
}

func TestFolder(t *testing.T) {
	folder := t.TempDir()
	modified := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := partial.Folder(folder, "a/b:c/d", modified); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(folder, "a", "b_c", "d"))
	if err != nil || !info.IsDir() || !info.ModTime().Equal(modified) {
		t.Errorf("%v, %v", info, err)
	}
	if err := partial.Folder(folder, "a", modified); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(folder, "a")); err != nil || info.ModTime().Equal(modified) {
		t.Errorf("a folder that was there has the time %v, %v", info.ModTime(), err)
	}
	if err := partial.Folder(folder, "../x", modified); !errors.Is(err, domain.ErrMalformed) {
		t.Errorf("upwards: %v", err)
	}
	if err := os.WriteFile(filepath.Join(folder, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := partial.Folder(folder, "file", modified); !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("where a file is: %v", err)
	}
}

func TestTimesThatNoDiskHas(t *testing.T) {
	s := newSample(t, 10)
	for _, modified := range []time.Time{time.Unix(1<<62, 0), time.Unix(-1<<62, 0), {}, time.Unix(-1<<33, 0)} {
		folder := t.TempDir()
		want := s.want(folder, "x")
		want.Modified = modified
		f := open(t, want)
		put(t, f, s, 0)
		finish(t, f, s, filepath.Join(folder, "x"))
	}
}

func TestReadOnlyFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("folders have no such mode here")
	}
	asUser(t)
	s := newSample(t, 10)
	folder := t.TempDir()
	want := s.want(folder, "x")
	f := open(t, want)
	put(t, f, s, 0)
	chmod(t, folder, 0o500)
	if _, err := f.Finish(); !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("finished in a read-only folder: %v", err)
	}
	if _, err := partial.Open(s.want(folder, "y")); !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("opened in a read-only folder: %v", err)
	}
	chmod(t, folder, 0o700)
	finish(t, f, s, filepath.Join(folder, "x"))
}

func chmod(t *testing.T, folder string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(folder, mode); err != nil {
		t.Fatal(err)
	}
}

func TestLongNames(t *testing.T) {
	s := newSample(t, 10)
	folder := t.TempDir()
	for _, want := range []string{strings.Repeat("n", 251) + ".txt", strings.Repeat("n", 247) + " (2).txt"} {
		f := open(t, s.want(folder, strings.Repeat("n", 400)+".txt"))
		put(t, f, s, 0)
		finish(t, f, s, filepath.Join(folder, want))
	}
}
