package db

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db/pb"
)

// maxID is the longest ID of a transfer, in bytes.
const maxID = 256

// PutTransfer stores a transfer under its ID. Its files replace those stored
// before, unless there are none, as in a transfer taken from an event: then
// those stored before stay. Marks stay in either case.
func (d *DB) PutTransfer(ctx context.Context, t domain.Transfer) error {
	if err := checkID(t.ID); err != nil {
		return err
	}
	head := transferTo(t)
	files, err := encodeParts(t.Files)
	if err != nil {
		return fmt.Errorf("store transfer %s: %w", t.ID, err)
	}
	err = d.write(ctx, func(tx *bbolt.Tx) error {
		room, err := tx.Bucket(bucketTransfers).CreateBucketIfNotExists([]byte(t.ID))
		if err != nil {
			return err
		}
		parts, err := room.CreateBucketIfNotExists(bucketParts)
		if err != nil {
			return err
		}
		marks, err := room.CreateBucketIfNotExists(bucketMarks)
		if err != nil {
			return err
		}
		if len(files) > 0 {
			if err := putParts(parts, files); err != nil {
				return err
			}
		}
		for i, f := range t.Files {
			if f.Final != "" {
				if err := putChanged(marks, indexKey(i), markTo(domain.Finished{Final: f.Final, Written: f.Written})); err != nil {
					return err
				}
			}
		}
		return put(room, keyTransfer, head)
	})
	if err != nil {
		return fmt.Errorf("store transfer %s: %w", t.ID, err)
	}
	return nil
}

func checkID(id string) error {
	if id == "" || len(id) > maxID {
		return fmt.Errorf("%w: a transfer's ID of %d bytes", domain.ErrMalformed, len(id))
	}
	return nil
}

func encodeParts(files []domain.TransferFile) ([][]byte, error) {
	if len(files) > math.MaxInt32 {
		return nil, fmt.Errorf("%w: %d files", domain.ErrTooLarge, len(files))
	}
	raws := make([][]byte, len(files))
	for i, f := range files {
		raw, err := encode(&pb.TransferFile{Path: f.Path, Entry: entryTo(f.Entry), Target: f.Target, Skipped: f.Skipped})
		if err != nil {
			return nil, fmt.Errorf("file %q: %w", f.Path, err)
		}
		raws[i] = raw
	}
	return raws, nil
}

