package db

import (
	"bytes"
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
	// In the order of the keys, in which many are quickly put.
	ids := slices.SortedFunc(maps.Keys(raws), func(a, b domain.ContentID) int { return bytes.Compare(a[:], b[:]) })
	err := d.write(ctx, func(tx *bbolt.Tx) error {
		all := tx.Bucket(bucketFound)
		count := int(all.Sequence()) // which nothing else here has a use for
		for _, id := range ids {
			if all.Get(id[:]) != nil {
				count--
			}
			if raws[id] == nil {
				if err := all.Delete(id[:]); err != nil {
					return err
				}
				continue
			}
			count++
			if err := all.Put(id[:], raws[id]); err != nil {
				return err
			}
		}
		if count > mostFound {
			if err := forgetFound(all, count-fewFound); err != nil {
				return err
			}
			count = fewFound
		}
		return all.SetSequence(uint64(count))
	})
	if err != nil {
		return fmt.Errorf("keep where %d files lie: %w", len(found), err)
	}
	return nil
}

// forgetFound removes the n that were noted first.
func forgetFound(all *bbolt.Bucket, n int) error {
	type noted struct {
		key []byte
		at  int64
	}
	var order []noted
	err := all.ForEach(func(key, raw []byte) error {
		var m pb.Found
		_ = decode(raw, &m) // a damaged one is as good as an old one
		order = append(order, noted{slices.Clone(key), m.GetNoted()})
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(order, func(a, b noted) int { return int(max(-1, min(1, a.at-b.at))) })
	for _, one := range order[:min(n, len(order))] {
		if err := all.Delete(one.key); err != nil {
			return err
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
