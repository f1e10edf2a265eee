package transfers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/potluck-share/potluck/app/domain"
)

// workers is how many files of a folder are under way at once; small ones wait
// mostly for the disk.
const workers = 64

// errSkipped ends the fetching of a file that the user does not want any more.
var errSkipped = errors.New("left out by the user")

// flight is a file that is being fetched.
type flight struct {
	domain.Progress
	stop  context.CancelCauseFunc
	begun bool // what was here before has been told
}

// lacks reports whether a file is wanted and not here.
func lacks(f *domain.TransferFile) bool { return f.Final == "" && !f.Skipped }

// tally counts what d is made of, after its files have changed. The lock is
// held.
func (d *transfer) tally() {
	d.Count, d.Size, d.finished, d.missing = 0, 0, 0, 0
	for i := range d.Files {
		f := &d.Files[i]
		if f.Skipped {
			continue
		}
		d.Count++
		d.Size += f.Size
		if f.Final != "" {
			d.finished += f.Size
		} else {
			d.missing++
		}
	}
}

// here returns how many bytes of d are verified and on the disk, as far as this
// run knows. The lock is held.
func (d *transfer) here() int64 {
	done := d.finished
	for i, n := range d.partly {
		if lacks(&d.Files[i]) {
			done += n
		}
	}
	return done
}

// fetchAll fetches all files that d lacks, several at once, and those that the
// user adds meanwhile. One that changed at the source, or is being fetched by
// another download, does not keep the others from being fetched.
func (t *Transfers) fetchAll(ctx context.Context, d *transfer) (err error) {
	ctx, stop := context.WithCancelCause(ctx)
	var files, watchers sync.WaitGroup
	watchers.Go(func() { t.watchAlone(ctx, d, stop) })
	watchers.Go(func() { t.markLoop(ctx, d, stop) })
	defer func() {
		stop(nil)
		files.Wait()
		watchers.Wait()
		if markErr := t.writeMarks(ctx, d); err == nil {
			err = markErr
		}
	}()

	t.mu.Lock()
	d.next, d.putOff, d.putOffErr = 0, nil, nil
	t.mu.Unlock()
	room := make(chan struct{}, workers)
	for {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		i, begun, busy := t.nextFile(ctx, d)
		if begun != nil {
			files.Go(func() {
				// One after the other: a goroutine for each would grow its
				// stack anew for each.
				for begun != nil {
					if err := t.fetchOne(begun, d, i); err != nil {
						stop(err)
					}
					begun = nil
					if ctx.Err() == nil {
						i, begun, _ = t.nextFile(ctx, d)
					}
				}
				<-room
				d.poke()
			})
			continue
		}
		<-room
		if !busy {
			break
		}
		select {
		case <-d.stirred:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return d.putOffErr
}

// poke lets fetchAll look again what there is to do.
func (d *transfer) poke() {
	select {
	case d.stirred <- struct{}{}:
	default:
	}
}

// nextFile begins the next file that d lacks and returns the context for
// fetching it; nil if there is none at the moment. busy is true while others
// are being fetched.
func (t *Transfers) nextFile(ctx context.Context, d *transfer) (i int, begun context.Context, busy bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for ; d.next < len(d.Files); d.next++ {
		i = d.next
		if !lacks(&d.Files[i]) || d.flight[i] != nil || d.putOff[i] {
			continue
		}
		begun, stop := context.WithCancelCause(ctx)
		d.flight[i] = &flight{stop: stop}
		d.next++
		return i, begun, true
	}
	return 0, nil, len(d.flight) > 0
}

// fetchOne fetches file i of d and marks it finished. An error ends the whole
// attempt.
func (t *Transfers) fetchOne(ctx context.Context, d *transfer, i int) error {
	t.mu.Lock()
	f := d.Files[i]
	t.mu.Unlock()
	final, had, err := t.bring(ctx, d, i, f)
	if err == nil {
		t.mark(d, i, finished(&f, final, had), had)
		return nil
	}
	stopped := errors.Is(context.Cause(ctx), errSkipped)
	t.mu.Lock()
	skipped := d.Files[i].Skipped
	t.mu.Unlock()
	if skipped {
		t.discard([]domain.Want{wantOf(d, f)})
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	d.flight[i].stop(nil)
	d.landed(d.flight[i])
	delete(d.flight, i)
	if skipped {
		delete(d.partly, i)
	}
	d.Done = d.here()
	switch {
	case skipped, stopped:
		d.next = min(d.next, i) // it may be wanted again by now
		return nil
	case errors.Is(err, domain.ErrChanged), errors.Is(err, domain.ErrBusy):
		if d.putOff == nil {
			d.putOff = make(map[int]bool)
			d.putOffErr = fmt.Errorf("%s: %w", f.Path, err)
		}
		d.putOff[i] = true
		return nil
	}
	return err
}

// finished says where a finished file lies and, if it was made for this
// download, which time it has.
func finished(f *domain.TransferFile, final string, had bool) domain.Finished {
	done := domain.Finished{Final: final}
	if had || f.Folder {
		return done
	}
	if info, err := os.Lstat(final); err == nil {
		done.Written = info.ModTime()
	}
	return done
}

// bring brings file i of d to its place; had is true if it was there before.
func (t *Transfers) bring(ctx context.Context, d *transfer, i int, f domain.TransferFile) (final string, had bool, err error) {
	if f.Folder {
		if err := t.cfg.Engine.Folder(d.Folder, f.Target, f.Modified); err != nil {
			return "", false, err
		}
		return filepath.Join(d.Folder, filepath.FromSlash(f.Target)), false, nil
	}
	return t.cfg.Engine.Fetch(ctx, wantOf(d, f), whoHas{t, f.Content, d.Peer}, func(p domain.Progress) {
		t.mu.Lock()
		fl := d.flight[i]
		fl.Progress = p
		if !fl.begun && !p.Checking {
			fl.begun = true
			d.rate.done += p.Done - d.partly[i] // it was here before, and is no speed
		}
		if p.Done > 0 || !p.Checking { // what is being looked through is not lost
			d.partly[i] = p.Done
		}
		t.mu.Unlock()
	})
}

func wantOf(d *transfer, f domain.TransferFile) domain.Want {
	return domain.Want{
		Content: f.Content, Size: f.Size, Modified: f.Modified, Owner: d.Peer, Folder: d.Folder, Target: f.Target,
		Private: d.Offer != "", New: d.untouched,
	}
}
