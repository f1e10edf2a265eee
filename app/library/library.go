package library

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/library/fetched"
)

// Store keeps the own catalogue. The methods may be called from any goroutine;
// writes return after they are on the disk.
type Store interface {
	fetched.Store
	// Apply stores a batch as a whole and returns the public version after it.
	Apply(ctx context.Context, b domain.CatalogueBatch) (domain.Version, error)
	// Version is the version of the public catalogue.
	Version() domain.Version
	// Changes returns up to limit public changes after since and the version
	// that they lead to; ok is false if the log does not reach back to since.
	Changes(since domain.Version, limit int) (changes []domain.Change, reached domain.Version, ok bool, err error)
	// Shares returns all shares.
	Shares() ([]domain.Share, error)
	// File returns the file at path or an error wrapping domain.ErrNotFound.
	File(path string) (domain.File, error)
	// FilesFrom returns up to limit files at or below the path under that come
	// after the path after, in path order.
	FilesFrom(under, after string, limit int) ([]domain.File, error)
	// FilePage returns up to limit entries after a path, in path order, of the
	// shares that keep accepts, and where to go on.
	FilePage(after string, limit int, keep func(share string) bool) (page []domain.Entry, next string, err error)
	// FoldersIn returns the folders directly in the folder at a path, with the
	// sums of what is below them, sorted by path.
	FoldersIn(ctx context.Context, folder string) ([]domain.ShareFile, error)
	// FilesIn returns up to limit files, all for 0, directly in the folder at a
	// path that come after the name after, sorted by path.
	FilesIn(ctx context.Context, folder, after string, limit int) ([]domain.Entry, error)
	// ContentShares names the shares that hold a content, ContentFiles returns
	// up to limit files of each of them that have it, share by share.
	ContentShares(id domain.ContentID) ([]string, error)
	ContentFiles(id domain.ContentID, limit int) ([]domain.File, error)
	// Layer returns the piece layer of a content, nil if it has none.
	Layer(id domain.ContentID) ([]byte, error)
}

// Config is what a Library needs. Store, Bus and Log are required.
type Config struct {
	Store Store
	Bus   *event.Bus
	Log   *slog.Logger
	// Own lists absolute paths that are never shared, whatever contains them:
	// the data folder, the control socket.
	Own []string
	// Skip holds the user's patterns of names that are left out of shared
	// folders; see SetSkip.
	Skip []string
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Changed, which may be nil, is called after each change of what is offered
	// to anybody. It may be called from several goroutines and must not block.
	Changed func()
	// Blocked reports whether the user has blocked a peer; nil means nobody.
	Blocked func(domain.PeerID) bool
	// Hidden reports whether nobody is to be shown or given anything; nil means
	// never. Changed need not be called when it changes.
	Hidden func() bool
	// Reserved reports whether this machine is on a network on which the user
	// shows what is shared to friends only; nil means never.
	Reserved func() bool
	// Watches is how many folders are watched at most; 0: as many as is good here.
	// Rescan is how often everything is looked through while that is not enough;
	// 0: every ten minutes.
	Watches int
	Rescan  time.Duration
	// Rights are further reasons, besides the shares, for which somebody may
	// fetch a content.
	Rights []Right
}

// Library is the set of own shares. Make one with New.
type Library struct {
	store    Store
	bus      *event.Bus
	log      *slog.Logger
	own      []ownPath
	now      func() time.Time
	changed  func()
	blocked  func(domain.PeerID) bool
	hidden   func() bool
	reserved func() bool
	rights   []Right
	watches  int
	rescans  time.Duration

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
	readers *semaphore.Weighted // shares being read at the same time
	hashers *semaphore.Weighted // cores in use for hashing
	cores   int64
	roots   roots
	watch   atomic.Pointer[watcher] // nil until Start
	fetches *fetched.Log[*share]

	mu      sync.Mutex
	closed  bool
	started bool
	skip    patterns          // replaced as a whole
	shares  map[string]*share // by name
	views   map[domain.PeerID]*privateView
	counter uint64 // gives every change of a share a number
	epoch   uint64 // of all private views: when this library was made
}

// share is one share in memory.
type share struct {
	turn chan struct{} // held by whoever reads the share
	// storing is held while what is stored of the share is changed. It comes
	// before Library.mu.
	storing sync.Mutex
	// read and toRead count the bytes of the reading under way; expected is
	// what a new share holds in all.
	read, toRead, expected atomic.Int64

	// The rest is guarded by Library.mu.
	domain.Share
	ctx      context.Context // of the reading; ends when it is to stop
	cancel   context.CancelFunc
	removed  bool
	reading  bool
	revision uint64              // of what it offers and to whom
	problems map[string]error    // by entry path
	dirty    map[string]struct{} // paths below it that wait to be looked at
	working  bool                // somebody looks at the dirty ones
	fetched  int                 // how often
	real     string              // where it lay when it was last read
}

// readersAtOnce limits how many shares are read at the same time.
const readersAtOnce = 4

