package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// lockTimeout is how long Open waits for another process to let go of the
	// file.
	lockTimeout = 2 * time.Second
	// batchDelay is how long a write waits for company before it is flushed. It
	// is well below the 3–6 ms of the flush itself.
	batchDelay = 2 * time.Millisecond
	// pageOfRecords is how many records a listing reads in one transaction.
	pageOfRecords = 1000
)

// DB is the open database. Make one with Open.
type DB struct {
	bolt     *bbolt.DB
	log      *slog.Logger
	setAside string

	mu      sync.Mutex
	version domain.Version // of the own public catalogue
	fresh   bool           // nobody has called Settle
}

// Open opens the database file at path, making it if there is none.
//
// A file that was written by a newer Potluck is refused with an error wrapping
// domain.ErrVersion, one that another process has open with one wrapping
// domain.ErrBusy. An unreadable one is renamed (SetAside tells to what) and a
// new one is begun.
func Open(path string, log *slog.Logger) (*DB, error) {
	return open(path, log, migrations)
}

func open(path string, log *slog.Logger, steps []migration) (*DB, error) {
	b, err := openFile(path)
	aside := ""
	if errors.Is(err, domain.ErrDamaged) {
		if aside, err = putAside(path, time.Now(), err); err != nil {
			return nil, err
		}
		log.Error("the database was unreadable; a new one is begun", "set_aside", aside)
		b, err = openFile(path)
	}
	if err != nil {
		return nil, err
	}
	d := &DB{bolt: b, log: log, setAside: aside}
	if err := d.begin(steps); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), b.Close())
	}
	return d, nil
}

// begin brings the schema up to date and reads what is kept in memory.
func (d *DB) begin(steps []migration) error {
	if err := d.bolt.Update(func(tx *bbolt.Tx) error { return migrate(tx, steps) }); err != nil {
		return err
	}
	return d.bolt.View(func(tx *bbolt.Tx) error {
		v, err := readVersion(tx)
		d.version = v
		d.fresh = tx.Bucket(bucketMeta).Get(keyNew) != nil
		return err
	})
}

// SetAside returns the path to which an unreadable file was renamed by Open,
// empty if there was none.
func (d *DB) SetAside() string { return d.setAside }

// New reports whether the database was begun anew and nobody has called Settle
// since, in this run or an earlier one.
func (d *DB) New() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fresh
}

// Settle says that a new database has what it is to begin with. The error is
// that of the disk.
func (d *DB) Settle() error {
	if err := d.bolt.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Delete(keyNew) }); err != nil {
		return fmt.Errorf("settle the database: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fresh = false
	return nil
}

// Close waits for running transactions and closes the file. Writes that come
// later fail.
func (d *DB) Close() error {
	if err := d.bolt.Close(); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

// openFile opens the bbolt file and looks whether its skeleton can be read. It
// returns an error wrapping domain.ErrDamaged if it cannot, and another kind if
// only the circumstances forbid it.
func openFile(path string) (b *bbolt.DB, err error) {
	var file *os.File
	// bbolt panics, or touches memory behind the end of the file, where pages
	// are damaged.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("open database %s: %w: %v", path, domain.ErrDamaged, p)
			b = nil
			if file != nil {
				_ = file.Close() // releases the lock; the file is renamed next
			}
		}
	}()
	b, err = bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:      lockTimeout,
		FreelistType: bbolt.FreelistMapType,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			f, err := os.OpenFile(name, flag, mode) //nolint:gosec // the path of our own data folder
			file = f
			return f, err
		},
	})
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, kindOfOpen(err))
	}
	b.MaxBatchDelay = batchDelay
	if err := b.View(func(tx *bbolt.Tx) error { return inspect(tx, file) }); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), b.Close())
	}
	return b, nil
}

// kindOfOpen tells damage from circumstances: a locked file, missing rights, a
// full disk.
func kindOfOpen(err error) error {
	var inPath *fs.PathError
	var number syscall.Errno
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("%w: another process has it open", domain.ErrBusy)
	case errors.As(err, &inPath), errors.As(err, &number):
		return err
	default:
		return fmt.Errorf("%w: %w", domain.ErrDamaged, err)
	}
}

// inspect visits both ends of every top-level bucket and compares the file's
// size with what it should hold.
func inspect(tx *bbolt.Tx, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < tx.Size() {
		return fmt.Errorf("%w: cut off at %d of %d bytes", domain.ErrDamaged, info.Size(), tx.Size())
	}
	known := 0
	err = tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
		if string(name) == string(bucketMeta) {
			known++
		}
		c := b.Cursor()
		c.First()
		c.Last()
		return nil
	})
	if err != nil {
		return err
	}
	if first, _ := tx.Cursor().First(); first != nil && known == 0 {
		return fmt.Errorf("%w: not Potluck's", domain.ErrDamaged)
	}
	return nil
}

// putAside renames the unreadable file out of the way and returns its new path.
func putAside(path string, now time.Time, reason error) (string, error) {
	stamp := path + ".damaged-" + now.UTC().Format("20060102-150405")
	aside := stamp
	for n := 2; ; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			break
		}
		aside = fmt.Sprintf("%s-%d", stamp, n)
	}
	if err := os.Rename(path, aside); err != nil {
		return "", fmt.Errorf("set the damaged database aside: %w (%w)", err, reason)
	}
	return aside, nil
}

// view runs f in a read transaction.
func (d *DB) view(f func(tx *bbolt.Tx) error) (err error) {
	defer recovered(&err)
	return d.bolt.View(f)
}

// write runs f in a write transaction that it may share with other callers. f
// may run more than once and must not keep anything of an earlier run.
func (d *DB) write(ctx context.Context, f func(tx *bbolt.Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	defer recovered(&err)
	err = d.bolt.Batch(f)
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: %w", domain.Fault(domain.ErrNoSpace, "Potluck has no room to note what it does; free some space"), err)
	}
	return err
}

// recovered turns a panic of bbolt, which a damaged page causes, into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("database: %w: %v", domain.ErrDamaged, p)
	}
}
