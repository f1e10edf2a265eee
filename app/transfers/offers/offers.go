// Package offers gives files to one person, who accepts or declines, and takes
// what others want to give. An offer is kept on both sides until it has ended:
// it waits for whoever is away, and goes on after a restart of either.
//
// What is offered lies with the library, which gives it to that person alone;
// what is accepted becomes a download of package transfers. Each side says its
// part until the other has heard it: the sender the offer, then perhaps that it
// is taken back, the receiver its answer, then that everything has arrived. All
// of that may be said again, and is after each new connection of the two.
//
// All methods may be called from any goroutine. Those that take a context wait
// for the disk or for files to be read, the others do not.
package offers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

// What is kept at most.
const (
	// mostAsking is how many offers of one peer wait for an answer, mostAskingInAll
	// those of all friends, and those of all others.
	mostAsking      = 8
	mostAskingInAll = 100
	// mostUnasked is how many files a friend may send that are accepted unasked.
	mostUnasked = 10_000
	// mostEnded is how many ended offers are kept each way, of friends and of others.
	mostEnded = 200
	// firstPause is how long after a try that came to nothing the next one is made;
	// each further one takes twice as long, up to lastPause.
	firstPause, lastPause = 5 * time.Second, 5 * time.Minute
	// sayTime is how long one message may take, reaching the peer included.
	sayTime = 20 * time.Second
)

// Network tells others of offers. Errors are those of net/offer.
type Network interface {
	Offer(ctx context.Context, peer domain.PeerID, s domain.OfferSummary) error
	Withdraw(ctx context.Context, peer domain.PeerID, id string) error
	Answer(ctx context.Context, peer domain.PeerID, id string, what domain.OfferAnswer) error
	// PullOffer hands over what an offer is made of, page by page.
	PullOffer(ctx context.Context, peer domain.PeerID, offer string, each func(domain.Page) error) error
}

// Library keeps what is offered for the one it is offered to.
type Library interface {
	Offer(ctx context.Context, id string, to domain.PeerID, paths []string, progress func(read, toRead int64)) (domain.OfferSummary, []domain.Problem, error)
	Withdraw(ctx context.Context, id string) error
	Offered() []string
}

// Downloads fetches what was accepted.
type Downloads interface {
	Take(ctx context.Context, req domain.TakeRequest) (id string, err error)
	TakenBack(ctx context.Context, id string) error
}

// People tells who is around.
type People interface {
	Peer(id domain.PeerID) (domain.Peer, bool)
}

// Store keeps offers over restarts.
type Store interface {
	PutOffer(ctx context.Context, o domain.Offer) error
	DropOffer(ctx context.Context, id string) error
	Offers() ([]domain.Offer, error)
}

// Config is what Offers needs.
type Config struct {
	Network   Network
	Library   Library
	Downloads Downloads
	People    People
	Store     Store
	Bus       *event.Bus
	Log       *slog.Logger
	Now       func() time.Time
}

