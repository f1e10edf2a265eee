package db

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"go.etcd.io/bbolt"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db/pb"
)

// logLength is how many public changes the log keeps. Who is further behind
// pulls everything.
const logLength = 20_000

// readVersion returns the version of the own public catalogue.
func readVersion(tx *bbolt.Tx) (domain.Version, error) {
	var m pb.Version
	if err := decode(tx.Bucket(bucketLibrary).Get(keyVersion), &m); err != nil {
		return domain.Version{}, fmt.Errorf("the catalogue's version: %w", err)
	}
	return versionFrom(&m), nil
}

// record appends changes to the log, forgetting first what forget or the log's
// length says, and returns the new version.
func (o own) record(changes []domain.Change, forget bool) (domain.Version, error) {
	var m pb.Version
	if err := decode(o.room.Get(keyVersion), &m); err != nil {
		return domain.Version{}, err
	}
	v := versionFrom(&m)
	if len(changes) == 0 && !forget {
		return v, nil
	}
	for i, c := range changes {
		v.Sequence++
		if len(changes)-i > logLength {
			continue // it would be forgotten at once
		}
		change := &pb.Change{Path: c.Path}
		if c.Entry != nil {
			change.Entry = entryTo(*c.Entry)
		}
		if err := put(o.log, sequenceKey(v.Sequence), change); err != nil {
			return v, err
		}
	}
	oldest := uint64(1)
	if v.Sequence > logLength {
		oldest = v.Sequence - logLength + 1
	}
	if forget {
		v.Sequence++
		oldest = math.MaxUint64
	}
	if err := o.forget(oldest); err != nil {
		return v, err
	}
	return v, put(o.room, keyVersion, versionTo(v))
}

// forget deletes the log's changes before oldest.
func (o own) forget(oldest uint64) error {
	c := o.log.Cursor()
	for key, _ := c.First(); key != nil && binary.BigEndian.Uint64(key) < oldest; key, _ = c.First() {
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return nil
}

// remember keeps the newest version that was stored.
func (d *DB) remember(v domain.Version) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if v.Newer(d.version) {
		d.version = v
	}
}

// Version returns the version of the own public catalogue. Its epoch is the
// time when the change log was begun.
func (d *DB) Version() domain.Version {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.version
}

// RenewEpoch begins a new change log if what others know of us, atLeast, is
// newer than what is stored here, as after a restored backup. It returns the
// version that now holds.
func (d *DB) RenewEpoch(ctx context.Context, atLeast domain.Version) (domain.Version, error) {
	if atLeast.Epoch == math.MaxUint64 {
		return d.Version(), fmt.Errorf("renew the change log: %w: no epoch is later than %d", domain.ErrMalformed, atLeast.Epoch)
	}
	var v domain.Version
	err := d.write(ctx, func(tx *bbolt.Tx) error {
		var err error
		if v, err = readVersion(tx); err != nil || !atLeast.Newer(v) {
			return err
		}
		now := uint64(time.Now().UnixNano())
		v = domain.Version{Epoch: max(now, atLeast.Epoch+1, v.Epoch+1)}
		o := ownOf(tx)
		if err := o.forget(math.MaxUint64); err != nil {
			return err
		}
		return put(o.room, keyVersion, versionTo(v))
	})
	if err != nil {
		return domain.Version{}, fmt.Errorf("renew the change log: %w", err)
	}
	d.remember(v)
	return v, nil
}

// Changes returns up to limit public changes after since, and the version that
// they lead to. ok is false if the log does not reach back that far, or since
// is of another log: then only a full pull helps.
func (d *DB) Changes(since domain.Version, limit int) (changes []domain.Change, reached domain.Version, ok bool, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		v, err := readVersion(tx)
		if err != nil {
			return err
		}
		reached = since
		if since.Epoch != v.Epoch || since.Sequence > v.Sequence {
			return nil
		}
		want := since.Sequence + 1
		c := ownOf(tx).log.Cursor()
		for key, raw := c.Seek(sequenceKey(want)); key != nil && len(changes) < limit; key, raw = c.Next() {
			if binary.BigEndian.Uint64(key) != want {
				return nil
			}
			change, err := decodeChange(raw)
			if err != nil {
				d.log.Error("a change cannot be read", "sequence", want, "err", err)
				return nil
			}
			changes = append(changes, change)
			reached.Sequence = want
			want++
		}
		ok = len(changes) > 0 || reached == v
		return nil
	})
	if err != nil {
		return nil, domain.Version{}, false, fmt.Errorf("list changes: %w", err)
	}
	if !ok {
		return nil, domain.Version{}, false, nil
	}
	return changes, reached, true, nil
}
