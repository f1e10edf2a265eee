package library

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/names"
)

// beginReading says that size more bytes of a share are to be hashed.
func (l *Library) beginReading(sh *share, size int64) {
	sh.toRead.Add(size)
	l.mu.Lock()
	defer l.mu.Unlock()
	sh.reading = true
}

// finishReading says that nothing of a share is being hashed any more.
func (l *Library) finishReading(sh *share) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !sh.reading {
		return
	}
	sh.reading = false
	sh.read.Store(0)
	sh.toRead.Store(0)
	sh.expected.Store(0)
	l.publish(sh)
}

// tellProgress publishes how far the reading of a share is.
func (l *Library) tellProgress(sh *share) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if sh.reading {
		l.publish(sh)
	}
}

// settle stores the state of a share after a scan.
func (l *Library) settle(ctx context.Context, sh *share) error {
	l.mu.Lock()
	s := sh.Share
	state, words := domain.ShareReady, problemInWords(sh.problems, s)
	if s.Entries == 0 && len(sh.problems) > 0 {
		state = domain.ShareUnreadable
	}
	l.mu.Unlock()
	return l.setState(ctx, sh, s, state, words)
}

// lose stores that a share is not there, or cannot be read, and why. Its
// entries are kept, though not offered, so that nothing needs to be hashed again
// when it comes back.
func (l *Library) lose(ctx context.Context, sh *share, s domain.Share, reason error) outcome {
	name := names.Display(filepath.Base(s.Path))
	state, words := domain.ShareUnreadable, fmt.Sprintf("Can't read %s.", name)
	switch {
	case errors.Is(reason, domain.ErrNotFound):
		state, words = domain.ShareGone, name+" has moved."
	case errors.Is(reason, domain.ErrNotShareable):
		words = fmt.Sprintf("%s is no file or folder any more.", name)
	}
	if err := l.setState(ctx, sh, s, state, words); err != nil {
		return outcome{err: err}
	}
	return outcome{err: reason, lost: true}
}

func (l *Library) setState(ctx context.Context, sh *share, s domain.Share, state domain.ShareState, words string) error {
	if s.State == state && s.Problem == words {
		return nil
	}
	return l.commit(ctx, sh, delta{}, func(s *domain.Share) { s.State, s.Problem = state, words })
}

// problemInWords says what could not be shared of s, and what is.
func problemInWords(problems map[string]error, s domain.Share) string {
	if len(problems) == 0 {
		return ""
	}
	first := ""
	for path := range problems {
		if first == "" || path < first {
			first = path
		}
	}
	what := names.Display(first[strings.LastIndexByte(first, '/')+1:])
	if more := len(problems) - 1; more > 0 {
		what = fmt.Sprintf("%s and %d more", what, more)
	}
	var b strings.Builder
	switch reason := problems[first]; {
	case errors.Is(reason, domain.ErrNotShareable), errors.Is(reason, domain.ErrTooLarge):
		fmt.Fprintf(&b, "Can't share %s", what)
	case errors.Is(reason, domain.ErrChanged) && len(problems) == 1:
		fmt.Fprintf(&b, "Can't read %s while it keeps changing", what)
	default:
		fmt.Fprintf(&b, "Can't read %s", what)
	}
	switch {
	case !s.Folder || s.Entries == 0:
	case s.Entries == 1:
		b.WriteString("; the other one is shared")
	default:
		fmt.Fprintf(&b, "; the other %d are shared", s.Entries)
	}
	b.WriteByte('.')
	return b.String()
}
