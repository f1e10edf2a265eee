package partial

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
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

func (f *File) finish() (final string, err error) {
	f.flushing.Lock()
	defer f.flushing.Unlock()
	f.access.Lock()
	defer f.access.Unlock()
	info, err := f.prepare()
	if err != nil {
		return "", err
	}
	claimed, err := f.moveIn(info)
	if err != nil {
		return "", err
	}
	// The file is whole and in place. Neither what is left beside it nor a
	// folder that cannot be flushed is a reason to fetch it all again.
	if f.side != nil {
		_ = f.side.file.Close()
		f.side = nil
		_ = f.place.dir.root.Remove(f.place.side)
	}
	_ = f.place.dir.sync()
	_ = f.release()
	return filepath.Join(f.place.folder, filepath.FromSlash(path.Dir(f.place.target)), claimed), nil
}

// prepare makes the part just as the finished file is to be, flushes it, and
// returns which file it is.
func (f *File) prepare() (fs.FileInfo, error) {
	f.mu.Lock()
	left, known, size, failed := f.left, f.known, f.size, f.failed
	f.mu.Unlock()
	switch {
	case f.part == nil:
		return nil, f.errorf("finishing", errClosed)
	case failed != nil:
		return nil, failed
	case !known || left > 0:
		return nil, fmt.Errorf("%s lacks %d pieces: %w", f.place.target, left, domain.ErrWaiting)
	}
	info, there := f.place.leads(f.part)
	switch {
	case !there:
		return nil, f.errorf("finishing", errMoved)
	case info.Size() < size:
		return nil, f.fail("finishing", errCut)
	case info.Size() > size: // the size was wrong at first
		if err := f.part.Truncate(size); err != nil {
			return nil, f.errorf("finishing", err)
		}
	}
	setTime(f.place.dir.root, f.place.part, f.want.Modified)
	if err := f.part.Sync(); err != nil {
		return nil, f.fail("flushing", err)
	}
	return info, nil
}

// moveIn gives the part its final name, and returns it. If that fails, the
// part is open as before.
func (f *File) moveIn(part fs.FileInfo) (claimed string, err error) {
	if f.place.dir.self != nil {
		claimed, err = disk.RenameNew(f.place.dir.self, f.place.part, f.place.name)
		if !errors.Is(err, errors.ErrUnsupported) {
			return claimed, err
		}
	}
	return f.moveOver(part)
}

// moveOver is moveIn for where the system cannot rename without taking the
// place of what has the name: an empty file of ours has it first.
func (f *File) moveOver(part fs.FileInfo) (claimed string, err error) {
	root := f.place.dir.root
	claimed, claim, err := disk.ClaimName(root, f.place.name)
	if err != nil {
		return "", err
	}
	err = claim.Close()
	if err == nil {
		err = f.part.Close()
		f.part = nil
	}
	if err == nil {
		err = disk.RenameOver(root, f.place.part, claimed)
	}
	if err == nil {
		return claimed, nil
	}
	err = errors.Join(f.errorf("finishing", err), root.Remove(claimed))
	if f.part == nil {
		err = errors.Join(err, f.reopen(part))
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
	if info, held := f.place.holds(f.part); held && info.Size() == 0 && f.side == nil {
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
	dir, err := openFolder(want.Folder, path.Dir(target), false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f := &File{want: want, place: locate(dir, want, target), stop: make(chan struct{})}
	if f.unlock, err = f.place.lock(); err != nil {
		return errors.Join(err, dir.release())
	}
	if _, err := dir.root.Lstat(f.place.part); err == nil {
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
	if f.part != nil {
		if _, held := f.place.holds(f.part); held {
			doomed = append(doomed, f.place.part)
		}
	}
	err := f.closeFiles()
	for _, name := range doomed {
		if e := f.place.dir.root.Remove(name); e != nil && !errors.Is(e, fs.ErrNotExist) {
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
	return errors.Join(err, f.place.dir.release())
}

// Folder makes an empty folder at target below the folder root, both as in
// domain.Want, and gives it the modified time unless it was there before.
func Folder(root, target string, modified time.Time) error {
	target, err := names.Clean(target)
	if err != nil {
		return err
	}
	top, err := openFolder(root, ".", false)
	if err != nil {
		return err
	}
	if info, statErr := top.root.Stat(target); statErr == nil && info.IsDir() {
		return top.release()
	}
	err = makeFolder(top.root, target)
	if err == nil {
		setTime(top.root, target, modified)
	}
	return errors.Join(err, top.release())
}
