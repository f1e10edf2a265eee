package library

import (
	"context"
	"errors"
	"fmt"

	"github.com/potluck-share/potluck/app/domain"
)

// Move says that the share of a name now lies at another path. It keeps its
// name, its audience, and what was read of files that are the same there; the
// rest is read in the background. It must be what it was, a file or a folder,
// and not be shared under another name.
func (l *Library) Move(ctx context.Context, name, path string) error {
	l.mu.Lock()
	sh := l.named(name)
	l.mu.Unlock()
	if sh == nil {
		return fmt.Errorf("%w: %w", domain.Fault(nil, "%s is not shared", name), domain.ErrNotFound)
	}
	where, err := l.locate(path)
	if err == nil {
		err = l.accept(where)
	}
	if err != nil {
		return fmt.Errorf("share %s: %w", path, err)
	}
	if err := l.fits(sh, where); err != nil {
		return err
	}
	l.stop(sh) // what is read is not where it lies
	err = l.commit(ctx, sh, delta{}, func(s *domain.Share) {
		s.Path, s.State, s.Problem = where.path, domain.ShareReading, domain.Saying{}
	})
	if err != nil {
		l.touch(sh, ".")
		if errors.Is(err, errUnshared) {
			return fmt.Errorf("%w: %w", domain.Fault(nil, "%s is not shared", name), domain.ErrNotFound)
		}
		return fmt.Errorf("move %s: %w", name, err)
	}
	l.watch.Load().drop(sh)
	l.mu.Lock()
	clear(sh.problems)
	l.mu.Unlock()
	l.touch(sh, ".")
	return nil
}

// fits reports why a share cannot lie at a place.
func (l *Library) fits(sh *share, where place) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case sh.Folder && !where.folder:
		return domain.Fault(domain.ErrUsage, "%s was a folder, so choose one", sh.Name)
	case !sh.Folder && where.folder:
		return domain.Fault(domain.ErrUsage, "%s was a file, so choose one", sh.Name)
	}
	for _, other := range l.shares {
		if other != sh && other.Path == where.path && other.Offer == "" {
			return domain.Fault(domain.ErrUsage, "that is shared already, as %s", other.Name)
		}
	}
	return nil
}
