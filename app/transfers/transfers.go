// Package transfers moves what the user asked for: it turns a request into a
// list of files, queues and runs downloads, says why each one waits, and goes
// on with them after a restart. It also shows what others fetch from here.
//
// All methods may be called from any goroutine.
package transfers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

const (
	// refresh is how often progress is published.
	refresh = 200 * time.Millisecond
	// merging is for how long comings and goings are gathered after the first
	// one, before everybody who waits looks again.
	merging = 250 * time.Millisecond
)

// Transfers is the room. Make one with New.
type Transfers struct {
	cfg    Config
	asked  singleflight.Group // one request for the same thing at a time
	saving sync.Mutex         // held while transfers are written; taken before mu

	mu        sync.Mutex
	all       map[string]*transfer
	unsaved   map[string]bool // transfers whose state is to be kept; true with their files
	uploads   map[uploadKey]*upload
	places    places
	peeked    peeked
	here      map[domain.ContentID]domain.Found // finished files
	unfound   map[domain.ContentID]bool         // what was taken out of here since the store was told
	checks    chan struct{}                     // held by the check that reads
	changed   chan struct{}                     // closed and replaced when providers come or go
	quiet     time.Time                         // until when comings and goings are gathered
	gathering bool                              // some were
	ctx       context.Context                   // the life of the downloads, set by Start
	stop      context.CancelFunc
	done      sync.WaitGroup
}

// transfer is a download with what is known of it in this run only. The fields
// are guarded by Transfers.mu.
type transfer struct {
	domain.Transfer
	cancel context.CancelCauseFunc // of the goroutine that runs it; nil if none
	ended  chan struct{}           // closed when the last goroutine that ran it is gone; nil if none ever did
	rate   meter

	finished    int64                   // bytes of finished files that are wanted
	missing     int                     // wanted files that are not here
	had         int                     // files that lay in their place before
	fresh       bool                    // asked for in this run
	flight      map[int]*flight         // files being fetched
	partly      map[int]int64           // bytes that are here of files that are not finished, as far as this run knows
	unmarked    map[int]domain.Finished // where finished files lie that are not noted in the store yet
	next        int                     // no file before this one is to be begun
	putOff      map[int]bool            // files that this attempt does not try again
	putOffErr   error                   // why the first of them was
	stirred     chan struct{}           // holds a token after something changed for fetchAll
	untouched   bool                    // its folder was made for it, and no attempt has ended
	nothingHere bool                    // what was thought to be on this machine was not

	turn     chan struct{}           // closed when a place is given to it
	yield    context.CancelCauseFunc // ends the attempt under way; nil if none is
	yielding bool                    // it is to give its place up
	liar     domain.PeerID           // who sent damaged data
	line     int                     // where it waits in the queue of lineOf while nobody serves it, from 1; 0: it does not
	lineOf   domain.PeerID
	lied     time.Time // when that was noticed

	brought map[domain.PeerID]int64  // verified bytes of ended fetches, by whom they came from
	rates   map[domain.PeerID]*giver // those who serve it, or did
	kept    time.Time                // until when its parts are kept although it is cancelled; zero: not any more
	check   *check                   // the look through its finished files that is under way; nil: none
}

// The reasons for which a running download is told to stop.
var (
	errPaused    = errors.New("paused by the user")
	errCancelled = errors.New("cancelled by the user")
)

// New reads the transfers of earlier runs.
func New(cfg Config) (*Transfers, error) {
	t := &Transfers{
		cfg: cfg, places: places{most: max(1, cfg.AtOnce), settling: settlingTime},
		all: make(map[string]*transfer), unsaved: make(map[string]bool), uploads: make(map[uploadKey]*upload),
		unfound: make(map[domain.ContentID]bool), changed: make(chan struct{}), checks: make(chan struct{}, 1),
	}
	var err error
	if t.here, err = cfg.Store.Found(); err != nil {
		return nil, fmt.Errorf("reading what was downloaded: %w", err)
	}
	kept, err := cfg.Store.Transfers()
	if err != nil {
		return nil, fmt.Errorf("reading the transfers: %w", err)
	}
	for _, k := range kept {
		if k.Kind == domain.Upload {
			t.restoreUpload(k)
			continue
		}
		d := newTransfer(k)
		d.tally()
		for _, f := range d.Files {
			t.found(f)
		}
		t.places.front = min(t.places.front, d.Order)
		t.places.back = max(t.places.back, d.Order)
		if !d.State.Ended() {
			// What is there of files that are not finished is counted again
			// when it goes on; until then it is as much as it was.
			d.Done = min(max(d.Done, d.finished), d.Size)
			if d.State != domain.Paused {
				d.State, d.Reason = domain.Queued, domain.Saying{}
			}
		}
		t.all[d.ID] = d
	}
	return t, nil
}