// New returns the library with the shares that are stored. It reads and watches
// nothing until Start.
func New(c Config) (*Library, error) {
	stored, err := c.Store.Shares()
	if err != nil {
		return nil, fmt.Errorf("load what is shared: %w", err)
	}
	now := c.Now
	if now == nil {
		now = time.Now
	}
	cores := int64(max(1, runtime.GOMAXPROCS(0)))
	ctx, cancel := context.WithCancel(context.Background())
	l := &Library{
		store: c.Store, bus: c.Bus, log: c.Log, own: ownPaths(c.Own), now: now,
		changed: c.Changed, blocked: c.Blocked, hidden: c.Hidden, reserved: c.Reserved, rights: c.Rights, skip: slices.Clone(c.Skip),
		watches: cmp.Or(c.Watches, mostWatches()), rescans: cmp.Or(c.Rescan, rescanTime),
		ctx: ctx, cancel: cancel,
		readers: semaphore.NewWeighted(readersAtOnce),
		hashers: semaphore.NewWeighted(cores), cores: cores,
		shares: make(map[string]*share), views: make(map[domain.PeerID]*privateView),
		epoch: uint64(now().UnixNano()),
	}
	l.fetches = fetched.New(fetched.Config[*share]{
		Store: c.Store, Now: now, Log: c.Log, Counted: l.counted,
		Name: func(sh *share) (string, bool) {
			s, ok := l.stored(sh)
			return s.Name, ok
		},
	})
	if l.changed == nil {
		l.changed = func() {}
	}
	if l.blocked == nil {
		l.blocked = func(domain.PeerID) bool { return false }
	}
	if l.reserved == nil {
		l.reserved = func() bool { return false }
	}
	if l.hidden == nil {
		l.hidden = func() bool { return false }
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range stored {
		l.add(s)
	}
	return l, nil
}

// add makes s a share in memory and publishes it. The caller holds l.mu.
func (l *Library) add(s domain.Share) *share {
	ctx, cancel := context.WithCancel(l.ctx)
	l.counter++
	sh := &share{
		ctx: ctx, cancel: cancel, turn: make(chan struct{}, 1),
		Share: s, revision: l.counter, fetched: s.Fetched,
		problems: make(map[string]error),
		dirty:    make(map[string]struct{}),
	}
	l.shares[s.Name] = sh
	l.publish(sh)
	return sh
}

// Start begins to watch what is shared, after looking what has changed since
// the last time. It returns at once; the work ends with ctx or Close.
func (l *Library) Start(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.started || l.closed {
		return
	}
	l.started = true
	stop := context.AfterFunc(ctx, l.cancel)
	watch := newWatcher(l.log, l.watches)
	l.watch.Store(watch)
	l.running.Go(func() {
		defer stop()
		l.watchLoop(l.ctx, watch)
	})
	l.running.Go(func() { l.returnLoop(l.ctx) })
	l.running.Go(func() { l.fetches.Run(l.ctx) })
	for _, sh := range l.shares {
		l.touchLocked(sh, ".")
	}
}

// Close stops reading and watching and waits until all of it has ended.
func (l *Library) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	l.running.Wait()
	l.roots.close()
	if err := l.watch.Load().close(); err != nil {
		return fmt.Errorf("stop watching: %w", err)
	}
	return nil
}

// Shares returns what is shared, sorted by name.
func (l *Library) Shares() []domain.Share {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]domain.Share, 0, len(l.shares))
	for _, sh := range l.shares {
		if sh.Offer == "" {
			all = append(all, sh.shown())
		}
	}
	slices.SortFunc(all, func(a, b domain.Share) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// shown returns the share as it is told to the user. The caller holds
// Library.mu.
func (s *share) shown() domain.Share {
	out := s.Share
	out.Audience.Peers = slices.Clone(out.Audience.Peers)
	out.Read, out.ToRead, out.Fetched = 0, 0, s.fetched
	if s.reading && offers(out) {
		out.State = domain.ShareReading
		out.Read, out.ToRead = s.read.Load(), max(s.toRead.Load(), s.expected.Load())
	}
	return out
}

// publish tells the bus of the share. The caller holds l.mu.
func (l *Library) publish(sh *share) {
	if !sh.removed && sh.Offer == "" {
		event.Publish(l.bus, event.Shares, sh.Name, sh.shown())
	}
}

// offers reports whether the entries of a share are to be had at all. What is
// stored of a share that is gone is kept, so that nothing needs to be hashed
// again when it comes back.
func offers(s domain.Share) bool {
	return s.State == domain.ShareReady || s.State == domain.ShareReading
}

// public reports whether everyone nearby may see the entries of a share.
func public(s domain.Share) bool {
	return offers(s) && s.Audience.Kind == domain.Everyone
}

// ownPath is a path that is never shared.
type ownPath struct {
	path string // absolute, links resolved as far as it exists
	// info is set for a folder, which stays the same while we run. What a file
	// is told by, as a socket that a killed program left, is soon that of
	// another file.
	info os.FileInfo
}

func ownPaths(paths []string) []ownPath {
	own := make([]ownPath, 0, len(paths))
	for _, p := range paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			continue // only without a working directory, where p was relative
		}
		if resolved, err := filepath.EvalSymlinks(abs); err == nil {
			abs = resolved
		}
		o := ownPath{path: abs}
		if info, err := os.Stat(abs); err == nil && info.IsDir() {
			o.info = info
		}
		own = append(own, o)
	}
	return own
}

// errUnshared means that the share was taken away meanwhile.
var errUnshared = errors.New("not shared any more")
