package db

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db/pb"
)

// PutPage stores a page of a peer's catalogue; first says that it begins a
// pull.
//
// The pages of a full pull replace what was known: what the pull does not bring
// again vanishes when its last page is stored. Until then both can be listed
// and Catalogue tells that it is incomplete; so it stays if the pull breaks
// off, until another begins: pulls that break off again and again, whatever they
// bring, do not pile up. A page of changes needs a complete catalogue, else the error wraps
// domain.ErrNotFound; its version holds from the last page on, so that changes
// of which only the beginning was stored are asked for again.
func (d *DB) PutPage(ctx context.Context, peer domain.PeerID, p domain.Page, first bool) error {
	if err := checkPeer(peer); err != nil {
		return err
	}
	err := d.write(ctx, func(tx *bbolt.Tx) error {
		room, err := tx.Bucket(bucketBrowse).Bucket(bucketCatalogues).CreateBucketIfNotExists([]byte(peer))
		if err != nil {
			return err
		}
		state, err := readState(room)
		if err != nil {
			state = &pb.Catalogue{} // a full pull will mend it
		}
		if p.Full && first && state.GetPulling() != nil {
			if err := room.DeleteBucket(bucketEntries); !gone(err) {
				return err
			}
		}
		entries, err := room.CreateBucketIfNotExists(bucketEntries)
		if err != nil {
			return err
		}
		if p.Full {
			err = beginPull(state, entries, p.Version, first)
		} else if !state.GetComplete() {
			err = fmt.Errorf("%w: no complete catalogue to change", domain.ErrNotFound)
		}
		if err != nil {
			return err
		}
		if err := putChanges(entries, p.Changes, state.GetGeneration()); err != nil {
			return err
		}
		if p.Next == "" {
			if err := endPull(state, entries, p); err != nil {
				return err
			}
		}
		return put(room, keyState, state)
	})
	if err != nil {
		return fmt.Errorf("store the catalogue of %s: %w", peer.Short(), err)
	}
	return nil
}

func checkPeer(peer domain.PeerID) error {
	if peer == "" || len(peer) > maxPeerID {
		return fmt.Errorf("%w: a peer ID of %d bytes", domain.ErrMalformed, len(peer))
	}
	return nil
}

func readState(room *bbolt.Bucket) (*pb.Catalogue, error) {
	var m pb.Catalogue
	if err := decode(room.Get(keyState), &m); err != nil {
		return nil, err
	}
	return &m, nil
}

// beginPull prepares the state for a page of a full pull.
func beginPull(state *pb.Catalogue, entries *bbolt.Bucket, v domain.Version, first bool) error {
	if !first {
		if state.GetPulling() == nil || versionFrom(state.GetPulling()) != v {
			return fmt.Errorf("%w: the page continues no pull that was begun", domain.ErrMalformed)
		}
		return nil
	}
	known, _ := entries.Cursor().First()
	state.Stale = known != nil
	state.Generation++
	state.Complete = false
	state.Version = nil
	state.Pulling = versionTo(v)
	return nil
}

func putChanges(entries *bbolt.Bucket, changes []domain.Change, generation uint64) error {
	for _, c := range changes {
		if c.Path == "" || len(c.Path) > domain.MaxPath {
			return fmt.Errorf("%w: a path of %d bytes", domain.ErrMalformed, len(c.Path))
		}
		if c.Entry == nil {
			if err := entries.Delete([]byte(c.Path)); err != nil {
				return err
			}
			continue
		}
		if c.Entry.Size < 0 || c.Entry.Size > domain.MaxFileSize {
			return fmt.Errorf("%w: a size of %d bytes", domain.ErrMalformed, c.Entry.Size)
		}
		m := entryTo(*c.Entry)
		m.Generation = generation
		if err := put(entries, []byte(c.Path), m); err != nil {
			return err
		}
	}
	return nil
}

// endPull makes what was pulled the whole catalogue.
func endPull(state *pb.Catalogue, entries *bbolt.Bucket, p domain.Page) error {
	state.Version = versionTo(p.Version)
	if !p.Full {
		return nil
	}
	if state.GetStale() {
		if err := sweep(entries, state.GetGeneration()); err != nil {
			return err
		}
	}
	state.Complete, state.Stale, state.Pulling = true, false, nil
	return nil
}

// sweep deletes the entries of generations before the given one.
func sweep(entries *bbolt.Bucket, generation uint64) error {
	var old [][]byte
	err := entries.ForEach(func(path, raw []byte) error {
		if _, of, err := decodeEntry(string(path), raw); err != nil || of != generation {
			old = append(old, bytes.Clone(path))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := entries.Delete(path); err != nil {
			return err
		}
	}
	return nil
}

// Catalogue returns the version of what is stored of a peer's catalogue. It is
// complete if a pull was finished and none was begun since; otherwise the
// version is zero, as changes cannot start from there. A peer that is not known
// has an incomplete catalogue.
func (d *DB) Catalogue(peer domain.PeerID) (v domain.Version, complete bool, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		room := catalogueOf(tx, peer)
		if room == nil {
			return nil
		}
		state, err := readState(room)
		if err != nil {
			d.log.Error("a catalogue's state cannot be read; it is pulled anew", "peer", peer, "err", err)
			return nil
		}
		v, complete = versionFrom(state.GetVersion()), state.GetComplete()
		return nil
	})
	if err != nil {
		return domain.Version{}, false, fmt.Errorf("look up the catalogue of %s: %w", peer.Short(), err)
	}
	return v, complete, nil
}

