package library

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// fetchPause is after how long without a byte what a person fetches next
	// counts as another time.
	fetchPause = 10 * time.Minute
	// fetchMemory is how long what went out of a file that is not through yet is
	// remembered.
	fetchMemory = 24 * time.Hour
	// mostFetchers and mostUnfinished bound what is remembered: people and shares, and
	// unfinished files of one person and share.
	mostFetchers   = 10_000
	mostUnfinished = 4096
	// fetchMerge is for how long fetches are gathered before they are stored.
	fetchMerge = time.Second
)

// fetched notices who has fetched what from the shares. No other lock is taken
// while mu is held.
type fetched struct {
	keeping sync.Mutex    // held while fetches are stored
	wake    chan struct{} // holds a token while there are some to store

	mu    sync.Mutex
	known map[fetcherOf]*fetching
	fresh map[*visit]fetcherOf // to be stored
}

// fetcherOf is a person and the share that it fetches from.
type fetcherOf struct {
	share *share
	peer  domain.PeerID
}

// fetching is what a person fetches from a share.
type fetching struct {
	last  time.Time                  // when bytes last went out
	parts map[domain.ContentID]int64 // bytes that went out of files that are not through
	visit *visit                     // the present one; nil before a file is through
	first bool                       // no visit was begun in this run yet
}

// visit is what a person fetched without a longer pause.
type visit struct {
	domain.Fetcher
	number uint64 // where it is stored; 0: it is not yet
	goesOn bool   // it may be one that was stored by the last run
}

func newFetched() fetched {
	return fetched{
		wake:  make(chan struct{}, 1),
		known: make(map[fetcherOf]*fetching), fresh: make(map[*visit]fetcherOf),
	}
}

// Sent is told that n bytes of a content went out to the asker, who is called
// name. It may be called from any goroutine and waits for no disk but to look the
// content up.
func (l *Library) Sent(asker domain.Asker, name string, id domain.ContentID, n int64) {
	sh, size := l.givenFrom(asker, id)
	if sh == nil {
		return
	}
	now := l.now()
	f := &l.fetched
	f.mu.Lock()
	defer f.mu.Unlock()
	key := fetcherOf{sh, asker.Peer}
	one := f.known[key]
	if one == nil {
		if len(f.known) >= mostFetchers && !f.sweep(now) {
			return
		}
		one = &fetching{parts: make(map[domain.ContentID]int64), first: true}
		f.known[key] = one
	}
	if now.Sub(one.last) > fetchPause {
		one.visit = nil
	}
	one.last = now
	sent := one.parts[id] + n
	if sent < size {
		one.note(id, sent)
		return
	}
	delete(one.parts, id)
	if one.visit == nil {
		one.visit = &visit{goesOn: one.first}
		one.first = false
	}
	v := one.visit
	v.Peer, v.Name, v.At = asker.Peer, name, now
	v.Files++
	v.Bytes += size
	f.fresh[v] = key
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// note remembers how much of a file went out.
func (one *fetching) note(id domain.ContentID, sent int64) {
	if _, had := one.parts[id]; !had && len(one.parts) >= mostUnfinished {
		for other := range one.parts { // any one
			delete(one.parts, other)
			break
		}
	}
	one.parts[id] = sent
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
		sh := l.shares[file.Share()]
		if sh == nil {
			continue
		}
		if given == nil || sh.Audience.Includes(asker) && !given.Audience.Includes(asker) {
			given, size = sh, file.Size
		}
	}
	return given, size
}

// sweep forgets who has not fetched anything for long and reports whether there
// is room now. f.mu is held.
func (f *fetched) sweep(now time.Time) bool {
	for key, one := range f.known {
		idle := now.Sub(one.last)
		if idle > fetchMemory || idle > fetchPause && len(one.parts) == 0 {
			delete(f.known, key)
		}
	}
	return len(f.known) < mostFetchers
}

// fetchedLoop stores what Sent notices until ctx ends, and then the rest.
func (l *Library) fetchedLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			l.keepFetched(context.WithoutCancel(ctx))
			return
		case <-l.fetched.wake:
		}
		select {
		case <-ctx.Done():
		case <-time.After(fetchMerge):
		}
		l.keepFetched(context.WithoutCancel(ctx))
	}
}

// keepFetched stores the fetches that are not stored yet.
func (l *Library) keepFetched(ctx context.Context) {
	f := &l.fetched
	f.keeping.Lock()
	defer f.keeping.Unlock()
	f.mu.Lock()
	fresh := f.fresh
	f.fresh = make(map[*visit]fetcherOf)
	f.sweep(l.now())
	f.mu.Unlock()
	var storing sync.WaitGroup // together they cost one flush of the disk
	for v, key := range fresh {
		storing.Go(func() { l.keepVisit(ctx, v, key.share) })
	}
	storing.Wait()
}

// keepVisit stores a fetch and tells how often the share was fetched by now.
func (l *Library) keepVisit(ctx context.Context, v *visit, sh *share) {
	s, ok := l.stored(sh)
	if !ok {
		return // not shared any more
	}
	f := &l.fetched
	f.mu.Lock()
	goesOn := v.goesOn
	v.goesOn = false
	f.mu.Unlock()
	if goesOn {
		l.takeUp(v, s.Name)
	}
	f.mu.Lock()
	now, number := v.Fetcher, v.number
	f.mu.Unlock()
	number, count, err := l.store.PutFetch(ctx, s.Name, number, now)
	if errors.Is(err, domain.ErrNotFound) {
		return // it has just been taken away
	}
	if err != nil {
		l.log.Warn("it could not be kept who fetched something", "share", s.Name, "err", err)
		return
	}
	f.mu.Lock()
	v.number = number
	f.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if count > sh.fetched { // others may be stored at the same time
		sh.fetched = count
		l.publish(sh)
	}
}

// takeUp makes a visit the same as the last one of the person that an earlier run
// stored, if that was not long ago.
func (l *Library) takeUp(v *visit, name string) {
	fetches, numbers, err := l.store.Fetches(name)
	if err != nil {
		l.log.Warn("it could not be read who fetched before", "share", name, "err", err)
		return
	}
	f := &l.fetched
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, before := range fetches {
		if before.Peer != v.Peer {
			continue
		}
		if ago := l.now().Sub(before.At); ago >= 0 && ago <= fetchPause {
			v.number = numbers[i]
			v.Files += before.Files
			v.Bytes += before.Bytes
		}
		return
	}
}

// Fetchers returns who fetched from the share of that name, newest first, the
// latest 200 times. The error wraps domain.ErrNotFound if it is not shared.
func (l *Library) Fetchers(ctx context.Context, share string) ([]domain.Fetcher, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	known := l.shares[share] != nil
	l.mu.Unlock()
	if !known {
		return nil, fmt.Errorf("%w: %w", domain.Fault(nil, "%s is not shared", share), domain.ErrNotFound)
	}
	l.keepFetched(ctx)
	fetches, _, err := l.store.Fetches(share)
	slices.SortStableFunc(fetches, func(a, b domain.Fetcher) int { return b.At.Compare(a.At) })
	return fetches, err
}
