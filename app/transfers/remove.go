package transfers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

// Clear removes all transfers that have ended from the list. Files stay.
func (t *Transfers) Clear(ctx context.Context) error {
	_, err := t.forget(ctx, func(string) bool { return true })
	return err
}

// Remove removes those of the transfers that have ended from the list. Files
// stay. An unknown ID is domain.ErrNotFound; the others are still removed.
func (t *Transfers) Remove(ctx context.Context, ids []string) error {
	missing := t.missing(ids)
	_, err := t.forget(ctx, func(id string) bool { return slices.Contains(ids, id) })
	return errors.Join(missing, err)
}

// DeleteFiles is Remove that also deletes, for good, the files that the
// downloads have made, and those of their folders that are empty then. A file
// that is not as it was when it was finished, or that was there before, is
// left; left is how many these are.
func (t *Transfers) DeleteFiles(ctx context.Context, ids []string) (left int, err error) {
	missing := t.missing(ids)
	gone, err := t.forget(ctx, func(id string) bool { return slices.Contains(ids, id) })
	problems := []error{missing, err}
	for _, d := range gone {
		n, err := t.deleteFiles(d)
		left += n
		problems = append(problems, err)
	}
	problems = append(problems, t.keepFound(ctx, nil))
	return left, errors.Join(problems...)
}

// missing returns an error for each ID that no transfer has.
func (t *Transfers) missing(ids []string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var problems []error
	for _, id := range ids {
		if t.all[id] == nil && t.uploadOf(id) == nil {
			problems = append(problems, unknown(id))
		}
	}
	return errors.Join(problems...)
}

// forget removes from the list and from the store what has ended and whose ID
// is meant, and returns the downloads among it, which nobody else knows then.
func (t *Transfers) forget(ctx context.Context, means func(id string) bool) ([]*transfer, error) {
	t.discardAll(ctx, means)
	t.saving.Lock() // or a late write would bring one back
	defer t.saving.Unlock()
	t.mu.Lock()
	var gone []*transfer
	var ids []string
	for id, d := range t.all {
		if means(id) && d.State.Ended() && d.cancel == nil && !d.Parts {
			t.stopCheck(d)
			gone, ids = append(gone, d), append(ids, id)
			delete(t.all, id)
		}
	}
	for key, u := range t.uploads {
		if means(u.ID) && u.State.Ended() {
			ids = append(ids, u.ID)
			delete(t.uploads, key)
		}
	}
	for _, id := range ids {
		delete(t.unsaved, id)
		event.Retract(t.cfg.Bus, event.Transfers, id)
	}
	t.mu.Unlock()
	return gone, errors.Join(t.keepFound(ctx, gone), t.drop(ctx, ids))
}

// drop removes transfers from the store. Together they cost one flush of the
// disk.
func (t *Transfers) drop(ctx context.Context, ids []string) error {
	var group errgroup.Group
	for _, id := range ids {
		group.Go(func() error { return t.cfg.Store.DropTransfer(ctx, id) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("clearing the list: %w", err)
	}
	return nil
}

// discardAll removes the parts that are kept of cancelled downloads, and waits
// for that.
func (t *Transfers) discardAll(ctx context.Context, means func(id string) bool) {
	var ended []chan struct{}
	t.mu.Lock()
	for id, d := range t.all {
		if !means(id) || !d.Parts {
			continue
		}
		if !d.kept.IsZero() {
			t.discardKept(ctx, d)
		}
		ended = append(ended, d.ended)
	}
	t.mu.Unlock()
	for _, one := range ended {
		<-one
	}
}

// deleteFiles deletes what d, which is in no list any more, has made, through
// its download folder: no link leads out of it.
func (t *Transfers) deleteFiles(d *transfer) (left int, err error) {
	root, err := os.OpenRoot(d.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %w", domain.Fault(domain.ErrUnwritable, "cannot delete from %s", filepath.Base(d.Folder)), err)
	}
	defer func() { _ = root.Close() }() // nothing is written through it
	var problems []error
	deleted := 0
	folders := make(map[string]bool)
	for i := range d.Files {
		f := &d.Files[i]
		rel, inside := below(d.Folder, f.Final)
		switch {
		case f.Final == "":
			continue
		case f.Folder && inside:
			folders[rel] = true
			continue
		}
		info, err := root.Lstat(rel)
		switch {
		case inside && errors.Is(err, fs.ErrNotExist):
			continue
		case !inside || err != nil || !asWritten(f, info):
			left++
			continue
		}
		if err := root.Remove(rel); err != nil {
			left++
			problems = append(problems, fmt.Errorf("%w: %w", domain.Fault(domain.ErrUnwritable, "cannot delete %s", filepath.Base(rel)), err))
			continue
		}
		deleted++
		for dir := filepath.Dir(rel); dir != "."; dir = filepath.Dir(dir) {
			folders[dir] = true
		}
		t.Differs(f.Content, f.Final)
	}
	if deleted > 0 {
		removeEmpty(root, folders)
	}
	return left, errors.Join(problems...)
}

// asWritten reports whether a finished file was made by its transfer and is
// still what it was then.
func asWritten(f *domain.TransferFile, info fs.FileInfo) bool {
	return !f.Written.IsZero() && f.Found().Fits(info)
}

// below returns the path of a finished file in its download folder.
func below(folder, final string) (rel string, inside bool) {
	rel, err := filepath.Rel(folder, final)
	return rel, err == nil && filepath.IsLocal(rel)
}

// removeEmpty removes those of the folders that are empty, the innermost ones
// first.
func removeEmpty(root *os.Root, folders map[string]bool) {
	all := make([]string, 0, len(folders))
	for dir := range folders {
		all = append(all, dir)
	}
	depth := func(dir string) int { return strings.Count(dir, string(filepath.Separator)) }
	slices.SortFunc(all, func(a, b string) int { return depth(b) - depth(a) })
	for _, dir := range all {
		if info, err := root.Lstat(dir); err == nil && info.IsDir() {
			_ = root.Remove(dir) // it stays if something is in it
		}
	}
}
