package library

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// quiet is how long nothing must have happened to a file before it is looked
	// at; busy is how long that is waited for at most.
	quiet = time.Second
	busy  = 10 * time.Second
	// returnTime is how often it is looked whether a share that is gone is back.
	returnTime = 3 * time.Second
	// rescanTime is how often everything is looked through while not all
	// folders can be watched.
	rescanTime = 10 * time.Minute
	// mostParts is how many changed paths of a share are looked at one by one.
	mostParts = 64
)

// mostWatches bounds the watched folders. Where watching a folder opens every
// file in it, there are far fewer to be had.
func mostWatches() int {
	switch runtime.GOOS {
	case "linux", "windows":
		return 200_000
	default:
		return 500
	}
}

// watcher has the system tell of changes in folders. A nil one does nothing.
type watcher struct {
	log  *slog.Logger
	most int
	fs   *fsnotify.Watcher // nil if the system gives none

	mu      sync.Mutex
	folders map[string]map[*share]bool // absolute path → for whom
	limited bool                       // not all that should be is watched
	failed  string                     // a folder that could not be
	closed  bool
}

func newWatcher(log *slog.Logger, most int) *watcher {
	w := &watcher{log: log, most: most, folders: make(map[string]map[*share]bool)}
	system, err := fsnotify.NewWatcher()
	if err != nil {
		w.limit(err)
		return w
	}
	w.fs = system
	return w
}

// limit notes that not everything can be watched.
func (w *watcher) limit(err error) {
	if !w.limited {
		w.limited = true
		w.log.Warn("not all shared folders can be watched; changes are found within ten minutes", "err", err)
	}
}

// add has the folder at an absolute path watched for a share.
func (w *watcher) add(folder string, sh *share) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.folders[folder][sh] {
		return
	}
	if w.folders[folder] == nil {
		switch {
		case w.fs == nil:
			return
		case len(w.folders) >= w.most:
			w.limit(syscall.ENOSPC)
			w.failed = folder
			return
		}
		if err := w.fs.Add(folder); err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				w.limit(err)
				w.failed = folder
			}
			return
		}
		w.folders[folder] = make(map[*share]bool)
	}
	w.folders[folder][sh] = true
}

// retry looks whether more can be watched than could be, and reports whether
// something was not: everything that should be is watched again by looking
// through it.
func (w *watcher) retry() (limited bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.limited || w.closed || w.fs == nil {
		return w.limited
	}
	if _, err := os.Lstat(w.failed); err == nil && w.folders[w.failed] == nil {
		if len(w.folders) >= w.most || w.fs.Add(w.failed) != nil {
			return true
		}
		_ = w.fs.Remove(w.failed) // it was to be seen whether it works
	}
	w.limited = false
	return true
}

// drop ends all watching for a share.
func (w *watcher) drop(sh *share) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for folder, whom := range w.folders {
		delete(whom, sh)
		if len(whom) == 0 {
			w.remove(folder)
		}
	}
}

// heard takes what the system tells of a folder that has come or gone. What has
// come may be watched already, by a scan that was quicker than the news; and that
// watch goes with the one of where it was before.
func (w *watcher) heard(e fsnotify.Event) {
	if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) || e.Has(fsnotify.Create) {
		w.moved(e.Name)
	}
}

// moved ends the watching of a folder that has come or gone, and of all below:
// the system would go on to tell of them under the old path.
func (w *watcher) moved(folder string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.folders[folder] == nil {
		return
	}
	below := folder + string(filepath.Separator)
	for at := range w.folders {
		if at == folder || strings.HasPrefix(at, below) {
			w.remove(at)
		}
	}
}

// remove ends the watching of one folder. The caller holds w.mu.
func (w *watcher) remove(folder string) {
	delete(w.folders, folder)
	if err := w.fs.Remove(folder); err != nil && !errors.Is(err, fsnotify.ErrNonExistentWatch) {
		w.log.Debug("a folder is watched still", "folder", folder, "err", err)
	}
}

// Unwatched reports whether the system does not let all shared folders be watched,
// so that changes in some are found within ten minutes only.
func (l *Library) Unwatched() bool {
	w := l.watch.Load()
	return w != nil && w.isLimited()
}

func (w *watcher) isLimited() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.limited
}

func (w *watcher) close() error {
	if w == nil || w.fs == nil {
		return nil
	}
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	return w.fs.Close()
}

// watchLoop takes what the system tells, waits until it is quiet, and has the
// changed parts of shares looked at.
func (l *Library) watchLoop(ctx context.Context, watch *watcher) {
	var events chan fsnotify.Event
	var failures chan error
	if watch.fs != nil {
		events, failures = watch.fs.Events, watch.fs.Errors
	}
	rescan := time.NewTicker(l.rescans)
	defer rescan.Stop()
	settled := time.NewTimer(time.Hour)
	defer settled.Stop()
	changed := changes{paths: make(map[string][2]time.Time)}
	for {
		select {
		case e := <-events:
			watch.heard(e)
			changed.note(e.Name, time.Now())
			settled.Reset(time.Until(changed.next()))
		case err := <-failures:
			l.log.Warn("changes were missed; looking through everything", "err", err)
			l.touchAll()
		case <-settled.C:
			l.dispatch(changed.take(time.Now()))
			if len(changed.paths) > 0 {
				settled.Reset(time.Until(changed.next()))
			}
		case <-rescan.C:
			l.rescan()
		case <-ctx.Done():
			return
		}
	}
}

