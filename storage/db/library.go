package db

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db/pb"
)

// maxSameContent is how many files ByContent returns at most: an empty file may
// lie in a hundred thousand places.
const maxSameContent = 1000

// Apply stores the batch in one transaction, appends its public changes to the
// change log and returns the new version of the public catalogue.
func (d *DB) Apply(ctx context.Context, b domain.CatalogueBatch) (domain.Version, error) {
	var v domain.Version
	err := d.write(ctx, func(tx *bbolt.Tx) error {
		own := ownOf(tx)
		for _, name := range b.DropShares {
			if err := own.dropShare(name); err != nil {
				return fmt.Errorf("drop share %q: %w", name, err)
			}
		}
		for _, path := range b.DropPaths {
			if err := own.dropFile([]byte(path)); err != nil {
				return fmt.Errorf("drop %q: %w", path, err)
			}
		}
		for _, f := range b.PutFiles {
			if err := own.putFile(f); err != nil {
				return fmt.Errorf("store %q: %w", f.Path, err)
			}
		}
		for _, s := range b.PutShares {
			if err := checkShare(s); err != nil {
				return fmt.Errorf("store share %q: %w", s.Name, err)
			}
			if err := put(own.shares, []byte(s.Name), shareTo(s)); err != nil {
				return err
			}
		}
		var err error
		v, err = own.record(b.Public, b.ForgetLog)
		return err
	})
	if err != nil {
		return domain.Version{}, fmt.Errorf("store the catalogue: %w", err)
	}
	d.remember(v)
	return v, nil
}

// checkShare refuses what could not be read back.
func checkShare(s domain.Share) error {
	if s.Name == "" || strings.Contains(s.Name, "/") || len(s.Name) > maxText {
		return fmt.Errorf("%w: a share's name", domain.ErrMalformed)
	}
	if len(s.Path) > maxLocalPath || len(s.Audience.Peers) > maxPeers {
		return fmt.Errorf("%w: path or audience", domain.ErrTooLarge)
	}
	return nil
}

// own is the own catalogue within one transaction.
type own struct {
	room, shares, files, contents, layers, log, fetches *bbolt.Bucket
}

func ownOf(tx *bbolt.Tx) own {
	room := tx.Bucket(bucketLibrary)
	return own{
		room:     room,
		shares:   room.Bucket(bucketShares),
		files:    room.Bucket(bucketFiles),
		contents: room.Bucket(bucketContents),
		layers:   room.Bucket(bucketLayers),
		log:      room.Bucket(bucketLog),
		fetches:  room.Bucket(bucketFetches),
	}
}

func (o own) putFile(f domain.File) error {
	if f.Path == "" || len(f.Path) > domain.MaxPath {
		return fmt.Errorf("%w: a path of %d bytes", domain.ErrTooLarge, len(f.Path))
	}
	if f.Size < 0 || f.Size > domain.MaxFileSize {
		return fmt.Errorf("%w: %d bytes", domain.ErrTooLarge, f.Size)
	}
	key := []byte(f.Path)
	if err := o.unlink(key, f.Content); err != nil {
		return err
	}
	if err := put(o.files, key, &pb.File{Entry: entryTo(f.Entry), ModifiedNano: f.ModifiedNano}); err != nil {
		return err
	}
	if f.Folder || f.Content.IsZero() {
		return nil
	}
	if err := o.contents.Put(append(f.Content[:], key...), nil); err != nil {
		return err
	}
	if len(f.Layer) == 0 || o.layers.Get(f.Content[:]) != nil {
		return nil
	}
	return o.layers.Put(f.Content[:], f.Layer)
}

func (o own) dropFile(key []byte) error {
	if err := o.unlink(key, domain.ContentID{}); err != nil {
		return err
	}
	return o.files.Delete(key)
}

// unlink takes the file at key out of the index of contents, and its layer away
// if it was the last one with that content, unless the content is the one that
// stays.
func (o own) unlink(key []byte, stays domain.ContentID) error {
	raw := o.files.Get(key)
	if raw == nil {
		return nil
	}
	f, err := decodeFile(string(key), raw)
	if err != nil || f.Content.IsZero() || f.Content == stays {
		return nil //nolint:nilerr // what cannot be read cannot be in the index
	}
	if err := o.contents.Delete(append(f.Content[:], key...)); err != nil {
		return err
	}
	if next, _ := o.contents.Cursor().Seek(f.Content[:]); bytes.HasPrefix(next, f.Content[:]) {
		return nil
	}
	return o.layers.Delete(f.Content[:])
}

