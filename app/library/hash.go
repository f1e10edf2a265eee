package library

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
)

const (
	// smallFile is the size in bytes up to which several files are hashed at
	// once, one core each; a larger one is hashed by all cores together.
	smallFile = 4 << 20
	// attempts is how often a file that changes while it is read is hashed.
	attempts = 4
	// patience is the pause after the first attempt; it doubles each time.
	patience = 100 * time.Millisecond
	// clockTick is a bit more than the steps in which file systems tell time. A
	// file written within the last one may be written again without showing it.
	clockTick = 20 * time.Millisecond
)

// hash reads a file until it did not change while it was read. Path is left
// empty. The error wraps domain.ErrChanged if it keeps changing.
func (l *Library) hash(ctx context.Context, root *os.Root, rel string, progress func(int64)) (domain.File, error) {
	pause := patience
	for n := 1; ; n++ {
		f, err := l.hashOnce(ctx, root, rel, progress)
		if !errors.Is(err, domain.ErrChanged) || n == attempts {
			return f, err
		}
		if err := sleep(ctx, pause); err != nil {
			return domain.File{}, err
		}
		pause *= 2
	}
}

func (l *Library) hashOnce(ctx context.Context, root *os.Root, rel string, progress func(int64)) (file domain.File, err error) {
	f, err := open(root, rel)
	if err != nil {
		return domain.File{}, err
	}
	defer func() { _ = f.Close() }() // was only read
	before, err := f.Stat()
	if err != nil {
		return domain.File{}, kindOf(err)
	}
	if before.IsDir() {
		return domain.File{}, fmt.Errorf("%w: it became a folder", domain.ErrChanged)
	}
	if age := time.Since(before.ModTime()); age >= 0 && age < clockTick {
		if err := sleep(ctx, clockTick-age); err != nil {
			return domain.File{}, err
		}
	}
	cores, workers := l.cores, 0
	if before.Size() <= smallFile {
		cores, workers = 1, 1
	}
	if err := l.hashers.Acquire(ctx, cores); err != nil {
		return domain.File{}, err
	}
	defer l.hashers.Release(cores)
	sum, err := content.Hash(ctx, f, before.Size(), workers, progress)
	if err != nil {
		return domain.File{}, err
	}
	after, err := root.Stat(rel)
	if err != nil {
		return domain.File{}, kindOf(err)
	}
	if !os.SameFile(before, after) || !asSeen(after, before.Size(), before.ModTime().UnixNano()) {
		return domain.File{}, fmt.Errorf("%w while it was read", domain.ErrChanged)
	}
	return domain.File{
		Entry: domain.Entry{
			Size:     before.Size(),
			Modified: time.Unix(before.ModTime().Unix(), 0).UTC(),
			Content:  sum.ID,
		},
		ModifiedNano: before.ModTime().UnixNano(),
		Layer:        sum.Layer,
	}, nil
}

// asSeen reports whether a file has the size and time that it had before.
func asSeen(info os.FileInfo, size, modifiedNano int64) bool {
	return info.Mode().IsRegular() && info.Size() == size && info.ModTime().UnixNano() == modifiedNano
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
