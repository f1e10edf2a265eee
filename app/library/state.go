package library

import (
	"context"
	"errors"
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
	state, words := domain.ShareUnreadable, domain.Say("Can't read %s.", name)
	switch {
	case errors.Is(reason, domain.ErrNotFound):
		state, words = domain.ShareGone, domain.Say("%s has moved.", name)
	case errors.Is(reason, domain.ErrNotShareable):
		words = domain.Say("%s is no file or folder any more.", name)
	}
	if err := l.setState(ctx, sh, s, state, words); err != nil {
		return outcome{err: err}
	}
	return outcome{err: reason, lost: true}
}

func (l *Library) setState(ctx context.Context, sh *share, s domain.Share, state domain.ShareState, words domain.Saying) error {
	if s.State == state && s.Problem == words {
		return nil
	}
	return l.commit(ctx, sh, delta{}, func(s *domain.Share) { s.State, s.Problem = state, words })
}

// problemInWords says what could not be shared of s, and what is.
func problemInWords(problems map[string]error, s domain.Share) domain.Saying {
	if len(problems) == 0 {
		return domain.Saying{}
	}
	first := ""
	for path := range problems {
		if first == "" || path < first {
			first = path
		}
	}
	what, more, shared := names.Display(first[strings.LastIndexByte(first, '/')+1:]), len(problems)-1, 0
	if s.Folder {
		shared = s.Entries
	}
	switch reason := problems[first]; {
	case errors.Is(reason, domain.ErrNotShareable), errors.Is(reason, domain.ErrTooLarge):
		return domain.CannotShare(what, more, shared)
	case errors.Is(reason, domain.ErrChanged) && more == 0:
		return keepsChanging(what, shared)
	default:
		return domain.CannotRead(what, more, shared)
	}
}

// keepsChanging is domain.CannotRead for a file that is being written.
func keepsChanging(what string, shared int) domain.Saying {
	switch shared {
	case 0:
		return domain.Say("Can't read %s while it keeps changing.", what)
	case 1:
		return domain.Say("Can't read %s while it keeps changing; the other one is shared.", what)
	default:
		return domain.Say("Can't read %s while it keeps changing; the other %s are shared.", what, shared)
	}
}
