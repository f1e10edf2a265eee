package library

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/names"
)

// An offer to one person is kept as shares of a kind of its own: they are read,
// watched and served like others, but only whom they are offered to gets
// something of them, and they are in no list. Their names begin with what no
// file's name can hold.
const offerMark = "\x00"

// offerPrefix is what the names of an offer's shares begin with.
func offerPrefix(id string) string { return offerMark + id + offerMark }

// offeredName returns what the receiver sees of the name of an offer's share, or
// of a path in it; other names stay as they are.
func offeredName(name string) string {
	if rest, ok := strings.CutPrefix(name, offerMark); ok {
		if _, after, ok := strings.Cut(rest, offerMark); ok {
			return after
		}
	}
	return name
}

// Offer reads files and folders that are to be offered to one person, and keeps
// them for that person over restarts, until Withdraw. It returns when all are
// hashed, and may be called again for the same offer. progress, which may be nil,
// is told a few times a second how many bytes were hashed, of how many. What
// cannot be read or offered is listed; the error is for what concerns all, and
// wraps domain.ErrNotFound if nothing is left to be offered.
func (l *Library) Offer(ctx context.Context, id string, to domain.PeerID, paths []string, progress func(read, toRead int64)) (domain.OfferSummary, []domain.Problem, error) {
	if id == "" || strings.Contains(id, offerMark) {
		return domain.OfferSummary{}, nil, fmt.Errorf("%w: the offer %q", domain.ErrUsage, id)
	}
	var telling sync.WaitGroup
	done := make(chan struct{})
	if progress != nil {
		telling.Go(func() { l.tellOffer(done, id, progress) })
	}
	defer func() {
		close(done)
		telling.Wait()
	}()
	report, err := l.share(ctx, paths, domain.Audience{Kind: domain.Chosen, Peers: []domain.PeerID{to}}, id)
	if err != nil {
		return domain.OfferSummary{}, report.Problems, err
	}
	s := domain.OfferSummary{ID: id}
	for _, sh := range slices.Concat(report.Shared, report.Already) {
		if s.Items++; s.Items == 1 {
			s.Name, s.Folder = offeredName(sh.Name), sh.Folder
		}
		s.Entries += sh.Entries
		s.Bytes += sh.Bytes
	}
	if s.Items == 0 {
		return s, report.Problems, fmt.Errorf("the offer: %w: nothing of it can be read", domain.ErrNotFound)
	}
	return s, report.Problems, nil
}

// tellOffer tells how far the reading of an offer is, until done is closed.
func (l *Library) tellOffer(done <-chan struct{}, id string, progress func(read, toRead int64)) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		var read, toRead int64
		for _, s := range l.offer(id) {
			read += s.Read
			toRead += s.ToRead
		}
		progress(read, toRead)
	}
}

// offer returns the shares of an offer, by name.
func (l *Library) offer(id string) (all []domain.Share) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, sh := range l.shares {
		if sh.Offer == id && id != "" {
			all = append(all, sh.shown())
		}
	}
	return all
}

// OfferPage returns a page of what is in an offer to the asker, as Page does of
// the catalogue. The error wraps domain.ErrNotFound alike if there is no such
// offer and if it is not the asker's, and domain.ErrMalformed for a cursor that
// was not made here.
func (l *Library) OfferPage(ctx context.Context, asker domain.Asker, id, after string) (domain.Page, error) {
	if err := ctx.Err(); err != nil {
		return domain.Page{}, err
	}
	s := sight{shares: make(map[string]bool)}
	if l.serves(asker) {
		for _, sh := range l.offer(id) {
			if offers(sh) && sh.Audience.Includes(asker) {
				s.shares[sh.Name] = true
			}
		}
	}
	if len(s.shares) == 0 {
		return domain.Page{}, fmt.Errorf("the offer: %w", domain.ErrNotFound)
	}
	from := ""
	if after != "" {
		c, err := parseCursor(after)
		if err != nil || !c.full {
			return domain.Page{}, fmt.Errorf("the page asked for: %w", domain.ErrMalformed)
		}
		from = offerPrefix(id) + c.after
	}
	page, err := l.fullPage(s, domain.Version{}, from)
	if err != nil {
		return domain.Page{}, err
	}
	for i := range page.Changes {
		c := &page.Changes[i]
		entry := *c.Entry
		entry.Path = offeredName(entry.Path)
		c.Path, c.Entry = entry.Path, &entry
	}
	if page.Next != "" {
		c, err := parseCursor(page.Next)
		if err != nil {
			return domain.Page{}, err
		}
		c.after = offeredName(c.after)
		page.Next = c.String()
	}
	return page, nil
}

// Withdraw ends an offer: from the next request on nothing of it is given. It
// deletes no file. One that is not there is no error.
func (l *Library) Withdraw(ctx context.Context, id string) error {
	l.mu.Lock()
	var all []*share
	for _, sh := range l.shares {
		if sh.Offer == id && id != "" {
			all = append(all, sh)
		}
	}
	l.mu.Unlock()
	var problems []error
	for _, sh := range all {
		if err := l.remove(ctx, sh); err != nil && !errors.Is(err, errUnshared) {
			problems = append(problems, fmt.Errorf("take an offer back: %w", err))
		}
	}
	return errors.Join(problems...)
}

// Offered returns the IDs of all offers that are kept.
func (l *Library) Offered() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []string
	for _, sh := range l.shares {
		if sh.Offer != "" {
			ids = append(ids, sh.Offer)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// OfferOf returns the ID of the offer to a peer that holds a content; "" if none
// does.
func (l *Library) OfferOf(peer domain.PeerID, id domain.ContentID) string {
	if !l.offersTo(peer) {
		return "" // as for most: nothing has to be looked up for each report of an upload
	}
	files, err := l.store.ContentFiles(id, 1)
	if err != nil {
		l.log.Warn("it could not be looked up what somebody fetches", "content", id, "err", err)
		return ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, file := range files {
		if sh := l.shares[file.Share()]; sh != nil && sh.offeredTo(peer) {
			return sh.Offer
		}
	}
	return ""
}

// offersTo reports whether there is any offer to a peer.
func (l *Library) offersTo(peer domain.PeerID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, sh := range l.shares {
		if sh.offeredTo(peer) {
			return true
		}
	}
	return false
}

// offeredTo reports whether a share is part of an offer to a peer. The caller
// holds Library.mu.
func (sh *share) offeredTo(peer domain.PeerID) bool {
	return sh.Offer != "" && slices.Contains(sh.Audience.Peers, peer)
}

// named returns the share of that name, nil if there is none. What is only
// offered has none. The caller holds l.mu.
func (l *Library) named(name string) *share {
	if sh := l.shares[name]; sh != nil && sh.Offer == "" {
		return sh
	}
	return nil
}

// nameFor returns what a new share of that base name is called. The caller holds
// l.mu.
func (l *Library) nameFor(base, offer string) string {
	prefix := ""
	if offer != "" {
		prefix = offerPrefix(offer)
	}
	free := prefix + base
	for n := 2; l.shares[free] != nil; n++ {
		free = prefix + names.Numbered(base, n)
	}
	return free
}
