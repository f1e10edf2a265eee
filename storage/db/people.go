package db

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db/pb"
)

// PutPerson stores what is remembered of a peer.
func (d *DB) PutPerson(ctx context.Context, p domain.Person) error {
	if err := checkPeer(p.ID); err != nil {
		return err
	}
	m := &pb.Person{
		Name: words(p.Name), LastSeen: nanos(p.LastSeen), Friend: p.Friend, Blocked: p.Blocked,
		Given: words(p.Given), Confirmed: p.Confirmed, AcceptUpTo: p.AcceptUpTo,
	}
	for _, a := range p.Addresses[:min(len(p.Addresses), maxAddresses)] {
		m.Addresses = append(m.Addresses, words(a))
	}
	err := d.write(ctx, func(tx *bbolt.Tx) error {
		return put(tx.Bucket(bucketPeople), []byte(p.ID), m)
	})
	if err != nil {
		return fmt.Errorf("remember %s: %w", p.ID.Short(), err)
	}
	return nil
}

// DropPeople forgets peers, and their heads and catalogues.
func (d *DB) DropPeople(ctx context.Context, peers []domain.PeerID) error {
	err := d.write(ctx, func(tx *bbolt.Tx) error {
		browse := tx.Bucket(bucketBrowse)
		for _, peer := range peers {
			if err := errors.Join(tx.Bucket(bucketPeople).Delete([]byte(peer)), dropCatalogue(browse, peer)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget %d people: %w", len(peers), err)
	}
	return nil
}

// People returns everybody who is remembered.
func (d *DB) People() ([]domain.Person, error) {
	var people []domain.Person
	err := d.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketPeople).ForEach(func(key, raw []byte) error {
			p, err := decodePerson(domain.PeerID(key), raw)
			if err != nil {
				d.log.Error("a person cannot be read", "peer", string(key), "err", err)
				return nil
			}
			people = append(people, p)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return people, nil
}

func decodePerson(id domain.PeerID, raw []byte) (domain.Person, error) {
	var m pb.Person
	if err := decode(raw, &m); err != nil {
		return domain.Person{}, err
	}
	p := domain.Person{
		ID: id, Name: m.GetName(), Addresses: m.GetAddresses(), LastSeen: fromNanos(m.GetLastSeen()),
		Friend: m.GetFriend(), Blocked: m.GetBlocked(),
		Given: m.GetGiven(), Confirmed: m.GetConfirmed(), AcceptUpTo: max(m.GetAcceptUpTo(), 0),
	}
	if len(p.Addresses) > maxAddresses {
		return p, fmt.Errorf("%w: %d addresses", domain.ErrDamaged, len(p.Addresses))
	}
	return p, texts(append([]string{p.Name, p.Given}, p.Addresses...)...)
}
