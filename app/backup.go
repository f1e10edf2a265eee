package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/backup"
	"github.com/potluck-share/potluck/storage/db"
	"github.com/potluck-share/potluck/storage/names"
)

const (
	// backupEvery merges changes into one writing of the backup.
	backupEvery = time.Second
	// backupRetry is how long a writing that did not work waits.
	backupRetry = time.Minute
)

func backupPath(data string) string { return filepath.Join(data, "backup.toml") }

// backupKeeper writes the backup of friends, blocked people and audiences after
// they have changed, off the goroutines that change them.
type backupKeeper struct {
	path  string
	now   func() backup.Backup
	log   *slog.Logger
	wake  chan struct{} // holds a token while something may have changed
	retry *time.Timer   // after a failure
	stop  context.CancelFunc
	done  sync.WaitGroup
	last  *backup.Backup // as written in this run; the goroutine's own
}

func startBackup(path string, now func() backup.Backup, log *slog.Logger) *backupKeeper {
	ctx, stop := context.WithCancel(context.Background())
	k := &backupKeeper{path: path, now: now, log: log, wake: make(chan struct{}, 1), retry: time.NewTimer(backupRetry), stop: stop}
	k.retry.Stop()
	k.changed()
	k.done.Go(func() { k.run(ctx) })
	return k
}

// changed says that there may be something to write. It does not block.
func (k *backupKeeper) changed() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *backupKeeper) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		case <-k.retry.C:
		}
		k.write()
		select {
		case <-ctx.Done():
			return
		case <-time.After(backupEvery):
		}
	}
}

// write writes the backup if it is not what was written last. The first one of a
// run is always written: the file may be older than the database.
func (k *backupKeeper) write() {
	b := k.now()
	if k.last != nil && reflect.DeepEqual(b, *k.last) {
		return
	}
	if err := backup.Write(k.path, b); err != nil {
		k.log.Error("friends and audiences could not be backed up", "err", err)
		k.retry.Reset(backupRetry)
		return
	}
	k.last = &b
}

// close writes what is not written yet, and waits.
func (k *backupKeeper) close() error {
	k.stop()
	k.done.Wait()
	k.write()
	return nil
}

// toBackUp is what a user would miss most. Only what a restart needs of it is
// kept, so that it changes seldom.
func (n *node) toBackUp() backup.Backup {
	var b backup.Backup
	for _, p := range n.people.Kept() {
		p.LastSeen = time.Time{}
		b.People = append(b.People, p)
	}
	for _, s := range n.library.Shares() {
		b.Shares = append(b.Shares, domain.Share{Name: s.Name, Path: s.Path, Folder: s.Folder, Audience: s.Audience})
	}
	return b
}

// backUp says that friends, blocked people or shares may have changed.
func (n *node) backUp() {
	if n.backups != nil {
		n.backups.changed()
	}
}

// openDatabase opens the database. If it was lost, or is damaged, friends,
// blocked people and shares with their audiences are taken from the backup; the
// shares are read anew.
func (n *node) openDatabase(ctx context.Context) (*db.DB, error) {
	store, err := db.Open(databasePath(n.opts.data), n.log)
	if err != nil {
		return nil, err
	}
	n.onClose("database", store.Close)
	if !store.New() {
		return store, nil
	}
	if err := n.furnish(ctx, store); err != nil {
		return nil, err
	}
	return store, store.Settle() // else the next start does it all again
}

// furnish puts what the backup has into a new database.
func (n *node) furnish(ctx context.Context, store *db.DB) error {
	aside := store.SetAside()
	b, err := backup.Read(backupPath(n.opts.data))
	if errors.Is(err, domain.ErrNotFound) && aside == "" {
		return nil // the very first start
	}
	if err != nil {
		n.log.Warn("the database is a new one, and there is no backup that can be read: nothing is shared until you share it again, and friends have to be added again",
			"old", aside, "err", err)
		return n.keepBackup(err)
	}
	shares, err := n.restore(ctx, store, b)
	if err != nil {
		return fmt.Errorf("restoring friends, blocked people and shares from the backup: %w", err)
	}
	n.log.Warn("the database was lost or damaged and a new one begun; friends, blocked people and shares are restored from the backup",
		"old", aside, "people", len(b.People), "shares", shares, "left_out", len(b.Shares)-shares)
	return nil
}

// keepBackup sets a backup aside that could not be read, or the next one would
// take its place.
func (n *node) keepBackup(cause error) error {
	if errors.Is(cause, domain.ErrNotFound) {
		return nil
	}
	path := backupPath(n.opts.data)
	aside := path + ".unread"
	for i := 2; ; i++ { // an earlier one is kept, too
		if _, err := os.Lstat(aside); errors.Is(err, os.ErrNotExist) {
			break
		}
		aside = fmt.Sprintf("%s.unread-%d", path, i)
	}
	err := os.Rename(path, aside)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("keeping a backup that cannot be read: %w", err)
	}
	return nil
}

// restore puts a backup into a new database, and returns how many shares it
// took. Shares are in it as they are in the midst of being read, so that the
// library reads them when it starts. A start that is broken off does not break
// this off.
func (n *node) restore(ctx context.Context, store *db.DB, b backup.Backup) (taken int, err error) {
	ctx = context.WithoutCancel(ctx)
	people := slices.Clone(b.People)
	slices.SortStableFunc(people, func(a, b domain.Person) int { // of somebody named twice, the block counts
		switch {
		case a.Blocked == b.Blocked:
			return 0
		case b.Blocked:
			return -1
		}
		return 1
	})
	for _, p := range people {
		if err := store.PutPerson(ctx, p); err != nil {
			return 0, err
		}
	}
	var shares []domain.Share
	seen := make(map[string]bool)
	for _, s := range b.Shares {
		if err := restorable(s, seen[s.Name]); err != nil {
			n.log.Warn("a share in the backup is not restored", "path", s.Path, "err", err)
			continue
		}
		seen[s.Name] = true
		s.State, s.Added = domain.ShareReading, time.Now()
		shares = append(shares, s)
	}
	if len(shares) == 0 {
		return 0, nil
	}
	_, err = store.Apply(ctx, domain.CatalogueBatch{PutShares: shares})
	return len(shares), err
}

// restorable reports why a share of a backup is left out.
func restorable(s domain.Share, again bool) error {
	switch {
	case again:
		return errors.New("another one has its name")
	case s.Audience.Kind == domain.Nobody, s.Audience.Kind == domain.Chosen && len(s.Audience.Peers) == 0:
		return errors.New("nobody is to see it")
	default:
		return names.Shareable(s.Name)
	}
}
