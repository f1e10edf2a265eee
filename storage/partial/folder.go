package partial

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/disk"
)

// folder is an open folder that targets lie in. Downloads into the same one
// that are open at the same time share it: walking to it from the destination
// folder for each step of each small file costs more than writing the file.
type folder struct {
	key  folderKey
	up   *folder // the destination folder; nil if this is it
	root *os.Root
	self *os.File    // root as a file, nil where a folder cannot be one
	info fs.FileInfo // what root is
	real string      // the path of the destination folder, without links

	users  int          // guarded by folders
	looked atomic.Int64 // when its path led to it, as time since start

	asked    atomic.Int64 // how often a flush was asked for
	flushing sync.Mutex
	flushed  int64 // asked, when the last flush began
}

// trustFor is for how long a new download takes a folder for what its path
// leads to. At the end of the download that is looked at in any case.
const trustFor = 100 * time.Millisecond

var start = time.Now()

type folderKey struct {
	path string // of the destination folder, as it was wanted
	sub  string // slash-separated, below it
}

// folders holds those that are open. The lock is never held while a disk is
// used.
var folders = struct {
	sync.Mutex
	open map[folderKey]*folder
}{open: make(map[folderKey]*folder)}

// openFolder opens the folder sub below the destination folder, for release to
// close. With create it is made if it is not there; the destination folder
// itself never is.
func openFolder(path, sub string, create bool) (*folder, error) {
	key := folderKey{path, sub}
	folders.Lock()
	d := folders.open[key]
	if d != nil {
		d.users++
	}
	folders.Unlock()
	if d != nil {
		if d.led() {
			return d, nil
		}
		_ = d.release() // its path leads elsewhere by now
	}
	d = &folder{key: key, users: 1}
	if err := d.open(create); err != nil {
		return nil, errors.Join(err, d.close())
	}
	folders.Lock()
	folders.open[key] = d
	folders.Unlock()
	return d, nil
}

func (d *folder) open(create bool) (err error) {
	if d.key.sub == "." {
		err = d.openTop()
	} else {
		err = d.openSub(create)
	}
	if err != nil {
		return err
	}
	if d.info, err = d.root.Stat("."); err != nil {
		return fmt.Errorf("opening the folder %s: %w", d.key.path, disk.Kind(err))
	}
	d.looked.Store(int64(time.Since(start)))
	d.self, _ = d.root.Open(".") // everything but the flush goes without it
	return nil
}

func (d *folder) openTop() (err error) {
	at := d.key.path
	if !filepath.IsAbs(at) {
		return fmt.Errorf("the folder %q is not an absolute path: %w", at, domain.ErrUsage)
	}
	d.root, err = os.OpenRoot(at)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the folder %s is gone: %w", at, disk.Kind(err))
	case err != nil:
		return fmt.Errorf("opening the folder %s: %w", at, disk.Kind(err))
	}
	if d.real, err = filepath.EvalSymlinks(at); err != nil {
		return fmt.Errorf("opening the folder %s: %w", at, disk.Kind(err))
	}
	return nil
}

func (d *folder) openSub(create bool) (err error) {
	if d.up, err = openFolder(d.key.path, ".", false); err != nil {
		return err
	}
	if create {
		if err := makeFolder(d.up.root, d.key.sub); err != nil {
			return err
		}
	}
	if d.root, err = d.up.root.OpenRoot(filepath.FromSlash(d.key.sub)); err != nil {
		return fmt.Errorf("opening the folder %s: %w", d.key.sub, disk.Kind(err))
	}
	d.real = d.up.real
	return nil
}

// leads reports whether the folder's path still leads to it. Otherwise what is
// written to it would end up where nobody looks for it.
func (d *folder) leads() bool {
	named, err := os.Stat(filepath.Join(d.key.path, filepath.FromSlash(d.key.sub)))
	if err != nil || !os.SameFile(named, d.info) {
		return false
	}
	d.looked.Store(int64(time.Since(start)))
	return true
}

// led is leads for a moment ago.
func (d *folder) led() bool {
	return time.Since(start)-time.Duration(d.looked.Load()) < trustFor || d.leads()
}

// sync makes the names in the folder that there were before the call last over
// a power cut. Those who call it at the same time share one flush.
func (d *folder) sync() error {
	ticket := d.asked.Add(1)
	d.flushing.Lock()
	defer d.flushing.Unlock()
	if d.flushed >= ticket {
		return nil
	}
	begun := d.asked.Load()
	if d.self == nil {
		return disk.SyncFolder(d.root, ".")
	}
	if err := disk.SyncOpen(d.self); err != nil {
		return err
	}
	d.flushed = begun
	return nil
}

// release gives the folder back. The last one to do so closes it.
func (d *folder) release() error {
	folders.Lock()
	d.users--
	last := d.users == 0
	if last && folders.open[d.key] == d {
		delete(folders.open, d.key)
	}
	folders.Unlock()
	if !last {
		return nil
	}
	return d.close()
}

func (d *folder) close() error {
	var errs []error
	if d.self != nil {
		errs = append(errs, d.self.Close())
	}
	if d.root != nil {
		errs = append(errs, d.root.Close())
	}
	if d.up != nil {
		errs = append(errs, d.up.release())
	}
	return errors.Join(errs...)
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
