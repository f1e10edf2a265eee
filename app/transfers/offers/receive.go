package offers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/names"
)

// noteLines is how many lines of a note are shown.
const noteLines = 12

// maxPaths is how long the paths in one offer may be together, in bytes.
const maxPaths = 64 << 20

var errTooMuch = errors.New("it is more than was announced")

// Offered takes an offer of a peer. Errors: domain.ErrBusy if too many wait for
// an answer, ErrRefused for one that cannot be.
func (o *Offers) Offered(from domain.Asker, s domain.OfferSummary) error {
	who := o.who(from.Peer)
	o.mu.Lock()
	one, known := o.all[s.ID]
	switch {
	case who.Blocked, known && (!one.Incoming || one.Peer != from.Peer):
		o.mu.Unlock()
		return domain.ErrRefused
	case known && one.State != domain.OfferWithdrawn:
		one.due = true // our answer may have been lost
		o.wake(from.Peer)
		o.mu.Unlock()
		return nil
	}
	unasked := who.Friend && who.AcceptUpTo > 0 && s.Bytes <= who.AcceptUpTo && s.Entries <= mostUnasked
	if mine, all := o.asking(who); !unasked && (mine >= mostAsking || all >= mostAskingInAll) {
		o.mu.Unlock()
		return domain.ErrBusy
	}
	one = &offer{Offer: domain.Offer{
		ID: s.ID, Incoming: true, Peer: from.Peer, PeerName: who.Name,
		Name: names.Display(s.Name), Items: s.Items, Folder: s.Folder, Entries: s.Entries, Bytes: s.Bytes,
		Note: note(s.Note), State: domain.OfferAsked, Added: o.cfg.Now(),
	}}
	if unasked {
		o.accept(one, "")
	}
	o.all[s.ID] = one
	ctx := o.ctx
	o.mu.Unlock()
	err := o.keep(ctx, s.ID)
	o.mu.Lock()
	if err != nil {
		delete(o.all, s.ID)
	} else {
		o.publish(one)
		o.wake(from.Peer)
	}
	o.mu.Unlock()
	if err != nil {
		return err
	}
	o.prune(ctx, true)
	return nil
}

// asking counts the offers of a peer that wait for an answer, and those of all
// friends or of all others, as the peer is one: strangers cannot keep out
// friends. The lock is held.
func (o *Offers) asking(who domain.Peer) (mine, all int) {
	for _, one := range o.all {
		switch {
		case !one.Incoming || one.State != domain.OfferAsked:
		case one.Peer == who.ID:
			mine++
			all++
		case o.who(one.Peer).Friend == who.Friend:
			all++
		}
	}
	return mine, all
}

