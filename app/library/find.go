package library

import (
	"context"
	"fmt"

	"github.com/potluck-share/potluck/app/domain"
)

// Find returns up to most entries whose path holds all the words, which are in
// lower case, as the asker may see them, as many as it finds before ctx ends. The
// error wraps domain.ErrRefused for a far stranger and for somebody blocked.
func (l *Library) Find(ctx context.Context, asker domain.Asker, words []string, most int) ([]domain.Entry, error) {
	s, ok := l.look(asker)
	if !ok {
		return nil, fmt.Errorf("the catalogue: %w", domain.ErrRefused)
	}
	var found []domain.Entry
	for after := ""; ctx.Err() == nil; {
		entries, next, err := l.store.FilePage(after, pageLength, func(share string) bool { return s.shares[share] })
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !domain.HoldsWords(e.Path, words) {
				continue
			}
			if found = append(found, e); len(found) == most {
				return found, nil
			}
		}
		if next == "" {
			break
		}
		after = next
	}
	return found, nil
}
