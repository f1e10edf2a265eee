package transfers

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
)

// check is a look through the finished files of a download.
type check struct {
	stop context.CancelFunc
	size int64
	done atomic.Int64 // bytes that were looked through
	told int          // the last percents that were published
}

// reason says how far it is.
func (c *check) reason() domain.Saying {
	return domain.Say("Checking what's here… %s %%", c.percent())
}

func (c *check) percent() int {
	if c.size <= 0 {
		return 0
	}
	return int(min(100, 100*c.done.Load()/c.size))
}

// CheckAgain hashes the files of downloads that are done, one download after
// the other, while it tells in Reason how far it is. One of which all is as it
// was says so; one of which something is damaged or gone is Failed, and
// Retry fetches that again. What cannot be read stays as it is. It returns at once. An unknown ID is
// domain.ErrNotFound; what is not done is left alone.
func (t *Transfers) CheckAgain(ctx context.Context, ids []string) error {
	return t.each(ctx, ids, func(d *transfer) { //nolint:contextcheck // it goes on after the request for it
		if d.State != domain.Done || d.check != nil || t.ctx == nil || t.ctx.Err() != nil {
			return
		}
		running, stop := context.WithCancel(t.ctx)
		c := &check{stop: stop, size: d.finished}
		d.check = c
		t.publish(d)
		t.done.Go(func() {
			defer stop()
			t.checkAgain(running, d, c)
		})
	})
}

// Missing has the downloads checked that lie at a path where nothing was found,
// if that was deleted: of a drive that is unplugged nothing is said.
func (t *Transfers) Missing(ctx context.Context, path string) error {
	if !isDeleted(path) {
		return nil
	}
	t.mu.Lock()
	var ids []string
	for id, d := range t.all {
		if d.State == domain.Done && d.Final == path {
			ids = append(ids, id)
		}
	}
	t.mu.Unlock()
	return t.CheckAgain(ctx, ids)
}

// stopCheck ends the check of d, if there is one. The lock is held.
func (t *Transfers) stopCheck(d *transfer) {
	if d.check != nil {
		d.check.stop()
		d.check = nil
	}
}

// tellCheck publishes how far the check of d is. The lock is held.
func (t *Transfers) tellCheck(d *transfer) {
	if now := d.check.percent(); now != d.check.told {
		d.check.told = now
		t.publish(d)
	}
}

func (t *Transfers) checkAgain(ctx context.Context, d *transfer, c *check) {
	select {
	case t.checks <- struct{}{}:
		defer func() { <-t.checks }()
	case <-ctx.Done():
	}
	t.mu.Lock()
	files := make(map[int]domain.TransferFile)
	for i, f := range d.Files {
		if f.Final != "" && !f.Folder && !f.Skipped {
			files[i] = f
		}
	}
	t.mu.Unlock()
	bad, unread := make(map[int]domain.Finished), ""
	root, gone := os.OpenRoot(d.Folder)
	if gone == nil {
		for i, f := range files {
			err := sound(ctx, root, d.Folder, &f, func(n int64) { c.done.Add(n) })
			switch {
			case err == nil:
			case lost(err):
				bad[i] = domain.Finished{}
			default: // a drive that was just unplugged is no damage
				unread = filepath.Base(f.Final)
			}
		}
		_ = root.Close() // was only read from
	}
	if ctx.Err() == nil && len(bad) > 0 {
		if err := t.cfg.Store.MarkFiles(ctx, d.ID, bad); err != nil {
			t.cfg.Log.Error("it could not be noted that files are damaged or gone", "id", d.ID, "err", err)
		}
	}
	t.mu.Lock()
	if d.check != c { // something else was done with it meanwhile
		t.mu.Unlock()
		return
	}
	d.check = nil
	switch {
	case ctx.Err() != nil:
	case gone != nil:
		d.Reason = domain.Say("The download folder is gone. Plug it in or choose another.")
	case len(bad) == 0 && unread != "":
		d.Reason = domain.Say("Can't read %s. Look whether you may open it.", unread)
	case len(bad) == 0:
		d.Reason = domain.Say("All of it is as it was, checked %s.", t.cfg.Now())
		t.keep(d)
	default:
		t.lose(d, bad)
	}
	t.publish(d)
	t.mu.Unlock()
	if err := t.save(ctx); err != nil {
		t.cfg.Log.Error("a transfer's state could not be kept", "id", d.ID, "err", err)
	}
}

// sound returns an error unless a finished file is as it was fetched.
func sound(ctx context.Context, root *os.Root, folder string, f *domain.TransferFile, progress func(int64)) error {
	rel, inside := below(folder, f.Final)
	if !inside {
		return domain.ErrNotFound
	}
	info, err := root.Lstat(rel)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() != f.Size {
		return domain.ErrChanged
	}
	file, err := root.Open(rel)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read from
	sum, err := content.Hash(ctx, file, f.Size, 1, progress)
	if err == nil && sum.ID != f.Content {
		return domain.ErrDamaged
	}
	return err
}

// lost reports whether an error of sound means that the file is not what was
// fetched, rather than that it could not be read.
func lost(err error) bool {
	for _, kind := range []error{fs.ErrNotExist, domain.ErrNotFound, domain.ErrChanged, domain.ErrDamaged} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// lose takes files of a download that was done for missing. The lock is held.
func (t *Transfers) lose(d *transfer, bad map[int]domain.Finished) {
	for i := range bad {
		f := &d.Files[i]
		if t.here[f.Content].Path == f.Final {
			t.forgetPlace(f.Content)
		}
		f.Final, f.Written = "", time.Time{}
	}
	d.fresh, d.had = false, 0
	d.tally()
	d.Done = d.finished
	reason := domain.Say("%s files are damaged or gone. Try again to get them.", len(bad))
	switch {
	case d.Count == 1:
		reason = domain.Say("It is damaged or gone. Try again to get it.")
	case len(bad) == 1:
		reason = domain.Say("One file is damaged or gone. Try again to get it.")
	}
	t.set(d, domain.Failed, reason, domain.ErrDamaged)
}
