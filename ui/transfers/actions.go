package transfers

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/words"
)

// action is something that can be done to a transfer.
type action int

const (
	none action = iota
	opening
	revealing
	pausing
	resuming
	hastening // to run before the others
	deferring // to run after them
	choosing  // which files of a folder are wanted
	retrying
	moving // to another folder
	cancelling
	telling // the details
)

// can reports whether an action makes sense for a transfer.
func can(t *domain.Transfer, a action) bool {
	if t.Kind == domain.Upload {
		return a == telling
	}
	switch a {
	case opening, revealing:
		return t.State == domain.Done && t.Final != ""
	case pausing:
		return t.State == domain.Running || t.State == domain.Queued || t.State == domain.Waiting
	case resuming:
		return t.State == domain.Paused
	case hastening, deferring, cancelling:
		return !t.State.Ended()
	case choosing:
		return t.Count > 1
	case retrying:
		return t.State == domain.Cancelled || t.State == domain.Failed
	case moving:
		return NeedsUser(t)
	case telling:
		return true
	default:
		return false
	}
}

// act does something to those of the transfers for which it makes sense.
func (v *View) act(a action, ids []string) {
	ids = v.able(ids, a)
	if len(ids) == 0 {
		return
	}
	switch a {
	case opening:
		t := v.transfer(ids[0])
		v.OnOpen(t.Final, t.PeerName)
	case revealing:
		v.OnReveal(v.transfer(ids[0]).Final)
	case choosing, telling:
		v.showDetails(ids[0])
	case moving:
		v.move(ids[0])
	case cancelling:
		v.cancel(ids)
	default:
		v.do(func(ctx context.Context) error { return v.call(ctx, a, ids) })
	}
}

// call asks the use case for an action that needs no question, off the UI
// thread.
func (v *View) call(ctx context.Context, a action, ids []string) error {
	switch a {
	case pausing:
		return v.transfers.Pause(ctx, ids)
	case resuming:
		return v.transfers.Resume(ctx, ids)
	case hastening:
		return v.transfers.First(ctx, ids)
	case deferring:
		return v.transfers.Later(ctx, ids)
	case retrying:
		return v.transfers.Retry(ctx, ids)
	default:
		return nil
	}
}

// do calls the use case and shows what went wrong.
func (v *View) do(task func(ctx context.Context) error) {
	v.run.Go(func(ctx context.Context) func() {
		if err := task(ctx); err != nil && ctx.Err() == nil {
			return func() { v.OnError(err) }
		}
		return nil
	})
}

// transfer returns one that is known, by its ID.
func (v *View) transfer(id string) *domain.Transfer {
	if i, ok := v.known[id]; ok {
		return &v.all[i].transfer
	}
	return nil
}

// able returns those of the IDs that an action makes sense for.
func (v *View) able(ids []string, a action) []string {
	var out []string
	for _, id := range ids {
		if t := v.transfer(id); t != nil && can(t, a) {
			out = append(out, id)
		}
	}
	return out
}

// every returns the IDs of all transfers that an action makes sense for.
func (v *View) every(a action) []string {
	var ids []string
	for _, r := range v.all {
		if can(&r.transfer, a) {
			ids = append(ids, r.id)
		}
	}
	return ids
}

// toggle pauses what runs; if nothing does, it goes on with what is paused.
func (v *View) toggle(ids []string) {
	if len(v.able(ids, pausing)) > 0 {
		v.act(pausing, ids)
	} else {
		v.act(resuming, ids)
	}
}

// cancel ends transfers and offers to take that back.
func (v *View) cancel(ids []string) {
	text := words.N("%s downloads are cancelled.", len(ids))
	if len(ids) == 1 {
		text = words.T("%s is cancelled.", Name(v.transfer(ids[0])))
	}
	v.run.Go(func(ctx context.Context) func() {
		err := v.transfers.Cancel(ctx, ids)
		return func() {
			if err != nil {
				v.OnError(err)
				return
			}
			v.OnToast(text, func() {
				v.do(func(ctx context.Context) error { return v.transfers.Retry(ctx, ids) })
			})
		}
	})
}

// move fetches a download into another folder, with the same files chosen.
func (v *View) move(id string) {
	old := *v.transfer(id)
	v.OnFolder(func(folder string) {
		v.do(func(ctx context.Context) error {
			files, err := v.transfers.Files(id)
			if err != nil {
				return err
			}
			// It is not ended before the other one has begun.
			req := domain.GetRequest{Peer: old.Peer, Path: old.Path, To: folder}
			if content, err := domain.ParseContentID(old.Path); err == nil && old.Peer == "" {
				req.Path, req.Content = "", content
			}
			moved, err := v.transfers.Get(ctx, req)
			if err != nil {
				return err
			}
			if err := v.skipAgain(ctx, moved, files); err != nil {
				return err
			}
			return v.transfers.Cancel(ctx, []string{id})
		})
	})
}

// skipAgain leaves the files out of a download that were left out of another
// one of the same.
func (v *View) skipAgain(ctx context.Context, id string, before []domain.FileProgress) error {
	skipped := make(map[string]bool)
	for _, f := range before {
		if f.Skipped {
			skipped[f.Path] = true
		}
	}
	if len(skipped) == 0 {
		return nil
	}
	files, err := v.transfers.Files(id)
	if err != nil {
		return err
	}
	wanted := make(map[int]bool)
	for i, f := range files {
		if skipped[f.Path] {
			wanted[i] = false
		}
	}
	return v.transfers.Choose(ctx, id, wanted)
}

func (v *View) canvas() fyne.Canvas {
	return fyne.CurrentApp().Driver().CanvasForObject(v.list)
}
