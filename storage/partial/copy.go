package partial

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
	"github.com/potluck-share/potluck/storage/disk"
)

// CopyFrom takes into the part what a file on this machine has of the content:
// by sharing its blocks where the file system can, else by copying. Each piece
// is verified before it counts, so that a file that has changed, or changes
// meanwhile, costs no more than what is fetched after all: whatever does not
// fit stays missing and is no error. shared tells whether blocks are shared.
//
// layer must be that of the content, as SetLayer says. The errors are those of
// SetLayer and Put, and the context's own. Done tells how far it is meanwhile.
func (f *File) CopyFrom(ctx context.Context, src *os.File, layer content.Layer) (shared bool, err error) {
	if err := f.SetLayer(layer); err != nil {
		return false, err
	}
	if shared, err = f.share(src, layer); shared || err != nil {
		return shared, err
	}
	missing := f.Missing()
	var next atomic.Int64
	var mu sync.Mutex
	var failed error
	var workers sync.WaitGroup
	for range min(len(missing), runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			buf := make([]byte, min(domain.PieceSize, layer.Size()))
			for ctx.Err() == nil {
				at := int(next.Add(1)) - 1
				if at >= len(missing) {
					return
				}
				if err := f.copyPiece(src, layer, missing[at], buf); err != nil {
					mu.Lock()
					defer mu.Unlock()
					failed = err
					next.Store(int64(len(missing)))
					return
				}
			}
		})
	}
	workers.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	return false, failed
}

// copyPiece copies one piece if it is right.
func (f *File) copyPiece(src *os.File, layer content.Layer, index int, buf []byte) error {
	data := buf[:domain.PieceLength(layer.Size(), index)]
	if len(data) > 0 {
		if _, err := src.ReadAt(data, offset(index)); err != nil {
			return nil // it is shorter than it was, or cannot be read
		}
	}
	piece, err := layer.Verify(index, data)
	if err != nil {
		return nil
	}
	return f.Put(piece)
}

// share makes an empty part share the blocks of src, and hashes it. It returns
// false if the file system cannot, or if it is not worth it.
func (f *File) share(src *os.File, layer content.Layer) (bool, error) {
	if layer.Pieces() == 1 {
		return false, nil
	}
	f.flushing.Lock()
	defer f.flushing.Unlock()
	f.access.Lock()
	defer f.access.Unlock()
	if f.part == nil {
		return false, f.errorf("writing", errClosed)
	}
	if info, err := f.part.Stat(); err != nil || info.Size() > 0 {
		return false, nil
	}
	if disk.Clone(f.part, src) != nil {
		return false, nil
	}
	if info, err := f.part.Stat(); err == nil && info.Size() > layer.Size() {
		if err := f.part.Truncate(layer.Size()); err != nil {
			return false, f.errorf("copying", err)
		}
	}
	if err := f.adopt(layer, state{}); err != nil {
		return false, fmt.Errorf("looking through the copy of %s: %w", f.place.target, err)
	}
	return true, nil
}