func catalogueOf(tx *bbolt.Tx, peer domain.PeerID) *bbolt.Bucket {
	if peer == "" {
		return nil
	}
	return tx.Bucket(bucketBrowse).Bucket(bucketCatalogues).Bucket([]byte(peer))
}

// Entries calls each for all that is stored of a peer's catalogue, in path
// order, until it returns an error, which Entries returns.
func (d *DB) Entries(peer domain.PeerID, each func(domain.Entry) error) error {
	page := make([]domain.Entry, 0, pageOfRecords)
	var from []byte
	for {
		page = page[:0]
		err := d.view(func(tx *bbolt.Tx) error {
			room := catalogueOf(tx, peer)
			if room == nil {
				return nil
			}
			c := room.Bucket(bucketEntries).Cursor()
			key, raw := c.Seek(from)
			for ; key != nil && len(page) < pageOfRecords; key, raw = c.Next() {
				e, _, err := decodeEntry(string(key), raw)
				if err != nil {
					d.log.Error("an entry cannot be read", "peer", peer, "path", string(key), "err", err)
					continue
				}
				page = append(page, e)
			}
			from = bytes.Clone(key)
			return nil
		})
		if err != nil {
			return fmt.Errorf("list the catalogue of %s: %w", peer.Short(), err)
		}
		for _, e := range page {
			if err := each(e); err != nil {
				return err
			}
		}
		if from == nil {
			return nil
		}
	}
}

// DropCatalogue forgets a peer's catalogue and head.
func (d *DB) DropCatalogue(ctx context.Context, peer domain.PeerID) error {
	if err := checkPeer(peer); err != nil {
		return err
	}
	err := d.write(ctx, func(tx *bbolt.Tx) error { return dropCatalogue(tx.Bucket(bucketBrowse), peer) })
	if err != nil {
		return fmt.Errorf("forget the catalogue of %s: %w", peer.Short(), err)
	}
	return nil
}

func dropCatalogue(browse *bbolt.Bucket, peer domain.PeerID) error {
	if err := browse.Bucket(bucketCatalogues).DeleteBucket([]byte(peer)); !gone(err) {
		return err
	}
	return browse.Bucket(bucketHeads).Delete([]byte(peer))
}

// Catalogues returns the peers of whose catalogue something is stored.
func (d *DB) Catalogues() ([]domain.PeerID, error) {
	var peers []domain.PeerID
	err := d.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketBrowse).Bucket(bucketCatalogues).ForEachBucket(func(name []byte) error {
			peers = append(peers, domain.PeerID(name))
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list catalogues: %w", err)
	}
	return peers, nil
}

// StoredHead is a head with the bytes that its owner signed.
type StoredHead struct {
	Head   domain.Head
	Signed []byte
}

// PutHead stores a peer's newest head together with its signed form.
func (d *DB) PutHead(ctx context.Context, head domain.Head, signed []byte) error {
	if err := checkPeer(head.Peer); err != nil {
		return err
	}
	m := &pb.Head{
		Name: words(head.Name), Version: versionTo(head.Version),
		Entries: int64(head.Entries), Bytes: head.Bytes, Time: nanos(head.Time), Signed: signed,
	}
	err := d.write(ctx, func(tx *bbolt.Tx) error {
		return put(tx.Bucket(bucketBrowse).Bucket(bucketHeads), []byte(head.Peer), m)
	})
	if err != nil {
		return fmt.Errorf("store the head of %s: %w", head.Peer.Short(), err)
	}
	return nil
}

// Heads returns the stored heads.
func (d *DB) Heads() (map[domain.PeerID]StoredHead, error) {
	heads := make(map[domain.PeerID]StoredHead)
	err := d.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketBrowse).Bucket(bucketHeads).ForEach(func(key, raw []byte) error {
			peer := domain.PeerID(key)
			h, err := decodeHead(peer, raw)
			if err != nil {
				d.log.Error("a head cannot be read", "peer", peer, "err", err)
				return nil
			}
			heads[peer] = h
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list heads: %w", err)
	}
	return heads, nil
}

func decodeHead(peer domain.PeerID, raw []byte) (StoredHead, error) {
	var m pb.Head
	if err := decode(raw, &m); err != nil {
		return StoredHead{}, err
	}
	h := StoredHead{
		Head: domain.Head{
			Peer: peer, Name: m.GetName(), Version: versionFrom(m.GetVersion()),
			Entries: int(m.GetEntries()), Bytes: m.GetBytes(), Time: fromNanos(m.GetTime()),
		},
		Signed: bytes.Clone(m.GetSigned()),
	}
	if h.Head.Entries < 0 || h.Head.Bytes < 0 {
		return h, fmt.Errorf("%w: negative counts", domain.ErrDamaged)
	}
	return h, texts(h.Head.Name)
}

// gone reports whether a bucket is not there after an attempt to delete it,
// which returned err.
func gone(err error) bool { return err == nil || errors.Is(err, berrors.ErrBucketNotFound) }