// note makes a text of a peer safe to show, lines kept.
func note(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines[:min(len(lines), noteLines)] {
		lines[i] = strings.TrimSpace(strings.Map(names.DisplayRune, line))
	}
	text = strings.Join(lines[:min(len(lines), noteLines)], "\n")
	for len(text) > domain.MaxNote { // a character may have become a longer one
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}

// Withdrawn takes it that a peer takes one of its offers back.
func (o *Offers) Withdrawn(from domain.PeerID, id string) {
	o.mu.Lock()
	one, ok := o.all[id]
	if !ok || !one.Incoming || one.Peer != from || one.State.Ended() {
		o.mu.Unlock()
		return
	}
	o.over(one)
	ctx := o.ctx
	o.mu.Unlock()
	o.kept(ctx, id)
}

// over ends an offer of a peer that is not open there any more, and the download
// that was made of it. The lock is held.
func (o *Offers) over(one *offer) {
	one.Untold, one.due = false, false
	o.set(one, domain.OfferWithdrawn, domain.Say("%s took this back.", one.PeerName))
	transfer, ctx := one.Transfer, o.ctx
	if transfer == "" || ctx.Err() != nil {
		return
	}
	o.done.Go(func() {
		if err := o.cfg.Downloads.TakenBack(ctx, transfer); err != nil {
			o.cfg.Log.Error("a download could not be ended", "id", transfer, "err", err)
		}
	})
}

// Accept has what a peer offers fetched into the absolute folder to; "" stands
// for the download folder. Errors: domain.ErrNotFound, ErrUsage if it was
// answered before.
func (o *Offers) Accept(ctx context.Context, id, to string) error {
	return o.answer(ctx, id, func(one *offer) { o.accept(one, to) })
}

// accept is for an offer that waits for an answer. The lock is held.
func (o *Offers) accept(one *offer, to string) {
	one.To, one.Untold, one.due = to, true, true
	one.State, one.Reason = domain.OfferAccepted, domain.Say("Asking %s for the list of files.", one.PeerName)
	if who, _ := o.cfg.People.Peer(one.Peer); !who.Online {
		one.Reason = o.waits(one.Peer)
	}
}

// Decline says no to what a peer offers. Errors as for Accept.
func (o *Offers) Decline(ctx context.Context, id string) error {
	return o.answer(ctx, id, func(one *offer) {
		one.Untold, one.due = true, true
		o.set(one, domain.OfferDeclined, domain.Say("You declined this."))
	})
}

func (o *Offers) answer(ctx context.Context, id string, do func(*offer)) error {
	o.mu.Lock()
	one, ok := o.all[id]
	switch {
	case !ok || !one.Incoming:
		o.mu.Unlock()
		return domain.Fault(domain.ErrNotFound, "there is no offer \"%s\"; see: potluck transfers", id)
	case one.State != domain.OfferAsked:
		o.mu.Unlock()
		return domain.Fault(domain.ErrUsage, "%s was answered before", one.Name)
	}
	do(one)
	o.publish(one)
	o.mu.Unlock()
	if err := o.keep(ctx, id); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wake(one.Peer)
	return nil
}

// pull lists what an accepted offer is made of and makes a download of it.
func (o *Offers) pull(ctx context.Context, one *offer) error {
	o.mu.Lock()
	now := one.told()
	o.mu.Unlock()
	var entries []domain.Entry
	var bytes, names int64
	seen := make(map[string]bool)
	err := o.cfg.Network.PullOffer(ctx, now.Peer, now.ID, func(page domain.Page) error {
		for _, c := range page.Changes {
			if c.Entry == nil {
				continue
			}
			e := *c.Entry
			if seen[e.Path] {
				return fmt.Errorf("%w: two files of one name", domain.ErrMalformed)
			}
			seen[e.Path] = true
			if names += int64(len(e.Path)); names > maxPaths {
				return fmt.Errorf("%w: over %d bytes of names", errTooMuch, maxPaths)
			}
			if !e.Folder {
				bytes += e.Size
			}
			entries = append(entries, e)
		}
		// Empty folders are told beside the files; of them are never many.
		if bytes > now.Bytes || len(entries) > 2*now.Entries+domain.MaxOfferItems {
			return errTooMuch
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return domain.ErrNotFound
	}
	id, err := o.cfg.Downloads.Take(ctx, domain.TakeRequest{
		Peer: now.Peer, Offer: now.ID, Name: title(now), Entries: entries, To: now.To,
	})
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	one.Transfer, one.Reason = id, domain.Saying{}
	o.publish(one)
	return nil
}

// title is what the download of an offer is called.
func title(o domain.Offer) string {
	if o.Items > 1 {
		return fmt.Sprintf("%s +%d", o.Name, o.Items-1)
	}
	return o.Name
}

// ended takes it that the download of an offer is done, was cancelled, or is not
// in the list any more.
func (o *Offers) ended(t domain.Transfer, gone bool) {
	o.mu.Lock()
	one, ok := o.all[t.Offer]
	if !ok || !one.Incoming || one.State != domain.OfferAccepted || one.Transfer != "" && one.Transfer != t.ID {
		o.mu.Unlock()
		return
	}
	one.Transfer = t.ID // it may have been quicker than what made it
	switch {
	case t.State == domain.Done:
		o.set(one, domain.OfferDone, domain.Saying{})
	case gone, t.State == domain.Cancelled && !t.Parts: // it cannot be undone any more
		o.set(one, domain.OfferDeclined, domain.Saying{})
	default:
		o.mu.Unlock()
		return
	}
	one.Untold, one.due = true, true
	o.wake(one.Peer)
	ctx := o.ctx
	o.mu.Unlock()
	o.kept(ctx, t.Offer)
}

// waits says for whom an offer waits.
func (o *Offers) waits(peer domain.PeerID) domain.Saying {
	who := o.who(peer)
	switch {
	case who.Online && who.FarForThem:
		return domain.Say("%s doesn't count you as nearby yet.", who.Name)
	case who.Online:
		return domain.Saying{}
	case who.LastSeen.IsZero():
		return domain.Say("%s is away. Continues when %s is back.", who.Name, who.Name)
	}
	return domain.Say("%s is away since %s. Continues when %s is back.", who.Name, who.LastSeen.Truncate(time.Minute), who.Name)
}
