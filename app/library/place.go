package library

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/names"
)

// place is where a share lies on this machine.
type place struct {
	path   string // absolute, as the user named it
	real   string // with links resolved
	folder bool
}

// name returns the name under which others see the place.
func (p place) name() string {
	base := filepath.Base(p.path)
	if base != string(filepath.Separator) {
		return base
	}
	if volume := strings.Trim(filepath.VolumeName(p.path), `\:`); volume != "" {
		return "Drive " + strings.ReplaceAll(volume, `\`, " ")
	}
	return "Computer"
}

// locate finds what lies at a path. The error wraps the kind: nothing is there,
// it cannot be read, or it is neither a file nor a folder.
func (l *Library) locate(path string) (place, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return place{}, kindOf(err)
	}
	resolved, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return place{}, kindOf(err)
	}
	info, err := os.Stat(resolved)
	if err != nil {
		return place{}, kindOf(err)
	}
	where := place{path: abs, real: resolved, folder: info.IsDir()}
	if !where.folder && !info.Mode().IsRegular() {
		return place{}, notShareable(info.Mode())
	}
	return where, nil
}

// accept reports why a place that is there is not to be shared.
func (l *Library) accept(where place) error {
	if err := names.Shareable(where.name()); err != nil {
		return err
	}
	if names.Ignored(filepath.Base(where.path)) || names.Ignored(filepath.Base(where.real)) {
		return domain.Fault(domain.ErrNotShareable, "unfinished downloads and desktop clutter are left out")
	}
	if err := l.foreign(where); err != nil {
		return err
	}
	root, rel, err := where.open()
	if err != nil {
		return kindOf(err)
	}
	defer func() { _ = root.Close() }() // was only looked through
	f, err := open(root, rel)
	if err != nil {
		return err
	}
	return f.Close()
}

// foreign reports why a place is not to be read for others, if it is Potluck's
// own or lies in what is. A place may have become so since it was accepted.
func (l *Library) foreign(where place) error {
	for dir := where.real; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && l.isOwn(dir, info) {
			return domain.Fault(domain.ErrNotShareable, "it belongs to Potluck itself")
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// isOwn reports whether something is among the paths that are never shared.
func (l *Library) isOwn(path string, info os.FileInfo) bool {
	for _, o := range l.own {
		if o.path == path || o.info != nil && os.SameFile(o.info, info) {
			return true
		}
	}
	return false
}

// open opens the root through which the place is read, and tells the path of
// the place in it. A file is read through its folder.
func (p place) open() (root *os.Root, rel string, err error) {
	dir, rel := p.real, "."
	if !p.folder {
		dir, rel = filepath.Dir(p.real), filepath.Base(p.real)
	}
	root, err = os.OpenRoot(dir)
	return root, rel, err
}

// open opens a regular file or a folder, whatever it has become since somebody
// looked: a pipe is not waited for. Links are followed as long as they stay in
// the root.
func open(root *os.Root, rel string) (*os.File, error) {
	f, err := root.OpenFile(rel, os.O_RDONLY|dontWait, 0)
	if err != nil {
		return nil, kindOf(err)
	}
	info, err := f.Stat()
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		err = notShareable(info.Mode())
	}
	if err != nil {
		_ = f.Close() // the reason is told already
		return nil, kindOf(err)
	}
	return f, nil
}

// kindOf wraps an error of the file system with its kind.
func kindOf(err error) error {
	switch {
	case errors.Is(err, domain.ErrNotShareable), errors.Is(err, domain.ErrUnreadable):
		return err
	case errors.Is(err, fs.ErrNotExist), isNoFolder(err):
		return fmt.Errorf("%w: %w", domain.ErrNotFound, reasonOf(err))
	default:
		return fmt.Errorf("%w: %w", domain.ErrUnreadable, reasonOf(err))
	}
}

// reasonOf leaves out the operation and the path, which whoever tells the error
// names once.
func reasonOf(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// notShareable says what something is that is neither a file nor a folder.
func notShareable(mode fs.FileMode) error {
	switch {
	case mode&fs.ModeSocket != 0:
		return domain.Fault(domain.ErrNotShareable, "it is a socket")
	case mode&fs.ModeNamedPipe != 0:
		return domain.Fault(domain.ErrNotShareable, "it is a pipe")
	case mode&fs.ModeDevice != 0:
		return domain.Fault(domain.ErrNotShareable, "it is a device")
	default:
		return domain.Fault(domain.ErrNotShareable, "it is a special file")
	}
}
