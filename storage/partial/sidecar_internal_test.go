package partial

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
)

// encoded returns a sidecar of two slots.
func encoded(tb testing.TB, size int64) ([]byte, content.Layer) {
	tb.Helper()
	sum, err := content.Hash(context.Background(), bytes.NewReader(make([]byte, size)), size, 0, nil)
	if err != nil {
		tb.Fatal(err)
	}
	layer, err := content.NewLayer(sum.ID, size, sum.Layer)
	if err != nil {
		tb.Fatal(err)
	}
	header := encodeHeader(sum.ID, size)
	at := layout{size: size, pieces: layer.Pieces()}
	raw := make([]byte, at.slot(1)+at.slotLen())
	copy(raw, header)
	copy(raw[headerLen:], layer.Raw())
	for generation := range uint64(2) {
		have := make(bitmap, bitmapLen(at.pieces))
		have.set(int(generation))
		copy(raw[at.slot(generation+1):], encodeSlot(header, state{
			generation: generation + 1, have: have, length: size, modified: time.Unix(77, 5), clean: generation == 1,
		}))
	}
	return raw, layer
}

func TestSidecarIsReadAsItWasWritten(t *testing.T) {
	raw, layer := encoded(t, 9<<20+1)
	got, s, err := decodeSidecar(bytes.NewReader(raw), int64(len(raw)), layer.ID())
	if err != nil {
		t.Fatal(err)
	}
	if got.Size() != layer.Size() || !bytes.Equal(got.Raw(), layer.Raw()) {
		t.Error("another layer")
	}
	if s.generation != 2 || !s.clean || s.length != 9<<20+1 || !s.modified.Equal(time.Unix(77, 5)) || !s.have.has(1) || s.have.has(0) {
		t.Errorf("another state: %+v", s)
	}
	if _, _, err := decodeSidecar(bytes.NewReader(raw), int64(len(raw)), domain.ContentID{1}); err == nil {
		t.Error("taken for another content's")
	}
	// A slot that was torn leaves the other one.
	at := layout{size: layer.Size(), pieces: layer.Pieces()}
	raw[at.slot(2)+3] ^= 1
	if _, s, err := decodeSidecar(bytes.NewReader(raw), int64(len(raw)), layer.ID()); err != nil || s.generation != 1 || s.clean {
		t.Errorf("with a torn slot: %+v, %v", s, err)
	}
}

// TestSidecarStaysReadable pins the format: downloads outlive updates.
func TestSidecarStaysReadable(t *testing.T) {
	header := encodeHeader(domain.ContentID{0xab}, 3<<20)
	if !bytes.HasPrefix(header, []byte("potluck1\xab\x00")) || !bytes.Equal(header[40:48], []byte{0, 0, 0x30, 0, 0, 0, 0, 0}) || len(header) != 80 {
		t.Errorf("the header is %x", header)
	}
	slot := encodeSlot(header, state{generation: 5, length: 6, modified: time.Unix(0, 7), clean: true, have: bitmap{0x05}})
	want := make([]byte, 33)
	want[0], want[8], want[16], want[24], want[32] = 5, 6, 7, 1, 0x05
	if !bytes.Equal(slot[:33], want) || len(slot) != 65 {
		t.Errorf("a slot is %x", slot)
	}
	at := layout{size: 3 << 20, pieces: 3}
	if got := []int64{at.slot(0), at.slot(1), at.slot(2)}; !slices.Equal(got, []int64{4096, 8192, 4096}) {
		t.Errorf("slots lie at %v", got)
	}
}

// FuzzDecodeSidecar makes sure that nothing is believed without its checksum.
func FuzzDecodeSidecar(f *testing.F) {
	raw, layer := encoded(f, 2<<20+1)
	id := layer.ID()
	f.Add(raw)
	f.Add(raw[:headerLen])
	f.Add(raw[:headerLen+96])
	f.Add(encodeHeader(id, -1))
	f.Add(encodeHeader(id, domain.MaxFileSize))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, s, err := decodeSidecar(bytes.NewReader(data), int64(len(data)), id)
		if err != nil {
			return
		}
		if got.ID() != id || got.Size() != layer.Size() && got.Size() <= domain.PieceSize {
			t.Fatalf("a layer of %v with %d bytes", got.ID(), got.Size())
		}
		if s.generation > 0 && len(s.have) != bitmapLen(got.Pieces()) {
			t.Fatalf("a bitmap of %d bytes for %d pieces", len(s.have), got.Pieces())
		}
	})
}
