package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/names"
)

// maxClaims is how many names are tried before giving up: nobody keeps more
// files of one name.
const maxClaims = 10_000

// ClaimName makes an empty file at the slash-separated path rel below root, or
// if something is there already, under the first free name that names.Numbered
// gives: "a (2).txt". It returns the path taken and the file, open for writing,
// which the caller closes. What exists is never touched.
func ClaimName(root *os.Root, rel string) (claimed string, f *os.File, err error) {
	claimed = rel
	for n := 2; n < maxClaims; n++ {
		// A finished file is the user's, so the user's own mask decides.
		f, err = root.OpenFile(claimed, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			return claimed, f, nil
		}
		if !taken(root, claimed, err) {
			return "", nil, fmt.Errorf("claiming the name %s: %w", rel, Kind(err))
		}
		claimed = names.Numbered(rel, n)
	}
	return "", nil, fmt.Errorf("%w: %w", domain.Fault(nil, "every name like %s is taken", rel), domain.ErrUnwritable)
}

// taken reports whether a claim failed because something has the name.
func taken(root *os.Root, rel string, err error) bool {
	if errors.Is(err, fs.ErrExist) {
		return true
	}
	// Some systems give another reason first, as for a link that leads out or
	// a folder.
	_, statErr := root.Lstat(rel)
	return statErr == nil
}

// RenameOver gives the file from the name to, taking the place of what has it.
// Both are slash-separated paths below root. Neither should be open: Windows
// refuses the rename then.
func RenameOver(root *os.Root, from, to string) error {
	if err := rename(root, from, to); err != nil {
		return fmt.Errorf("renaming %s to %s: %w", from, to, Kind(err))
	}
	return nil
}

// RenameNew gives the file from the name to, or if something has that already,
// the first free name that names.Numbered gives, and returns it. Both are plain
// names in the folder dir; there is no moment at which anything else has the
// name. The error is errors.ErrUnsupported where the system or the file system
// cannot do that; nothing has happened then.
func RenameNew(dir *os.File, from, to string) (taken string, err error) {
	taken = to
	for n := 2; n < maxClaims; n++ {
		err := renameNew(dir, from, taken)
		switch {
		case err == nil:
			return taken, nil
		case errors.Is(err, errors.ErrUnsupported):
			return "", err
		case !errors.Is(err, fs.ErrExist):
			return "", fmt.Errorf("renaming %s to %s: %w", from, taken, Kind(err))
		}
		taken = names.Numbered(to, n)
	}
	return "", fmt.Errorf("%w: %w", domain.Fault(nil, "every name like %s is taken", to), domain.ErrUnwritable)
}

// SyncOpen is SyncFolder for a folder that is open.
func SyncOpen(dir *os.File) error {
	if err := syncOpen(dir); err != nil {
		return fmt.Errorf("flushing the folder %s: %w", dir.Name(), Kind(err))
	}
	return nil
}

// SyncFolder makes the names in the folder rel below root last over a power
// cut. Where the system cannot do that, it does nothing.
func SyncFolder(root *os.Root, rel string) error {
	if err := syncFolder(root, path.Clean(rel)); err != nil {
		return fmt.Errorf("flushing the folder %s: %w", rel, Kind(err))
	}
	return nil
}
