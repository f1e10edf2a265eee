package content

import (
	"fmt"
	"slices"

	"lukechampine.com/blake3/guts"

	"github.com/potluck-share/potluck/app/domain"
)

// Layer is the piece layer of a content, checked against its ID. Its zero
// value verifies nothing.
//
// A layer does not prove the size it came with: subtrees of half or twice a
// piece hash to the same ID under another size. The last piece does, once it
// is verified. No piece verifies under a wrong size unless its bytes are those
// of the content at that place.
type Layer struct {
	id   domain.ContentID
	size int64
	raw  []byte
}

// NewLayer checks that raw, the chaining values of all pieces, hashes up to
// id. A content of up to one piece is its own layer: raw must be empty. The
// error is domain.ErrDamaged if raw does not fit, domain.ErrMalformed or
// domain.ErrTooLarge for an impossible size. NewLayer keeps a copy of raw.
func NewLayer(id domain.ContentID, size int64, raw []byte) (Layer, error) {
	if err := checkSize(size); err != nil {
		return Layer{}, err
	}
	want := 0
	if size > domain.PieceSize {
		want = domain.Pieces(size) * valueSize
	}
	if len(raw) != want {
		return Layer{}, fmt.Errorf("a piece layer of %d bytes for a size of %d, not %d: %w", len(raw), size, want, domain.ErrDamaged)
	}
	if size == 0 && id != finish(leaf(nil, 0)) {
		return Layer{}, fmt.Errorf("%v is not the empty content: %w", id, domain.ErrDamaged)
	}
	if want > 0 && finish(above(raw)) != id {
		return Layer{}, fmt.Errorf("the piece layer does not fit content %v: %w", id, domain.ErrDamaged)
	}
	return Layer{id: id, size: size, raw: slices.Clone(raw)}, nil
}

// ID returns the content that the layer belongs to.
func (l Layer) ID() domain.ContentID { return l.id }

// Size returns the size of the content in bytes, as NewLayer was told.
func (l Layer) Size() int64 { return l.size }

// Raw returns the chaining values, 32 bytes per piece; empty for up to one
// piece. The caller must not change them.
func (l Layer) Raw() []byte { return l.raw }

// Pieces returns the number of pieces, at least 1.
func (l Layer) Pieces() int { return domain.Pieces(l.size) }

// Verify checks that data is piece index of the content, and is the only way
// to make a Piece. The piece keeps data, which must not be changed any more.
// The error is domain.ErrDamaged.
func (l Layer) Verify(index int, data []byte) (Piece, error) {
	if index < 0 || index >= l.Pieces() {
		return Piece{}, fmt.Errorf("piece %d of %d: %w", index, l.Pieces(), domain.ErrDamaged)
	}
	if want := domain.PieceLength(l.size, index); len(data) != want {
		return Piece{}, fmt.Errorf("piece %d with %d bytes, not %d: %w", index, len(data), want, domain.ErrDamaged)
	}
	node := leaf(data, uint64(index)*pieceChunks)
	fits := false
	if len(l.raw) == 0 {
		fits = finish(node) == l.id
	} else {
		fits = guts.ChainingValue(node) == getValue(l.raw[index*valueSize:])
	}
	if !fits {
		return Piece{}, fmt.Errorf("piece %d of content %v: %w", index, l.id, domain.ErrDamaged)
	}
	return Piece{id: l.id, index: index, data: data}, nil
}

// Piece is a verified piece of a content. Only Layer.Verify makes one.
type Piece struct {
	id    domain.ContentID
	index int
	data  []byte
}

// ID returns the content that the piece belongs to.
func (p Piece) ID() domain.ContentID { return p.id }

// Index returns its place: it begins at Index × domain.PieceSize.
func (p Piece) Index() int { return p.index }

// Data returns its bytes. The caller must not change them.
func (p Piece) Data() []byte { return p.data }
