package library

import (
	"context"
	"fmt"

	"github.com/potluck-share/potluck/app/domain"
)

// Restore shares again what Unshare stopped sharing: with the same people,
// under its name if that is free, and also where nothing lies at its path at
// the moment. It returns when that is stored; what is there is read after that.
// Who fetched from it is forgotten. The error wraps domain.ErrNotShareable for
// what may not be shared any more.
func (l *Library) Restore(ctx context.Context, s domain.Share) error {
	if err := checkAudience(s.Audience); err != nil {
		return err
	}
	if where, err := l.locate(s.Path); err == nil {
		if err := l.foreign(where); err != nil {
			return fmt.Errorf("share %s again: %w", s.Path, err)
		}
	}
	l.mu.Lock()
	for _, known := range l.shares {
		if known.Path == s.Path && known.Offer == "" {
			l.mu.Unlock()
			return l.setAudience(ctx, known, s.Audience)
		}
	}
	sh := l.add(domain.Share{
		Name: l.nameFor(s.Name, ""), Path: s.Path, Folder: s.Folder,
		Audience: s.Audience, Added: s.Added, State: domain.ShareReading,
	})
	l.mu.Unlock()
	if err := l.commit(ctx, sh, delta{}, nil); err != nil {
		l.forget(sh)
		return fmt.Errorf("share %s again: %w", s.Path, err)
	}
	l.touch(sh, ".")
	return nil
}
