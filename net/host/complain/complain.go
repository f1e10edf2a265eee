// Package complain names in the log the peers that break a protocol, so that the
// user can find out who does and block them, and no peer can fill the log.
package complain

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// again is how long nothing more is said of the same peer and kind.
	again = time.Minute
	// Of all peers together there are so many lines per second, with such a
	// burst: whoever comes under ever new identities gets no more. It bounds also
	// how many are kept in mind, to what was said within the last minute.
	lineRate  rate.Limit = 1
	lineBurst int        = 30
)

// Complaints writes down what peers do that they must not. Its methods may be
// called from any goroutine. Make one with New.
type Complaints struct {
	log *slog.Logger
	now func() time.Time

	mu    sync.Mutex
	lines *rate.Limiter
	said  map[about]*complaint
	left  int // complaints of which nothing was said, for there were too many
}

type about struct {
	peer domain.PeerID
	kind string
}

type complaint struct {
	when time.Time
	more int // of which nothing was said since
}

// New returns one that writes to log; nil: nowhere.
func New(log *slog.Logger) *Complaints {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Complaints{
		log: log, now: time.Now,
		lines: rate.NewLimiter(lineRate, lineBurst), said: make(map[about]*complaint),
	}
}

// About says that a peer broke a protocol, and why. kind is one of few texts, the
// err may hold what the peer made up: the log quotes it.
func (c *Complaints) About(peer domain.PeerID, kind string, err error) {
	c.mu.Lock()
	now := c.now()
	key := about{peer, kind}
	before := c.said[key]
	if before != nil && now.Sub(before.when) < again {
		before.more++
		c.mu.Unlock()
		return
	}
	if !c.lines.AllowN(now, 1) {
		c.left++
		c.mu.Unlock()
		return
	}
	if before == nil {
		c.forget(now)
		before = &complaint{}
		c.said[key] = before
	}
	more, left := before.more, c.left
	before.when, before.more, c.left = now, 0, 0
	c.mu.Unlock()

	c.log.Warn("a peer misbehaves", "peer", peer, "kind", kind, "err", clip(err), "more_before", more, "of_others", left)
}

// Fault says that a peer broke a protocol if err is about that, and is silent
// about a connection that broke, or an end.
func (c *Complaints) Fault(peer domain.PeerID, kind string, err error) {
	if errors.Is(err, domain.ErrMalformed) || errors.Is(err, domain.ErrTooLarge) {
		c.About(peer, kind, err)
	}
}

// Served is Fault for what a peer asked of us: there domain.ErrBusy is our own
// word for a peer that asks too much.
func (c *Complaints) Served(peer domain.PeerID, kind string, err error) {
	if errors.Is(err, domain.ErrBusy) {
		c.About(peer, kind, err)
		return
	}
	c.Fault(peer, kind, err)
}

// forget drops what was said too long ago to matter. The lock is held.
func (c *Complaints) forget(now time.Time) {
	for key, one := range c.said {
		if now.Sub(one.when) >= again {
			delete(c.said, key)
		}
	}
}

// clip shortens what may hold a path or more of a peer's making.
func clip(err error) string {
	const most = 300
	if err == nil {
		return ""
	}
	text := err.Error()
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}
