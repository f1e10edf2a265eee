package browse

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// askTime is how long each one has to answer a search, and crowdTime how
	// long it takes at most to ask everyone near: who has asked much waits.
	askTime   = 700 * time.Millisecond
	crowdTime = 4 * time.Second
	// mostFound is how many entries Puller.Find returns at most.
	mostFound = 50
	// mostAsked is how many are asked one by one; for more, everyone near is
	// asked at once.
	mostAsked = 16
	// mostTold is how many entries are kept that one peer told of, of how many
	// bytes of paths, mostTellers of how many peers, and toldFor for how long.
	mostTold      = 200
	mostToldBytes = 64 << 10
	mostTellers   = 256
	toldFor       = 15 * time.Minute
)

// told is what a peer of whom not all is here said when it was asked.
type told struct {
	entries *catalogue
	at      time.Time
}

// Ask asks people around of whom not all is here, one or all, for what has all
// the words in its path, and waits a moment for their answers; if there are many,
// everyone near is asked, who can then read the words. What they told is found by
// Search from then on, and can be downloaded, for a while. It reports whether
// that is anything new. The error is domain.ErrUsage if there is no word.
func (b *Browse) Ask(ctx context.Context, words string, id domain.PeerID) (news bool, err error) {
	wanted, err := wordsOf(words)
	if err != nil {
		return false, err
	}
	asked := b.unpulled(id)
	crowd := id == "" && len(asked) > mostAsked && b.cfg.Crowd != nil
	asked = asked[:min(len(asked), mostAsked)]

	var asking sync.WaitGroup
	var mu sync.Mutex
	take := func(peer domain.PeerID, found []domain.Entry, all bool) {
		if b.take(peer, found, wanted, all) {
			mu.Lock()
			news = true
			mu.Unlock()
			if b.cfg.Changed != nil {
				b.cfg.Changed(peer)
			}
		}
	}
	for _, peer := range asked {
		asking.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, askTime)
			defer cancel()
			found, err := b.cfg.Puller.Find(ctx, peer, wanted)
			if err != nil {
				b.cfg.Log.Debug("somebody does not answer a search", "peer", peer.Short(), "err", err)
				return
			}
			take(peer, found, len(found) < mostFound)
		})
	}
	if crowd {
		asking.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, crowdTime)
			defer cancel()
			err := b.cfg.Crowd.Ask(ctx, wanted, func(peer domain.PeerID, found []domain.Entry) { take(peer, found, false) })
			if err != nil {
				b.cfg.Log.Debug("everyone near could not be asked", "err", err)
			}
		})
	}
	asking.Wait()
	return news, ctx.Err()
}

// wordsOf returns the words of a search, in lower case.
func wordsOf(text string) ([]string, error) {
	words := strings.Fields(strings.ToLower(text))
	if len(words) == 0 {
		return nil, domain.Fault(domain.ErrUsage, "no word to search for")
	}
	return words, nil
}

// unpulled returns the people around of whom there is more than what is here, of
// one or of all: friends first, who may have more for us than for everyone.
func (b *Browse) unpulled(id domain.PeerID) (ids []domain.PeerID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var others []domain.PeerID
	for peer, p := range b.peers {
		if id != "" && peer != id || p.entries <= len(p.known.entries) || p.head == p.answered {
			continue
		}
		who, ok := b.cfg.People.Peer(peer)
		switch {
		case !ok || !who.Online || who.Blocked || who.FarForThem:
		case who.Friend:
			ids = append(ids, peer)
		default:
			others = append(others, peer)
		}
	}
	return append(ids, others...)
}

// take keeps what a peer says that it has with the words, which may be all that
// there is, and reports whether that changes what is found.
// It is taken for no more than it is: nothing says that the peer has looked for
// the words. A folder is of no use without what is in it.
func (b *Browse) take(peer domain.PeerID, found []domain.Entry, words []string, all bool) (news bool) {
	if who, ok := b.cfg.People.Peer(peer); !ok || who.Blocked {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.get(peer)
	var before []domain.Entry
	if p.told.lasts() {
		before = p.told.entries.entries
	}
	var entries []domain.Entry
	for _, e := range found {
		if _, here := p.known.find(e.Path); !here && !e.Folder && domain.HoldsWords(e.Path, words) {
			entries = append(entries, e)
		}
	}
	for _, e := range before {
		if !all || !domain.HoldsWords(e.Path, words) { // else it is gone
			entries = append(entries, e)
		}
	}
	entries = firstOfEach(entries)
	if len(entries) == 0 {
		p.told = nil
		return len(before) > 0
	}
	p.told = &told{build(domain.Version{}, false, entries), time.Now()}
	b.forgetTold()
	return !slices.Equal(p.told.entries.entries, before)
}

// lasts reports whether what was told is still to be shown.
func (t *told) lasts() bool { return t != nil && time.Since(t.at) < toldFor }

// firstOfEach returns the first entry of each path, as many as are kept.
func firstOfEach(entries []domain.Entry) (kept []domain.Entry) {
	seen := make(map[string]bool, len(entries))
	bytes := 0
	for _, e := range entries {
		if seen[e.Path] {
			continue
		}
		seen[e.Path] = true
		if bytes += len(e.Path); len(kept) == mostTold || bytes > mostToldBytes {
			break
		}
		kept = append(kept, e)
	}
	return kept
}

// forgetTold forgets who told something longest ago, if that are too many. The
// lock is held.
func (b *Browse) forgetTold() {
	var tellers []*peer
	for _, p := range b.peers {
		if p.told != nil {
			tellers = append(tellers, p)
		}
	}
	if len(tellers) <= mostTellers {
		return
	}
	oldest := slices.MinFunc(tellers, func(a, b *peer) int { return a.told.at.Compare(b.told.at) })
	oldest.told = nil
}
