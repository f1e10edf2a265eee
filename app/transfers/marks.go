package transfers

import (
	"context"
	"fmt"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// markEvery is for how long finished files are gathered before they are noted
// in the store, which flushes the disk each time. What is lost by a kill before
// is recognised by its content.
const markEvery = 150 * time.Millisecond

// mark takes file i of d for finished.
func (t *Transfers) mark(d *transfer, i int, done domain.Finished, had bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := &d.Files[i]
	f.Final, f.Written = done.Final, done.Written
	delete(d.partly, i)
	t.found(*f)
	if !f.Skipped {
		d.finished += f.Size
		d.missing--
	}
	if had {
		d.had++
	}
	if fl := d.flight[i]; fl != nil {
		fl.stop(nil)
		d.landed(fl)
		delete(d.flight, i)
	}
	if d.unmarked == nil {
		d.unmarked = make(map[int]domain.Finished)
	}
	d.unmarked[i] = done
}

// markLoop notes the finished files of d in the store until ctx ends, which it
// ends itself if they cannot be noted.
func (t *Transfers) markLoop(ctx context.Context, d *transfer, stop context.CancelCauseFunc) {
	tick := time.NewTicker(markEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := t.writeMarks(ctx, d); err != nil {
			stop(err)
			return
		}
	}
}

// writeMarks notes in the store which files of d were finished since the last
// time, also if ctx has ended. One goroutine at a time may call it.
func (t *Transfers) writeMarks(ctx context.Context, d *transfer) error {
	t.mu.Lock()
	finals := d.unmarked
	d.unmarked = nil
	t.mu.Unlock()
	if len(finals) == 0 {
		return nil
	}
	err := t.cfg.Store.MarkFiles(context.WithoutCancel(ctx), d.ID, finals)
	if err == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, final := range d.unmarked {
		finals[i] = final
	}
	d.unmarked = finals // for the next attempt
	return fmt.Errorf("noting which files of %s are here: %w", d.Path, err)
}
