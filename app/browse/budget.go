package browse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// budget and budgetBytes are how many entries of others are held in all, and
	// how long their paths may be together.
	budget      = 1_000_000
	budgetBytes = 128 << 20
	// ofStranger is the part of it that somebody who is no friend may take.
	ofStranger = 2
)

// errFull says that there is no room beside what is held of others.
var errFull = errors.New("no room for more")

// size is how much entries are.
type size struct {
	entries int
	bytes   int // of their paths
}

func (s *size) add(path string) { s.entries, s.bytes = s.entries+1, s.bytes+len(path)+1 }

func (c *catalogue) size() size { return size{len(c.entries), len(c.blob)} }

// over returns why somebody's catalogue, which is as much as own, is too much
// beside what is held of others. It is domain.ErrTooLarge, and errFull too if it
// is not too much by itself.
func (b *Browse) over(who domain.Peer, own, others size) error {
	if !who.Friend && (own.entries > b.cfg.Most/ofStranger || own.bytes > budgetBytes/ofStranger) {
		return fmt.Errorf("%w: more than %d entries of somebody who is no friend, or %d bytes of their names",
			domain.ErrTooLarge, b.cfg.Most/ofStranger, budgetBytes/ofStranger)
	}
	if own.entries > b.cfg.Most || own.bytes > budgetBytes {
		return fmt.Errorf("%w: more than %d entries, or %d bytes of their names", domain.ErrTooLarge, b.cfg.Most, budgetBytes)
	}
	if others.entries+own.entries > b.cfg.Most || others.bytes+own.bytes > budgetBytes {
		return fmt.Errorf("%w: %w: more than %d entries of others, or %d bytes of their names",
			domain.ErrTooLarge, errFull, b.cfg.Most, budgetBytes)
	}
	return nil
}

// held is what is held of all peers but one, with what is coming. The lock is
// held.
func (b *Browse) held(except domain.PeerID) (all size) {
	for id, p := range b.peers {
		if id != except {
			known := p.known.size()
			all.entries += max(known.entries, p.coming.entries)
			all.bytes += max(known.bytes, p.coming.bytes)
		}
	}
	return all
}

// came notes how much a pull that runs has brought.
func (b *Browse) came(id domain.PeerID, all size) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.get(id).coming = all
}

// room reports whether there is room for what a pull has brought, which it notes.
// Where there is none, the catalogues of people give way who are worth less; the
// error is domain.ErrTooLarge if that is not enough.
func (b *Browse) room(ctx context.Context, id domain.PeerID, all size) error {
	who, _ := b.cfg.People.Peer(id)
	for {
		b.mu.Lock()
		err := b.over(who, all, b.held(id))
		if err == nil {
			b.get(id).coming = all
			b.mu.Unlock()
			return nil
		}
		var least domain.PeerID
		if errors.Is(err, errFull) {
			least = b.least(id)
		}
		b.mu.Unlock()
		if least == "" {
			return err
		}
		if err := b.evict(ctx, least); err != nil {
			return err
		}
	}
}

// The ranks of people by whose catalogue gives way to whose.
const (
	blockedOne = iota
	awayStranger
	hereStranger
	lookedAt
	friend
)

// rank is what a person's catalogue is worth here. The lock is held, or nobody
// else knows b yet.
func (b *Browse) rank(id domain.PeerID) int {
	who, _ := b.cfg.People.Peer(id)
	p := b.peers[id]
	switch {
	case who.Blocked:
		return blockedOne
	case who.Friend:
		return friend
	case p != nil && p.opened:
		return lookedAt
	case who.Online:
		return hereStranger
	default:
		return awayStranger
	}
}

// wanted reports whether the user wants to see a person's catalogue: that of a
// friend, or one that was looked at.
func (b *Browse) wanted(id domain.PeerID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rank(id) >= lookedAt
}

// least returns whose catalogue gives way to that of id: of those of a lower
// rank the lowest, and of these the largest; nobody if there is none. The lock is
// held.
func (b *Browse) least(id domain.PeerID) (least domain.PeerID) {
	mine := b.rank(id)
	var candidates []domain.PeerID
	for other, p := range b.peers {
		if other != id && len(p.known.entries) > 0 && !p.pulling && b.rank(other) < mine {
			candidates = append(candidates, other)
		}
	}
	if len(candidates) == 0 {
		return ""
	}
	return slices.MinFunc(candidates, func(one, other domain.PeerID) int {
		return cmp.Or(cmp.Compare(b.rank(one), b.rank(other)),
			cmp.Compare(len(b.peers[other].known.entries), len(b.peers[one].known.entries)), cmp.Compare(one, other))
	})
}

// evict forgets a catalogue, to be pulled again when there is a reason to.
func (b *Browse) evict(ctx context.Context, id domain.PeerID) error {
	b.mu.Lock()
	p := b.get(id)
	p.known, p.answered = build(domain.Version{}, false, nil), domain.Version{}
	b.publish(id, p)
	b.mu.Unlock()
	b.cfg.Log.Info("a catalogue gave way to another", "peer", id)
	if b.cfg.Changed != nil {
		b.cfg.Changed(id)
	}
	return b.cfg.Store.DropCatalogue(ctx, id)
}