func (o own) dropShare(name string) error {
	var keys [][]byte
	from := []byte(name)
	for {
		keys = keys[:0]
		if err := eachOfShare(o.files, name, from, func(key, _ []byte) bool {
			keys = append(keys, bytes.Clone(key))
			return len(keys) < pageOfRecords
		}); err != nil {
			return err
		}
		for _, key := range keys {
			if err := o.dropFile(key); err != nil {
				return err
			}
		}
		if len(keys) < pageOfRecords {
			if err := o.dropFetches(name); err != nil {
				return err
			}
			return o.shares.Delete([]byte(name))
		}
		from = keys[len(keys)-1]
	}
}

// eachOfShare calls f for the share's own key and for all below it, in path
// order, beginning with the first key not before from, until f returns false.
// Keys of other shares may lie in between: "a", "a (2)", "a/b".
func eachOfShare(b *bbolt.Bucket, share string, from []byte, f func(key, value []byte) bool) error {
	c := b.Cursor()
	if bytes.Compare(from, []byte(share)) <= 0 {
		if key, value := c.Seek([]byte(share)); string(key) == share && !f(key, value) {
			return nil
		}
	}
	below := []byte(share + "/")
	if bytes.Compare(from, below) < 0 {
		from = below
	}
	for key, value := c.Seek(from); bytes.HasPrefix(key, below); key, value = c.Next() {
		if !f(key, value) {
			return nil
		}
	}
	return nil
}

