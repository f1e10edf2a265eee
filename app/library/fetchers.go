package library

import (
	"context"
	"fmt"

	"github.com/potluck-share/potluck/app/domain"
)

// Sent is told that n bytes of a content went out to the asker, who is called
// name. It may be called from any goroutine and waits for no disk but to look the
// content up.
func (l *Library) Sent(asker domain.Asker, name string, id domain.ContentID, n int64) {
	if sh, size := l.givenFrom(asker, id); sh != nil {
		l.fetches.Sent(sh, asker.Peer, name, id, size, n)
	}
}

// givenFrom returns the share from which the asker gets a content, one that it
// may see if there are several, and the content's size; nil if none has it.
func (l *Library) givenFrom(asker domain.Asker, id domain.ContentID) (given *share, size int64) {
	files, err := l.store.ContentFiles(id, 1)
	if err != nil {
		l.log.Warn("it could not be looked up what somebody fetches", "content", id, "err", err)
		return nil, 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, file := range files {
		sh := l.named(file.Share())
		if sh == nil {
			continue
		}
		if given == nil || sh.Audience.Includes(asker) && !given.Audience.Includes(asker) {
			given, size = sh, file.Size
		}
	}
	return given, size
}

// Fetchers returns who fetched from the share of that name, newest first, the
// latest 200 times. The error wraps domain.ErrNotFound if it is not shared.
func (l *Library) Fetchers(ctx context.Context, share string) ([]domain.Fetcher, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	known := l.named(share) != nil
	l.mu.Unlock()
	if !known {
		return nil, fmt.Errorf("%w: %w", domain.Fault(nil, "%s is not shared", share), domain.ErrNotFound)
	}
	return l.fetches.Fetchers(ctx, share)
}

// counted takes how often a share was fetched by now. Others may be counted at
// the same time.
func (l *Library) counted(sh *share, times int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if times > sh.fetched {
		sh.fetched = times
		l.publish(sh)
	}
}
