package transfers

import (
	"context"
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// undo is for how long cancelling can be undone without losing anything.
const undo = 10 * time.Second

// Cancel ends downloads. What was fetched of their unfinished files is kept
// for 10 s, so that Retry goes on with it, and removed then, or when the
// program ends. Finished files stay. An unknown ID is domain.ErrNotFound.
func (t *Transfers) Cancel(ctx context.Context, ids []string) error {
	return t.each(ctx, ids, func(d *transfer) {
		if d.State.Ended() {
			return
		}
		t.halt(d, errCancelled)
		d.Parts, d.kept = true, t.cfg.Now().Add(undo)
		t.set(d, domain.Cancelled, domain.Say("Cancelled by you."), nil)
	})
}

// discardKept removes the parts of a cancelled download. A new attempt waits
// for that. The lock is held.
func (t *Transfers) discardKept(ctx context.Context, d *transfer) {
	d.kept = time.Time{}
	wants := t.onlyOf(d, d.unfinished())
	last, ended := d.ended, make(chan struct{})
	d.ended = ended
	t.done.Go(func() {
		if last != nil {
			<-last // a part file has one owner at a time
		}
		t.discard(wants)
		t.mu.Lock()
		clear(d.partly)
		d.Parts, d.Done = false, d.finished
		t.keep(d)
		t.publish(d)
		t.mu.Unlock()
		close(ended)
		if err := t.save(ctx); err != nil {
			t.cfg.Log.Error("a transfer's state could not be kept", "id", d.ID, "err", err)
		}
	})
}

// onlyOf leaves out of wants, which d has no use for, what another download
// goes on with: the same content at the same place has one part. The lock is
// held.
func (t *Transfers) onlyOf(d *transfer, wants []domain.Want) []domain.Want {
	type part struct {
		target  string
		content domain.ContentID
	}
	used := make(map[part]bool)
	for _, other := range t.all {
		if other == d || other.Folder != d.Folder || other.State.Ended() && other.kept.IsZero() {
			continue
		}
		for i := range other.Files {
			if f := &other.Files[i]; lacks(f) && !f.Folder {
				used[part{f.Target, f.Content}] = true
			}
		}
	}
	return slices.DeleteFunc(wants, func(w domain.Want) bool { return used[part{w.Target, w.Content}] })
}
