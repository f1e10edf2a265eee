package gossip

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/gossip/pb"
)

// headsProtocol is the name under which peers swap heads over a stream.
const headsProtocol = "/potluck/heads/1"

// swapTime is how long a swap or a push may take.
const swapTime = 20 * time.Second

var errHidden = errors.New("nothing is told while we are hidden")

// neighbour is a connected peer that is near or a friend.
type neighbour struct {
	meeting int       // how many times meet is at work on it
	near    bool      // it was when it was met last; else a friend
	swapped time.Time // when the last swap since then ended well; zero for never
	told    view      // what it was told of us over a stream
}

// met swaps heads with a connected peer that has come near or is a friend.
func (g *Gossip) met(id domain.PeerID) {
	asker := g.cfg.Host.AskerFor(id)
	if !welcome(asker) || g.hidden() {
		return
	}
	g.mu.Lock()
	n := g.neighbour(id)
	if n.meeting > 0 && n.near == asker.Near {
		g.mu.Unlock()
		// One more connection, or it was far for a moment.
		g.run(func(ctx context.Context) { g.letIn(ctx, id) })
		return
	}
	n.meeting++
	if n.near != asker.Near {
		n.near = asker.Near
		n.swapped = time.Time{} // a friend that has come near is told more
	}
	g.mu.Unlock()

	met := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		n.meeting--
	}
	if !g.run(func(ctx context.Context) { defer met(); g.meet(ctx, id) }) {
		met()
	}
}

func welcome(asker domain.Asker) bool { return asker.Peer != "" && (asker.Near || asker.Friend) }

// neighbour returns the entry of a connected peer. The caller holds mu.
func (g *Gossip) neighbour(id domain.PeerID) *neighbour {
	n := g.neighbours[id]
	if n == nil {
		n = &neighbour{}
		g.neighbours[id] = n
	}
	return n
}

// gone forgets a peer when its last connection has ended.
func (g *Gossip) gone(_ network.Network, conn network.Conn) {
	id := conn.RemotePeer()
	if g.gate.Network().Connectedness(id) == network.Connected {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.neighbours, domain.PeerID(id.String()))
}

// letIn tells pubsub of a peer that is near.
func (g *Gossip) letIn(ctx context.Context, id domain.PeerID) {
	libp2pID := decode(id)
	if !g.nearNow(libp2pID) {
		return
	}
	if err := g.gate.admit(libp2pID); err != nil {
		g.log.DebugContext(ctx, "letting a peer into the mesh", "peer", id.Short(), "error", err)
	}
}

func (g *Gossip) meet(ctx context.Context, id domain.PeerID) {
	log := g.log.With("peer", id.Short())
	g.letIn(ctx, id)

	g.mu.Lock()
	mark := g.table.count
	g.mu.Unlock()

	// Both ends call this when both come near at once, and one swap is enough.
	if g.self > id && !sleep(ctx, g.timing.yield) {
		return
	}
	if !g.swappedSince(id, g.timing.settle) {
		if err := g.swap(ctx, id); err != nil {
			g.complaints.Fault(id, headsProtocol, err)
			log.DebugContext(ctx, "swapping heads", "error", err)
		}
	}

	// It takes pubsub a moment to bring the peer into the mesh. What was told
	// in between passed it by, and would be told again in ten minutes only.
	if !sleep(ctx, g.timing.settle) {
		return
	}
	g.tell(id, unreached)
	asker := g.cfg.Host.AskerFor(id)
	if !asker.Near || g.hidden() {
		return
	}
	select {
	case g.joined <- struct{}{}:
	default: // we are to be introduced already
	}
	if g.apart() {
		return
	}
	g.mu.Lock()
	missed := g.table.since(mark, id, g.cfg.Now())
	g.mu.Unlock()
	if len(missed) == 0 {
		return
	}
	if err := g.push(ctx, id, missed); err != nil {
		log.DebugContext(ctx, "telling what was missed", "heads", len(missed), "error", err)
	}
}

func (g *Gossip) swappedSince(id domain.PeerID, ago time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.neighbours[id]
	return n != nil && !n.swapped.IsZero() && time.Since(n.swapped) < ago
}

