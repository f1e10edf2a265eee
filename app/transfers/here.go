package transfers

import (
	"context"
	"os"

	"github.com/potluck-share/potluck/app/domain"
)

// found notes where a finished file lies. The lock is held, or nobody else
// knows t yet.
func (t *Transfers) found(f domain.TransferFile) {
	if f.Final != "" && !f.Folder {
		t.here[f.Content] = f.Final
	}
}

// Finished returns the path of a finished download of the content, and "" if
// there is none any more. The file may have been changed since.
func (t *Transfers) Finished(content domain.ContentID) string {
	t.mu.Lock()
	at := t.here[content]
	t.mu.Unlock()
	if at == "" {
		return ""
	}
	if info, err := os.Lstat(at); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return at
}

// Differs notes that the file at the path that Finished returned does not have
// the content any more.
func (t *Transfers) Differs(content domain.ContentID, path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.here[content] == path {
		t.forgetPlace(content)
	}
}

// forgetPlace forgets where a content lies; the store hears of it with the next list
// that is cleared. The lock is held.
func (t *Transfers) forgetPlace(content domain.ContentID) {
	delete(t.here, content)
	t.unfound[content] = true
}

// keepFound stores where the files of downloads lie that are in no list any
// more, and what lies nowhere: "you have this" outlasts the list and the
// program.
func (t *Transfers) keepFound(ctx context.Context, gone []*transfer) error {
	found := make(map[domain.ContentID]string)
	t.mu.Lock()
	for content := range t.unfound {
		found[content] = ""
	}
	clear(t.unfound)
	for _, d := range gone {
		for i := range d.Files {
			if f := &d.Files[i]; f.Final != "" && !f.Folder && t.here[f.Content] == f.Final {
				found[f.Content] = f.Final
			}
		}
	}
	t.mu.Unlock()
	if len(found) == 0 {
		return nil
	}
	return t.cfg.Store.PutFound(ctx, found)
}

// has reports whether a content seems to be on this machine.
func (t *Transfers) has(content domain.ContentID) bool {
	return t.Finished(content) != "" || t.cfg.Own(content)
}
