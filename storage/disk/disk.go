// Package disk is a thin portable layer over the file system: shared files read
// below an os.Root, names claimed exclusively, renames that last, files that
// share blocks, locks, free space.
//
// It keeps no state. Every function may be called from any goroutine.
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/potluck-share/potluck/app/domain"
)

// OpenShared opens what a shared local path is to be read through: for a
// folder the folder itself and ".", for a file its parent and its base name.
// The caller closes the root. The error is domain.ErrNotFound if nothing is
// there, domain.ErrNotShareable for what is neither file nor folder, otherwise
// domain.ErrUnreadable.
func OpenShared(path string) (*os.Root, string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", fmt.Errorf("opening the shared %s: %w", path, readKind(err))
	}
	folder, rel := path, "."
	switch {
	case info.Mode().IsRegular():
		folder, rel = filepath.Dir(path), filepath.Base(path)
	case !info.IsDir():
		return nil, "", fmt.Errorf("%s is neither a file nor a folder: %w", path, domain.ErrNotShareable)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, "", fmt.Errorf("opening the shared %s: %w", path, readKind(err))
	}
	return root, rel, nil
}

// OpenRegular opens the file rel below root for reading and returns what it
// is. It never waits, as opening a pipe would. The errors are those of
// OpenShared; a link that leads out of root is domain.ErrUnreadable.
func OpenRegular(root *os.Root, rel string) (*os.File, fs.FileInfo, error) {
	f, err := root.OpenFile(rel, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("opening %s: %w", rel, readKind(err))
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() {
		return f, info, nil
	}
	_ = f.Close() // nothing was written
	if err != nil {
		return nil, nil, fmt.Errorf("opening %s: %w", rel, readKind(err))
	}
	return nil, nil, fmt.Errorf("%s is not a file: %w", rel, domain.ErrNotShareable)
}

// readKind wraps an error from reading with its kind.
func readKind(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: %w", domain.ErrNotFound, err)
	default:
		return fmt.Errorf("%w: %w", domain.ErrUnreadable, err)
	}
}

// Kind wraps an error from writing to a destination with what it means to a
// person: domain.ErrNoSpace if the disk or the quota is full, otherwise
// domain.ErrUnwritable. An error that has a kind already is returned as it is.
func Kind(err error) error {
	switch {
	case err == nil:
		return nil
	case domain.ErrorKind(err) != "failed":
		return err
	case full(err):
		return fmt.Errorf("%w: %w", domain.ErrNoSpace, err)
	default:
		return fmt.Errorf("%w: %w", domain.ErrUnwritable, err)
	}
}
