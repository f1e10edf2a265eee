package db

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db/pb"
)

// mostFetches is how many fetches of one share are kept one by one.
const mostFetches = 200

// PutFetch stores a fetch from the share: a new one if number is 0, else what has
// become of the one with that number, which is forgotten if that was long ago.
// It returns the number and how often the share was fetched by now. The error is
// domain.ErrNotFound for a share that is not there any more.
func (d *DB) PutFetch(ctx context.Context, share string, number uint64, f domain.Fetcher) (same uint64, count int, err error) {
	if err := checkPeer(f.Peer); err != nil {
		return 0, 0, err
	}
	err = d.write(ctx, func(tx *bbolt.Tx) error {
		own := ownOf(tx)
		if own.shares.Get([]byte(share)) == nil {
			return domain.ErrNotFound
		}
		room, err := own.fetches.CreateBucketIfNotExists([]byte(share))
		if err != nil {
			return err
		}
		latest, err := room.CreateBucketIfNotExists(bucketLatest)
		if err != nil {
			return err
		}
		same = number
		if number == 0 {
			if same, err = begun(room, latest); err != nil {
				return err
			}
		}
		count = own.fetched(share)
		if number != 0 && latest.Get(sequenceKey(number)) == nil {
			return nil
		}
		return put(latest, sequenceKey(same), &pb.Fetch{
			Peer: string(f.Peer), Name: words(f.Name), At: nanos(f.At), Files: int64(f.Files), Bytes: f.Bytes,
		})
	})
	if err != nil {
		return 0, 0, fmt.Errorf("keep who fetched %q: %w", share, err)
	}
	return same, count, nil
}

// begun counts one more fetch and makes room for it. It returns its number.
func begun(room, latest *bbolt.Bucket) (number uint64, err error) {
	count := uint64(1)
	if raw := room.Get(keyCount); len(raw) == 8 {
		count += binary.BigEndian.Uint64(raw)
	}
	if err := room.Put(keyCount, sequenceKey(count)); err != nil {
		return 0, err
	}
	if number, err = latest.NextSequence(); err != nil {
		return 0, err
	}
	var old [][]byte
	kept := 0
	c := latest.Cursor()
	for key, _ := c.Last(); key != nil; key, _ = c.Prev() {
		if kept++; kept >= mostFetches {
			old = append(old, slices.Clone(key))
		}
	}
	for _, key := range old {
		if err := latest.Delete(key); err != nil {
			return 0, err
		}
	}
	return number, nil
}

// Fetches returns who fetched from the share, newest first, and under which
// numbers that is stored.
func (d *DB) Fetches(share string) (fetches []domain.Fetcher, numbers []uint64, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		fetches, numbers = nil, nil
		room := ownOf(tx).fetches.Bucket([]byte(share))
		if room == nil || room.Bucket(bucketLatest) == nil {
			return nil
		}
		c := room.Bucket(bucketLatest).Cursor()
		for key, raw := c.Last(); key != nil; key, raw = c.Prev() {
			f, err := decodeFetch(raw)
			if err != nil || len(key) != 8 {
				d.log.Error("who fetched something cannot be read", "share", share, "err", err)
				continue
			}
			fetches, numbers = append(fetches, f), append(numbers, binary.BigEndian.Uint64(key))
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list who fetched %q: %w", share, err)
	}
	return fetches, numbers, nil
}

func decodeFetch(raw []byte) (domain.Fetcher, error) {
	var m pb.Fetch
	if err := decode(raw, &m); err != nil {
		return domain.Fetcher{}, err
	}
	f := domain.Fetcher{
		Peer: domain.PeerID(m.GetPeer()), Name: m.GetName(), At: fromNanos(m.GetAt()),
		Files: int(m.GetFiles()), Bytes: m.GetBytes(),
	}
	if f.Files < 0 || f.Bytes < 0 {
		return f, fmt.Errorf("%w: negative counts", domain.ErrDamaged)
	}
	return f, texts(m.GetPeer(), f.Name)
}

// fetched returns how often the share was fetched.
func (o own) fetched(share string) int {
	room := o.fetches.Bucket([]byte(share))
	if room == nil {
		return 0
	}
	raw := room.Get(keyCount)
	if len(raw) != 8 {
		return 0
	}
	return int(min(binary.BigEndian.Uint64(raw), 1<<31-1))
}

func (o own) dropFetches(share string) error {
	if err := o.fetches.DeleteBucket([]byte(share)); !gone(err) {
		return err
	}
	return nil
}
