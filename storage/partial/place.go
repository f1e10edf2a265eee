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

// place is where a download goes.
type place struct {
	dir    *folder
	folder string // the destination folder, absolute, as it was wanted
	target string // slash-separated, below it, as it was made safe
	name   string // the finished file's name in dir, if it is free
	part   string // names in dir
	side   string
}

// find opens the folder that the download goes to, making it below the
// destination folder.
func find(want domain.Want) (place, error) {
	target, err := names.Clean(want.Target)
	if err != nil {
		return place{}, err
	}
	dir, err := openFolder(want.Folder, path.Dir(target), true)
	if err != nil {
		return place{}, err
	}
	return locate(dir, want, target), nil
}

// locate works out the names for a target that was made safe.
func locate(dir *folder, want domain.Want, target string) place {
	// The names are short, and the same whenever the same is wanted again.
	hash := sha256.New()
	hash.Write(want.Content[:])
	hash.Write([]byte(target))
	own := ".potluck-" + hex.EncodeToString(hash.Sum(nil)[:8])
	return place{
		dir: dir, folder: want.Folder, target: target, name: path.Base(target), part: own + ".part", side: own + ".state",
	}
}

// openPart opens the part file, or makes it, for this File alone.
func (p place) openPart() (*os.File, error) {
	for range 3 {
		// The part becomes the finished file, which is the user's.
		part, err := p.dir.root.OpenFile(p.part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
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
		if _, held := p.holds(part); held {
			return part, nil
		}
		_ = part.Close() // another one's
	}
	return nil, p.busy()
}

// openOld opens a part file of an earlier run. A link or anything else that
// was put in its place is not followed.
func (p place) openOld() (*os.File, error) {
	info, err := p.dir.root.Lstat(p.part)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is in the way, and not a file: %w", p.part, domain.ErrUnwritable)
	}
	return p.dir.root.OpenFile(p.part, os.O_RDWR, 0)
}

// holds reports whether the name of the part still means the open file, and
// what that is.
func (p place) holds(part *os.File) (open fs.FileInfo, held bool) {
	open, err := part.Stat()
	if err != nil {
		return nil, false
	}
	named, err := p.dir.root.Lstat(p.part)
	return open, err == nil && named.Mode().IsRegular() && os.SameFile(open, named)
}

// leads reports whether the path of the folder and the name of the part still
// lead to the open file, and what that is.
func (p place) leads(part *os.File) (open fs.FileInfo, there bool) {
	open, there = p.holds(part)
	return open, there && p.dir.leads()
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
	key := filepath.Join(p.dir.real, filepath.FromSlash(p.dir.key.sub), p.part)
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
