package app

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/gossip"
)

// mostAnswered is how many entries one answer to everyone's questions has.
const mostAnswered = 20

// crowd asks everyone near at once, and answers them.
type crowd struct{ *node }

// Ask is browse.Crowd's.
func (c crowd) Ask(ctx context.Context, words []string, take func(domain.PeerID, []domain.Entry)) error {
	return c.gossip.Ask(ctx, words, func(from domain.PeerID, packed []byte) {
		entries, err := c.catalogues.Unpack(packed)
		if err != nil {
			c.log.Warn("somebody answers a search with no list", "peer", from.Short(), "err", err)
			return
		}
		take(from, entries)
	})
}

// answer is what everyone nearby may see here with the words.
func (c crowd) answer(ctx context.Context, asker domain.PeerID, words []string) []byte {
	if c.people.IsBlocked(asker) {
		return nil
	}
	found, err := c.library.Find(ctx, gossip.Everyone, words, mostAnswered)
	if err != nil || len(found) == 0 {
		return nil
	}
	packed, err := c.catalogues.Pack(found, gossip.MaxFound)
	if err != nil {
		c.log.WarnContext(ctx, "answering a search", "err", err)
		return nil
	}
	return packed
}
