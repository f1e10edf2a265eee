package provide

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

// keepOpen is how long files stay open after the last request.
const keepOpen = time.Second

// looks reports whether a request is for what a look at a content brings: its
// beginning. Who asks for more cannot pass it off as one.
func looks(h wire.Header) bool {
	return h.Look && (h.What != wire.Piece || int64(h.Index)*domain.PieceSize < domain.MostPeek)
}

// answer makes the answer to one request. It always returns one.
func (t *stream) answer(ctx context.Context, q question) answer {
	h := q.Header
	a := answer{id: h.Content, held: cost(h), piece: -1, look: looks(h)}
	a.head = wire.Header{Kind: wire.Response, Request: h.Request, Last: true}
	if h.What == wire.UnknownWhat {
		a.head.Status = wire.Malformed
		return a
	}
	c, err := t.content(ctx, h.Content)
	if err != nil {
		a.head.Status = t.status(ctx, h, err)
		return a
	}
	spread := c.Spread()
	switch {
	case h.Alone:
		t.unfollow(h.Content)
	case !h.Look:
		t.follow(h.Content, c, spread)
	}
	a.head.Size, a.head.Nearby = c.Size(), spread == Nearby
	partial, isPartial := c.(Partial)
	a.head.Partial = isPartial
	if a.slot = !a.look && (h.What == wire.Piece || h.What == wire.Any); a.slot {
		if wait := t.p.slots.take(t.peer, h.Content, c.Size()); wait != (place{}) {
			a.slot = false
			a.head.Status, a.head.Queue, a.head.QueuedAlone = wire.Busy, wait.at, wait.own
			return a
		}
	}
	switch h.What {
	case wire.Any:
		var some bool
		if h.Index, some = t.p.choose(h.Content, c, h.Index, q.set); !some {
			a.head.Status = wire.Missing
			return a
		}
		h.What = wire.Piece
		a.head.Index, a.piece = h.Index, h.Index
	case wire.Piece:
		if !h.Look && !h.Alone { // nobody will get it from who looks or hides
			t.p.give(h.Content, h.Index, 1)
			a.piece = h.Index
		}
	default:
	}
	length, status := extent(c, h)
	if status == wire.OK && h.What == wire.Piece && isPartial && !partial.Has(h.Index) {
		status = wire.Missing
	}
	if status != wire.OK || length == 0 {
		a.head.Status = status
		return a
	}
	body := bodies.Get().(*[wire.MaxAnswer]byte)
	a.body = body[:]
	if err := t.fill(ctx, a.body[:length], c, h); err != nil {
		t.open.drop(h.Content)
		a.head.Status = t.status(ctx, h, err)
		return a
	}
	a.head.Status = wire.OK
	a.head.Length = length
	return a
}

// extent returns how long the answer is, and whether it may be given.
func extent(c Content, h wire.Header) (length int, status wire.Status) {
	size := c.Size()
	pieces := domain.Pieces(size)
	switch h.What {
	case wire.Piece:
		if h.Index >= pieces {
			return 0, wire.Malformed
		}
		length = domain.PieceLength(size, h.Index)
	case wire.Layer:
		total := int64(len(c.Layer()))
		length = wire.PageLength(total, h.Index)
		if length == 0 {
			return 0, wire.Malformed
		}
	case wire.Info:
		if _, ok := c.(Partial); !ok {
			return 0, wire.OK
		}
		length = wire.PageLength(int64(pieces+7)/8, h.Index)
		if length == 0 {
			return 0, wire.Malformed
		}
		if h.Length == 0 {
			return 0, wire.OK // only the size was asked for
		}
	case wire.Any, wire.UnknownWhat: // Any has become Piece
		return 0, wire.Malformed
	}
	if length > h.Length {
		return 0, wire.Malformed
	}
	return length, wire.OK
}

// fill reads what was asked for.
func (t *stream) fill(ctx context.Context, body []byte, c Content, h wire.Header) error {
	switch h.What {
	case wire.Layer:
		copy(body, c.Layer()[int64(h.Index)*wire.PageSize:])
		return nil
	case wire.Info:
		bitmap(body, c.(Partial), h.Index)
		return nil
	default:
	}
	if err := t.p.turns.take(ctx, t.peer); err != nil {
		return err
	}
	defer t.p.turns.done()
	if err := c.Fresh(); err != nil {
		return err
	}
	n, err := c.ReadAt(body, int64(h.Index)*domain.PieceSize)
	if fresh := c.Fresh(); fresh != nil {
		return fresh
	}
	if n == len(body) {
		return nil // io.EOF may come with the last piece
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the file is shorter than it was", domain.ErrChanged)
	}
	return err
}

// bitmap marks the pieces of one page that are here.
func bitmap(body []byte, c Partial, page int) {
	clear(body)
	first := page * wire.PageSize * 8
	for i := range min(len(body)*8, domain.Pieces(c.Size())-first) {
		if c.Has(first + i) {
			body[i/8] |= 1 << (i % 8)
		}
	}
}

// status is what the asker is told of an error.
func (t *stream) status(ctx context.Context, h wire.Header, err error) wire.Status {
	switch {
	case errors.Is(err, domain.ErrChanged):
		return wire.Changed
	case errors.Is(err, domain.ErrBusy):
		return wire.Busy
	case errors.Is(err, domain.ErrNotFound), errors.Is(err, domain.ErrRefused), ctx.Err() != nil:
		return wire.Absent
	}
	t.p.log.WarnContext(ctx, "content cannot be served", "content", h.Content, "peer", t.peer.Short(), "err", err)
	return wire.Absent
}

// content returns the open content if the peer may have it now.
func (t *stream) content(ctx context.Context, id domain.ContentID) (Content, error) {
	asker := t.asker()
	if asker.Peer != t.peer {
		return nil, domain.ErrRefused
	}
	if c := t.open.get(id); c != nil {
		if !t.p.cfg.Source.Allowed(asker, id) {
			t.open.drop(id)
			return nil, domain.ErrRefused
		}
		return c, nil
	}
	c, err := t.p.cfg.Source.Open(ctx, asker, id)
	if err != nil {
		return nil, err
	}
	t.open.put(id, c)
	return c, nil
}

// cache keeps the few contents open that the last requests were for. It is used
// by one goroutine.
type cache struct {
	entries []cached // the last used one last
}

type cached struct {
	id domain.ContentID
	c  Content
}

// maxOpen is how many files one stream keeps open: a few large downloads at a
// time ask piece by piece, small files are asked for once.
const maxOpen = 8

func newCache() *cache { return &cache{} }

func (c *cache) len() int { return len(c.entries) }

func (c *cache) get(id domain.ContentID) Content {
	for i, e := range c.entries {
		if e.id == id {
			copy(c.entries[i:], c.entries[i+1:])
			c.entries[len(c.entries)-1] = e
			return e.c
		}
	}
	return nil
}

func (c *cache) put(id domain.ContentID, content Content) {
	if len(c.entries) == maxOpen {
		_ = c.entries[0].c.Close() // only read from
		copy(c.entries, c.entries[1:])
		c.entries = c.entries[:maxOpen-1]
	}
	c.entries = append(c.entries, cached{id, content})
}

func (c *cache) drop(id domain.ContentID) {
	for i, e := range c.entries {
		if e.id == id {
			_ = e.c.Close() // only read from
			c.entries = append(c.entries[:i], c.entries[i+1:]...)
			return
		}
	}
}

func (c *cache) clear() {
	for _, e := range c.entries {
		_ = e.c.Close() // only read from
	}
	clear(c.entries)
	c.entries = c.entries[:0]
}
