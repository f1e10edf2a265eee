package transfers

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// workers is how many files of a folder are under way at once; small ones
	// wait mostly for the disk.
	workers = 64
	// patience is how long a download without any provider keeps its place
	// among the running ones.
	patience = 10 * time.Second
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
	t.done.Go(func() {
		defer close(ended)
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
		err := t.fetchAll(ctx, d)
		<-t.slots
		if ctx.Err() != nil {
			break
		}
		if t.conclude(ctx, d, err) {
			return
		}
	}
}

// conclude takes the outcome of one attempt; ended is false if there will be
// another one.
func (t *Transfers) conclude(ctx context.Context, d *transfer, err error) (ended bool) {
	t.mu.Lock()
	if ctx.Err() != nil {
		t.mu.Unlock()
		return false
	}
	switch {
	case err == nil:
		d.Final, d.Done = d.place(), d.Size
		t.set(d, domain.Done, "", nil)
	case errors.Is(err, errAlone):
		t.concludeAlone(d)
	case errors.Is(err, domain.ErrNoSpace), errors.Is(err, domain.ErrUnwritable):
		t.set(d, domain.Waiting, t.diskReason(d, err), err)
	case errors.Is(err, domain.ErrBusy):
		t.set(d, domain.Waiting, "Another download of this is still ending. Trying again.", err)
	default:
		t.cfg.Log.Warn("a download failed", "id", d.ID, "path", d.Path, "err", err)
		t.set(d, domain.Failed, failureReason(d.PeerName, err), err)
	}
	if ended = d.State.Ended(); ended {
		d.cancel = nil
	}
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

// concludeAlone decides what becomes of d when nobody serves it: if its owner
// is here and does not list what is lacking any more, that is the end; else it
// is tried again. The lock is held.
func (t *Transfers) concludeAlone(d *transfer) {
	who, _ := t.cfg.People.Peer(d.Peer)
	if d.Peer == "" {
		t.set(d, domain.Waiting, "Nobody who has this answers. Trying again.", domain.ErrOffline)
		return
	}
	if !who.Online {
		return // awaitProvider says for whom it waits
	}
	if err := t.outdated(d); err != nil {
		t.set(d, domain.Failed, failureReason(d.PeerName, err), err)
		return
	}
	reason := who.Name + "'s computer doesn't answer. Trying again."
	if who.FarForThem {
		reason = who.Name + " doesn't count you as nearby yet."
	}
	t.set(d, domain.Waiting, reason, domain.ErrOffline)
}

// outdated returns domain.ErrNotFound or ErrChanged if the owner's list is here
// and something that d lacks is not in it any more, nor in anybody else's. The
// lock is held.
func (t *Transfers) outdated(d *transfer) error {
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
		if f.Final != "" || f.Folder {
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
	if len(d.Files) > 0 {
		base, _, _ := strings.Cut(d.Files[0].Target, "/")
		return filepath.Join(d.Folder, base)
	}
	return d.Folder
}

// awaitProvider waits, saying for whom, until somebody around has something
// that d lacks. It returns false when ctx ended.
func (t *Transfers) awaitProvider(ctx context.Context, d *transfer) bool {
	for {
		t.mu.Lock()
		changed := t.changed
		t.mu.Unlock()
		if t.available(d) {
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
		case <-time.After(time.Minute): // "since yesterday" wants a fresh look
		}
	}
}

// available reports whether anybody around has a file that d lacks.
func (t *Transfers) available(d *transfer) bool {
	t.mu.Lock()
	var lacks []domain.ContentID
	for _, f := range d.Files {
		if f.Final == "" && !f.Folder {
			lacks = append(lacks, f.Content)
			if len(lacks) == 100 {
				break // it would take a strange swarm to have none of these
			}
		}
	}
	owner := d.Peer
	t.mu.Unlock()
	if len(lacks) == 0 {
		return true
	}
	for _, id := range lacks {
		if len(t.around(id, owner)) > 0 {
			return true
		}
	}
	return false
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

// take waits for one of the places for running downloads.
func (t *Transfers) take(ctx context.Context, d *transfer) bool {
	select {
	case t.slots <- struct{}{}:
	default:
		t.move(ctx, d, domain.Queued)
		select {
		case t.slots <- struct{}{}:
		case <-ctx.Done():
			return false
		}
	}
	t.move(ctx, d, domain.Running)
	return true
}

// move sets a state that needs no reason, unless d was told to stop meanwhile.
func (t *Transfers) move(ctx context.Context, d *transfer, state domain.TransferState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ctx.Err() == nil {
		t.set(d, state, "", nil)
	}
}

// fetchAll fetches all files that d lacks, several at once. One that changed
// at the source, or is being fetched by another download, does not keep the
// others from being fetched.
func (t *Transfers) fetchAll(ctx context.Context, d *transfer) error {
	ctx, alone := context.WithCancelCause(ctx)
	defer alone(nil)
	watch := make(chan struct{})
	go func() {
		defer close(watch)
		t.watchAlone(ctx, d, alone)
	}()
	defer func() { <-watch }()
	defer alone(nil)

	group, fetching := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	putOff := make(chan error, 1) // why the first file that was put off was
	t.mu.Lock()
	files := slices.Clone(d.Files)
	t.mu.Unlock()
	for i, f := range files {
		if f.Final != "" {
			continue
		}
		if fetching.Err() != nil {
			break
		}
		group.Go(func() error {
			err := t.fetchOne(fetching, d, i, f)
			if !errors.Is(err, domain.ErrChanged) && !errors.Is(err, domain.ErrBusy) {
				return err
			}
			select {
			case putOff <- fmt.Errorf("%s: %w", f.Path, err):
			default:
			}
			return nil
		})
	}
	err := group.Wait()
	if cause := context.Cause(ctx); errors.Is(cause, errAlone) {
		return cause
	}
	if err != nil {
		return err
	}
	select {
	case err := <-putOff:
		return err
	default:
		return ctx.Err()
	}
}

// fetchOne fetches file i of d and marks it finished.
func (t *Transfers) fetchOne(ctx context.Context, d *transfer, i int, f domain.TransferFile) error {
	if f.Folder {
		if err := t.cfg.Engine.Folder(d.Folder, f.Target, f.Modified); err != nil {
			return err
		}
		return t.mark(ctx, d, i, filepath.Join(d.Folder, filepath.FromSlash(f.Target)))
	}
	final, err := t.cfg.Engine.Fetch(ctx, wantOf(d, f), whoHas{t, f.Content, d.Peer}, func(p domain.Progress) {
		t.mu.Lock()
		d.flight[i] = p
		t.mu.Unlock()
	})
	if err != nil {
		t.mu.Lock()
		delete(d.flight, i)
		t.mu.Unlock()
		return err
	}
	return t.mark(ctx, d, i, final)
}

func wantOf(d *transfer, f domain.TransferFile) domain.Want {
	return domain.Want{Content: f.Content, Size: f.Size, Modified: f.Modified, Folder: d.Folder, Target: f.Target}
}

// mark notes that file i of d is finished.
func (t *Transfers) mark(ctx context.Context, d *transfer, i int, final string) error {
	t.mu.Lock()
	d.Files[i].Final = final
	d.finished += d.Files[i].Size
	delete(d.flight, i)
	t.mu.Unlock()
	if err := t.cfg.Store.MarkFile(context.WithoutCancel(ctx), d.ID, i, final); err != nil {
		return fmt.Errorf("noting that %s is here: %w", final, err)
	}
	return nil
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
		} else if t.cfg.Now().Sub(since) > patience {
			alone(errAlone)
			return
		}
	}
}

// moving returns how much of d is verified and whether anybody serves it.
func (t *Transfers) moving(d *transfer) (done int64, served bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	done = d.finished
	for _, p := range d.flight {
		done += p.Done
		served = served || p.Providers > 0
	}
	return done, served
}

// unfinished returns what d lacks. The lock is held.
func (d *transfer) unfinished() []domain.Want {
	var wants []domain.Want
	for _, f := range d.Files {
		if f.Final == "" && !f.Folder {
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
