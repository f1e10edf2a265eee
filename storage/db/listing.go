package db

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/potluck-share/potluck/app/domain"
)

// mostCounted is how many entries are looked at to count what is below the
// folders of one. It takes some tens of milliseconds.
const mostCounted = 250_000

// lookEvery is after how many entries it is looked whether anybody still waits.
const lookEvery = 10_000

// FoldersIn returns the folders that lie directly in a folder of an own share, by
// the bytes of their names, with how many files are below each and how large
// they are together. folder is a path that begins with the share's name. Where
// there are too many to count, Entries and Size are -1.
func (d *DB) FoldersIn(ctx context.Context, folder string) ([]domain.ShareFile, error) {
	return d.foldersIn(ctx, folder, mostCounted)
}

// foldersIn is FoldersIn, which looks at no more than so many entries to count
// them.
func (d *DB) foldersIn(ctx context.Context, folder string, most int) ([]domain.ShareFile, error) {
	sums := make(map[string]*domain.ShareFile)
	err := d.view(func(tx *bbolt.Tx) error {
		clear(sums)
		prefix := []byte(folder + "/")
		c := ownOf(tx).files.Cursor()
		looked := 0
		for key, raw := c.Seek(prefix); bytes.HasPrefix(key, prefix); {
			if looked++; looked%lookEvery == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			name, _, deeper := bytes.Cut(key[len(prefix):], []byte("/"))
			isFolder, size := peek(raw)
			if !deeper && !isFolder {
				key, raw = c.Next()
				continue
			}
			sum := sums[string(name)]
			if sum == nil {
				sum = &domain.ShareFile{Entry: domain.Entry{Path: folder + "/" + string(name), Folder: true}}
				sums[string(name)] = sum
			}
			switch {
			case deeper && looked > most:
				sum.Entries, sum.Size = -1, -1
				key, raw = c.Seek([]byte(sum.Path + "0")) // '0' follows '/'
				continue
			case deeper && !isFolder:
				sum.Entries++
				sum.Size += size
			}
			key, raw = c.Next()
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the folders in %q: %w", folder, err)
	}
	folders := make([]domain.ShareFile, 0, len(sums))
	for _, sum := range sums {
		folders = append(folders, *sum)
	}
	slices.SortFunc(folders, func(a, b domain.ShareFile) int { return strings.Compare(a.Path, b.Path) })
	return folders, nil
}

// FilesIn returns up to limit files that lie directly in a folder of an own
// share, by the bytes of their names, those after the name after; all of them if
// limit is 0.
func (d *DB) FilesIn(ctx context.Context, folder, after string, limit int) ([]domain.Entry, error) {
	var files []domain.Entry
	err := d.view(func(tx *bbolt.Tx) error {
		files = nil
		prefix := []byte(folder + "/")
		from := prefix
		if after != "" {
			from = []byte(folder + "/" + after + "\x00") // the next possible key
		}
		c := ownOf(tx).files.Cursor()
		looked := 0
		for key, raw := c.Seek(from); bytes.HasPrefix(key, prefix) && (limit == 0 || len(files) < limit); {
			if looked++; looked%lookEvery == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if name, _, deeper := bytes.Cut(key[len(prefix):], []byte("/")); deeper {
				key, raw = c.Seek([]byte(folder + "/" + string(name) + "0")) // '0' follows '/'
				continue
			}
			if isFolder, _ := peek(raw); !isFolder {
				f, err := decodeFile(string(key), raw)
				if err != nil {
					d.log.Error("an entry cannot be read", "path", string(key), "err", err)
				} else {
					files = append(files, f.Entry)
				}
			}
			key, raw = c.Next()
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the files in %q: %w", folder, err)
	}
	return files, nil
}

// The numbers of the fields that peek reads, as db.proto has them.
const (
	fileEntry   protowire.Number = 1
	entryFolder protowire.Number = 1
	entrySize   protowire.Number = 2
)

// peek reads of a stored File whether it is a folder and how large it is, in a
// tenth of the time that decoding takes. What is damaged is an empty file.
func peek(raw []byte) (folder bool, size int64) {
	var entry []byte
	each(raw, func(number protowire.Number, value []byte, _ uint64) {
		if number == fileEntry {
			entry = value
		}
	})
	each(entry, func(number protowire.Number, _ []byte, value uint64) {
		switch number {
		case entryFolder:
			folder = value != 0
		case entrySize:
			size = int64(min(value, uint64(domain.MaxFileSize)))
		}
	})
	return folder, size
}

// each calls f for the fields of a message that are numbers or bytes.
func each(raw []byte, f func(number protowire.Number, value []byte, n uint64)) {
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return
		}
		raw = raw[n:]
		var value []byte
		var varint uint64
		switch kind {
		case protowire.VarintType:
			varint, n = protowire.ConsumeVarint(raw)
		case protowire.BytesType:
			value, n = protowire.ConsumeBytes(raw)
		default:
			n = protowire.ConsumeFieldValue(number, kind, raw)
		}
		if n < 0 {
			return
		}
		f(number, value, varint)
		raw = raw[n:]
	}
}
