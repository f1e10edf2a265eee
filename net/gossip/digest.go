package gossip

import (
	"bytes"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/gossip/pb"
)

// digest lists what we know, for one who may know it: the own head, and to near
// peers those of others.
func (g *Gossip) digest(asker domain.Asker, own signedHead) []*pb.Item {
	now := g.cfg.Now()
	items := []*pb.Item{itemOf(&own, 0)}
	if !asker.Near || g.apart() {
		return items
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, a := range g.table.authors {
		if a.public == nil || id == asker.Peer || !isFresh(a, now) {
			continue
		}
		if items = append(items, itemOf(a.public, age(a, now))); len(items) == maxItems {
			break
		}
	}
	return items
}

// lacking returns what the asker, who has sent items, does not have: to a near
// one what we know of others, to any one that went back behind what we know of
// itself its own head.
func (g *Gossip) lacking(asker domain.Asker, items []*pb.Item) []*pb.Known {
	if !welcome(asker) {
		return nil
	}
	type line struct {
		domain.Head
		hash []byte
	}
	theirs := make(map[domain.PeerID]line, len(items))
	for _, item := range items {
		if h, ok := headOf(item); ok {
			theirs[h.Peer] = line{h, item.GetHash()}
		}
	}
	now := g.cfg.Now()
	others := asker.Near && !g.apart()

	g.mu.Lock()
	defer g.mu.Unlock()
	var all []*pb.Known
	size := 0
	add := func(h *signedHead, age uint32) {
		if size += len(h.signed); size <= softSwap && len(all) < maxItems-1 {
			all = append(all, &pb.Known{Kind: pb.Kind_KIND_HEAD, Signed: h.signed, Age: age})
		}
	}
	if a := g.table.authors[asker.Peer]; a != nil {
		if said, ok := theirs[asker.Peer]; ok && a.head().Newer(said.Version) {
			add(a.head(), age(a, now))
		}
	}
	if !others {
		return all
	}
	for id, a := range g.table.authors {
		if a.public == nil || id == asker.Peer || !isFresh(a, now) {
			continue
		}
		said, ok := theirs[id]
		if hash := hashOf(a.public.signed); bytes.Equal(said.hash, hash[:]) {
			continue
		}
		due := a.public.Version == said.Version && a.public.Time.Sub(said.Time) >= g.timing.gap
		if !ok || due || a.public.Newer(said.Version) {
			add(a.public, age(a, now))
		}
	}
	return all
}

// since returns the heads that changed after the table's count was mark, but
// not that of to.
func (t *table) since(mark uint64, to domain.PeerID, now time.Time) []*pb.Known {
	var all []*pb.Known
	for id, a := range t.authors {
		if a.changed > mark && id != to && a.public != nil && isFresh(a, now) && len(all) < maxItems {
			all = append(all, &pb.Known{Kind: pb.Kind_KIND_HEAD, Signed: a.public.signed, Age: age(a, now)})
		}
	}
	return all
}

// age returns the seconds since the author's head left its owner, rounded up:
// nobody is to seem to have spoken after they left.
func age(a *author, now time.Time) uint32 {
	return uint32((max(0, min(now.Sub(a.heard), 2*staleAfter)) + time.Second - 1) / time.Second)
}

func itemOf(h *signedHead, age uint32) *pb.Item {
	hash := hashOf(h.signed)
	return &pb.Item{
		Kind:    pb.Kind_KIND_HEAD,
		Id:      []byte(decode(h.Peer)),
		Numbers: []uint64{h.Epoch, h.Sequence, uint64(h.Time.UnixMilli())},
		Hash:    hash[:],
		Age:     age,
	}
}

// headOf reads the line of a digest that stands for a head: peer, version and
// time.
func headOf(item *pb.Item) (domain.Head, bool) {
	const numbers = 3
	if item.GetKind() != pb.Kind_KIND_HEAD || len(item.GetNumbers()) < numbers {
		return domain.Head{}, false
	}
	id, err := peerID(item.GetId())
	if err != nil || item.GetNumbers()[2] > maxTime {
		return domain.Head{}, false
	}
	return domain.Head{
		Peer:    id,
		Version: domain.Version{Epoch: item.GetNumbers()[0], Sequence: item.GetNumbers()[1]},
		Time:    time.UnixMilli(int64(item.GetNumbers()[2])),
	}, true
}

func ownKnown(own signedHead) *pb.Known {
	return &pb.Known{Kind: pb.Kind_KIND_HEAD, Signed: own.signed}
}
