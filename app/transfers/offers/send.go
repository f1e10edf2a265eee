package offers

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"path/filepath"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// errTakenBack ends the reading of an offer that the user takes back.
var errTakenBack = errors.New("taken back by the user")

// Send offers files and folders, by their absolute paths, to a person, with a
// note that may be empty, and returns the ID of the offer at once: reading the
// files goes on behind it. Errors: domain.ErrUsage for nothing or too much,
// ErrRefused for somebody who is blocked.
func (o *Offers) Send(ctx context.Context, to domain.PeerID, paths []string, note string) (string, error) {
	who := o.who(to)
	switch {
	case len(paths) == 0:
		return "", domain.Fault(domain.ErrUsage, "there is nothing to send")
	case len(paths) > domain.MaxOfferItems:
		return "", domain.Fault(domain.ErrUsage, "send at most %s files and folders at once, or a folder that holds them", domain.MaxOfferItems)
	case len(note) > domain.MaxNote:
		return "", domain.Fault(domain.ErrUsage, "the note is too long; %s bytes fit", domain.MaxNote)
	case who.Blocked:
		return "", domain.Fault(domain.ErrRefused, "you have blocked %s", who.Name)
	}
	one := &offer{Offer: domain.Offer{
		ID: newID(), Peer: to, PeerName: who.Name, Name: filepath.Base(paths[0]), Items: len(paths), Note: note,
		State: domain.OfferReading, Paths: paths, Added: o.cfg.Now(),
	}}
	o.mu.Lock()
	o.all[one.ID] = one
	o.mu.Unlock()
	if err := o.keep(ctx, one.ID); err != nil {
		o.mu.Lock()
		delete(o.all, one.ID)
		o.mu.Unlock()
		return "", err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if one.State == domain.OfferReading {
		o.publish(one)
		o.read(one) //nolint:contextcheck // it outlives the request for it
	}
	return one.ID, nil
}

// newID draws what names an offer.
func newID() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

// read has the library read the files of an offer, which goes out then. The lock
// is held.
func (o *Offers) read(one *offer) {
	if !o.started || o.ctx.Err() != nil || one.reading != nil {
		return
	}
	ctx, cancel := context.WithCancelCause(o.ctx)
	one.reading = cancel
	id, to, paths := one.ID, one.Peer, one.Paths
	o.done.Go(func() {
		defer cancel(nil)
		s, problems, err := o.cfg.Library.Offer(ctx, id, to, paths, func(read, toRead int64) { o.progress(one, read, toRead) })
		if ctx.Err() != nil && !errors.Is(context.Cause(ctx), errTakenBack) {
			return // the next run reads on
		}
		o.mu.Lock()
		one.reading = nil
		switch {
		case one.State != domain.OfferReading: // taken back meanwhile
		case err != nil:
			o.set(one, domain.OfferFailed, failure(err, problems))
		case s.Entries > domain.MaxOfferEntries:
			o.set(one, domain.OfferFailed, domain.Say("Too many files to send at once: %s fit.", domain.MaxOfferEntries))
		default:
			one.Name, one.Folder, one.Items, one.Entries, one.Bytes = s.Name, s.Folder, s.Items, s.Entries, s.Bytes
			one.due, one.Problem = true, leftOut(problems)
			o.set(one, domain.OfferWaiting, o.waits(one.Peer))
			o.wake(one.Peer)
		}
		o.mu.Unlock()
		o.kept(context.WithoutCancel(ctx), id)
	})
}

// failure says why nothing could be offered.
func failure(err error, problems []domain.Problem) domain.Saying {
	if len(problems) > 0 && errors.Is(err, domain.ErrNotFound) {
		if said, ok := domain.SayingOf(problems[0]); ok {
			return said
		}
		if errors.Is(problems[0], domain.ErrNotFound) {
			return domain.Say("There is no %s.", problems[0].Path)
		}
		return domain.Say("Can't read %s.", filepath.Base(problems[0].Path))
	}
	if said, ok := domain.SayingOf(err); ok {
		return said
	}
	if said := domain.KindSaying(err); !said.IsZero() {
		return said
	}
	return domain.Say("It stopped: %s", err.Error())
}

// leftOut says what could not be read of what is offered.
func leftOut(problems []domain.Problem) domain.Saying {
	switch len(problems) {
	case 0:
		return domain.Saying{}
	case 1:
		return domain.Say("Can't read %s; the rest is sent.", filepath.Base(problems[0].Path))
	}
	return domain.Say("Can't read %s and %s more; the rest is sent.", filepath.Base(problems[0].Path), len(problems)-1)
}

// progress tells how far the reading of an offer is.
func (o *Offers) progress(one *offer, read, toRead int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if one.State == domain.OfferReading {
		one.Read, one.ToRead = read, toRead
		o.publish(one)
	}
}

// Cancel takes offers back that were made here and have not ended. An unknown ID
// is domain.ErrNotFound; the others are still taken back.
func (o *Offers) Cancel(ctx context.Context, ids []string) error {
	return o.each(ctx, ids, func(one *offer) {
		if one.Incoming || one.State.Ended() {
			return
		}
		o.takeBack(one)
	})
}

// takeBack ends an offer that was made here. The lock is held.
func (o *Offers) takeBack(one *offer) {
	if one.reading != nil {
		one.reading(errTakenBack)
	}
	told := one.State != domain.OfferReading // or may have been
	one.Untold, one.due = told, told
	o.set(one, domain.OfferWithdrawn, domain.Say("Taken back by you."))
	o.wake(one.Peer)
}

// Resume makes offers again that were taken back, or have failed; others stay as
// they are. An unknown ID is domain.ErrNotFound.
func (o *Offers) Resume(ctx context.Context, ids []string) error {
	return o.each(ctx, ids, func(one *offer) {
		if one.Incoming || one.State != domain.OfferWithdrawn && one.State != domain.OfferFailed {
			return
		}
		one.Untold, one.Read, one.ToRead = false, 0, 0
		o.set(one, domain.OfferReading, domain.Saying{})
	})
}

// each calls f for the offers of the IDs with the lock held, and keeps what
// became of them.
func (o *Offers) each(ctx context.Context, ids []string, f func(*offer)) error {
	var problems []error
	for _, id := range ids {
		o.mu.Lock()
		one, ok := o.all[id]
		var reading context.CancelCauseFunc
		if ok {
			reading = one.reading
			f(one)
		}
		o.mu.Unlock()
		if !ok {
			problems = append(problems, domain.Fault(domain.ErrNotFound, "there is no offer \"%s\"; see: potluck transfers", id))
			continue
		}
		if reading != nil {
			o.awaitReading(ctx, one)
		}
		problems = append(problems, o.keep(ctx, id))
		o.mu.Lock()
		if one.State == domain.OfferReading {
			o.read(one) //nolint:contextcheck // it outlives the request for it
		}
		o.mu.Unlock()
	}
	return errors.Join(problems...)
}

// awaitReading waits until what reads an offer has let go of it, or what it
// finds later would be offered still.
func (o *Offers) awaitReading(ctx context.Context, one *offer) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		o.mu.Lock()
		reads := one.reading != nil && one.State != domain.OfferReading
		o.mu.Unlock()
		if !reads {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Answered takes what a peer says to an offer that was made to it. The error is
// domain.ErrNotFound if there is no such offer, or it is not open any more.
func (o *Offers) Answered(from domain.PeerID, id string, what domain.OfferAnswer) error {
	o.mu.Lock()
	one, ok := o.all[id]
	if !ok || one.Incoming || one.Peer != from || one.State == domain.OfferReading {
		o.mu.Unlock()
		return domain.ErrNotFound
	}
	var err error
	switch {
	case what == domain.OfferArrived && one.State == domain.OfferDone,
		what == domain.OfferDecline && one.State.Ended(): // said again
	case one.State.Ended():
		err = domain.ErrNotFound
	case what == domain.OfferAccept:
		if one.State != domain.OfferAccepted {
			o.set(one, domain.OfferAccepted, domain.Say("%s accepted and is getting it.", one.PeerName))
		}
	case what == domain.OfferDecline:
		o.set(one, domain.OfferDeclined, domain.Say("%s declined.", one.PeerName))
	case what == domain.OfferArrived:
		o.set(one, domain.OfferDone, domain.Say("%s has it.", one.PeerName))
	}
	over := one.State.Ended()
	ctx := o.ctx
	o.mu.Unlock()
	if err != nil {
		return err
	}
	if err := o.keep(ctx, id); err != nil {
		return err
	}
	if over {
		o.prune(ctx, false)
	}
	return nil
}
