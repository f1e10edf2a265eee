package library

import "github.com/potluck-share/potluck/app/domain"

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
	return files[0].Entry, true
}
