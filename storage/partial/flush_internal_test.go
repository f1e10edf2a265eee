package partial

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
)

// begin opens a download of three pieces of zeros.
func begin(t *testing.T) (*File, content.Layer) {
	t.Helper()
	_, layer := encoded(t, 3<<20)
	f, err := Open(domain.Want{Content: layer.ID(), Size: layer.Size(), Folder: t.TempDir(), Target: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetLayer(layer); err != nil {
		t.Fatal(err)
	}
	return f, layer
}

func putZeros(f *File, layer content.Layer, index int) error {
	p, err := layer.Verify(index, make([]byte, domain.PieceSize))
	if err != nil {
		return err
	}
	return f.Put(p)
}

// noted returns what the sidecar on disk says.
func noted(t *testing.T, f *File) state {
	t.Helper()
	raw, err := f.place.dir.root.ReadFile(f.place.side)
	if err != nil {
		t.Fatal(err)
	}
	_, s, err := decodeSidecar(bytes.NewReader(raw), int64(len(raw)), f.want.Content)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFlusherNotesWhatWasPut(t *testing.T) {
	f, layer := begin(t)
	if err := putZeros(f, layer, 1); err != nil {
		t.Fatal(err)
	}
	if s := noted(t, f); s.have.has(1) {
		t.Error("a piece is noted before it is flushed")
	}
	f.kick <- struct{}{}
	for deadline := time.Now().Add(10 * time.Second); !noted(t, f).have.has(1); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the flusher does nothing")
		}
	}
	if s := noted(t, f); s.clean || s.have.has(0) {
		t.Errorf("noted %+v", s)
	}
	if err := f.Discard(); err != nil {
		t.Error(err)
	}
}

// TestFailedFlush takes the file away from under a flush.
func TestFailedFlush(t *testing.T) {
	f, layer := begin(t)
	if err := putZeros(f, layer, 0); err != nil {
		t.Fatal(err)
	}
	if err := f.part.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); !errors.Is(err, domain.ErrUnwritable) || !errors.Is(err, os.ErrClosed) {
		t.Errorf("flushed: %v", err)
	}
	if s := noted(t, f); s.have.has(0) {
		t.Error("noted though not flushed")
	}
	if err := putZeros(f, layer, 1); !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("a piece is taken after that: %v", err)
	}
	if err := f.Close(); !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("closed as if nothing had been: %v", err)
	}
	again, err := Open(f.want)
	if err != nil {
		t.Fatal(err)
	}
	if !again.Has(0) || again.Has(1) {
		t.Errorf("missing afterwards: %v", again.Missing())
	}
	if err := again.Discard(); err != nil {
		t.Error(err)
	}
}
