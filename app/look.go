package app

import (
	"context"
	"io"
	"os"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/storage/content"
)

// Look reads the beginning of a content from this machine, as far as it is
// here, and fetches the rest of it.
func (e *engine) Look(ctx context.Context, id domain.ContentID, size, most int64, from []domain.PeerID) ([]byte, error) {
	want := fetch.Look{Content: id, Size: size, Pieces: domain.Pieces(most)}
	data, err := e.lookHere(ctx, want)
	if err == nil && data == nil {
		data, err = e.lookAround(ctx, want, from)
	}
	if err != nil {
		return nil, err
	}
	return data[:min(most, int64(len(data)))], nil
}

// lookAround takes from a download that is under way, or done, what it has, and
// asks others for the rest.
func (e *engine) lookAround(ctx context.Context, want fetch.Look, from []domain.PeerID) ([]byte, error) {
	held, err := e.holdings.Local(want.Content)
	if err != nil {
		return e.fetcher.Look(ctx, want, from)
	}
	defer func() { _ = held.Close() }() // only read from
	if layer, err := content.NewLayer(want.Content, want.Size, held.Layer()); err == nil {
		want.Layer = layer
		want.Here = func(piece int, buf []byte) bool {
			return held.Here(piece) && readPiece(held, piece, buf)
		}
	}
	return e.fetcher.Look(ctx, want, from)
}

// lookHere reads the beginning of a content that lies here as a whole; no bytes
// and no error if none does. It is read by few at a time, so that many looks
// at once do not take much memory.
func (e *engine) lookHere(ctx context.Context, want fetch.Look) ([]byte, error) {
	select {
	case e.looks <- struct{}{}:
		defer func() { <-e.looks }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if file, raw, err := e.own.shared(ctx, want.Content); err == nil {
		defer func() { _ = file.Close() }() // only read from
		if layer, err := content.NewLayer(want.Content, want.Size, raw); err == nil {
			if data := readBeginning(file, layer, want.Pieces); data != nil {
				return data, nil
			}
		}
	}
	path := e.own.finished(want.Content)
	if path == "" || want.Size > slowToHash {
		return nil, ctx.Err()
	}
	file, layer, err := e.openFinished(ctx, path, want.Content, want.Size, nil)
	if file == nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read from
	return readBeginning(file, layer, want.Pieces), nil
}

// readBeginning reads and verifies the first pieces of a file; nil if it is not
// what it was.
func readBeginning(file *os.File, layer content.Layer, pieces int) []byte {
	data := make([]byte, min(layer.Size(), int64(pieces)*domain.PieceSize))
	for i := range pieces {
		piece := data[i*domain.PieceSize:][:domain.PieceLength(layer.Size(), i)]
		if !readPiece(file, i, piece) {
			return nil
		}
		if _, err := layer.Verify(i, piece); err != nil {
			return nil
		}
	}
	return data
}

// readPiece reads a piece that fills buf.
func readPiece(from io.ReaderAt, piece int, buf []byte) bool {
	if len(buf) == 0 {
		return true
	}
	n, _ := from.ReadAt(buf, int64(piece)*domain.PieceSize) // short or not tells
	return n == len(buf)
}
