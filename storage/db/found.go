package db

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db/pb"
)

const (
	// mostFound is of how many contents it is kept where they lie, and
	// fewFound how many are left once there are more: the latest.
	mostFound = 100_000
	fewFound  = mostFound / 10 * 9
	// foundAtOnce is how many are stored in one transaction.
	foundAtOnce = 2000
)

// PutFound stores where files lie that were downloaded, by their content; with
// no path, that it lies nowhere any more. Of more than a hundred thousand the
// oldest are forgotten.
func (d *DB) PutFound(ctx context.Context, found map[domain.ContentID]domain.Found) error {
	raws := make(map[domain.ContentID][]byte, len(found))
	now := time.Now()
	for id, one := range found {
		if one.Path == "" || len(one.Path) > maxLocalPath {
			raws[id] = nil
			continue
		}
		raw, err := encode(&pb.Found{Path: []byte(one.Path), Size: one.Size, Written: nanos(one.Written), Noted: nanos(now)})
		if err != nil {
			return fmt.Errorf("keep where %s lies: %w", id, err)
		}
		raws[id] = raw
	}
	// In the order of the keys, in which many are quickly put, and in
	// transactions that do not hold up others for long.
	ids := slices.SortedFunc(maps.Keys(raws), func(a, b domain.ContentID) int { return bytes.Compare(a[:], b[:]) })
	for some := range slices.Chunk(ids, foundAtOnce) {
		if err := d.write(ctx, func(tx *bbolt.Tx) error { return putFound(tx.Bucket(bucketFound), some, raws) }); err != nil {
			return fmt.Errorf("keep where %d files lie: %w", len(found), err)
		}
	}
	return d.forgetFound(ctx)
}

// putFound stores some, and counts by the sequence of the bucket, which has no
// other use here.
func putFound(all *bbolt.Bucket, ids []domain.ContentID, raws map[domain.ContentID][]byte) error {
	count := all.Sequence()
	for _, id := range ids {
		known := all.Get(id[:]) != nil
		switch {
		case raws[id] != nil:
			if !known {
				count++
			}
			if err := all.Put(id[:], raws[id]); err != nil {
				return err
			}
		case known:
			count--
			if err := all.Delete(id[:]); err != nil {
				return err
			}
		}
	}
	return all.SetSequence(count)
}

// forgetFound forgets those that were noted first, if there are too many.
func (d *DB) forgetFound(ctx context.Context) error {
	type noted struct {
		id domain.ContentID
		at int64
	}
	var order []noted
	err := d.view(func(tx *bbolt.Tx) error {
		all := tx.Bucket(bucketFound)
		if all.Sequence() <= mostFound {
			return nil
		}
		return all.ForEach(func(key, raw []byte) error {
			var m pb.Found
			_ = decode(raw, &m) // a damaged one is as good as an old one
			one := noted{at: m.GetNoted()}
			copy(one.id[:], key)
			order = append(order, one)
			return nil
		})
	})
	if err != nil || len(order) <= mostFound {
		return err
	}
	slices.SortStableFunc(order, func(a, b noted) int { return cmp.Compare(a.at, b.at) })
	for some := range slices.Chunk(order[:len(order)-fewFound], foundAtOnce) {
		ids := make([]domain.ContentID, len(some))
		for i, one := range some {
			ids[i] = one.id
		}
		if err := d.write(ctx, func(tx *bbolt.Tx) error { return putFound(tx.Bucket(bucketFound), ids, nil) }); err != nil {
			return fmt.Errorf("forget where files lie: %w", err)
		}
	}
	return nil
}

// Found returns what PutFound stored. What cannot be read is left out.
func (d *DB) Found() (map[domain.ContentID]domain.Found, error) {
	found := make(map[domain.ContentID]domain.Found)
	err := d.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketFound).ForEach(func(key, raw []byte) error {
			var id domain.ContentID
			var m pb.Found
			if len(key) != len(id) || decode(raw, &m) != nil || len(m.GetPath()) > maxLocalPath {
				return nil
			}
			copy(id[:], key)
			found[id] = domain.Found{Path: string(m.GetPath()), Size: m.GetSize(), Written: fromNanos(m.GetWritten())}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read where files lie: %w", err)
	}
	return found, nil
}
