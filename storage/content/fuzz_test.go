package content_test

import (
	"bytes"
	"errors"
	"testing"

	"lukechampine.com/blake3"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
)

// FuzzNewLayer makes sure that a layer is taken only for an ID that it hashes
// to, and that whatever a taken layer verifies has the right length.
func FuzzNewLayer(f *testing.F) {
	data := pattern(3<<20 + 17)
	sum := hash(f, data)
	f.Add(sum.ID[:], sum.Size, sum.Layer)
	f.Add(sum.ID[:], sum.Size-1, sum.Layer)
	f.Add(sum.ID[:], int64(-1), []byte(nil))
	f.Add(sum.ID[:], domain.MaxFileSize, sum.Layer[:32])
	empty := blake3.Sum256(nil)
	f.Add(empty[:], int64(0), []byte(nil))
	f.Fuzz(func(t *testing.T, rawID []byte, size int64, raw []byte) {
		var id domain.ContentID
		copy(id[:], rawID)
		layer, err := content.NewLayer(id, size, raw)
		if err != nil {
			if domain.ErrorKind(err) == "failed" {
				t.Fatalf("an error without a kind: %v", err)
			}
			return
		}
		if layer.ID() != id || layer.Size() != size || !bytes.Equal(layer.Raw(), raw) {
			t.Fatal("the layer is not what was given")
		}
		if size > domain.PieceSize && len(raw) != 32*layer.Pieces() {
			t.Fatalf("%d bytes for %d pieces", len(raw), layer.Pieces())
		}
	})
}

// FuzzVerify makes sure that no bytes but the content's own pass as a piece.
func FuzzVerify(f *testing.F) {
	data := pattern(1<<20 + 300)
	layer := layerOf(f, data)
	small := layerOf(f, data[:300])
	f.Add(0, data[:300])
	f.Add(1, data[1<<20:])
	f.Add(1, data[:300])
	f.Add(-1, []byte(nil))
	f.Fuzz(func(t *testing.T, index int, bytesThere []byte) {
		for _, l := range []content.Layer{layer, small} {
			piece, err := l.Verify(index, bytesThere)
			if err != nil {
				if !errors.Is(err, domain.ErrDamaged) {
					t.Fatal(err)
				}
				continue
			}
			if !bytes.Equal(piece.Data(), pieceOf(data[:l.Size()], index)) {
				t.Fatalf("wrong bytes pass as piece %d", index)
			}
		}
	})
}
