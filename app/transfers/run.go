package transfers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// patience is how long a download without any provider keeps its place
	// among the running ones.
	patience = 10 * time.Second
	// absence is the same where nobody who has it is around: a connection that
	// was lost may be back within a moment.
	absence = 2 * time.Second
	// again is when a download that met a full or missing disk looks again.
	again = 5 * time.Second
)

// errAlone ends an attempt that nobody has served for a while.
var errAlone = errors.New("nobody serves it")

// launch starts the goroutine that brings d to its end. The lock is held.
func (t *Transfers) launch(d *transfer) {
	if t.ctx == nil || t.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancelCause(t.ctx)
	last, ended := d.ended, make(chan struct{})
	d.cancel, d.ended = cancel, ended
	t.places.live++
	t.done.Go(func() {
		defer close(ended)
		defer func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.places.live--
		}()
		defer cancel(nil)
		if last != nil {
			<-last // a part file has one owner at a time
		}
		t.run(ctx, d)
	})
}

// run brings d to its end, waiting for whatever it needs.
func (t *Transfers) run(ctx context.Context, d *transfer) {
	for ctx.Err() == nil {
		if !t.awaitProvider(ctx, d) || !t.take(ctx, d) {
			break
		}
		if t.conclude(ctx, d, t.attempt(ctx, d)) {
			return
		}
		t.awaitDisk(ctx, d)
	}
}

// attempt fetches what d lacks until it is done, fails, or has to give its
// place up.
func (t *Transfers) attempt(ctx context.Context, d *transfer) error {
	ctx, yield := context.WithCancelCause(ctx)
	defer yield(nil)
	t.mu.Lock()
	d.yield = yield
	if d.yielding {
		yield(errDisplaced)
	}
	offer := d.Offer
	t.mu.Unlock()
	if offer != "" && t.cfg.Offered != nil && !t.cfg.Offered(offer) {
		return fmt.Errorf("the offer: %w", domain.ErrNotFound)
	}
	return t.fetchAll(ctx, d)
}

// conclude takes the outcome of one attempt and gives the place back; ended is
// false if there will be another attempt.
func (t *Transfers) conclude(ctx context.Context, d *transfer, err error) (ended bool) {
	t.mu.Lock()
	d.yield, d.untouched = nil, false
	switch {
	case ctx.Err() != nil, errors.Is(err, errDisplaced):
		t.leave(d)
		t.mu.Unlock()
		return false
	case err == nil && d.missing > 0: // they were taken in at the last moment
	case err == nil:
		t.finish(d)
	case errors.Is(err, errAlone):
		d.nothingHere = true
		t.concludeAlone(d)
	case errors.Is(err, domain.ErrNoSpace), errors.Is(err, domain.ErrUnwritable):
		t.set(d, domain.Waiting, t.diskReason(d, err), err)
	case errors.Is(err, domain.ErrBusy):
		t.set(d, domain.Waiting, domain.Say("Another download of this is still ending. Trying again."), err)
	default:
		t.cfg.Log.Warn("a download failed", "id", d.ID, "path", d.Path, "err", err)
		t.set(d, domain.Failed, failureReason(d.PeerName, err), err)
	}
	if ended = d.State.Ended(); ended {
		d.cancel = nil
	}
	t.leave(d)
	waits := d.State == domain.Waiting
	t.mu.Unlock()
	if err := t.save(ctx); err != nil {
		t.cfg.Log.Error("a transfer's state could not be kept", "id", d.ID, "err", err)
	}
	if waits {
		pause(ctx, again)
	}
	return ended
}

// finish says that all that was wanted of d is here. The lock is held.
func (t *Transfers) finish(d *transfer) {
	var reason domain.Saying
	files := 0
	for i := range d.Files {
		if f := &d.Files[i]; !f.Folder && !f.Skipped {
			files++
		}
	}
	if d.fresh && d.had > 0 && d.had >= files {
		reason = domain.Say("You already have this.")
	}
	d.Final, d.Done = d.place(), d.Size
	t.set(d, domain.Done, reason, nil)
}