func newTransfer(k domain.Transfer) *transfer {
	return &transfer{Transfer: k, flight: make(map[int]*flight), partly: make(map[int]int64), stirred: make(chan struct{}, 1)}
}

// Start goes on with what was not finished, until Close.
func (t *Transfers) Start(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ctx, t.stop = context.WithCancel(ctx)
	for _, d := range t.sorted() {
		t.publish(d)
		if d.Parts {
			t.discardKept(ctx, d) // that run was killed before
		}
		if !d.State.Ended() && d.State != domain.Paused {
			t.launch(d) //nolint:contextcheck // it lives as long as the room, not as Start's caller
		}
	}
	t.done.Go(func() { t.tick(t.ctx) })
	t.done.Go(func() { t.lookForFound(t.ctx) })
}

// Close stops all downloads, to be resumed by the next run, and waits.
func (t *Transfers) Close() error {
	t.mu.Lock()
	if t.stop != nil {
		t.stop()
	}
	for _, d := range t.all {
		if !d.kept.IsZero() {
			t.discardKept(context.Background(), d)
		}
	}
	t.endUploads(t.cfg.Now(), 0)
	t.mu.Unlock()
	t.done.Wait()
	return t.save(context.Background())
}

// sorted returns the downloads in their order. The lock is held.
func (t *Transfers) sorted() []*transfer {
	all := make([]*transfer, 0, len(t.all))
	for _, d := range t.all {
		all = append(all, d)
	}
	slices.SortFunc(all, before)
	return all
}

// ProvidersChanged is told whenever a peer comes, goes, or shares something
// new. The first time after a while is passed on at once; what follows on its
// heels is passed on together.
func (t *Transfers) ProvidersChanged() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gathering {
		return
	}
	left := time.Until(t.quiet)
	if left <= 0 {
		t.wake()
		return
	}
	t.gathering = true
	time.AfterFunc(left, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.gathering = false
		t.wake()
	})
}

// wake lets everybody who waits for somebody look again. The lock is held.
func (t *Transfers) wake() {
	t.quiet = time.Now().Add(merging)
	close(t.changed)
	t.changed = make(chan struct{})
}

// Pause stops downloads until Resume. An unknown ID is domain.ErrNotFound; the
// others are still paused.
func (t *Transfers) Pause(ctx context.Context, ids []string) error {
	return t.each(ctx, ids, func(d *transfer) {
		if d.State.Ended() || d.State == domain.Paused {
			return
		}
		t.halt(d, errPaused)
		t.set(d, domain.Paused, domain.Say("Paused by you."), nil)
	})
}

// Resume goes on with paused downloads, and tries failed and cancelled ones
// again.
func (t *Transfers) Resume(ctx context.Context, ids []string) error {
	return t.each(ctx, ids, func(d *transfer) { //nolint:contextcheck // the download outlives the request for it
		switch d.State {
		case domain.Paused, domain.Waiting:
		case domain.Failed, domain.Cancelled:
			d.Parts, d.kept = false, time.Time{}
			t.renew(d)
		default:
			return
		}
		t.halt(d, errPaused)
		d.nothingHere = false
		t.set(d, domain.Queued, domain.Saying{}, nil)
		t.launch(d)
	})
}

// Retry is Resume for those who speak of failed downloads.
func (t *Transfers) Retry(ctx context.Context, ids []string) error { return t.Resume(ctx, ids) }

// Transfers returns all transfers: what is under way first, newest first
// within that.
func (t *Transfers) Transfers() []domain.Transfer {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.uploadRows()
	for _, d := range t.sorted() {
		all = append(all, d.row())
	}
	slices.SortStableFunc(all, func(a, b domain.Transfer) int {
		if a.State.Ended() != b.State.Ended() {
			if a.State.Ended() {
				return 1
			}
			return -1
		}
		return b.Added.Compare(a.Added)
	})
	return all
}

