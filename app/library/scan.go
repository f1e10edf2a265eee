package library

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// batchOfFiles and batchTime bound what is hashed before it is stored and
	// offered.
	batchOfFiles = 1000
	batchTime    = 500 * time.Millisecond
	// progressTime is how often the progress of a reading is told.
	progressTime = 200 * time.Millisecond
	// mostProblems is how many problems of one share are told one by one.
	mostProblems = 1000
)

// outcome is what a scan came to.
type outcome struct {
	problems []domain.Problem // with local paths
	skipped  int
	// err is why the scan could not be finished. lost says that the reason is
	// the share itself: it is not there or cannot be read.
	err  error
	lost bool
}

// scan brings the catalogue in line with what is on the disk, for the whole
// share, ".", or for the parts at rels. One scan of a share runs at a time.
func (l *Library) scan(sh *share, rels []string) outcome {
	l.mu.Lock()
	ctx := sh.ctx
	l.mu.Unlock()
	if err := l.readers.Acquire(ctx, 1); err != nil {
		return outcome{err: err}
	}
	defer l.readers.Release(1)
	select {
	case sh.turn <- struct{}{}:
		defer func() { <-sh.turn }()
	case <-ctx.Done():
		return outcome{err: ctx.Err()}
	}
	defer l.finishReading(sh)

	s, ok := l.stored(sh)
	if !ok {
		return outcome{err: errUnshared}
	}
	where, root, rel, err := l.enter(sh, s)
	if err != nil {
		return l.lose(ctx, sh, s, err)
	}
	defer func() { _ = root.Close() }() // was only looked through
	if !where.folder {
		rels = []string{rel}
	}
	sc := &scanner{l: l, sh: sh, share: s, where: where, root: root, noted: make(map[string]error)}
	for _, part := range rels {
		if err := sc.part(ctx, part); err != nil {
			return l.broken(ctx, sh, s, sc.out, err)
		}
	}
	sc.out.err = l.settle(ctx, sh)
	return sc.out
}

// enter opens the folder that a share is read through and has it watched.
func (l *Library) enter(sh *share, s domain.Share) (where place, root *os.Root, rel string, err error) {
	where, err = l.locate(s.Path)
	if err != nil {
		return where, nil, "", err
	}
	if where.folder != s.Folder {
		return where, nil, "", fmt.Errorf("%w: something else lies there now", domain.ErrNotFound)
	}
	if err := l.foreign(where); err != nil {
		return where, nil, "", fmt.Errorf("%w: %v", domain.ErrUnreadable, err) //nolint:errorlint // it is a file or folder still
	}
	root, rel, err = where.open()
	if err != nil {
		return where, nil, "", kindOf(err)
	}
	l.mu.Lock()
	sh.real = where.real
	l.mu.Unlock()
	l.watch.Load().add(filepath.Dir(where.real), sh)
	return where, root, rel, nil
}

// broken tells a share that went while it was read from other reasons for which
// a scan stops.
func (l *Library) broken(ctx context.Context, sh *share, s domain.Share, out outcome, err error) outcome {
	if ctx.Err() == nil && !errors.Is(err, errUnshared) {
		if _, gone := l.locate(s.Path); gone != nil {
			return l.lose(ctx, sh, s, gone)
		}
	}
	out.err = err
	return out
}

// scanner is one scan of a share.
type scanner struct {
	l     *Library
	sh    *share
	share domain.Share // as it was when the scan began
	where place
	root  *os.Root

	mu    sync.Mutex // guards the following
	out   outcome
	noted map[string]error // problems by entry path
}

// entry makes the path of an entry out of one below the root.
func (sc *scanner) entry(rel string) string {
	if rel == "." || !sc.where.folder {
		return sc.share.Name
	}
	return sc.share.Name + "/" + rel
}

func (sc *scanner) problem(rel string, err error) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if len(sc.noted) >= mostProblems {
		return
	}
	path := sc.where.path
	if sc.where.folder && rel != "." {
		path = filepath.Join(path, filepath.FromSlash(rel))
	}
	sc.out.problems = append(sc.out.problems, domain.Problem{Path: path, Err: err})
	sc.noted[sc.entry(rel)] = err
}

func (sc *scanner) skip() {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.out.skipped++
}

// result is a job that was done.
type result struct {
	job
	file domain.File
	err  error
}

// part scans what lies at rel: it compares what is there with what is stored,
// hashes what is new or has changed and stores that in batches as it goes. What
// is not there any more is dropped at the end, if the share still is.
func (sc *scanner) part(ctx context.Context, rel string) error {
	group, inner := errgroup.WithContext(ctx)
	jobs := make(chan job, 256)
	results := make(chan result, 64)
	var gone []domain.File
	m := &merge{
		stored: newListing(sc.l.store, sc.entry(rel)), entry: sc.entry,
		hash: func(j job) error {
			sc.l.beginReading(sc.sh, j.size)
			select {
			case jobs <- j:
				return nil
			case <-inner.Done():
				return inner.Err()
			}
		},
		vanished: func(f domain.File) { gone = append(gone, f) },
		empty:    make(map[string]bool),
	}
	w := sc.walk(m)
	group.Go(func() error {
		defer close(jobs)
		if err := w.at(inner, rel); err != nil {
			return err
		}
		return m.end()
	})
	sc.expect(inner, group, rel)
	sc.hashAll(inner, group, jobs, results)
	group.Go(func() error { return sc.collect(ctx, results) })
	if err := group.Wait(); err != nil {
		return err
	}
	if _, err := sc.l.locate(sc.share.Path); err != nil {
		return err // it went while it was looked through: keep what is stored
	}
	if err := sc.drop(ctx, gone); err != nil {
		return err
	}
	if err := sc.store(ctx, m.folders()); err != nil {
		return err
	}
	if rel != "." && sc.where.folder {
		above, err := foldersAbove(sc.l.store, sc.entry, rel, w.folderAt)
		if err != nil {
			return err
		}
		if err := sc.store(ctx, above); err != nil {
			return err
		}
	}
	sc.note(rel)
	return nil
}

