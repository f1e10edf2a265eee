package transfers

import (
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
		delete(t.here, content)
	}
}

// has reports whether a content seems to be on this machine.
func (t *Transfers) has(content domain.ContentID) bool {
	return t.Finished(content) != "" || t.cfg.Own(content)
}
