package partial

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/disk"
	"github.com/potluck-share/potluck/storage/names"
)

// place is where a download goes. All names but folder are slash-separated
// paths below root.
type place struct {
	root   *os.Root
	folder string // absolute, as it was wanted
	target string // where the finished file goes, if the name is free
	part   string
	side   string
}

// find opens the destination folder and works out the names below it. It makes
// no folder.
func find(want domain.Want) (place, error) {
	target, err := names.Clean(want.Target)
	if err != nil {
		return place{}, err
	}
	root, err := openFolder(want.Folder)
	if err != nil {
		return place{}, err
	}
	return locate(root, want, target), nil
}

// locate works out the names for a target that was made safe.
func locate(root *os.Root, want domain.Want, target string) place {
	// The names are short, and the same whenever the same is wanted again.
	hash := sha256.New()
	hash.Write(want.Content[:])
	hash.Write([]byte(target))
	own := path.Join(path.Dir(target), ".potluck-"+hex.EncodeToString(hash.Sum(nil)[:8]))
	return place{root: root, folder: want.Folder, target: target, part: own + ".part", side: own + ".state"}
}

// openFolder opens the destination folder.
func openFolder(folder string) (*os.Root, error) {
	if !filepath.IsAbs(folder) {
		return nil, fmt.Errorf("the folder %q is not an absolute path: %w", folder, domain.ErrUsage)
	}
	root, err := os.OpenRoot(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the folder %s is gone: %w", folder, disk.Kind(err))
	case err != nil:
		return nil, fmt.Errorf("opening the folder %s: %w", folder, disk.Kind(err))
	}
	return root, nil
}

// makeFolder makes the folder rel and those above it, and makes new ones last.
func makeFolder(root *os.Root, rel string) error {
	if info, err := root.Stat(rel); err == nil && info.IsDir() {
		return nil
	}
	if err := root.MkdirAll(rel, 0o777); err != nil {
		return fmt.Errorf("making the folder %s: %w", rel, disk.Kind(err))
	}
	for at := rel; at != "."; {
		at = path.Dir(at)
		if err := disk.SyncFolder(root, at); err != nil {
			return err
		}
	}
	return nil
}

// openPart opens the part file, or makes it, for this File alone.
func (p place) openPart() (*os.File, error) {
	for range 3 {
		// The part becomes the finished file, which is the user's.
		part, err := p.root.OpenFile(p.part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			part, err = p.openOld()
		}
		if err != nil {
			return nil, fmt.Errorf("opening the part of %s: %w", p.target, disk.Kind(err))
		}
		if !disk.Lock(part) {
			return nil, errors.Join(p.busy(), part.Close())
		}
		// Whoever had the lock may have finished or removed it meanwhile.
		if p.holds(part) {
			return part, nil
		}
		_ = part.Close() // another one's
	}
	return nil, p.busy()
}

// openOld opens a part file of an earlier run. A link or anything else that
// was put in its place is not followed.
func (p place) openOld() (*os.File, error) {
	info, err := p.root.Lstat(p.part)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is in the way, and not a file: %w", p.part, domain.ErrUnwritable)
	}
	return p.root.OpenFile(p.part, os.O_RDWR, 0)
}

// holds reports whether the name of the part still means the open file.
func (p place) holds(part *os.File) bool {
	open, err := part.Stat()
	if err != nil {
		return false
	}
	named, err := p.root.Lstat(p.part)
	return err == nil && named.Mode().IsRegular() && os.SameFile(open, named)
}

// leads reports whether the path of the destination folder and the name of the
// part still lead to the open file. Otherwise what is written to it would end
// up where nobody looks for it.
func (p place) leads(part *os.File) bool {
	open, err := p.root.Stat(".")
	if err != nil {
		return false
	}
	named, err := os.Stat(p.folder)
	return err == nil && os.SameFile(open, named) && p.holds(part)
}

func (p place) busy() error {
	return fmt.Errorf("%s is being downloaded already: %w", p.target, domain.ErrBusy)
}

// taken holds the places that are open in this process, because some file
// systems have no locks.
var taken = struct {
	sync.Mutex
	places map[string]bool
}{places: make(map[string]bool)}

// lock takes the place in this process and returns what gives it free.
func (p place) lock() (unlock func(), err error) {
	folder, err := filepath.EvalSymlinks(p.folder)
	if err != nil {
		return nil, fmt.Errorf("opening the folder %s: %w", p.folder, disk.Kind(err))
	}
	key := filepath.Join(folder, filepath.FromSlash(p.part))
	taken.Lock()
	defer taken.Unlock()
	if taken.places[key] {
		return nil, p.busy()
	}
	taken.places[key] = true
	return func() {
		taken.Lock()
		defer taken.Unlock()
		delete(taken.places, key)
	}, nil
}
