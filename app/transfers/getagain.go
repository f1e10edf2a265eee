package transfers

import (
	"context"
	"crypto/rand"
	"os"
	"path"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
)

// GetAgain downloads anew what a download that has ended was asked for, as it is
// at its owner's now, in the place of the old one, whose ID it does not have.
// What is still here and has not changed at its owner's is not fetched again, and
// what was left out is left out. The error is domain.ErrNotFound if it is not there any more,
// domain.ErrUsage for a download that has not ended.
func (t *Transfers) GetAgain(ctx context.Context, id string) (string, error) {
	t.mu.Lock()
	old, ok := t.all[id]
	if !ok {
		t.mu.Unlock()
		return "", unknown(id)
	}
	d := newTransfer(domain.Transfer{
		ID: rand.Text()[:8], Kind: domain.Download, Peer: old.Peer, Path: old.Path, Folder: old.Folder,
		State: domain.Queued, Added: t.cfg.Now(),
	})
	offered := old.Offer != ""
	before, ended := append([]domain.TransferFile(nil), old.Files...), old.State.Ended()
	t.mu.Unlock()
	if !ended {
		return "", domain.Fault(domain.ErrUsage, "%s is still being downloaded", path.Base(d.Path))
	}
	if _, err := domain.ParseContentID(d.Path); err == nil || d.Peer == "" || offered {
		return id, t.Resume(ctx, []string{id}) // a content does not change, what was offered neither
	}
	settle, cancel := context.WithTimeout(ctx, patience/2)
	defer cancel()
	t.cfg.Catalogue.Settle(settle, d.Peer) // or it would be the old one again
	if err := t.resolveAgain(d, before); err != nil {
		return "", err
	}
	if err := t.add(ctx, d); err != nil {
		return "", err
	}
	t.mu.Lock()
	wants := t.onlyOf(old, old.unfinished()) // of what has changed
	t.mu.Unlock()
	t.discard(wants)
	return d.ID, t.Remove(ctx, []string{id})
}

// resolveAgain is resolvePath for a download in the place of another, which had
// the files before.
func (t *Transfers) resolveAgain(d *transfer, before []domain.TransferFile) error {
	if err := t.resolvePath(d, nil, folderOf(before)); err != nil {
		return err
	}
	known := make(map[string]domain.TransferFile, len(before))
	for _, f := range before {
		known[f.Path] = f
	}
	left := 0
	for i := range d.Files {
		f := &d.Files[i]
		was, ok := known[f.Path]
		if !ok {
			continue
		}
		f.Skipped = was.Skipped
		if f.Skipped {
			left++
		}
		if was.Content == f.Content && was.Folder == f.Folder && was.Target == f.Target && isHere(&was) {
			f.Final, f.Written = was.Final, was.Written
		}
	}
	if left == len(d.Files) { // nothing is left of what was wanted
		for i := range d.Files {
			d.Files[i].Skipped = false
		}
	}
	return nil
}

// isHere reports whether a finished file or folder seems to lie where it was
// finished, as it was then.
func isHere(f *domain.TransferFile) bool {
	info, err := os.Lstat(f.Final)
	return err == nil && (f.Folder && info.IsDir() || !f.Folder && f.Found().Fits(info))
}

// folderOf returns the folder that was made for a download of a folder; "" for
// one of a file.
func folderOf(files []domain.TransferFile) string {
	if len(files) == 0 {
		return ""
	}
	folder, _, inside := strings.Cut(files[0].Target, "/")
	if !inside && !files[0].Folder {
		return ""
	}
	return folder
}