// Transfer returns the transfer with that ID.
func (t *Transfers) Transfer(id string) (domain.Transfer, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d, ok := t.all[id]; ok {
		return d.row(), true
	}
	return domain.Transfer{}, false
}

// each calls f for the transfers of the IDs with the lock held, and keeps what
// became of them.
func (t *Transfers) each(ctx context.Context, ids []string, f func(*transfer)) error {
	var problems []error
	t.mu.Lock()
	for _, id := range ids {
		if d, ok := t.all[id]; ok {
			f(d)
		} else {
			problems = append(problems, unknown(id))
		}
	}
	t.mu.Unlock()
	return errors.Join(append(problems, t.save(ctx))...)
}

// halt tells the goroutine that runs d to stop, for reason. The lock is held.
func (t *Transfers) halt(d *transfer, reason error) {
	t.unqueue(d)
	if d.cancel != nil {
		d.cancel(reason)
		d.cancel = nil
	}
}

// row is the state of d without its files, for events and lists.
func (d *transfer) row() domain.Transfer {
	row := d.Transfer
	row.Files = nil
	if d.check != nil {
		row.Reason = d.check.reason()
	}
	return row
}

// publish tells everyone the state of d. The lock is held.
func (t *Transfers) publish(d *transfer) {
	event.Publish(t.cfg.Bus, event.Transfers, d.ID, d.row())
}

// set moves d to a state and publishes it. The lock is held; the caller calls
// save when it is not any more.
func (t *Transfers) set(d *transfer, state domain.TransferState, reason domain.Saying, cause error) {
	if d.State == state && d.Reason == reason {
		return
	}
	// Queued, running and waiting are the same after a restart.
	if d.State.Ended() != state.Ended() || (d.State == domain.Paused) != (state == domain.Paused) || state.Ended() {
		t.keep(d)
	}
	d.State, d.Reason, d.Failure = state, reason, domain.ErrorKind(cause)
	if state != domain.Running {
		d.Rate, d.Providers, d.From = 0, 0, nil
		d.rate, d.rates = meter{}, nil
		d.line, d.lineOf = 0, ""
	}
	d.Ended = time.Time{}
	if state.Ended() {
		d.Ended = t.cfg.Now()
	}
	t.publish(d)
}

// keep has d written by the next save, keepFiles with its files. The lock is
// held.
func (t *Transfers) keep(d *transfer) {
	if _, marked := t.unsaved[d.ID]; !marked {
		t.unsaved[d.ID] = false
	}
}

func (t *Transfers) keepFiles(d *transfer) { t.unsaved[d.ID] = true }

// save writes the transfers that set has changed, off the lock: a slow disk
// must not hold up what moves. What cannot be written is written by the next
// one.
func (t *Transfers) save(ctx context.Context) error {
	t.saving.Lock()
	defer t.saving.Unlock()
	t.mu.Lock()
	var changed []domain.Transfer
	for id, files := range t.unsaved {
		if d, ok := t.all[id]; ok {
			one := d.Transfer
			one.Files = nil
			if files {
				one.Files = slices.Clone(d.Files)
			}
			changed = append(changed, one)
		} else if u := t.uploadOf(id); u != nil {
			changed = append(changed, u.Transfer)
		}
	}
	clear(t.unsaved)
	t.mu.Unlock()
	var group errgroup.Group // together they cost one flush of the disk
	for _, one := range changed {
		group.Go(func() error {
			err := t.cfg.Store.PutTransfer(context.WithoutCancel(ctx), one)
			if err == nil {
				return nil
			}
			t.mu.Lock()
			t.unsaved[one.ID] = t.unsaved[one.ID] || one.Files != nil
			t.mu.Unlock()
			return fmt.Errorf("keeping the state of %s: %w", one.Path, err)
		})
	}
	return group.Wait()
}

// Content returns the content ID, in hex, of a download of a single file; ""
// for a folder.
func (t *Transfers) Content(id string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	d, ok := t.all[id]
	if !ok || len(d.Files) != 1 || d.Files[0].Folder {
		return ""
	}
	return d.Files[0].Content.String()
}
