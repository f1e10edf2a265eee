// Package partial keeps downloads in the making: part files that survive
// interruptions and become finished files in one step.
//
// A download's bytes are kept in a part file beside its destination. Beside
// that lies a sidecar, the only truth about the part: the content ID, the
// size, the piece layer and a checksummed bitmap of the pieces that were
// flushed. What the bitmap does not mark is hashed against the layer when the
// download is opened again, so that a killed program loses next to nothing. A
// content of up to one piece needs no sidecar.
//
// Bytes enter by one door, File.Put, and only as a verified content.Piece.
// Everything is opened, made and renamed below an os.Root on the destination
// folder, and no existing file is ever overwritten.
//
// The methods of a File may be called from any goroutine. A File owns a
// goroutine that flushes; Finish, Close and Discard end it.
package partial

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
	"github.com/potluck-share/potluck/storage/disk"
)

// File is a download in the making. Open makes one; it ends with Finish, Close
// or Discard, after which its other methods do nothing.
type File struct {
	want   domain.Want
	place  place
	unlock func() // gives the place free for another Open

	// access is held for reading while the part is read, written or flushed,
	// and for writing while it is opened, closed or measured up. It is taken
	// before mu.
	access sync.RWMutex
	part   *os.File // nil once closed
	side   *sidecar // nil for up to one piece, and until the layer is known

	mu    sync.Mutex
	size  int64 // -1 until it is known
	layer content.Layer
	known bool // layer is set
	have  bitmap
	left  int   // pieces that are missing
	done  int64 // bytes of those that are not
	dirty int64 // bytes put since the last flush began
	// failed is why a flush failed. What was not flushed may be lost then, so
	// nothing more is taken until the download is opened, and checked, again.
	failed error

	flushing sync.Mutex // held by one flush at a time; taken before access
	kick     chan struct{}
	stop     chan struct{} // closed to end the flusher
	flusher  sync.WaitGroup
	once     sync.Once // stops the flusher
}

// Size returns the size of the content in bytes, -1 while it is not known.
func (f *File) Size() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.size
}

// Layer returns the content's piece layer, if it is known: from the sidecar,
// from SetLayer, or because a content of up to one piece needs none.
func (f *File) Layer() (content.Layer, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.layer, f.known
}

// Has reports whether the piece is here.
func (f *File) Has(index int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.have.has(index)
}

// Missing returns the pieces that are not here, in order; none while the size
// is not known.
func (f *File) Missing() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == 0 {
		return nil
	}
	missing := make([]int, 0, f.left)
	for i := range domain.Pieces(f.size) {
		if !f.have.has(i) {
			missing = append(missing, i)
		}
	}
	return missing
}

// Done returns the number of verified bytes, those of earlier runs included.
func (f *File) Done() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.done
}

// Put writes a piece to its place. It does not keep the piece's data. A piece
// that is here already is ignored. The error is domain.ErrDamaged for a piece
// of another content, domain.ErrNoSpace or domain.ErrUnwritable if it cannot
// be written, or if what was put before could not be flushed.
func (f *File) Put(p content.Piece) error {
	f.access.RLock()
	defer f.access.RUnlock()
	if here, err := f.admit(p); here || err != nil {
		return err
	}
	if _, err := f.part.WriteAt(p.Data(), offset(p.Index())); err != nil {
		return f.errorf("writing", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mark(p.Index())
	f.dirty += int64(len(p.Data()))
	if f.dirty >= flushBytes {
		select {
		case f.kick <- struct{}{}:
		default: // the flusher has been told
		}
	}
	return nil
}

// admit decides whether a piece may be written, or is here already.
func (f *File) admit(p content.Piece) (here bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.part == nil:
		return false, f.errorf("writing", os.ErrClosed)
	case f.failed != nil:
		return false, f.failed
	case !f.known, p.ID() != f.want.Content, p.Index() >= domain.Pieces(f.size),
		len(p.Data()) != domain.PieceLength(f.size, p.Index()):
		return false, fmt.Errorf("piece %d of %v does not belong to %s: %w", p.Index(), p.ID(), f.place.target, domain.ErrDamaged)
	}
	return f.have.has(p.Index()), nil
}

// mark notes that a piece is here. The caller holds mu, or has the File alone.
func (f *File) mark(index int) {
	if f.have.has(index) {
		return
	}
	f.have.set(index)
	f.left--
	f.done += int64(domain.PieceLength(f.size, index))
}

// ReadPiece reads a piece that is here into buf, which must have room for it,
// and returns its length. The error is domain.ErrNotFound for a piece that is
// not here. The bytes are as the disk gives them, whoever gets them verifies.
func (f *File) ReadPiece(index int, buf []byte) (int, error) {
	f.access.RLock()
	defer f.access.RUnlock()
	if f.part == nil {
		return 0, f.errorf("reading", os.ErrClosed)
	}
	if !f.Has(index) {
		return 0, fmt.Errorf("piece %d of %s: %w", index, f.place.target, domain.ErrNotFound)
	}
	length := domain.PieceLength(f.Size(), index)
	if len(buf) < length {
		return 0, fmt.Errorf("piece %d of %s: %w", index, f.place.target, io.ErrShortBuffer)
	}
	n, err := f.part.ReadAt(buf[:length], offset(index))
	if err != nil {
		return n, fmt.Errorf("piece %d of %s: %w: %w", index, f.place.target, domain.ErrUnreadable, err)
	}
	return n, nil
}

// errorf says what failed with which file.
func (f *File) errorf(doing string, err error) error {
	return fmt.Errorf("%s %s: %w", doing, f.place.target, disk.Kind(err))
}

func offset(index int) int64 { return int64(index) * domain.PieceSize }
