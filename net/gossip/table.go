package gossip

import (
	"crypto/sha256"
	"time"

	"golang.org/x/time/rate"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// maxAuthors bounds the table. At some 500 bytes for each it stays at 2 MB.
	maxAuthors = 4096
	// staleAfter is how long a head that is not repeated says that its owner is
	// around: six repeats.
	staleAfter = time.Hour
)

// What one author may send, in heads per second. An honest one sends one
// every two seconds at most, on average, and sometimes a late one on top.
const (
	authorRate  rate.Limit = 1
	authorBurst int        = 8
)

// verdict is what became of a head.
type verdict int

const (
	fresh   verdict = iota // new to us, or the repeat that was due
	known                  // the very head that we have
	early                  // repeats what we have, before it is due
	older                  // superseded
	refused                // not for us, or there is no room
)

// table keeps the latest head of each author. It is not safe for concurrent
// use and reads no clock.
type table struct {
	gap     time.Duration
	authors map[domain.PeerID]*author
	// count numbers the changes to the table, so that what is new since some
	// moment can be told.
	count uint64
}

type author struct {
	// public is what everyone nearby may know; personal, sealed for us alone,
	// takes its place for us.
	public, personal *signedHead
	// disowned is the latest version that the owner went back behind. Copies of
	// it still go around.
	disowned domain.Version
	// heard is when the latest head left its owner, as far as we know; zero if
	// it is only remembered from an earlier run.
	heard time.Time
	// gossiped is the version that went around by gossip last, as far as we saw,
	// and gossipedAt when it was signed. A later one was brought by a swap, and
	// others may lack it.
	gossiped   domain.Version
	gossipedAt time.Time
	// changed is the table's count when public changed last.
	changed uint64
	limit   *rate.Limiter
}

func newTable(gap time.Duration) *table {
	return &table{gap: gap, authors: make(map[domain.PeerID]*author)}
}

// hashOf names signed bytes in a digest.
func hashOf(signed []byte) [16]byte {
	sum := sha256.Sum256(signed)
	return [16]byte(sum[:16])
}

// head returns what holds for us, nil for none.
func (a *author) head() *signedHead {
	if a.personal != nil {
		return a.personal
	}
	return a.public
}

// allow counts one head of the author and reports whether it is within what
// one may send.
func (t *table) allow(id domain.PeerID, now time.Time) bool {
	a := t.authors[id]
	return a == nil || a.limit.AllowN(now, 1)
}

// isNews reports whether takeGossiped would find a head fresh.
func (t *table) isNews(h signedHead) bool {
	a := t.authors[h.Peer]
	if a == nil {
		return true
	}
	as := *a // what relayed changes is this one's
	v := as.relayed(h, t.gap)
	return v == fresh || as.isNewToOthers(h, v, t.gap)
}

// isNewToOthers reports whether a head that is no news here, as v says, may be
// some to those further on: whoever joins swaps with a few, who know it then when
// it comes around.
func (a *author) isNewToOthers(h signedHead, v verdict, gap time.Duration) bool {
	return (v == known || v == early) && !a.heard.IsZero() &&
		(a.gossiped != h.Version || h.Time.Sub(a.gossipedAt) >= gap)
}

// takeGossiped is take for a head that came by gossip. It is fresh if it is to be
// passed on.
func (t *table) takeGossiped(h signedHead, heard time.Time) verdict {
	v := t.take(h, false, heard)
	a := t.authors[h.Peer]
	if a == nil {
		return v
	}
	if a.isNewToOthers(h, v, t.gap) {
		if h.Time.After(a.public.Time) {
			a.public = &h
		}
		if heard.After(a.heard) {
			a.heard = heard
		}
		v = fresh
	}
	if v == fresh {
		a.gossiped, a.gossipedAt = h.Version, h.Time
	}
	return v
}

// take takes a verified head. Direct means that it came from its owner, over
// its own connection. Heard is when it left its owner.
func (t *table) take(h signedHead, direct bool, heard time.Time) verdict {
	if h.personal && !direct {
		return refused
	}
	a := t.authors[h.Peer]
	if a == nil {
		if !t.room(heard) {
			return refused
		}
		a = &author{limit: rate.NewLimiter(authorRate, authorBurst)}
		t.authors[h.Peer] = a
	}
	var v verdict
	switch remembered := a.heard.IsZero(); {
	case direct:
		v = a.direct(h)
	case remembered:
		// Whatever repeats it now is news.
		if v = a.relayed(h, 0); v == known {
			v = fresh
		}
	default:
		v = a.relayed(h, t.gap)
	}
	if (v == fresh || v == known) && heard.After(a.heard) {
		a.heard = heard
	}
	if v == fresh && !h.personal {
		t.count++
		a.changed = t.count
	}
	return v
}

// direct takes the owner's own word, which beats what others said before: after
// a backup was brought back it may be older.
func (a *author) direct(h signedHead) verdict {
	slot := &a.public
	if h.personal {
		slot = &a.personal
	}
	if held := *slot; held != nil && held.Newer(h.Version) {
		// Unless it only took longer than a later one.
		if held.Epoch == h.Epoch && !h.Time.After(held.Time) {
			return older
		}
		if !h.personal && held.Newer(a.disowned) {
			a.disowned = held.Version
		}
	}
	*slot = &h
	if !h.personal {
		a.personal = nil // no more than everyone
	}
	return fresh
}

// relayed takes what another passed on.
func (a *author) relayed(h signedHead, gap time.Duration) verdict {
	held := a.public
	switch {
	case held == nil:
	case string(held.signed) == string(h.signed):
		return known
	case held.Version == h.Version:
		renamed := h.Name != held.Name && h.Time.After(held.Time)
		if h.Time.Sub(held.Time) < gap && !renamed {
			return early
		}
	case !h.Newer(held.Version):
		return older
	case h.Epoch != held.Epoch && !h.Newer(a.disowned):
		return older
	}
	a.public = &h
	return fresh
}

// room makes room for one more author, heard at some time, at the cost of the
// one that was not heard for longest.
func (t *table) room(heard time.Time) bool {
	if len(t.authors) < maxAuthors {
		return true
	}
	var longest domain.PeerID
	since := heard
	for id, a := range t.authors {
		if a.heard.Before(since) {
			longest, since = id, a.heard
		}
	}
	if longest == "" {
		return false
	}
	delete(t.authors, longest)
	return true
}

func isFresh(a *author, now time.Time) bool {
	return !a.heard.IsZero() && now.Sub(a.heard) < staleAfter
}

func (t *table) fresh(now time.Time) []domain.Head {
	heads := make([]domain.Head, 0, len(t.authors))
	for _, a := range t.authors {
		if isFresh(a, now) {
			heads = append(heads, a.head().Head)
		}
	}
	return heads
}

func (t *table) signed(id domain.PeerID) []byte {
	a := t.authors[id]
	if a == nil {
		return nil
	}
	return a.head().signed
}
