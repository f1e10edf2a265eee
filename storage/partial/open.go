package partial

import (
	"errors"
	"fmt"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
)

// Open begins a download, or goes on with one of the same content and target.
// What was written and not noted is hashed first, with all cores, which for a
// large part takes as long as reading it.
//
// The target is made safe by names.Clean, and folders in it are made. The
// destination folder itself must be there: one that is gone may lie on a drive
// that was unplugged, and is domain.ErrUnwritable. domain.ErrBusy means that the same
// download is open, here or in another process; domain.ErrDamaged that no
// content has that ID and that size.
func Open(want domain.Want) (*File, error) {
	if want.Size > domain.MaxFileSize {
		return nil, fmt.Errorf("%s has %d bytes, the most is %d: %w", want.Target, want.Size, domain.MaxFileSize, domain.ErrTooLarge)
	}
	p, err := find(want)
	if err != nil {
		return nil, err
	}
	unlock, err := p.lock()
	if err != nil {
		return nil, errors.Join(err, p.dir.release())
	}
	f := &File{want: want, place: p, unlock: unlock, size: -1, kick: make(chan struct{}, 1), stop: make(chan struct{})}
	if err := f.open(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if want.Size < 0 || want.Size > domain.PieceSize {
		f.flusher.Go(f.flushLoop)
	}
	return f, nil
}

// open opens the part and takes in what is known of it.
func (f *File) open() error {
	part, err := f.place.openPart()
	if err != nil {
		return err
	}
	f.part = part
	switch {
	case f.want.Size < 0:
		if f.guess() {
			return nil
		}
	case f.want.Size <= domain.PieceSize:
		layer, err := content.NewLayer(f.want.Content, f.want.Size, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", f.place.target, err)
		}
		return f.adopt(layer, state{})
	default:
		f.setSize(f.want.Size)
	}
	side, layer, s, err := loadSidecar(f.place.dir.root, f.place.side, f.want.Content)
	switch {
	case err != nil:
		return nil // there is none, or it is damaged: the layer comes anew
	case f.want.Size >= 0 && layer.Size() != f.want.Size:
		return side.file.Close()
	}
	f.side = side
	return f.adopt(layer, s)
}

// guess finds out whether the part is all of a content of up to one piece
// whose size is not known.
func (f *File) guess() bool {
	info, err := f.part.Stat()
	if err != nil || info.Size() == 0 || info.Size() > domain.PieceSize {
		return false
	}
	layer, err := content.NewLayer(f.want.Content, info.Size(), nil)
	if err != nil {
		return false
	}
	buf := make([]byte, info.Size())
	if _, err := f.part.ReadAt(buf, 0); err != nil {
		return false
	}
	if _, err := layer.Verify(0, buf); err != nil {
		return false
	}
	return f.adopt(layer, state{}) == nil
}

// SetLayer makes the piece layer known, checks what an earlier run left
// against it, and with it the size, if that was not known. Another layer of
// another size may follow as long as the size is not proven by the last piece;
// the present layer again does nothing. The error is domain.ErrDamaged for a
// layer of another content or size.
func (f *File) SetLayer(layer content.Layer) error {
	f.flushing.Lock()
	defer f.flushing.Unlock()
	f.access.Lock()
	defer f.access.Unlock()
	if f.part == nil {
		return f.errorf("writing", errClosed)
	}
	fixed := f.want.Size >= 0 || f.known && f.have.has(domain.Pieces(f.size)-1)
	switch {
	case layer.ID() != f.want.Content, fixed && layer.Size() != f.size:
		return fmt.Errorf("a layer of %v with %d bytes for %s: %w", layer.ID(), layer.Size(), f.place.target, domain.ErrDamaged)
	case f.known && layer.Size() == f.size:
		return nil
	}
	if f.side != nil { // of the size that was wrong
		_ = f.side.file.Close() // it is of no use any more
		f.side = nil
		_ = f.place.dir.root.Remove(f.place.side) // and is ignored if it stays
	}
	return f.adopt(layer, state{})
}

// adopt takes the layer, and from the part whatever fits it. The caller has
// the File alone or holds access for writing.
func (f *File) adopt(layer content.Layer, s state) error {
	if layer.Pieces() > 1 && f.side == nil {
		side, err := createSidecar(f.place.dir.root, f.place.side, layer)
		if err != nil {
			return f.errorf("noting the state of", err)
		}
		f.side = side
	}
	found, err := f.survey(layer, s)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.setSize(layer.Size())
	f.layer, f.known = layer, true
	for i := range layer.Pieces() {
		if found.has(i) {
			f.mark(i)
			if !s.have.has(i) {
				f.dirty += int64(domain.PieceLength(f.size, i))
			}
		}
	}
	return nil
}

// setSize makes the size known, with nothing here yet. The caller holds mu, or
// has the File alone.
func (f *File) setSize(size int64) {
	f.size = size
	f.left = domain.Pieces(size)
	f.done = 0
	f.have = make(bitmap, bitmapLen(f.left))
}
