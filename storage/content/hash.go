package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"lukechampine.com/blake3/guts"

	"github.com/potluck-share/potluck/app/domain"
)

// Sum is what hashing a file gives.
type Sum struct {
	ID   domain.ContentID
	Size int64
	// Layer holds the chaining values of all pieces, 32 bytes each; nil for a
	// content of up to one piece.
	Layer []byte
}

// step is how many bytes are read at a time. They are still in the cache of the
// core when they are hashed: whole pieces took a fifth more processor time.
const step = 128 << 10

var buffers = sync.Pool{New: func() any { return new([step]byte) }}

// Hash hashes the size bytes of r with that many workers, or with all cores if
// workers is 0 or less. It reads 128 KiB at a time, in parallel if there are
// several workers.
//
// progress, which may be nil, is told the number of bytes done since the last
// call, never from two goroutines at once. The error is domain.ErrChanged if r
// turns out to be shorter or longer than size, domain.ErrUnreadable if reading
// fails, domain.ErrTooLarge for a size that Potluck does not handle, or the
// context's own.
func Hash(ctx context.Context, r io.ReaderAt, size int64, workers int, progress func(n int64)) (Sum, error) {
	if err := checkSize(size); err != nil {
		return Sum{}, err
	}
	h := hasher{r: r, size: size, pieces: domain.Pieces(size), progress: progress}
	if size > domain.PieceSize {
		h.layer = make([]byte, h.pieces*valueSize)
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if err := h.run(ctx, min(workers, h.pieces)); err != nil {
		return Sum{}, err
	}
	if err := h.checkEnd(); err != nil {
		return Sum{}, err
	}
	if h.layer == nil {
		return Sum{ID: h.id, Size: size}, nil
	}
	return Sum{ID: finish(above(h.layer)), Size: size, Layer: h.layer}, nil
}

// hasher is one run of Hash, shared by its workers.
type hasher struct {
	r      io.ReaderAt
	size   int64
	pieces int
	next   atomic.Int64 // the piece that the next free worker takes

	layer []byte           // each worker writes the values of its own pieces
	id    domain.ContentID // of a content without a layer

	mu       sync.Mutex // held while progress is called
	progress func(n int64)
}

// run hashes all pieces and returns the first error.
func (h *hasher) run(ctx context.Context, workers int) error {
	if workers == 1 {
		return h.work(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			if err := h.work(ctx); err != nil {
				cancel(err) // the first cause stays
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// work hashes pieces until none is left.
func (h *hasher) work(ctx context.Context) error {
	buf := buffers.Get().(*[step]byte)
	defer buffers.Put(buf)
	for {
		index := int(h.next.Add(1)) - 1
		if index >= h.pieces {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		length := domain.PieceLength(h.size, index)
		node, err := h.read(buf[:], int64(index)*domain.PieceSize, uint64(length))
		if err != nil {
			return err
		}
		if h.layer == nil {
			h.id = finish(node)
		} else {
			putValue(h.layer[index*valueSize:], guts.ChainingValue(node))
		}
		h.tell(int64(length))
	}
}

// read returns the node above n bytes from offset on, which are at most one
// piece, with the help of a buffer that is a step long.
func (h *hasher) read(buf []byte, offset int64, n uint64) (guts.Node, error) {
	if n <= uint64(len(buf)) {
		data := buf[:n]
		if err := readFull(h.r, data, offset); err != nil {
			return guts.Node{}, err
		}
		return leaf(data, uint64(offset)/guts.ChunkSize), nil
	}
	left := leftPart(n)
	a, err := h.read(buf, offset, left)
	if err != nil {
		return guts.Node{}, err
	}
	b, err := h.read(buf, offset+int64(left), n-left)
	if err != nil {
		return guts.Node{}, err
	}
	return guts.ParentNode(guts.ChainingValue(a), guts.ChainingValue(b), &guts.IV, 0), nil
}

func (h *hasher) tell(n int64) {
	if h.progress == nil || n == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.progress(n)
}

// checkEnd makes sure that nothing follows the last byte.
func (h *hasher) checkEnd() error {
	var more [1]byte
	n, err := h.r.ReadAt(more[:], h.size)
	switch {
	case n > 0:
		return fmt.Errorf("longer than %d bytes: %w", h.size, domain.ErrChanged)
	case err == nil || errors.Is(err, io.EOF):
		return nil
	default:
		return fmt.Errorf("reading at %d: %w: %w", h.size, domain.ErrUnreadable, err)
	}
}

func readFull(r io.ReaderAt, data []byte, offset int64) error {
	if len(data) == 0 {
		return nil
	}
	n, err := r.ReadAt(data, offset)
	switch {
	case n == len(data):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return fmt.Errorf("ends at %d: %w", offset+int64(n), domain.ErrChanged)
	default:
		return fmt.Errorf("reading at %d: %w: %w", offset+int64(n), domain.ErrUnreadable, err)
	}
}

// checkSize refuses sizes that no content has, before anything is allocated.
func checkSize(size int64) error {
	if size < 0 {
		return fmt.Errorf("size %d: %w", size, domain.ErrMalformed)
	}
	if size > domain.MaxFileSize {
		return fmt.Errorf("size %d, the most is %d: %w", size, domain.MaxFileSize, domain.ErrTooLarge)
	}
	return nil
}
