package library

import (
	"os"
	"sync"
	"time"
)

const (
	// keepRoot is how long a shared folder stays open after a file of it was
	// opened: the many small files of a folder are asked for one after another.
	// It is short, since an open folder keeps its drive from being taken out.
	keepRoot = time.Second
	// mostRoots is how many shared folders are kept open.
	mostRoots = 8
)

// roots are the shared folders that files were opened in lately. The zero value
// is ready for use.
type roots struct {
	mu     sync.Mutex
	closed bool
	kept   map[string]*keptRoot // by the share's path
}

// keptRoot is an open folder. It is guarded by roots.mu.
type keptRoot struct {
	root  *os.Root
	seen  os.FileInfo // of the open folder
	users int
	used  time.Time
	gone  bool // not in roots.kept: the last user closes it
	timer *time.Timer
}

// take returns the folder that is kept open for the path, if what lies there
// now is still the same; nil otherwise. The caller gives it back by done.
func (r *roots) take(path string) *keptRoot {
	r.mu.Lock()
	k := r.kept[path]
	if k != nil {
		k.users++
	}
	r.mu.Unlock()
	if k == nil {
		return nil
	}
	if info, err := os.Stat(path); err == nil && os.SameFile(info, k.seen) {
		return k
	}
	r.mu.Lock()
	if r.kept[path] == k {
		r.forget(path, k)
	}
	r.mu.Unlock()
	r.done(k)
	return nil
}

// keep takes over a folder that was just opened. The caller gives it back by
// done.
func (r *roots) keep(path string, root *os.Root) *keptRoot {
	k := &keptRoot{root: root, users: 1, gone: true}
	info, err := root.Stat(".")
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || r.closed || r.kept[path] != nil || len(r.kept) >= mostRoots {
		return k // for this once
	}
	if r.kept == nil {
		r.kept = make(map[string]*keptRoot)
	}
	r.kept[path] = k
	k.seen, k.gone, k.used = info, false, time.Now()
	k.timer = time.AfterFunc(keepRoot, func() { r.expire(path, k) })
	return k
}

// done ends one use.
func (r *roots) done(k *keptRoot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k.users--
	k.used = time.Now()
	if k.gone && k.users == 0 {
		_ = k.root.Close() // only looked into
	}
}

// expire closes the folder if it was not used for keepRoot, else looks again
// later.
func (r *roots) expire(path string, k *keptRoot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k.gone {
		return
	}
	if left := keepRoot - time.Since(k.used); k.users > 0 || left > 0 {
		k.timer.Reset(max(left, keepRoot/10))
		return
	}
	r.forget(path, k)
}

// forget has the folder closed as soon as nobody uses it. The caller holds the
// lock.
func (r *roots) forget(path string, k *keptRoot) {
	delete(r.kept, path)
	k.gone = true
	k.timer.Stop()
	if k.users == 0 {
		_ = k.root.Close() // only looked into
	}
}

// close closes all folders, and keeps none from now on.
func (r *roots) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for path, k := range r.kept {
		r.forget(path, k)
	}
}
