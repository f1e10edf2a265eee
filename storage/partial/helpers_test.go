package partial_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
	"github.com/potluck-share/potluck/storage/partial"
)

// sample is a content with all that a provider knows of it.
type sample struct {
	data  []byte
	sum   content.Sum
	layer content.Layer
}

func newSample(t testing.TB, size int) sample {
	t.Helper()
	s, err := makeSample(size)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func makeSample(size int) (sample, error) {
	s := sample{data: make([]byte, size)}
	source := rand.NewChaCha8([32]byte{byte(size), byte(size >> 8), byte(size >> 16)})
	_, _ = source.Read(s.data) // never fails
	var err error
	s.sum, err = content.Hash(context.Background(), bytes.NewReader(s.data), int64(size), 0, nil)
	if err != nil {
		return s, err
	}
	s.layer, err = content.NewLayer(s.sum.ID, s.sum.Size, s.sum.Layer)
	return s, err
}

func (s sample) bytesOf(index int) []byte {
	start := index * domain.PieceSize
	return s.data[start : start+domain.PieceLength(int64(len(s.data)), index)]
}

func (s sample) piece(t testing.TB, index int) content.Piece {
	t.Helper()
	p, err := s.layer.Verify(index, s.bytesOf(index))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (s sample) want(folder, target string) domain.Want {
	return domain.Want{Content: s.sum.ID, Size: s.sum.Size, Folder: folder, Target: target}
}

func open(t testing.TB, want domain.Want) *partial.File {
	t.Helper()
	f, err := partial.Open(want)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // again, where a test failed before its own
	return f
}

func put(t testing.TB, f *partial.File, s sample, indexes ...int) {
	t.Helper()
	for _, i := range indexes {
		if err := f.Put(s.piece(t, i)); err != nil {
			t.Fatal(err)
		}
	}
}

func setLayer(t testing.TB, f *partial.File, s sample) {
	t.Helper()
	if err := f.SetLayer(s.layer); err != nil {
		t.Fatal(err)
	}
}

func finish(t testing.TB, f *partial.File, s sample, want string) {
	t.Helper()
	path, err := f.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if path != want {
		t.Errorf("finished as %s, not %s", path, want)
	}
	data, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(data, s.data) {
		t.Errorf("the finished file has %d bytes, or others than the %d wanted: %v", len(data), len(s.data), err)
	}
}

func closeFile(t testing.TB, f *partial.File) {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// files returns what lies below a folder, files with their sizes.
func files(t testing.TB, folder string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		rel, err := filepath.Rel(folder, path)
		found = append(found, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func expectFiles(t testing.TB, folder string, want ...string) {
	t.Helper()
	if found := files(t, folder); !slices.Equal(found, want) {
		t.Errorf("there is %q, not %q", found, want)
	}
}

// find returns the only file in folder with that ending.
func find(t testing.TB, folder, ending string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, ".potluck-*"+ending))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d files end with %s: %v", len(found), ending, err)
	}
	return found[0]
}

func expectMissing(t testing.TB, f *partial.File, s sample, want ...int) {
	t.Helper()
	if got := f.Missing(); !slices.Equal(got, want) {
		t.Errorf("missing %v, not %v", got, want)
	}
	done := int64(len(s.data))
	for _, i := range want {
		done -= int64(len(s.bytesOf(i)))
		if f.Has(i) {
			t.Errorf("piece %d is missing and here", i)
		}
	}
	if got := f.Done(); got != done {
		t.Errorf("%d bytes are done, not %d", got, done)
	}
}