// swapped notes that heads were swapped, and what the peer was told of us. A
// swap with somebody who was taken for far, and has come near while it ran, is
// owed once more.
func (g *Gossip) swapped(asker domain.Asker, told view) {
	id := asker.Peer
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gate.Network().Connectedness(decode(id)) != network.Connected {
		return
	}
	n := g.neighbour(id)
	n.told = told
	if n.near == asker.Near {
		n.swapped = time.Now()
	}
}

func decode(id domain.PeerID) peer.ID {
	// All IDs in here come from libp2p; the empty one is nobody's.
	decoded, err := peer.Decode(string(id))
	if err != nil {
		return ""
	}
	return decoded
}

// swap opens a swap with a peer.
func (g *Gossip) swap(ctx context.Context, id domain.PeerID) (err error) {
	if !acquire(ctx, g.swaps) {
		return ctx.Err()
	}
	defer release(g.swaps)

	s, asker, done, err := g.open(ctx, id, headsProtocol)
	if err != nil {
		return err
	}
	defer done(&err)

	own, told, err := g.sealOwn(asker, view{})
	if err != nil {
		return err
	}
	if err := writeSwap(s, &pb.Swap{Items: g.digest(asker, own), Known: []*pb.Known{ownKnown(own)}}); err != nil {
		return err
	}
	answer, err := readSwap(s, maxSwap)
	if err != nil {
		return err
	}
	// What it lacks is found before what it told of itself is taken: if it
	// went back behind what we know, it has to see what we know.
	lacking := g.lacking(asker, answer.GetItems())
	if err := g.receive(asker, answer.GetKnown()); err != nil || answer.GetLast() {
		return err
	}
	if err := writeSwap(s, &pb.Swap{Known: lacking, Last: true}); err != nil {
		return err
	}
	g.swapped(asker, told)
	return nil
}

// push sends heads to a peer and expects nothing back.
func (g *Gossip) push(ctx context.Context, id domain.PeerID, known []*pb.Known) (err error) {
	if !acquire(ctx, g.pushes) {
		return ctx.Err()
	}
	defer release(g.pushes)

	s, _, done, err := g.open(ctx, id, headsProtocol)
	if err != nil {
		return err
	}
	defer done(&err)
	return writeSwap(s, &pb.Swap{Known: known, Last: true})
}

