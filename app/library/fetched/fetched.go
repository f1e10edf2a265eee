// Package fetched notices who has fetched what from the own shares, and keeps
// it.
//
// Everything may be called from any goroutine. A Log takes no lock of its caller's
// while it holds its own, and the functions that it is given are called without
// that.
package fetched

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// pause is after how long without a byte what a person fetches next counts
	// as another time.
	pause = 10 * time.Minute
	// memory is how long what went out of a file that is not through yet is
	// remembered.
	memory = 24 * time.Hour
	// mostFetchers and mostUnfinished bound what is remembered: people and
	// shares, and unfinished files of one person and share.
	mostFetchers   = 10_000
	mostUnfinished = 4096
	// merge is for how long fetches are gathered before they are stored.
	merge = time.Second
)

// Store keeps fetches. Writes return after they are on the disk.
type Store interface {
	// PutFetch stores who fetched from a share: anew if number is 0, else what
	// has become of the one with that number. It returns the number and how
	// often the share was fetched. The error wraps domain.ErrNotFound if the
	// share is gone.
	PutFetch(ctx context.Context, share string, number uint64, f domain.Fetcher) (same uint64, count int, err error)
	// Fetches returns who fetched from a share, newest first, and the numbers.
	Fetches(share string) (fetches []domain.Fetcher, numbers []uint64, err error)
}

// Config is what a Log needs; all of it. S is what its caller knows a share by,
// which stays the same when the share's name changes.
type Config[S comparable] struct {
	Store Store
	// Name returns the name of a share; false if it is not shared any more.
	Name func(share S) (string, bool)
	// Counted is told how often a share was fetched by now. Several calls at a
	// time may come in any order.
	Counted func(share S, times int)
	Now     func() time.Time
	Log     *slog.Logger
}

// Log is who has fetched what. Make one with New.
type Log[S comparable] struct {
	cfg     Config[S]
	keeping sync.Mutex    // held while fetches are stored
	wake    chan struct{} // holds a token while there are some to store

	mu    sync.Mutex
	known map[fetcher[S]]*fetching
	fresh map[*visit]fetcher[S] // to be stored
}

// fetcher is a person and the share that it fetches from.
type fetcher[S comparable] struct {
	share S
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

// New returns a Log that has noticed nothing yet.
func New[S comparable](cfg Config[S]) *Log[S] {
	return &Log[S]{
		cfg: cfg, wake: make(chan struct{}, 1),
		known: make(map[fetcher[S]]*fetching), fresh: make(map[*visit]fetcher[S]),
	}
}

// Sent is told that n bytes of a content of a share, which has size bytes, went
// out to a peer who is called name. It waits for no disk.
func (l *Log[S]) Sent(share S, peer domain.PeerID, name string, id domain.ContentID, size, n int64) {
	now := l.cfg.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	key := fetcher[S]{share, peer}
	one := l.known[key]
	if one == nil {
		if len(l.known) >= mostFetchers && !l.sweep(now) {
			return
		}
		one = &fetching{parts: make(map[domain.ContentID]int64), first: true}
		l.known[key] = one
	}
	if now.Sub(one.last) > pause {
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
	v.Peer, v.Name, v.At = peer, name, now
	v.Files++
	v.Bytes += size
	l.fresh[v] = key
	select {
	case l.wake <- struct{}{}:
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

// sweep forgets who has not fetched anything for long and reports whether there
// is room now. l.mu is held.
func (l *Log[S]) sweep(now time.Time) bool {
	for key, one := range l.known {
		idle := now.Sub(one.last)
		if idle > memory || idle > pause && len(one.parts) == 0 {
			delete(l.known, key)
		}
	}
	return len(l.known) < mostFetchers
}

// Run stores what Sent notices until ctx ends, and then the rest.
func (l *Log[S]) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			l.keep(context.WithoutCancel(ctx))
			return
		case <-l.wake:
		}
		select {
		case <-ctx.Done():
		case <-time.After(merge):
		}
		l.keep(context.WithoutCancel(ctx))
	}
}

// keep stores the fetches that are not stored yet.
func (l *Log[S]) keep(ctx context.Context) {
	l.keeping.Lock()
	defer l.keeping.Unlock()
	l.mu.Lock()
	fresh := l.fresh
	l.fresh = make(map[*visit]fetcher[S])
	l.sweep(l.cfg.Now())
	l.mu.Unlock()
	var storing sync.WaitGroup // together they cost one flush of the disk
	for v, key := range fresh {
		storing.Go(func() { l.keepVisit(ctx, v, key) })
	}
	storing.Wait()
}

// keepVisit stores a fetch and tells how often the share was fetched by now. One
// that cannot be stored is stored with the next ones.
func (l *Log[S]) keepVisit(ctx context.Context, v *visit, key fetcher[S]) {
	name, ok := l.cfg.Name(key.share)
	if !ok {
		return // not shared any more
	}
	l.mu.Lock()
	goesOn := v.goesOn
	v.goesOn = false
	l.mu.Unlock()
	if goesOn {
		l.takeUp(v, name)
	}
	l.mu.Lock()
	now, number := v.Fetcher, v.number
	l.mu.Unlock()
	number, count, err := l.cfg.Store.PutFetch(ctx, name, number, now)
	if errors.Is(err, domain.ErrNotFound) {
		return // it has just been taken away
	}
	if err != nil {
		l.cfg.Log.Warn("it could not be kept who fetched something", "share", name, "err", err)
		l.mu.Lock()
		l.fresh[v] = key
		l.mu.Unlock()
		return
	}
	l.mu.Lock()
	v.number = number
	l.mu.Unlock()
	l.cfg.Counted(key.share, count)
}

// takeUp makes a visit the same as the last one of the person that an earlier run
// stored, if that was not long ago.
func (l *Log[S]) takeUp(v *visit, name string) {
	fetches, numbers, err := l.cfg.Store.Fetches(name)
	if err != nil {
		l.cfg.Log.Warn("it could not be read who fetched before", "share", name, "err", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, before := range fetches {
		if before.Peer != v.Peer {
			continue
		}
		if ago := l.cfg.Now().Sub(before.At); ago >= 0 && ago <= pause {
			v.number = numbers[i]
			v.Files += before.Files
			v.Bytes += before.Bytes
		}
		return
	}
}

// Fetchers returns who fetched from the share of that name, newest first, the
// latest 200 times.
func (l *Log[S]) Fetchers(ctx context.Context, share string) ([]domain.Fetcher, error) {
	l.keep(ctx)
	fetches, _, err := l.cfg.Store.Fetches(share)
	slices.SortStableFunc(fetches, func(a, b domain.Fetcher) int { return b.At.Compare(a.At) })
	return fetches, err
}
