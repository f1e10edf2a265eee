package catalogue

import (
	"context"
	"fmt"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/catalogue/pb"
)

// Find asks the peer for entries whose path holds all the words, and returns up
// to MostFound. Words are compared in lower case. Errors are those of Pull.
func (c *Client) Find(ctx context.Context, peer domain.PeerID, words []string) (found []domain.Entry, err error) {
	request := &pb.Request{}
	for _, w := range words[:min(len(words), maxWords)] {
		if w = strings.ToLower(w); len(w) > maxWord {
			return nil, fmt.Errorf("a word of %d bytes: %w", len(w), domain.ErrUsage)
		}
		request.Words = append(request.Words, w)
	}
	if len(request.Words) == 0 {
		return nil, fmt.Errorf("no words: %w", domain.ErrUsage)
	}
	enough := fmt.Errorf("%w: that is enough", domain.ErrTooLarge)
	_, err = c.pull(ctx, peer, request, func(page domain.Page) error {
		for _, change := range page.Changes {
			// Nothing says that the peer has looked for the words.
			if change.Entry == nil || !domain.HoldsWords(change.Path, request.Words) {
				continue
			}
			if found = append(found, *change.Entry); len(found) == MostFound {
				return enough
			}
		}
		if page.Next != "" {
			return enough // an older Potluck sends all that it has
		}
		return nil
	})
	if err != nil && len(found) == 0 {
		return nil, fmt.Errorf("asking %s for %q: %w", peer.Short(), words, err)
	}
	return found, nil
}

// find answers a question with one page.
func (s *server) find(ctx context.Context, asker domain.Asker, words []string) (domain.Page, error) {
	if len(words) > maxWords {
		return domain.Page{}, fmt.Errorf("%d words: %w", len(words), domain.ErrMalformed)
	}
	for _, w := range words {
		if w == "" || len(w) > maxWord {
			return domain.Page{}, fmt.Errorf("a word of %d bytes: %w", len(w), domain.ErrMalformed)
		}
	}
	if !s.questions.Allow(asker.Peer) {
		return domain.Page{}, domain.ErrBusy
	}
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		return domain.Page{}, domain.ErrBusy
	}
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	found, err := s.src.Find(ctx, asker, words, MostFound)
	if err != nil {
		return domain.Page{}, err
	}
	page := domain.Page{Full: true}
	for i := range found[:min(len(found), MostFound)] {
		page.Changes = append(page.Changes, domain.Change{Path: found[i].Path, Entry: &found[i]})
	}
	return page, nil
}
