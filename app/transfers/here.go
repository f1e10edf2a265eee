package transfers

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/potluck-share/potluck/app/domain"
)

// found notes where a finished file lies. The lock is held, or nobody else
// knows t yet.
func (t *Transfers) found(f domain.TransferFile) {
	if f.Final != "" && !f.Folder {
		t.here[f.Content] = f.Found()
		delete(t.unfound, f.Content)
	}
}

// Finished returns the path of a finished download of the content, and "" if
// there is none any more. The file may have been changed since, in a way that
// its size and time do not tell.
func (t *Transfers) Finished(content domain.ContentID) string {
	t.mu.Lock()
	at, known := t.here[content]
	t.mu.Unlock()
	if !known {
		return ""
	}
	info, err := os.Lstat(at.Path)
	if err != nil || !at.Fits(info) {
		return ""
	}
	return at.Path
}

// Differs notes that the file at the path that Finished returned does not have
// the content any more.
func (t *Transfers) Differs(content domain.ContentID, path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.here[content].Path == path {
		t.forgetPlace(content)
	}
}

// forgetPlace forgets where a content lies; the store hears of it with the next
// keepFound. The lock is held.
func (t *Transfers) forgetPlace(content domain.ContentID) {
	delete(t.here, content)
	t.unfound[content] = true
}

// has reports whether a content seems to be on this machine.
func (t *Transfers) has(content domain.ContentID) bool {
	return t.Finished(content) != "" || t.cfg.Own(content)
}

// keepFound stores where the files of downloads lie that are in no list any
// more, and what lies nowhere: "you have this" outlasts the list and the
// program.
func (t *Transfers) keepFound(ctx context.Context, gone []*transfer) error {
	found := make(map[domain.ContentID]domain.Found)
	t.mu.Lock()
	lost := maps.Clone(t.unfound)
	clear(t.unfound)
	for content := range lost {
		found[content] = domain.Found{}
	}
	for _, d := range gone {
		for i := range d.Files {
			if f := &d.Files[i]; f.Final != "" && !f.Folder && t.here[f.Content].Path == f.Final {
				found[f.Content] = t.here[f.Content]
			}
		}
	}
	t.mu.Unlock()
	if len(found) == 0 {
		return nil
	}
	err := t.cfg.Store.PutFound(ctx, found)
	if err != nil {
		t.mu.Lock()
		maps.Copy(t.unfound, lost)
		t.mu.Unlock()
	}
	return err
}

// lookForFound forgets what the user has deleted or moved since the last run:
// where the folder is still there and the file is not. Of a drive that is
// unplugged nothing is forgotten.
func (t *Transfers) lookForFound(ctx context.Context) {
	t.mu.Lock()
	all := maps.Clone(t.here)
	t.mu.Unlock()
	for content, at := range all {
		if ctx.Err() != nil {
			return
		}
		if isDeleted(at.Path) {
			t.Differs(content, at.Path)
		}
	}
	if err := t.keepFound(ctx, nil); err != nil && ctx.Err() == nil {
		t.cfg.Log.Warn("what was deleted could not be noted", "err", err)
	}
}

// isDeleted reports whether a file is not there while something else in its
// folder is: an empty folder may be where a drive was.
func isDeleted(path string) bool {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return false
	}
	defer func() { _ = folder.Close() }() // only read from
	some, _ := folder.Readdirnames(1)
	return len(some) > 0
}