// changes are the paths at which something has changed, with the first and the
// last time, and those of all of them.
type changes struct {
	paths       map[string][2]time.Time
	first, last time.Time
}

func (c *changes) note(path string, now time.Time) {
	when, known := c.paths[path]
	if !known {
		when[0] = now
	}
	if len(c.paths) == 0 {
		c.first = now
	}
	when[1], c.last = now, now
	c.paths[path] = when
}

// many reports whether there are so many that they are looked at together.
func (c *changes) many() bool { return len(c.paths) > mostParts }

// next is when the next of them is to be looked at. A few are looked at each for
// itself, so that a file that is written all the time holds up no other; many,
// as when a folder is copied, all together when it is quiet.
func (c *changes) next() time.Time {
	next := dueAt(c.first, c.last)
	if c.many() {
		return next
	}
	for _, when := range c.paths {
		if due := dueAt(when[0], when[1]); due.Before(next) {
			next = due
		}
	}
	return next
}

func dueAt(first, last time.Time) time.Time {
	quietAt, busyAt := last.Add(quiet), first.Add(busy)
	if quietAt.Before(busyAt) {
		return quietAt
	}
	return busyAt
}

// take takes out what is to be looked at now.
func (c *changes) take(now time.Time) map[string]struct{} {
	out := make(map[string]struct{})
	all := c.many()
	c.first = now
	for path, when := range c.paths {
		switch {
		case all || !now.Before(dueAt(when[0], when[1])):
			out[path] = struct{}{}
			delete(c.paths, path)
		case when[0].Before(c.first):
			c.first = when[0]
		}
	}
	return out
}

// rescan has everything looked through if not all can be watched, else what
// could not be read.
func (l *Library) rescan() {
	all := l.watch.Load().retry()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, sh := range l.shares {
		if all || sh.State == domain.ShareUnreadable {
			l.touchLocked(sh, ".")
		}
	}
}

// dispatch finds the shares that changed paths belong to.
func (l *Library) dispatch(changed map[string]struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, sh := range l.shares {
		below := sh.real + string(filepath.Separator)
		for path := range changed {
			switch {
			case path == sh.real, strings.HasPrefix(sh.real, path+string(filepath.Separator)):
				l.touchLocked(sh, ".")
			case sh.Folder && strings.HasPrefix(path, below):
				l.touchLocked(sh, filepath.ToSlash(path[len(below):]))
			}
		}
	}
}

// touchAll has all shares looked through.
func (l *Library) touchAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, sh := range l.shares {
		l.touchLocked(sh, ".")
	}
}

// returnLoop looks every few seconds whether shares have gone or come back
// where the system tells nothing of it: a folder above was moved, a drive was
// unplugged. It is apart from watchLoop because a drive may take long to answer.
func (l *Library) returnLoop(ctx context.Context) {
	ticker := time.NewTicker(returnTime)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			l.lookForLost()
		case <-ctx.Done():
			return
		}
	}
}

// all returns the shares, what is only offered included.
func (l *Library) all() (all []domain.Share) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, sh := range l.shares {
		all = append(all, sh.Share)
	}
	return all
}

func (l *Library) lookForLost() {
	for _, s := range l.all() {
		where, err := l.locate(s.Path)
		there := err == nil && where.folder == s.Folder
		if there && s.State == domain.ShareGone || !there && offers(s) {
			l.touchNamed(s.Name)
		}
	}
}

func (l *Library) touchNamed(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if sh := l.shares[name]; sh != nil {
		l.touchLocked(sh, ".")
	}
}

// touch has a part of a share, or the whole at ".", looked at soon.
func (l *Library) touch(sh *share, rel string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.touchLocked(sh, rel)
}

func (l *Library) touchLocked(sh *share, rel string) {
	if sh.removed || l.closed {
		return
	}
	if len(sh.dirty) >= mostParts {
		rel = "."
	}
	if rel == "." {
		clear(sh.dirty)
	}
	if _, whole := sh.dirty["."]; !whole {
		sh.dirty[rel] = struct{}{}
	}
	if !sh.working {
		sh.working = true
		l.running.Go(func() { l.work(sh) })
	}
}

// work looks at the dirty parts of a share until there are none. Between two
// looks it rests for as long as the last one took, so that a file that never
// comes to rest does not keep a core busy.
func (l *Library) work(sh *share) {
	for {
		l.mu.Lock()
		rels := make([]string, 0, len(sh.dirty))
		for rel := range sh.dirty {
			rels = append(rels, rel)
		}
		clear(sh.dirty)
		ctx := sh.ctx
		if len(rels) == 0 || sh.removed || ctx.Err() != nil {
			sh.working = false
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		began := time.Now()
		if out := l.scan(sh, rels); out.err != nil && !out.lost && ctx.Err() == nil {
			l.log.Error("a share could not be looked through", "share", sh.Name, "err", out.err)
		}
		_ = sleep(ctx, min(time.Since(began), time.Minute)) // if it was cut short, the next turn sees why
	}
}