// Shares returns the own shares in the order of their names.
func (d *DB) Shares() ([]domain.Share, error) {
	var shares []domain.Share
	err := d.view(func(tx *bbolt.Tx) error {
		own := ownOf(tx)
		return own.shares.ForEach(func(name, raw []byte) error {
			s, err := decodeShare(string(name), raw)
			if err != nil {
				d.log.Error("a share cannot be read; it is not shared", "share", string(name), "err", err)
				return nil
			}
			s.Fetched = own.fetched(s.Name)
			shares = append(shares, s)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list shares: %w", err)
	}
	return shares, nil
}

// File returns what is stored of the own file or folder at path, without its
// layer. It returns an error wrapping domain.ErrNotFound if there is nothing.
func (d *DB) File(path string) (domain.File, error) {
	var f domain.File
	err := d.view(func(tx *bbolt.Tx) error {
		raw := ownOf(tx).files.Get([]byte(path))
		if raw == nil {
			return domain.ErrNotFound
		}
		var err error
		f, err = decodeFile(path, raw)
		return err
	})
	if err != nil {
		return domain.File{}, fmt.Errorf("look up %q: %w", path, err)
	}
	return f, nil
}

// FilesFrom returns up to limit files and folders of the share in path order,
// without their layers: those after the path after, or from the beginning if
// that is empty.
func (d *DB) FilesFrom(share, after string, limit int) ([]domain.File, error) {
	var files []domain.File
	from := []byte(after)
	if after != "" {
		from = append(from, 0) // the next possible key
	}
	err := d.view(func(tx *bbolt.Tx) error {
		return eachOfShare(ownOf(tx).files, share, from, func(key, raw []byte) bool {
			if len(files) >= limit {
				return false
			}
			f, err := decodeFile(string(key), raw)
			if err != nil {
				d.log.Error("an entry cannot be read", "path", string(key), "err", err)
				return true
			}
			files = append(files, f)
			return true
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list share %q: %w", share, err)
	}
	return files, nil
}

// Files calls each for all files and folders of the share in path order,
// without their layers, until it returns an error, which Files returns.
func (d *DB) Files(share string, each func(domain.File) error) error {
	after := ""
	for {
		files, err := d.FilesFrom(share, after, pageOfRecords)
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := each(f); err != nil {
				return err
			}
		}
		if len(files) < pageOfRecords {
			return nil
		}
		after = files[len(files)-1].Path
	}
}

// FilePage returns up to limit entries of the shares that keep accepts, in path
// order: those after the path after, or from the beginning if that is empty.
// next is where to go on, empty at the end. keep is called within a transaction
// and must not use the database.
func (d *DB) FilePage(after string, limit int, keep func(share string) bool) (page []domain.Entry, next string, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		c := ownOf(tx).files.Cursor()
		var key, raw []byte
		if after == "" {
			key, raw = c.First()
		} else {
			key, raw = c.Seek(append([]byte(after), 0))
		}
		asked := make(map[string]bool)
		for key != nil {
			share, _, below := strings.Cut(string(key), "/")
			kept, known := asked[share]
			if !known {
				kept = keep(share)
				asked[share] = kept
			}
			switch {
			case kept && len(page) == limit:
				next = page[limit-1].Path
				return nil
			case kept:
				e, err := decodeFile(string(key), raw)
				if err != nil {
					d.log.Error("an entry cannot be read", "path", string(key), "err", err)
				} else {
					page = append(page, e.Entry)
				}
				key, raw = c.Next()
			case below:
				key, raw = c.Seek([]byte(share + "0")) // '0' follows '/'
			default:
				key, raw = c.Next()
			}
		}
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("list the catalogue: %w", err)
	}
	return page, next, nil
}

// ByContent returns own files with that content, without their layers: all, or
// a thousand of them if there are more.
func (d *DB) ByContent(id domain.ContentID) ([]domain.File, error) {
	var files []domain.File
	err := d.view(func(tx *bbolt.Tx) error {
		o := ownOf(tx)
		c := o.contents.Cursor()
		for key, _ := c.Seek(id[:]); bytes.HasPrefix(key, id[:]) && len(files) < maxSameContent; key, _ = c.Next() {
			files = d.appendFile(files, o, key[len(id):])
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look up content %s: %w", id, err)
	}
	return files, nil
}

func (d *DB) appendFile(files []domain.File, o own, path []byte) []domain.File {
	f, err := decodeFile(string(path), o.files.Get(path))
	if err != nil {
		d.log.Error("an entry cannot be read", "path", string(path), "err", err)
		return files
	}
	return append(files, f)
}

// ContentShares returns the names of the own shares that hold that content,
// sorted. It is quick however many files a share has of it.
func (d *DB) ContentShares(id domain.ContentID) ([]string, error) {
	var names []string
	err := d.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketLibrary).Bucket(bucketContents).Cursor()
		for key, _ := c.Seek(id[:]); bytes.HasPrefix(key, id[:]); {
			share, _, below := strings.Cut(string(key[len(id):]), "/")
			names = append(names, share)
			if below {
				key, _ = c.Seek(append(id[:], share+"0"...)) // '0' follows '/'
			} else {
				key, _ = c.Next()
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look up content %s: %w", id, err)
	}
	sort.Strings(names)
	return names, nil
}

// ContentFiles returns own files with that content, without their layers: up to
// limit of each share, which is at least one, by the names of the shares. It is
// quick however many files a share has of it.
func (d *DB) ContentFiles(id domain.ContentID, limit int) ([]domain.File, error) {
	var files []domain.File
	err := d.view(func(tx *bbolt.Tx) error {
		room := tx.Bucket(bucketLibrary)
		o := own{files: room.Bucket(bucketFiles)}
		c := room.Bucket(bucketContents).Cursor()
		last, found := "", 0
		for key, _ := c.Seek(id[:]); bytes.HasPrefix(key, id[:]); {
			share, _, below := strings.Cut(string(key[len(id):]), "/")
			if share != last {
				last, found = share, 0
			}
			files = d.appendFile(files, o, key[len(id):])
			if found++; found >= limit && below {
				key, _ = c.Seek(append(id[:], share+"0"...)) // '0' follows '/'
			} else {
				key, _ = c.Next()
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look up content %s: %w", id, err)
	}
	slices.SortStableFunc(files, func(a, b domain.File) int { return strings.Compare(a.Share(), b.Share()) })
	return files, nil
}

// Layer returns the piece layer of an own file's content: 32 bytes a piece, nil
// for a content of up to one piece or one that is not here.
func (d *DB) Layer(id domain.ContentID) ([]byte, error) {
	var layer []byte
	err := d.view(func(tx *bbolt.Tx) error {
		layer = bytes.Clone(tx.Bucket(bucketLibrary).Bucket(bucketLayers).Get(id[:]))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look up the pieces of %s: %w", id, err)
	}
	return layer, nil
}