func (sc *scanner) walk(m *merge) *walk {
	return &walk{
		root: sc.root, real: sc.root.Name(), own: sc.l.isOwn, skip: sc.l.leaves(sc.where), entry: sc.entry,
		file:    m.file,
		folder:  func(rel string) { sc.l.watch.Load().add(filepath.Join(sc.root.Name(), filepath.FromSlash(rel)), sc.sh) },
		empty:   func(rel string) { m.empty[sc.entry(rel)] = true },
		problem: sc.problem,
		skipped: sc.skip,
	}
}

// expect counts what a new share holds, so that its progress is told of the
// whole from the beginning.
func (sc *scanner) expect(ctx context.Context, group *errgroup.Group, rel string) {
	if sc.share.Entries > 0 || rel != "." {
		return
	}
	group.Go(func() error {
		var total int64
		w := &walk{
			root: sc.root, real: sc.root.Name(), own: sc.l.isOwn, skip: sc.l.leaves(sc.where), entry: sc.entry,
			file:    func(f found) error { total += f.info.Size(); return nil },
			empty:   func(string) {},
			problem: func(string, error) {},
			skipped: func() {},
		}
		if err := w.at(ctx, rel); err != nil {
			return err
		}
		sc.sh.expected.Store(total)
		return nil
	})
}

// hashAll starts a worker per core. It closes results after the last of them.
func (sc *scanner) hashAll(ctx context.Context, group *errgroup.Group, jobs <-chan job, results chan<- result) {
	var left atomic.Int64
	left.Store(sc.l.cores)
	for range sc.l.cores {
		group.Go(func() error {
			defer func() {
				if left.Add(-1) == 0 {
					close(results)
				}
			}()
			for j := range jobs {
				r := result{job: j}
				r.file, r.err = sc.l.hash(ctx, sc.root, filepath.FromSlash(j.rel), func(n int64) { sc.sh.read.Add(n) })
				if ctx.Err() != nil {
					return ctx.Err()
				}
				r.file.Path = sc.entry(j.rel)
				select {
				case results <- r:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	}
}

// collect stores results in batches until there are no more, and has the
// progress told meanwhile. What was hashed before ctx ended is stored too.
func (sc *scanner) collect(ctx context.Context, results <-chan result) error {
	ctx = context.WithoutCancel(ctx)
	progress := time.NewTicker(progressTime)
	defer progress.Stop()
	flush := time.NewTicker(batchTime)
	defer flush.Stop()
	var d delta
	for {
		select {
		case r, ok := <-results:
			if !ok {
				return sc.store(ctx, d)
			}
			sc.take(&d, r)
			if len(d.put)+len(d.drop) < batchOfFiles {
				continue
			}
		case <-flush.C:
		case <-progress.C:
			sc.l.tellProgress(sc.sh)
			continue
		}
		if err := sc.store(ctx, d); err != nil {
			return err
		}
		d = delta{}
	}
}

// take adds a result to d.
func (sc *scanner) take(d *delta, r result) {
	if r.was.Path != "" {
		d.entries--
		d.bytes -= r.was.Size
	}
	if r.err == nil {
		d.put = append(d.put, r.file)
		d.entries++
		d.bytes += r.file.Size
		return
	}
	if r.was.Path != "" {
		d.drop = append(d.drop, r.was.Path)
	}
	if !errors.Is(r.err, domain.ErrNotFound) {
		sc.problem(r.rel, r.err)
	}
}

func (sc *scanner) store(ctx context.Context, d delta) error {
	if d.empty() {
		return nil
	}
	return sc.l.commit(ctx, sc.sh, d, nil)
}

// drop takes files out of the catalogue.
func (sc *scanner) drop(ctx context.Context, gone []domain.File) error {
	for len(gone) > 0 {
		n := min(len(gone), batchOfFiles)
		d := delta{entries: -n}
		for _, f := range gone[:n] {
			d.drop = append(d.drop, f.Path)
			d.bytes -= f.Size
		}
		if err := sc.store(ctx, d); err != nil {
			return err
		}
		gone = gone[n:]
	}
	return nil
}

// note makes the problems found at and below rel those that are known of it.
func (sc *scanner) note(rel string) {
	sc.mu.Lock()
	noted := sc.noted
	sc.noted = make(map[string]error)
	sc.mu.Unlock()
	at := sc.entry(rel)
	sc.l.mu.Lock()
	defer sc.l.mu.Unlock()
	for path := range sc.sh.problems {
		if path == at || strings.HasPrefix(path, at+"/") {
			delete(sc.sh.problems, path)
		}
	}
	for path, err := range noted {
		if len(sc.sh.problems) < mostProblems {
			sc.sh.problems[path] = err
		}
	}
}
