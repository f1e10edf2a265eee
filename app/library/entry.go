package library

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
)

// Entry returns an entry of the own shares that has the content, whoever may
// see it; ok is false if none has.
func (l *Library) Entry(id domain.ContentID) (entry domain.Entry, ok bool) {
	files, err := l.store.ContentFiles(id, 1)
	if err != nil {
		l.log.Warn("could not look up a content", "content", id, "err", err)
		return domain.Entry{}, false
	}
	if len(files) == 0 {
		return domain.Entry{}, false
	}
	entry = files[0].Entry
	for _, f := range files[1:] {
		if strings.HasPrefix(entry.Path, offerMark) {
			entry = f.Entry // rather one that is shared
		}
	}
	entry.Path = offeredName(entry.Path)
	return entry, true
}

// Where returns the path of a file in the own shares that has the content, and
// "" if none has it any more.
func (l *Library) Where(id domain.ContentID) string {
	found, err := l.copies(id)
	if err != nil {
		l.log.Warn("could not look up a content", "content", id, "err", err)
		return ""
	}
	for _, c := range found {
		l.mu.Lock()
		sh := l.shares[c.share]
		var at domain.Share
		if sh != nil {
			at = sh.Share
		}
		l.mu.Unlock()
		for _, f := range c.files {
			path := at.Path
			if at.Folder {
				path = filepath.Join(path, filepath.FromSlash(strings.TrimPrefix(f.Path, at.Name+"/")))
			}
			if info, err := os.Lstat(path); path != "" && err == nil && info.Mode().IsRegular() {
				return path
			}
		}
	}
	return ""
}