// awaitDisk waits while the place that d goes to is as it was when it stopped
// the last attempt: gone, or without the room that d needs.
func (t *Transfers) awaitDisk(ctx context.Context, d *transfer) {
	for ctx.Err() == nil {
		t.mu.Lock()
		stopped, need := d.State == domain.Waiting, d.Size-d.Done
		failure := d.Failure
		t.mu.Unlock()
		switch {
		case !stopped:
			return
		case failure == domain.ErrorKind(domain.ErrNoSpace):
			if free, err := t.cfg.Engine.Free(d.Folder); err != nil || free >= need {
				return
			}
		case failure == domain.ErrorKind(domain.ErrUnwritable):
			if _, err := os.Stat(d.Folder); !errors.Is(err, fs.ErrNotExist) {
				return
			}
		default:
			return
		}
		pause(ctx, again)
		t.mu.Lock()
		if cause := domain.ErrorOfKind(failure); ctx.Err() == nil && d.State == domain.Waiting {
			t.set(d, domain.Waiting, t.diskReason(d, cause), cause)
		}
		t.mu.Unlock()
	}
}

// concludeAlone decides what becomes of d when nobody serves it: if its owner
// is here and does not list what is lacking any more, that is the end; else it
// is tried again. The lock is held.
func (t *Transfers) concludeAlone(d *transfer) {
	who, _ := t.cfg.People.Peer(d.Peer)
	if d.liar != "" && (d.liar == d.Peer || d.Peer == "") {
		t.set(d, domain.Waiting, t.damagedReason(d, 0), domain.ErrDamaged)
		return
	}
	if d.Peer == "" {
		t.set(d, domain.Waiting, domain.Say("Nobody who has this answers. Trying again."), domain.ErrOffline)
		return
	}
	if !who.Online {
		return // awaitProvider says for whom it waits
	}
	if err := t.outdated(d); err != nil {
		t.set(d, domain.Failed, failureReason(d.PeerName, err), err)
		return
	}
	reason := domain.Say("%s's computer doesn't answer. Trying again.", who.Name)
	if who.FarForThem {
		reason = domain.Say("%s doesn't count you as nearby yet.", who.Name)
	}
	t.set(d, domain.Waiting, reason, domain.ErrOffline)
}

