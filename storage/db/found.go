package db

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/potluck-share/potluck/app/domain"
)

// mostFound is of how many contents it is kept where they lie.
const mostFound = 100_000

// PutFound stores where files lie that were downloaded: by their content, the
// absolute paths; with no path, that it lies nowhere any more. Of more than a
// hundred thousand some are forgotten.
func (d *DB) PutFound(ctx context.Context, found map[domain.ContentID]string) error {
	for id, path := range found {
		if len(path) > maxLocalPath {
			return fmt.Errorf("keep where %s lies: %w: a path of %d bytes", id, domain.ErrMalformed, len(path))
		}
	}
	// In the order of the keys, in which many are quickly put.
	ids := slices.SortedFunc(maps.Keys(found), func(a, b domain.ContentID) int { return bytes.Compare(a[:], b[:]) })
	err := d.write(ctx, func(tx *bbolt.Tx) error {
		all := tx.Bucket(bucketFound)
		count := int(all.Sequence()) // which nothing else here has a use for
		for _, id := range ids {
			path, known := found[id], all.Get(id[:]) != nil
			switch {
			case path == "" && known:
				count--
				if err := all.Delete(id[:]); err != nil {
					return err
				}
			case path != "":
				if !known {
					count++
				}
				if err := putChanged(all, id[:], []byte(path)); err != nil {
					return err
				}
			}
		}
		c := all.Cursor()
		for key, _ := c.First(); key != nil && count > mostFound; key, _ = c.First() {
			if err := c.Delete(); err != nil {
				return err
			}
			count--
		}
		return all.SetSequence(uint64(count))
	})
	if err != nil {
		return fmt.Errorf("keep where %d files lie: %w", len(found), err)
	}
	return nil
}

// Found returns what PutFound stored.
func (d *DB) Found() (map[domain.ContentID]string, error) {
	found := make(map[domain.ContentID]string)
	err := d.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketFound).ForEach(func(key, path []byte) error {
			var id domain.ContentID
			if copy(id[:], key) == len(key) && len(key) == len(id) && len(path) <= maxLocalPath {
				found[id] = string(path)
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read where files lie: %w", err)
	}
	return found, nil
}