// Offers is the room. Make one with New.
type Offers struct {
	cfg    Config
	saving sync.Mutex // held while an offer is written; taken before mu

	mu      sync.Mutex
	all     map[string]*offer
	talk    map[domain.PeerID]*talk
	started bool
	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// offer is one with what is known of it in this run only. The fields are guarded
// by Offers.mu.
type offer struct {
	domain.Offer
	due     bool                    // something is to be said of it to the other side
	reading context.CancelCauseFunc // ends the reading; nil if there is none
	pace    pace                    // of what goes to the receiver
}

// New reads the offers of earlier runs.
func New(cfg Config) (*Offers, error) {
	o := &Offers{cfg: cfg, all: make(map[string]*offer), talk: make(map[domain.PeerID]*talk)}
	o.ctx, o.stop = context.WithCancel(context.Background())
	kept, err := cfg.Store.Offers()
	if err != nil {
		return nil, fmt.Errorf("reading the offers: %w", err)
	}
	for _, k := range kept {
		o.all[k.ID] = &offer{Offer: k}
	}
	return o, nil
}

// Start goes on with what was not ended, until Close.
func (o *Offers) Start(ctx context.Context) {
	o.mu.Lock()
	o.started = true
	for _, one := range o.all {
		one.due = true
		if !one.Incoming && one.State == domain.OfferReading {
			o.read(one) //nolint:contextcheck // it lives as long as the room, not as Start's caller
		}
		o.publish(one)
	}
	events := o.cfg.Bus.Subscribe(event.Transfers.Name(), event.Peers.Name())
	o.done.Go(func() {
		defer events.Close()
		o.follow(o.ctx, events)
	})
	o.mu.Unlock()
	o.tidy(ctx)
}

// Close ends what runs, to be gone on with by the next run, and waits.
func (o *Offers) Close() error {
	o.mu.Lock()
	o.stop()
	for _, t := range o.talk {
		t.rest()
	}
	o.mu.Unlock()
	o.done.Wait()
	return nil
}

// tidy ends with the library what is offered no more: the run that ended it may
// have died before.
func (o *Offers) tidy(ctx context.Context) {
	for _, id := range o.cfg.Library.Offered() {
		o.mu.Lock()
		one := o.all[id]
		over := one == nil || one.Incoming || one.State.Ended()
		o.mu.Unlock()
		if !over {
			continue
		}
		if err := o.cfg.Library.Withdraw(ctx, id); err != nil {
			o.cfg.Log.Warn("an offer that has ended could not be taken out", "err", err)
		}
	}
}

// Offers returns all that are open, and those that were made here and have ended,
// the newest first.
func (o *Offers) Offers() []domain.Offer {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []domain.Offer
	for _, one := range o.all {
		if one.listed() {
			all = append(all, one.told())
		}
	}
	slices.SortFunc(all, func(a, b domain.Offer) int {
		return cmp.Or(b.Added.Compare(a.Added), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// Find returns the offer whose ID begins so. The error is domain.ErrNotFound, or
// ErrUsage if several do.
func (o *Offers) Find(id string) (domain.Offer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var found *offer
	for full, one := range o.all {
		switch {
		case !one.listed() || id == "" || !strings.HasPrefix(full, strings.ToLower(id)):
		case found != nil:
			return domain.Offer{}, domain.Fault(domain.ErrUsage, "several offers begin with \"%s\"; use more of the ID", id)
		default:
			found = one
		}
	}
	if found == nil {
		return domain.Offer{}, domain.Fault(domain.ErrNotFound, "there is no offer \"%s\"; see: potluck transfers", id)
	}
	return found.told(), nil
}

// Open reports whether what an offer is made of can still be fetched.
func (o *Offers) Open(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	one, ok := o.all[id]
	return ok && !one.State.Ended()
}

// who returns what is known of a peer, with a name in any case.
func (o *Offers) who(id domain.PeerID) domain.Peer {
	who, _ := o.cfg.People.Peer(id)
	who.ID = id
	who.Name = cmp.Or(who.Name, id.Short())
	return who
}

// listed reports whether the user sees it: one that was taken is a download, one
// that was declined is over. The lock is held.
func (o *offer) listed() bool {
	if !o.Incoming || o.Removed {
		return !o.Removed
	}
	return o.State == domain.OfferAsked || o.State == domain.OfferAccepted && o.Transfer == "" || o.State == domain.OfferFailed
}

func (o *offer) told() domain.Offer {
	told := o.Offer
	told.Paths = slices.Clone(told.Paths)
	return told
}

// publish tells everyone how an offer is doing. The lock is held.
func (o *Offers) publish(one *offer) {
	if !one.listed() {
		event.Retract(o.cfg.Bus, event.Offers, one.ID)
		event.Retract(o.cfg.Bus, event.Transfers, one.ID)
		return
	}
	event.Publish(o.cfg.Bus, event.Offers, one.ID, one.told())
	if one.Incoming && one.State == domain.OfferAsked {
		return // a question is no row of the list yet
	}
	event.Publish(o.cfg.Bus, event.Transfers, one.ID, Row(one.Offer))
}

// set moves an offer to a state. The lock is held; the caller calls keep when it
// is not any more.
func (o *Offers) set(one *offer, state domain.OfferState, reason domain.Saying) {
	one.State, one.Reason = state, reason
	one.Ended = time.Time{}
	if state.Ended() {
		one.Ended = o.cfg.Now()
	}
	o.publish(one)
}

// keep writes the present state of an offer, or that it is no more, and ends it
// with the library if it has ended.
func (o *Offers) keep(ctx context.Context, id string) error {
	o.saving.Lock()
	defer o.saving.Unlock()
	o.mu.Lock()
	one, ok := o.all[id]
	var now domain.Offer
	if ok {
		now = one.told()
	}
	o.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	var err error
	if ok {
		err = o.cfg.Store.PutOffer(ctx, now)
	} else {
		err = o.cfg.Store.DropOffer(ctx, id)
	}
	if !ok || !now.Incoming && now.State.Ended() {
		err = errors.Join(err, o.cfg.Library.Withdraw(ctx, id))
	}
	if err != nil {
		return fmt.Errorf("keeping an offer: %w", err)
	}
	return nil
}

// kept is keep where nobody waits for the outcome.
func (o *Offers) kept(ctx context.Context, id string) {
	if err := o.keep(ctx, id); err != nil {
		o.cfg.Log.Error("an offer's state could not be kept", "offer", id, "err", err)
	}
}

// Remove removes those of the offers that have ended from the list. Others, and
// unknown ones, stay.
func (o *Offers) Remove(ctx context.Context, ids []string) error {
	return o.forget(ctx, func(one *offer) bool { return slices.Contains(ids, one.ID) })
}

// Clear removes all offers that have ended from the list.
func (o *Offers) Clear(ctx context.Context) error {
	return o.forget(ctx, (*offer).listed)
}

func (o *Offers) forget(ctx context.Context, means func(*offer) bool) error {
	o.mu.Lock()
	var gone []string
	for id, one := range o.all {
		if !means(one) || !one.State.Ended() {
			continue
		}
		gone = append(gone, id)
		one.Removed = true
		o.publish(one)
		if !one.Untold { // else it is kept until the other side is told
			delete(o.all, id)
		}
	}
	o.mu.Unlock()
	var problems []error
	for _, id := range gone {
		problems = append(problems, o.keep(ctx, id))
	}
	return errors.Join(problems...)
}

// prune forgets the oldest ended offers if there are too many of them.
func (o *Offers) prune(ctx context.Context, incoming bool) {
	o.mu.Lock()
	var ended [2][]*offer // of others, of friends
	for _, one := range o.all {
		switch {
		case one.Incoming != incoming || !one.State.Ended():
		case !o.who(one.Peer).Friend:
			ended[0] = append(ended[0], one)
		case !one.Untold: // or the friend would ask once more
			ended[1] = append(ended[1], one)
		}
	}
	var gone []string
	for _, some := range ended {
		slices.SortFunc(some, func(a, b *offer) int { return b.Ended.Compare(a.Ended) })
		for _, one := range some[min(mostEnded, len(some)):] {
			gone = append(gone, one.ID)
			one.Removed = true
			o.publish(one) // that it is not in the list any more
			delete(o.all, one.ID)
		}
	}
	o.mu.Unlock()
	for _, id := range gone {
		o.kept(ctx, id)
	}
}
