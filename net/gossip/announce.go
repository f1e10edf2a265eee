package gossip

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/gossip/pb"
)

// view is what of a catalogue somebody sees, as far as a head tells.
type view struct {
	domain.Version
	entries  int
	bytes    int64
	personal bool // more than, or other than, everyone nearby
}

// telling says why a peer is told the own head over a stream.
type telling int

const (
	changed   telling = iota // what it sees may have changed; skipped if gossip tells it
	again                    // the repeat that is due; skipped if gossip tells it
	unreached                // gossip may not reach it yet
)

// announceLoop sends the own head out when it has changed, and now and then
// when it has not.
func (g *Gossip) announceLoop(ctx context.Context) {
	repeat := time.NewTimer(g.untilRepeat())
	defer repeat.Stop()
	merge := time.NewTimer(0)
	defer merge.Stop()
	<-merge.C
	var quiet time.Time // when the next change may go out
	merging := false
	var introduce <-chan time.Time
	var introduced time.Time

	for {
		select {
		case <-ctx.Done():
			return
		case <-g.changed:
			if merging {
				continue
			}
			if wait := time.Until(quiet); wait > 0 {
				merging = true
				merge.Reset(wait)
				continue
			}
			g.announce(ctx, false)
			quiet = time.Now().Add(g.timing.merge)
		case <-merge.C:
			merging = false
			g.announce(ctx, false)
			quiet = time.Now().Add(g.timing.merge)
		case done := <-g.flush:
			merging = false
			merge.Stop()
			select {
			case <-g.changed:
			default:
			}
			g.announce(ctx, false)
			quiet = time.Now().Add(g.timing.merge)
			close(done)
		case <-g.joined:
			if introduce == nil {
				introduce = time.After(time.Until(introduced.Add(g.timing.intro)))
			}
		case <-introduce:
			// So that also those hear of us who are not our neighbours. Where it went
			// around already nobody passes it on.
			introduce, introduced = nil, time.Now()
			if !g.hidden() {
				g.gossipOwn(ctx, true)
			}
		case <-repeat.C:
			g.announce(ctx, true)
			repeat.Reset(g.untilRepeat())
		}
	}
}

// untilRepeat spreads the repeats, so that a thousand peers that started
// together do not speak together.
func (g *Gossip) untilRepeat() time.Duration {
	if g.timing.jitter <= 0 {
		return g.timing.repeat
	}
	//nolint:gosec // a secret would be wasted on it
	return g.timing.repeat - g.timing.jitter + rand.N(2*g.timing.jitter)
}

// announce gossips the public head, if it has changed or is to be repeated, and
// tells those whom gossip does not reach.
func (g *Gossip) announce(ctx context.Context, repeat bool) {
	if g.hidden() {
		g.mu.Lock()
		g.published = domain.Head{} // so that it goes out when we are shown again
		g.mu.Unlock()
		return
	}
	g.gossipOwn(ctx, repeat)
	g.mu.Lock()
	ids := make([]domain.PeerID, 0, len(g.neighbours))
	for id := range g.neighbours {
		ids = append(ids, id)
	}
	g.mu.Unlock()
	for _, id := range ids {
		if repeat {
			g.tell(id, again)
		} else {
			g.tell(id, changed)
		}
	}
}

// gossipOwn gossips the public head, if it has changed or is to be repeated.
func (g *Gossip) gossipOwn(ctx context.Context, repeat bool) {
	head, seen := g.own(Everyone)
	reserved := g.reserved()
	g.mu.Lock()
	last, base := g.published, g.base
	due := !reserved && (repeat || head.Version != last.Version || head.Name != last.Name)
	switch {
	case reserved:
		g.published = domain.Head{} // so that it goes out when that is over
	case due:
		g.published, g.base = head, head.Version
	}
	g.mu.Unlock()
	if !due {
		return
	}
	g.ride(&head, base)
	if err := g.publish(ctx, head); err != nil {
		g.log.WarnContext(ctx, "gossiping the own head", "error", err)
	} else {
		g.log.DebugContext(ctx, "gossiped the own head", "epoch", seen.Epoch, "sequence", seen.Sequence)
	}
}

// ride adds to a head what has changed since the last one, if that is little:
// whoever has the list then need not come for it.
func (g *Gossip) ride(head *domain.Head, since domain.Version) {
	if g.cfg.Delta == nil || since.Epoch != head.Epoch || since.Sequence >= head.Sequence {
		return
	}
	if packed, to := g.cfg.Delta(since, maxDelta); to == head.Version {
		head.Delta, head.Base = string(packed), since.Sequence
	}
}

func (g *Gossip) publish(ctx context.Context, head domain.Head) error {
	h, err := seal(g.key, head, false)
	if err != nil {
		return err
	}
	return g.topics[headsTopic].Publish(ctx, h.signed)
}

// tell sends a peer the own head over a stream if it is not what the peer was
// told before, or is to be told again.
func (g *Gossip) tell(id domain.PeerID, how telling) {
	asker := g.cfg.Host.AskerFor(id)
	if !welcome(asker) || g.hidden() {
		return
	}
	_, seen := g.own(asker)

	g.mu.Lock()
	n := g.neighbours[id]
	var told view
	if n != nil {
		told = n.told
	}
	g.mu.Unlock()
	reached := how != unreached && asker.Near && !seen.personal && !told.personal && !g.reserved()
	if n == nil || reached || how != again && told == seen {
		return
	}
	g.run(func(ctx context.Context) {
		own, told, err := g.sealOwn(asker, told)
		if err == nil {
			err = g.push(ctx, id, []*pb.Known{ownKnown(own)})
		}
		if err != nil {
			g.log.DebugContext(ctx, "telling a peer the own head", "peer", id.Short(), "error", err)
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if n := g.neighbours[id]; n != nil {
			n.told = told
		}
	})
}

// own returns the own head as asker may see it.
func (g *Gossip) own(asker domain.Asker) (domain.Head, view) {
	head := g.cfg.Own(asker)
	public := head
	if asker != Everyone {
		public = g.cfg.Own(Everyone)
	}
	head.Peer = g.self
	head.Name = g.cfg.Name()
	head.Time = g.cfg.Now()
	personal := head.Version != public.Version || head.Entries != public.Entries || head.Bytes != public.Bytes
	return head, view{Version: head.Version, entries: head.Entries, bytes: head.Bytes, personal: personal}
}

// sealOwn signs the own head as asker may see it, who was told of it before: what
// has changed since rides with it, if it is little and what everyone nearby sees.
func (g *Gossip) sealOwn(asker domain.Asker, before view) (signedHead, view, error) {
	head, seen := g.own(asker)
	if asker.Near && !seen.personal && !before.personal {
		g.ride(&head, before.Version)
	}
	h, err := seal(g.key, head, seen.personal)
	return h, seen, err
}