// putParts makes files the transfer's files, writing only what differs: a
// transfer's state changes often, its files hardly ever.
func putParts(parts *bbolt.Bucket, files [][]byte) error {
	for i, raw := range files {
		if err := putChanged(parts, indexKey(i), raw); err != nil {
			return err
		}
	}
	c := parts.Cursor()
	rest := indexKey(len(files))
	for key, _ := c.Seek(rest); key != nil; key, _ = c.Seek(rest) {
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return nil
}

// putChanged stores value under key unless it is there already.
func putChanged(b *bbolt.Bucket, key, value []byte) error {
	if bytes.Equal(b.Get(key), value) {
		return nil
	}
	return b.Put(key, value)
}

// MarkFiles notes that files of the transfer are finished: by their index, the
// absolute paths at which they lie; with no path, that one is not finished any
// more. It does not touch the rest of the transfer.
func (d *DB) MarkFiles(ctx context.Context, id string, finals map[int]domain.Finished) error {
	for index, mark := range finals {
		if index < 0 || index > math.MaxInt32 || len(mark.Final) > maxLocalPath {
			return fmt.Errorf("mark file %d of transfer %s: %w", index, id, domain.ErrMalformed)
		}
	}
	indexes := slices.Sorted(maps.Keys(finals))
	err := d.write(ctx, func(tx *bbolt.Tx) error {
		var room *bbolt.Bucket
		if id != "" {
			room = tx.Bucket(bucketTransfers).Bucket([]byte(id))
		}
		if room == nil {
			return domain.ErrNotFound
		}
		marks := room.Bucket(bucketMarks)
		for _, index := range indexes {
			if err := marks.Put(indexKey(index), markTo(finals[index])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("mark %d files of transfer %s: %w", len(finals), id, err)
	}
	return nil
}

// Transfers returns all stored transfers with their files; what was marked as
// finished has its Final set.
func (d *DB) Transfers() ([]domain.Transfer, error) {
	var transfers []domain.Transfer
	err := d.view(func(tx *bbolt.Tx) error {
		all := tx.Bucket(bucketTransfers)
		return all.ForEachBucket(func(id []byte) error {
			t, err := readTransfer(string(id), all.Bucket(id))
			if err != nil {
				d.log.Error("a transfer cannot be read", "transfer", string(id), "err", err)
				return nil
			}
			transfers = append(transfers, t)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list transfers: %w", err)
	}
	return transfers, nil
}

func readTransfer(id string, room *bbolt.Bucket) (domain.Transfer, error) {
	t, err := decodeTransfer(id, room.Get(keyTransfer))
	if err != nil {
		return t, err
	}
	marks := room.Bucket(bucketMarks)
	err = room.Bucket(bucketParts).ForEach(func(key, raw []byte) error {
		if len(key) != 4 || int(binary.BigEndian.Uint32(key)) != len(t.Files) {
			return fmt.Errorf("%w: a file is missing", domain.ErrDamaged)
		}
		f, err := decodePart(raw)
		if err != nil {
			return err
		}
		mark := markFrom(marks.Get(key))
		f.Final, f.Written = mark.Final, mark.Written
		t.Files = append(t.Files, f)
		return nil
	})
	return t, err
}

// markTo writes a mark: the path, which holds no zero byte, and after one the
// time of a file that was made, in nanoseconds since 1970.
func markTo(mark domain.Finished) []byte {
	raw := []byte(mark.Final)
	if mark.Written.IsZero() {
		return raw
	}
	return binary.BigEndian.AppendUint64(append(raw, 0), uint64(mark.Written.UnixNano()))
}

func markFrom(raw []byte) domain.Finished {
	final, written, _ := bytes.Cut(raw, []byte{0})
	mark := domain.Finished{Final: string(final)}
	if len(written) == 8 {
		mark.Written = fromNanos(int64(binary.BigEndian.Uint64(written)))
	}
	return mark
}

// DropTransfer forgets a transfer. It is no error if there is none.
func (d *DB) DropTransfer(ctx context.Context, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	err := d.write(ctx, func(tx *bbolt.Tx) error {
		if err := tx.Bucket(bucketTransfers).DeleteBucket([]byte(id)); !gone(err) {
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget transfer %s: %w", id, err)
	}
	return nil
}

func transferTo(t domain.Transfer) *pb.Transfer {
	return &pb.Transfer{
		Kind: string(t.Kind), Peer: string(t.Peer), PeerName: words(t.PeerName), Path: t.Path,
		Folder: []byte(t.Folder), Final: []byte(t.Final),
		Count: int64(t.Count), Size: t.Size, Done: t.Done,
		State: string(t.State), Reason: sayingTo(t.Reason), Failure: t.Failure,
		Added: nanos(t.Added), Ended: nanos(t.Ended), Order: t.Order, Parts: t.Parts, Offer: t.Offer,
	}
}

func decodeTransfer(id string, raw []byte) (domain.Transfer, error) {
	var m pb.Transfer
	if err := decode(raw, &m); err != nil {
		return domain.Transfer{}, err
	}
	t := domain.Transfer{
		ID: id, Kind: domain.TransferKind(m.GetKind()), Peer: domain.PeerID(m.GetPeer()),
		PeerName: m.GetPeerName(), Path: m.GetPath(),
		Folder: string(m.GetFolder()), Final: string(m.GetFinal()),
		Count: int(m.GetCount()), Size: m.GetSize(), Done: m.GetDone(),
		State: domain.TransferState(m.GetState()), Failure: m.GetFailure(),
		Added: fromNanos(m.GetAdded()), Ended: fromNanos(m.GetEnded()), Order: m.GetOrder(), Parts: m.GetParts(), Offer: m.GetOffer(),
	}
	if err := sayingFrom(m.GetReason(), &t.Reason); err != nil {
		return t, err
	}
	if err := within("a local path", max(len(t.Folder), len(t.Final)), maxLocalPath); err != nil {
		return t, err
	}
	if err := within("a path", len(t.Path), domain.MaxPath); err != nil {
		return t, err
	}
	return t, texts(m.GetKind(), m.GetPeer(), t.PeerName, m.GetState(), t.Failure, t.Offer)
}

func decodePart(raw []byte) (domain.TransferFile, error) {
	var m pb.TransferFile
	if err := decode(raw, &m); err != nil {
		return domain.TransferFile{}, err
	}
	e, err := entryFrom(m.GetPath(), m.GetEntry())
	if err != nil {
		return domain.TransferFile{}, err
	}
	f := domain.TransferFile{Entry: e, Target: m.GetTarget(), Skipped: m.GetSkipped()}
	return f, within("a target", len(f.Target), domain.MaxPath)
}
