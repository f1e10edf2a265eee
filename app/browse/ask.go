package browse

import (
	"context"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// askTime is how long others have to answer a search.
	askTime = 700 * time.Millisecond
	// mostAsked is how many are asked at once.
	mostAsked = 16
)

// unpulled returns the people around of whom there is more than what is here, of
// one or of all.
func (b *Browse) unpulled(id domain.PeerID) (ids []domain.PeerID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for peer, p := range b.peers {
		if id != "" && peer != id || p.entries <= len(p.known.entries) || p.head == p.answered {
			continue
		}
		if who, ok := b.cfg.People.Peer(peer); ok && who.Online && !who.Blocked && !who.FarForThem {
			if ids = append(ids, peer); len(ids) == mostAsked {
				break
			}
		}
	}
	return ids
}

// ask asks those of whom not all is here for entries with the words. It returns at
// once; answers waits for what they say, and gives what is not here already.
func (b *Browse) ask(ctx context.Context, words []string, id domain.PeerID, keep func(domain.Entry) bool) (answers func() []domain.Result) {
	asked := b.unpulled(id)
	if len(asked) == 0 {
		return func() []domain.Result { return nil }
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	var waiting sync.WaitGroup
	said := make([][]domain.Result, len(asked))
	for i, peer := range asked {
		waiting.Go(func() {
			found, err := b.cfg.Puller.Find(ctx, peer, words)
			if err != nil {
				b.cfg.Log.Debug("somebody does not answer a search", "peer", peer.Short(), "err", err)
				return
			}
			said[i] = b.answer(peer, found, words, keep)
		})
	}
	return func() (all []domain.Result) {
		defer cancel()
		waiting.Wait()
		for _, one := range said {
			all = append(all, one...)
		}
		return all
	}
}

// answer makes rows of what a peer says that it has.
func (b *Browse) answer(peer domain.PeerID, found []domain.Entry, words []string, keep func(domain.Entry) bool) (rows []domain.Result) {
	who, _ := b.cfg.People.Peer(peer)
	b.mu.Lock()
	known := b.get(peer).known
	b.mu.Unlock()
	for _, e := range found {
		if _, here := known.find(e.Path); here || !domain.HoldsWords(e.Path, words) || keep != nil && !keep(e) {
			continue
		}
		rows = append(rows, domain.Result{
			Entry: e, Have: !e.Folder && b.have(e.Content),
			Providers: []domain.Provider{view{peer: who}.provider(e.Path)},
		})
	}
	return rows
}
