package db

import (
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db/pb"
)

// PutOffer stores an offer under its ID. The error wraps domain.ErrTooLarge for
// one with more local paths than a record holds.
func (d *DB) PutOffer(ctx context.Context, o domain.Offer) error {
	if err := checkID(o.ID); err != nil {
		return err
	}
	m := &pb.Offer{
		Incoming: o.Incoming, Peer: string(o.Peer), PeerName: words(o.PeerName),
		Name: words(o.Name), Items: int64(o.Items), Folder: o.Folder, Entries: int64(o.Entries), Bytes: o.Bytes,
		Note: words(o.Note), State: string(o.State), Reason: sayingTo(o.Reason),
		Added: nanos(o.Added), Ended: nanos(o.Ended), To: []byte(o.To), Transfer: o.Transfer, Untold: o.Untold, Removed: o.Removed,
	}
	for _, path := range o.Paths {
		m.Paths = append(m.Paths, []byte(path))
	}
	err := d.write(ctx, func(tx *bbolt.Tx) error {
		return put(tx.Bucket(bucketOffers), []byte(o.ID), m)
	})
	if err != nil {
		return fmt.Errorf("store offer %s: %w", o.ID, err)
	}
	return nil
}

// DropOffer forgets an offer. It is no error if there is none.
func (d *DB) DropOffer(ctx context.Context, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	err := d.write(ctx, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketOffers).Delete([]byte(id))
	})
	if err != nil {
		return fmt.Errorf("forget offer %s: %w", id, err)
	}
	return nil
}

// Offers returns all stored offers.
func (d *DB) Offers() ([]domain.Offer, error) {
	var offers []domain.Offer
	err := d.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketOffers).ForEach(func(key, raw []byte) error {
			o, err := decodeOffer(string(key), raw)
			if err != nil {
				d.log.Error("an offer cannot be read", "offer", string(key), "err", err)
				return nil
			}
			offers = append(offers, o)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list offers: %w", err)
	}
	return offers, nil
}

func decodeOffer(id string, raw []byte) (domain.Offer, error) {
	var m pb.Offer
	if err := decode(raw, &m); err != nil {
		return domain.Offer{}, err
	}
	o := domain.Offer{
		ID: id, Incoming: m.GetIncoming(), Peer: domain.PeerID(m.GetPeer()), PeerName: m.GetPeerName(),
		Name: m.GetName(), Items: int(m.GetItems()), Folder: m.GetFolder(), Entries: int(m.GetEntries()), Bytes: m.GetBytes(),
		Note: m.GetNote(), State: domain.OfferState(m.GetState()),
		Added: fromNanos(m.GetAdded()), Ended: fromNanos(m.GetEnded()),
		To: string(m.GetTo()), Transfer: m.GetTransfer(), Untold: m.GetUntold(), Removed: m.GetRemoved(),
	}
	if err := sayingFrom(m.GetReason(), &o.Reason); err != nil {
		return o, err
	}
	for _, path := range m.GetPaths() {
		if err := within("a local path", len(path), maxLocalPath); err != nil {
			return o, err
		}
		o.Paths = append(o.Paths, string(path))
	}
	if err := within("a local path", len(o.To), maxLocalPath); err != nil {
		return o, err
	}
	return o, texts(m.GetPeer(), o.PeerName, o.Name, o.Note, m.GetState(), o.Transfer)
}
