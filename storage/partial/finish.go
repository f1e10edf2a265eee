package partial

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/disk"
	"github.com/potluck-share/potluck/storage/names"
)

var (
	errClosed = os.ErrClosed
	errCut    = errors.New("the part was cut short or replaced by something else")
	errMoved  = errors.New("its folder or its part was moved, removed or replaced")
)

// Finish makes the part the finished file, under the target's name or, if that
// is taken, the first free one like it, and returns its absolute path. The
// File is closed then. If it fails, the part is as it was and the File open:
// Finish may be tried again, or Close called. The error is domain.ErrWaiting
// if pieces are missing, otherwise domain.ErrNoSpace or domain.ErrUnwritable.
func (f *File) Finish() (path string, err error) {
	path, err = f.finish()
	if err == nil {
		f.endFlusher()
	}
	return path, err
}

func (f *File) finish() (path string, err error) {
	f.flushing.Lock()
	defer f.flushing.Unlock()
	f.access.Lock()
	defer f.access.Unlock()
	if err := f.prepare(); err != nil {
		return "", err
	}
	claimed, err := f.moveIn()
	if err != nil {
		return "", err
	}
	// The file is whole and in place. Neither what is left beside it nor a
	// folder that cannot be flushed is a reason to fetch it all again.
	if f.side != nil {
		_ = f.side.file.Close()
		f.side = nil
		_ = f.place.root.Remove(f.place.side)
	}
	_ = disk.SyncFolder(f.place.root, parent(claimed))
	_ = f.release()
	return filepath.Join(f.place.folder, filepath.FromSlash(claimed)), nil
}

// prepare makes the part just as the finished file is to be, and flushes it.
func (f *File) prepare() error {
	f.mu.Lock()
	left, known, size, failed := f.left, f.known, f.size, f.failed
	f.mu.Unlock()
	switch {
	case f.part == nil:
		return f.errorf("finishing", errClosed)
	case failed != nil:
		return failed
	case !known || left > 0:
		return fmt.Errorf("%s lacks %d pieces: %w", f.place.target, left, domain.ErrWaiting)
	case !f.place.leads(f.part):
		return f.errorf("finishing", errMoved)
	}
	info, err := f.part.Stat()
	if err != nil {
		return f.errorf("finishing", err)
	}
	switch {
	case info.Size() < size:
		return f.fail("finishing", errCut)
	case info.Size() > size: // the size was wrong at first
		if err := f.part.Truncate(size); err != nil {
			return f.errorf("finishing", err)
		}
	}
	setTime(f.place.root, f.place.part, f.want.Modified)
	if err := f.part.Sync(); err != nil {
		return f.fail("flushing", err)
	}
	return nil
}

// moveIn gives the part its final name. If that fails, the part is open again.
func (f *File) moveIn() (claimed string, err error) {
	before, err := f.part.Stat()
	if err != nil {
		return "", f.errorf("finishing", err)
	}
	claimed, claim, err := disk.ClaimName(f.place.root, f.place.target)
	if err != nil {
		return "", err
	}
	err = claim.Close()
	if err == nil {
		err = f.part.Close()
		f.part = nil
	}
	if err == nil {
		err = disk.RenameOver(f.place.root, f.place.part, claimed)
	}
	if err == nil {
		return claimed, nil
	}
	err = errors.Join(f.errorf("finishing", err), f.place.root.Remove(claimed))
	if f.part == nil {
		err = errors.Join(err, f.reopen(before))
	}
	return "", err
}

// reopen opens the part again, unless it is another file now.
func (f *File) reopen(before fs.FileInfo) error {
	part, err := f.place.openPart()
	if err != nil {
		return err
	}
	f.part = part
	if info, err := part.Stat(); err != nil || !os.SameFile(before, info) {
		return f.fail("finishing", errCut)
	}
	return nil
}

// setTime gives a file or folder its modified time, as far as the file system
// can. A time that none can is left out, and a failure is no reason to stop.
func setTime(root *os.Root, rel string, modified time.Time) {
	if year := modified.Year(); year > 1901 && year < 2262 {
		_ = root.Chtimes(rel, time.Time{}, modified)
	}
}

// Close ends the File and keeps what is here for another Open. It may be
// called again, and after Finish, without effect.
func (f *File) Close() error {
	f.endFlusher()
	f.flushing.Lock()
	defer f.flushing.Unlock()
	f.access.Lock()
	defer f.access.Unlock()
	if f.part == nil {
		return f.release()
	}
	err := f.flush(true)
	info, statErr := f.part.Stat()
	if statErr == nil && info.Size() == 0 && f.side == nil && f.place.holds(f.part) {
		return errors.Join(err, f.remove()) // there is nothing to go on with
	}
	return errors.Join(err, f.release())
}

// Discard ends the File and removes the part and its sidecar.
func (f *File) Discard() error {
	f.endFlusher()
	f.flushing.Lock()
	defer f.flushing.Unlock()
	f.access.Lock()
	defer f.access.Unlock()
	if f.part == nil {
		return f.release()
	}
	return f.remove()
}

// Remove is Discard for a download that is not open: it removes what an
// earlier run left, without looking into it. That nothing is there is no
// error; domain.ErrBusy means that the download is open.
func Remove(want domain.Want) error {
	target, err := names.Clean(want.Target)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(want.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening the folder %s: %w", want.Folder, disk.Kind(err))
	}
	f := &File{want: want, place: locate(root, want, target), stop: make(chan struct{})}
	if f.unlock, err = f.place.lock(); err != nil {
		return errors.Join(err, root.Close())
	}
	if _, err := root.Lstat(f.place.part); err == nil {
		if f.part, err = f.place.openPart(); err != nil {
			return errors.Join(err, f.release())
		}
	}
	return f.remove()
}

// remove closes the files and removes them, the part only if its name still
// means it.
func (f *File) remove() error {
	doomed := []string{f.place.side}
	if f.part != nil && f.place.holds(f.part) {
		doomed = append(doomed, f.place.part)
	}
	err := f.closeFiles()
	for _, name := range doomed {
		if e := f.place.root.Remove(name); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, f.errorf("removing the part of", e))
		}
	}
	return errors.Join(err, f.release())
}

func (f *File) closeFiles() error {
	var errs []error
	if f.part != nil {
		errs = append(errs, f.part.Close())
		f.part = nil
	}
	if f.side != nil {
		errs = append(errs, f.side.file.Close())
		f.side = nil
	}
	return errors.Join(errs...)
}

// release gives everything back that Open took. It may be called again.
func (f *File) release() error {
	err := f.closeFiles()
	if f.unlock == nil {
		return err
	}
	f.unlock()
	f.unlock = nil
	return errors.Join(err, f.place.root.Close())
}

// Folder makes an empty folder at target below the folder root, both as in
// domain.Want, and gives it the modified time unless it was there before.
func Folder(root, target string, modified time.Time) error {
	p, err := find(domain.Want{Folder: root, Target: target})
	if err != nil {
		return err
	}
	if info, statErr := p.root.Stat(p.target); statErr == nil && info.IsDir() {
		return p.root.Close()
	}
	err = makeFolder(p.root, p.target)
	if err == nil {
		setTime(p.root, p.target, modified)
	}
	return errors.Join(err, p.root.Close())
}
