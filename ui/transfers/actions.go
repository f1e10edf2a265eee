package transfers

import (
	"context"
	"errors"

	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
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
	renewing // for what its owner has changed meanwhile
	checking // whether what is here is as it was
	moving   // to another folder
	cancelling
	removing // from the list
	deleting // with its files
	telling  // the details
)

// can reports whether an action makes sense for a transfer.
func can(t *domain.Transfer, a action) bool {
	if t.Kind == domain.Upload {
		return a == telling || a == removing && t.State.Ended()
	}
	if t.Kind == domain.Offering {
		return canOffering(t, a)
	}
	changed := t.Failure == domain.ErrorKind(domain.ErrChanged)
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
		return t.State == domain.Cancelled || t.State == domain.Failed && !changed
	case renewing:
		return t.State == domain.Failed && changed
	case checking:
		return t.State == domain.Done
	case moving:
		return NeedsUser(t) && t.Offer == "" // an offer is there once
	case removing:
		return t.State.Ended()
	case deleting:
		return t.State.Ended() && t.Done > 0
	case telling:
		return true
	default:
		return false
	}
}

// canOffering is can for what is given to one person.
func canOffering(t *domain.Transfer, a action) bool {
	switch a {
	case cancelling:
		return !t.State.Ended() && !t.Incoming
	case retrying: // whoever has declined is not asked again
		return !t.Incoming && (t.State == domain.Failed || t.State == domain.Cancelled) && t.Failure != domain.ErrorKind(domain.ErrRefused)
	case removing:
		return t.State.Ended()
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
	case deleting:
		v.askToDelete(ids)
	default:
		v.do(func(ctx context.Context) error { return v.call(ctx, a, ids) })
	}
}

// Missing has the downloads looked at again of which the user was told that
// they lie at a path where nothing is: then they say so, and offer to get it
// again.
func (v *View) Missing(path string) {
	v.do(func(ctx context.Context) error { return v.transfers.Missing(ctx, path) })
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
	case checking:
		return v.transfers.CheckAgain(ctx, ids)
	case removing:
		return v.transfers.Remove(ctx, ids)
	case renewing:
		var problems []error
		for _, id := range ids {
			_, err := v.transfers.GetAgain(ctx, id)
			problems = append(problems, err)
		}
		return errors.Join(problems...)
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
	if r := v.known[id]; r != nil {
		return &r.transfer
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

// drop cancels what is under way and removes from the list what has ended.
func (v *View) drop(ids []string) {
	ended := v.able(ids, removing)
	v.act(cancelling, ids)
	v.act(removing, ended)
}

// askToDelete deletes what was downloaded, after a question.
func (v *View) askToDelete(ids []string) {
	question := words.N("Delete the files of %s downloads?", len(ids))
	if len(ids) == 1 {
		question = words.T("Delete %s?", Name(v.transfer(ids[0])))
	}
	meaning := widget.NewParagraph(words.T("What was downloaded is deleted from this computer for good. Files that were changed since stay."), theme.SecondText, fyne.TextAlignLeading)
	widget.ShowSheet(v.canvas(), question, meaning.RichText, words.T("Cancel"), nil,
		widget.NewButton(words.T("Delete files"), "", widget.Plain, func() {
			v.do(func(ctx context.Context) error { return v.deleteFiles(ctx, ids) })
		}))
}

// deleteFiles deletes what was downloaded, off the UI thread. What stays is
// told as a problem.
func (v *View) deleteFiles(ctx context.Context, ids []string) error {
	left, err := v.transfers.DeleteFiles(ctx, ids)
	switch {
	case err != nil || left == 0:
		return err
	case left == 1:
		return domain.Fault(nil, "one file is not as it was downloaded, and stays")
	default:
		return domain.Fault(nil, "%s files are not as they were downloaded, and stay", left)
	}
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
			if content, err := domain.ParseContentID(old.Path); err == nil {
				req = domain.GetRequest{Content: content, To: folder} // whoever has it
			}
			moved, err := v.transfers.Get(ctx, req)
			if err != nil {
				return err
			}
			if err := v.skipAgain(ctx, moved, files); err != nil || moved == id {
				return err // it is the same folder, so it goes on there
			}
			if err := v.transfers.Cancel(ctx, []string{id}); err != nil {
				return err
			}
			return v.transfers.Remove(ctx, []string{id})
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
