package library

import "github.com/potluck-share/potluck/app/domain"

// Entry returns an entry of the own shares that has the content, whoever may
// see it; ok is false if none has.
func (l *Library) Entry(id domain.ContentID) (entry domain.Entry, ok bool) {
	names, err := l.store.ContentShares(id)
	if err != nil {
		l.log.Warn("could not look up a content", "content", id, "err", err)
		return domain.Entry{}, false
	}
	for _, name := range names {
		files, err := l.store.ContentIn(id, name, 1)
		if err == nil && len(files) > 0 {
			return files[0].Entry, true
		}
	}
	return domain.Entry{}, false
}