// open opens a stream to a peer that is near, or a friend, on the very
// connection that the stream runs on. Done ends the stream, well or, if *err is
// set, with a reset.
func (g *Gossip) open(ctx context.Context, id domain.PeerID, proto string) (
	s network.Stream, asker domain.Asker, done func(err *error), err error,
) {
	if g.hidden() {
		return nil, asker, nil, errHidden
	}
	ctx, cancel := context.WithTimeout(ctx, swapTime)
	s, err = g.cfg.Host.Open(ctx, id, proto)
	if err != nil {
		cancel()
		return nil, asker, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	done = func(err *error) {
		stop()
		cancel()
		if *err != nil {
			_ = s.Reset()
			return
		}
		*err = s.Close()
	}
	if err = s.SetDeadline(time.Now().Add(swapTime)); err == nil {
		if asker = g.cfg.Host.Asker(s.Conn()); !welcome(asker) {
			err = errFar
		}
	}
	if err != nil {
		done(&err)
		return nil, asker, nil, err
	}
	return s, asker, done, nil
}

// handler makes of what is done on a stream of a protocol a handler that Close
// waits for, and that names whoever breaks the protocol.
func (g *Gossip) handler(proto string, serve func(context.Context, network.Stream, domain.Asker) error) func(context.Context, network.Stream, domain.Asker) {
	return func(ctx context.Context, s network.Stream, asker domain.Asker) {
		if !g.begin() {
			_ = s.Reset()
			return
		}
		defer g.tasks.Done()
		defer g.endWithUs(s)()

		err := serve(ctx, s, asker)
		if err == nil {
			err = s.Close()
		}
		if err != nil {
			g.complaints.Served(asker.Peer, proto, err)
			g.log.DebugContext(ctx, "what a peer says", "peer", asker.Peer.Short(), "protocol", proto, "error", err)
			_ = s.Reset()
		}
	}
}

// endWithUs ends a stream whose handler belongs to the host when Close is
// called here. It returns what undoes it.
func (g *Gossip) endWithUs(s network.Stream) func() bool {
	return context.AfterFunc(g.ctx, func() { _ = s.Reset() })
}

// answer answers a swap, or takes a push, that another peer opened.
func (g *Gossip) answer(ctx context.Context, s network.Stream, asker domain.Asker) error {
	if !g.streams.allow(asker.Peer, 1) {
		return fmt.Errorf("too many streams: %w", domain.ErrBusy)
	}
	ctx, cancel := context.WithTimeout(ctx, swapTime)
	defer cancel()
	if err := s.SetDeadline(time.Now().Add(swapTime)); err != nil {
		return err
	}
	if !acquire(ctx, g.served) {
		return ctx.Err()
	}
	defer release(g.served)

	// What a far owner says of itself is taken, and nothing is given; likewise
	// while we are hidden.
	gives := welcome(asker) && !g.hidden()
	limit := maxSwap
	if !asker.Near {
		limit = maxFarSwap
	}
	first, err := readSwap(s, limit)
	if err != nil {
		return err
	}
	var lacking []*pb.Known
	if gives {
		lacking = g.lacking(asker, first.GetItems())
	}
	if err := g.receive(asker, first.GetKnown()); err != nil || first.GetLast() {
		return err
	}
	if !gives {
		return writeSwap(s, &pb.Swap{Last: true})
	}

	own, told, err := g.sealOwn(asker, view{})
	if err != nil {
		return err
	}
	if err := writeSwap(s, &pb.Swap{
		Items: g.digest(asker, own),
		Known: append([]*pb.Known{ownKnown(own)}, lacking...),
	}); err != nil {
		return err
	}
	last, err := readSwap(s, limit)
	if err != nil {
		return err
	}
	if err := g.receive(asker, last.GetKnown()); err != nil {
		return err
	}
	g.swapped(asker, told)
	return nil
}

// receive takes heads that came over a stream from the peer that asker is.
func (g *Gossip) receive(asker domain.Asker, all []*pb.Known) error {
	for _, k := range all {
		if k.GetKind() != pb.Kind_KIND_HEAD {
			continue // from a newer Potluck
		}
		if len(k.GetSigned()) > maxSigned {
			return fmt.Errorf("a head of %d bytes: %w", len(k.GetSigned()), domain.ErrTooLarge)
		}
		if err := g.receiveHead(asker, k); err != nil {
			return err
		}
	}
	return nil
}

func (g *Gossip) receiveHead(asker domain.Asker, k *pb.Known) error {
	now := g.cfg.Now()
	heard := now.Add(-time.Duration(k.GetAge()) * time.Second)
	author, _, err := claimed(k.GetSigned(), maxSigned, headCodec)
	if err != nil {
		return err
	}
	direct := author == asker.Peer
	switch {
	case direct:
		heard = now
	case author == g.self:
	case !asker.Near || !g.believable(author, asker.Peer) || now.Sub(heard) >= staleAfter:
		return nil
	}
	if !direct && g.repeats(author, k.GetSigned(), heard) {
		return nil
	}
	h, err := open(k.GetSigned())
	if err != nil {
		return err
	}
	if author == g.self {
		g.seenOwn(asker, h)
		return nil
	}
	if h.personal && !direct {
		return fmt.Errorf("a head of %s that was not meant for us: %w", h.Peer.Short(), domain.ErrMalformed)
	}
	g.mu.Lock()
	v := g.table.take(h, direct, heard)
	g.mu.Unlock()
	if v == fresh {
		g.news.add(h.Peer)
	}
	return nil
}

// repeats reports whether a head that another passed on is the very one that is
// here, and was heard in this run: whoever joins gets each head of a dozen
// others, and checking the signature once is enough.
func (g *Gossip) repeats(author domain.PeerID, signed []byte, heard time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.table.authors[author]
	if a == nil || a.public == nil || a.heard.IsZero() || string(a.public.signed) != string(signed) {
		return false
	}
	if heard.After(a.heard) {
		a.heard = heard
	}
	return true
}

func acquire(ctx context.Context, places chan struct{}) bool {
	select {
	case places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func release(places chan struct{}) { <-places }

// sleep waits; it is false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
