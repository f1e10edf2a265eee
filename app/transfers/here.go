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
	if info, err := os.Lstat(at); at == "" || err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return at
}

// has reports whether a content seems to be on this machine.
func (t *Transfers) has(content domain.ContentID) bool {
	if t.Finished(content) != "" {
		return true
	}
	_, shared := t.cfg.Shared(content)
	return shared
}
