package transfers

import (
	"context"
	"path"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
)

// Files returns the files of a download and how far each is, in the order in
// which Choose counts them. The error is domain.ErrNotFound.
func (t *Transfers) Files(id string) ([]domain.FileProgress, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d, ok := t.all[id]
	if !ok {
		return nil, unknown(id)
	}
	all := make([]domain.FileProgress, len(d.Files))
	for i, f := range d.Files {
		one := domain.FileProgress{TransferFile: f, State: domain.Queued, Done: d.partly[i]}
		if d.flight[i] != nil {
			one.State = domain.Running
		}
		if f.Final != "" {
			one.State, one.Done = domain.Done, f.Size
		}
		all[i] = one
	}
	return all, nil
}

// Choose leaves files out of a download, or takes them into it again: wanted
// leads from a file's index to whether it is wanted, and says nothing of the
// others. It may be called in any state; what was fetched of a file that is
// left out is removed unless the file is finished. Taking a file into a
// download that is done goes on with it. The error is domain.ErrNotFound for
// an unknown ID, domain.ErrUsage for an unknown file or if none would be left.
func (t *Transfers) Choose(ctx context.Context, id string, wanted map[int]bool) error {
	t.mu.Lock()
	d, ok := t.all[id]
	if !ok {
		t.mu.Unlock()
		return unknown(id)
	}
	if err := d.mayChoose(wanted); err != nil {
		t.mu.Unlock()
		return err
	}
	t.choose(d, wanted) //nolint:contextcheck // the download outlives the request for it
	t.mu.Unlock()
	return t.save(ctx)
}

// mayChoose refuses a choice that cannot be. The lock is held.
func (d *transfer) mayChoose(wanted map[int]bool) error {
	chosen := d.Count
	for i, want := range wanted {
		if i < 0 || i >= len(d.Files) {
			return domain.Fault(domain.ErrUsage, "the download has %s files, not one of number %s", len(d.Files), i)
		}
		switch {
		case want && d.Files[i].Skipped:
			chosen++
		case !want && !d.Files[i].Skipped:
			chosen--
		}
	}
	if chosen == 0 {
		return domain.Fault(domain.ErrUsage, "no file would be left of it; to end the download, cancel it")
	}
	return nil
}

// choose does what Choose says. The lock is held.
func (t *Transfers) choose(d *transfer, wanted map[int]bool) {
	t.stopCheck(d)
	var left []domain.Want // out
	for i, want := range wanted {
		f := &d.Files[i]
		if f.Skipped != want {
			continue
		}
		f.Skipped = !want
		fl := d.flight[i]
		switch {
		case want:
			d.next = 0
		case fl != nil:
			fl.stop(errSkipped) // what fetches it removes the part
		case f.Final == "" && !f.Folder:
			left = append(left, wantOf(d, *f))
			delete(d.partly, i)
		}
	}
	d.tally()
	t.keepFiles(d)
	if len(left) > 0 {
		t.done.Go(func() { t.discard(left) })
	}
	switch {
	case d.State == domain.Done && d.missing > 0:
		t.set(d, domain.Queued, domain.Saying{}, nil)
		t.launch(d)
	case d.State == domain.Running:
		d.poke()
		t.publish(d)
	case !d.State.Ended() && d.missing == 0:
		t.halt(d, errPaused)
		t.finish(d)
	case d.State == domain.Waiting:
		t.halt(d, errPaused) // what it waits for may be another now
		t.set(d, domain.Queued, domain.Saying{}, nil)
		t.launch(d)
	default:
		d.Done = d.finished
		t.publish(d)
	}
}

// only leaves out of d, which is new, what none of the patterns means.
func (d *transfer) only(patterns []string) error {
	if len(patterns) == 0 {
		return nil
	}
	for i := range d.Files {
		d.Files[i].Skipped = true
	}
	for _, p := range patterns {
		found := false
		for i := range d.Files {
			if Means(p, d.Files[i].Target) {
				d.Files[i].Skipped, found = false, true
			}
		}
		if !found {
			return NothingLike(p)
		}
	}
	return nil
}

// NothingLike is the error of a pattern that means no file of a download.
func NothingLike(pattern string) error {
	return domain.Fault(domain.ErrNotFound, "no file of it is like \"%s\"", pattern)
}

// Means reports whether a pattern means the file with that Target. A pattern
// is compared with the path below the folder that is downloaded, and with each
// folder in it: "img" and "img/*" mean all that is in img. One without a slash
// means names everywhere: "*.jpg". The signs are those of path.Match.
func Means(pattern, target string) bool {
	_, rel, ok := strings.Cut(target, "/")
	if !ok {
		rel = target // a download of one file
	}
	pattern = strings.Trim(pattern, "/")
	anywhere := !strings.Contains(pattern, "/")
	for at := rel; at != "." && at != "/"; at = path.Dir(at) {
		if ok, _ := path.Match(pattern, at); ok { // a bad pattern means nothing
			return true
		}
		if ok, _ := path.Match(pattern, path.Base(at)); ok && anywhere {
			return true
		}
	}
	return false
}

func unknown(id string) error {
	return domain.Fault(domain.ErrNotFound, "there is no download \"%s\"; see: potluck transfers", id)
}