// outdated returns domain.ErrNotFound or ErrChanged if the owner's list is here
// and something that d lacks is not in it any more, nor in anybody else's. The
// lock is held.
func (t *Transfers) outdated(d *transfer) error {
	if d.Offer != "" {
		if t.cfg.Offered != nil && !t.cfg.Offered(d.Offer) {
			return domain.ErrNotFound
		}
		return nil
	}
	if _, err := domain.ParseContentID(d.Path); err == nil || !t.cfg.Catalogue.Current(d.Peer) {
		return nil // asked for by its content, or the list is on its way
	}
	entries, _, err := t.cfg.Catalogue.Below(d.Peer, d.Path)
	if errors.Is(err, domain.ErrNotFound) {
		return err
	}
	now := make(map[string]domain.ContentID, len(entries))
	for _, e := range entries {
		now[e.Path] = e.Content
	}
	for _, f := range d.Files {
		if !lacks(&f) || f.Folder {
			continue
		}
		if others, _ := t.cfg.Catalogue.Providers(f.Content); len(others) > 0 {
			continue
		}
		switch content, listed := now[f.Path]; {
		case !listed:
			return domain.ErrNotFound
		case content != f.Content:
			return domain.ErrChanged
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// place is where a finished download lies. The lock is held.
func (d *transfer) place() string {
	if len(d.Files) == 1 && d.Files[0].Final != "" && !strings.Contains(d.Files[0].Target, "/") {
		return d.Files[0].Final
	}
	if base, one := d.base(); one {
		return filepath.Join(d.Folder, base)
	}
	return d.Folder
}

// base returns the folder below Folder in which all of d lies, if there is one.
// The lock is held.
func (d *transfer) base() (base string, one bool) {
	for i := range d.Files {
		first, _, _ := strings.Cut(d.Files[i].Target, "/")
		if i > 0 && first != base {
			return "", false // an offer of several things
		}
		base = first
	}
	return base, len(d.Files) > 0
}

// awaitProvider waits, saying for whom, until somebody around has something
// that d lacks. It returns false when ctx ended.
func (t *Transfers) awaitProvider(ctx context.Context, d *transfer) bool {
	for {
		t.mu.Lock()
		changed := t.changed
		t.mu.Unlock()
		if t.available(d, true) {
			return true
		}
		t.mu.Lock()
		if ctx.Err() == nil {
			t.set(d, domain.Waiting, t.absenceReason(d), domain.ErrOffline)
		}
		t.mu.Unlock()
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		case <-time.After(time.Minute): // what was "since 14:02" may be "since yesterday"
			t.mu.Lock()
			t.publish(d)
			t.mu.Unlock()
		}
	}
}

// enough is for how many of the files that d lacks providers are looked for: it
// would take a strange swarm to have none of these.
const enough = 100

// available reports whether anybody around, or this machine if it counts, has a
// file that d lacks.
func (t *Transfers) available(d *transfer, thisMachine bool) bool {
	t.mu.Lock()
	owner, missing, look := d.Peer, d.missing, thisMachine && !d.nothingHere
	t.mu.Unlock()
	if who, ok := t.cfg.People.Peer(owner); missing == 0 || ok && who.Online {
		return true
	}
	t.mu.Lock()
	var wanted []domain.ContentID
	for i := range d.Files {
		if f := &d.Files[i]; lacks(f) {
			if f.Folder {
				continue // it comes with the others
			}
			if wanted = append(wanted, f.Content); len(wanted) == enough {
				break
			}
		}
	}
	t.mu.Unlock()
	for _, id := range wanted {
		if look && t.has(id) || len(t.around(id, owner)) > 0 {
			return true
		}
	}
	return len(wanted) == 0
}

// around returns who is around and may have the content: the owner first.
func (t *Transfers) around(id domain.ContentID, owner domain.PeerID) []domain.PeerID {
	var ids []domain.PeerID
	if who, ok := t.cfg.People.Peer(owner); ok && who.Online {
		ids = append(ids, owner)
	}
	providers, _ := t.cfg.Catalogue.Providers(id)
	for _, p := range providers {
		if p.Online && p.Peer != owner {
			ids = append(ids, p.Peer)
		}
	}
	for _, id := range t.cfg.Engine.Holders(id) {
		if who, ok := t.cfg.People.Peer(id); ok && who.Online && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// whoHas is the Providers of one content.
type whoHas struct {
	t       *Transfers
	content domain.ContentID
	owner   domain.PeerID
}

func (w whoHas) Providers() []domain.PeerID { return w.t.around(w.content, w.owner) }

func (w whoHas) Changed() <-chan struct{} {
	w.t.mu.Lock()
	defer w.t.mu.Unlock()
	return w.t.changed
}

// watchAlone ends the attempt once nobody has served d for a while, so that it
// does not keep its place among the running ones.
func (t *Transfers) watchAlone(ctx context.Context, d *transfer, alone context.CancelCauseFunc) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	since := t.cfg.Now()
	var last int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		done, served := t.moving(d)
		if done != last || served {
			last, since = done, t.cfg.Now()
			continue
		}
		quiet := t.cfg.Now().Sub(since)
		if quiet > patience || quiet > absence && !t.available(d, false) {
			alone(errAlone)
			return
		}
	}
}

// moving returns how much of d is verified and whether anybody serves it, or
// lets it wait for that in a queue.
func (t *Transfers) moving(d *transfer) (done int64, served bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range d.flight {
		served = served || p.Providers > 0 || p.Checking
	}
	return d.here(), served || d.line > 0
}

// unfinished returns what d lacks. The lock is held.
func (d *transfer) unfinished() []domain.Want {
	var wants []domain.Want
	for _, f := range d.Files {
		if lacks(&f) && !f.Folder {
			wants = append(wants, wantOf(d, f))
		}
	}
	return wants
}

// discard removes the part files of a cancelled download.
func (t *Transfers) discard(wants []domain.Want) {
	for _, want := range wants {
		if err := t.cfg.Engine.Discard(want); err != nil {
			t.cfg.Log.Warn("could not remove a part file", "target", want.Target, "err", err)
		}
	}
}
