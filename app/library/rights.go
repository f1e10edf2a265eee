package library

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/potluck-share/potluck/app/domain"
)

// Right is a reason for which somebody may fetch a content: a share whose
// audience includes the asker, later an open offer or a grant. Allows may be
// called from any goroutine.
type Right interface {
	Allows(asker domain.Asker, id domain.ContentID) bool
}

// Allowed decides who may have what. It is asked on each request; everything
// that leaves this machine passes it.
func (l *Library) Allowed(asker domain.Asker, id domain.ContentID) bool {
	if asker.Peer == "" || l.blocked(asker.Peer) {
		return false
	}
	for _, r := range l.rights {
		if r.Allows(asker, id) {
			return true
		}
	}
	return false
}

// shareRight allows what lies in a share whose audience includes the asker.
type shareRight struct{ library *Library }

// Allows implements Right.
func (r shareRight) Allows(asker domain.Asker, id domain.ContentID) bool {
	holders, err := r.library.store.ContentShares(id)
	if err != nil {
		r.library.log.Error("a content could not be looked up; it is not given", "err", err)
		return false
	}
	r.library.mu.Lock()
	defer r.library.mu.Unlock()
	for _, name := range holders {
		if sh := r.library.shares[name]; sh != nil && offers(sh.Share) && sh.Audience.Includes(asker) {
			return true
		}
	}
	return false
}

// Nearby reports whether everyone nearby may have the content.
func (l *Library) Nearby(id domain.ContentID) bool {
	return shareRight{l}.Allows(domain.Asker{Peer: "anyone", Near: true}, id)
}

// Source is an open file that is served from. Its methods may be called from
// any goroutine, Close once.
type Source struct {
	library *Library
	file    *os.File
	stored  domain.File
	layer   []byte
	changed func()
	once    sync.Once
}

// Size returns the content's size in bytes.
func (s *Source) Size() int64 { return s.stored.Size }

// Layer returns the chaining values of all pieces; nil for a content of up to
// one piece. The caller must not change it.
func (s *Source) Layer() []byte { return s.layer }

// Nearby reports whether everyone nearby may have the content at this moment.
func (s *Source) Nearby() bool { return s.library.Nearby(s.stored.Content) }

// ReadAt reads like io.ReaderAt. What it reads is the content only if Fresh
// agrees afterwards.
func (s *Source) ReadAt(p []byte, off int64) (int, error) { return s.file.ReadAt(p, off) }

// File returns the file itself, for sharing its blocks. It is closed by Close.
func (s *Source) File() *os.File { return s.file }

// Fresh returns an error wrapping domain.ErrChanged if the file is not as it
// was when it was hashed; the file is then hashed again.
func (s *Source) Fresh() error {
	info, err := s.file.Stat()
	if err == nil && asSeen(info, s.stored.Size, s.stored.ModifiedNano) {
		return nil
	}
	s.once.Do(s.changed)
	return fmt.Errorf("%s: %w", s.stored.Path, domain.ErrChanged)
}

// Close closes the file.
func (s *Source) Close() error { return s.file.Close() }

// mostCopies is how many files of a share with the same content are tried.
const mostCopies = 16

// Open opens a content for the asker. The error wraps domain.ErrNotFound alike
// if it is not here and if the asker may not have it, and domain.ErrChanged if
// all files that had it have changed or gone; those are then looked at again.
// ctx is not kept.
func (l *Library) Open(ctx context.Context, asker domain.Asker, id domain.ContentID) (*Source, error) {
	if !l.Allowed(asker, id) {
		return nil, absent(id)
	}
	return l.Local(ctx, id)
}

func absent(id domain.ContentID) error { return fmt.Errorf("content %s: %w", id, domain.ErrNotFound) }

// Local opens a content for the user's own use, whoever else may have it. The
// errors are those of Open.
func (l *Library) Local(ctx context.Context, id domain.ContentID) (*Source, error) {
	holders, err := l.store.ContentShares(id)
	if err != nil {
		return nil, err
	}
	stale := false
	for _, name := range holders {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l.mu.Lock()
		sh := l.shares[name]
		var s domain.Share
		if sh != nil {
			s = sh.Share
		}
		l.mu.Unlock()
		if sh == nil || !offers(s) {
			continue
		}
		source, err := l.openIn(sh, s, id)
		if err == nil {
			return source, nil
		}
		if !errors.Is(err, domain.ErrNotFound) {
			l.log.Debug("a shared file could not be opened", "share", name, "err", err)
			stale = true
		}
	}
	if stale {
		return nil, fmt.Errorf("content %s: %w", id, domain.ErrChanged)
	}
	return nil, absent(id)
}

// openIn opens a content in one share.
func (l *Library) openIn(sh *share, s domain.Share, id domain.ContentID) (*Source, error) {
	files, err := l.store.ContentIn(id, s.Name, mostCopies)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, domain.ErrNotFound
	}
	layer, err := l.store.Layer(id)
	if err != nil {
		return nil, err
	}
	where, err := l.locate(s.Path)
	if err != nil {
		l.touch(sh, ".")
		return nil, fmt.Errorf("%w: %w", domain.ErrChanged, reasonOf(err))
	}
	root, start, err := where.open()
	if err != nil {
		l.touch(sh, ".")
		return nil, fmt.Errorf("%w: %w", domain.ErrChanged, reasonOf(err))
	}
	defer func() { _ = root.Close() }() // the file stays open without it
	for _, f := range files {
		rel := start
		if where.folder {
			rel = strings.TrimPrefix(f.Path, s.Name+"/")
		}
		changed := func() { l.touch(sh, rel) }
		file, err := open(root, filepath.FromSlash(rel))
		if err != nil {
			changed()
			continue
		}
		source := &Source{library: l, file: file, stored: f, layer: layer, changed: changed}
		if source.Fresh() == nil {
			return source, nil
		}
		_ = file.Close() // was only looked at
	}
	return nil, domain.ErrChanged
}
