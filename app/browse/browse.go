// Package browse keeps what others share: it pulls their catalogues when a
// head tells of something new, keeps them over restarts so that an absent
// person can still be browsed, and searches over all of them in memory.
//
// All methods may be called from any goroutine; none waits for the network
// except Ask and Settle.
package browse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

const (
	// pulls is how many catalogues are pulled at once.
	pulls = 4
	// retry is the pause after a pull that broke off, doubled up to a limit.
	retry    = 2 * time.Second
	retryMax = 2 * time.Minute
	// pullTimeout ends a pull that hangs.
	pullTimeout = 10 * time.Minute
	// budget and budgetBytes are how many entries of others are held in all, and
	// how long their paths may be together.
	budget      = 1_000_000
	budgetBytes = 256 << 20
	// ofStranger is the part of it that somebody who is no friend may take, so that
	// they cannot keep out everybody else.
	ofStranger = 2
)

// Store keeps catalogues over restarts.
type Store interface {
	PutPage(ctx context.Context, peer domain.PeerID, page domain.Page, first bool) error
	Catalogue(peer domain.PeerID) (version domain.Version, complete bool, err error)
	Entries(peer domain.PeerID, each func(domain.Entry) error) error
	Catalogues() ([]domain.PeerID, error)
}

// Puller asks a peer for its catalogue since a version, page by page.
type Puller interface {
	Pull(ctx context.Context, peer domain.PeerID, since domain.Version, each func(domain.Page) error) error
	// Find asks a peer for entries whose path holds all the words. It returns up
	// to 50; fewer are all that there are.
	Find(ctx context.Context, peer domain.PeerID, words []string) ([]domain.Entry, error)
}

// Crowd asks everyone near at once, also those who are not connected.
type Crowd interface {
	// Ask calls take for each answer until ctx ends or there are enough, one
	// after the other, and not after it has returned.
	Ask(ctx context.Context, words []string, take func(domain.PeerID, []domain.Entry)) error
}

// People tells who a peer is.
type People interface {
	Peer(id domain.PeerID) (domain.Peer, bool)
}

// Config is what Browse needs.
type Config struct {
	Store  Store
	Puller Puller
	Crowd  Crowd // nil: people are only asked one by one
	People People
	Bus    *event.Bus
	Log    *slog.Logger
	// Have reports whether this machine has the content already.
	Have func(domain.ContentID) bool
	// Changed is called after the entries known of a peer have changed.
	Changed func(domain.PeerID)
}

// Browse is the room. Make one with New.
type Browse struct {
	cfg   Config
	slots chan struct{} // one token per running pull

	mu    sync.Mutex
	peers map[domain.PeerID]*peer
	ctx   context.Context // the life of the pulls, set by Start
	stop  context.CancelFunc
	done  sync.WaitGroup
}

// peer is the state of one person's catalogue.
type peer struct {
	known *catalogue
	head  domain.Version // the latest that was announced
	// answered is the latest for which all was pulled, whatever version that
	// then was: who says the same again has nothing new.
	answered domain.Version
	entries  int // as the head says
	pulling  bool
	again    bool // something new was announced while pulling
	problem  domain.Saying
	settled  chan struct{} // closed when no pull is running or due
	told     *told         // what it answered to searches; nil for nothing
}

// New reads the catalogues of earlier runs.
func New(cfg Config) (*Browse, error) {
	b := &Browse{cfg: cfg, slots: make(chan struct{}, pulls), peers: make(map[domain.PeerID]*peer)}
	ids, err := cfg.Store.Catalogues()
	if err != nil {
		return nil, fmt.Errorf("reading others' catalogues: %w", err)
	}
	for _, id := range ids {
		known, err := b.load(id)
		if err != nil {
			return nil, fmt.Errorf("reading the catalogue of %s: %w", id, err)
		}
		b.get(id).known = known
	}
	return b, nil
}

func (b *Browse) load(id domain.PeerID) (*catalogue, error) {
	version, complete, err := b.cfg.Store.Catalogue(id)
	if err != nil {
		return nil, err
	}
	var entries []domain.Entry
	if err := b.cfg.Store.Entries(id, func(e domain.Entry) error {
		entries = append(entries, e)
		return nil
	}); err != nil {
		return nil, err
	}
	return build(version, complete, entries), nil
}

// Start lets pulls run until Close.
func (b *Browse) Start(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ctx, b.stop = context.WithCancel(ctx)
	for id, p := range b.peers {
		b.publish(id, p)
	}
}

// Close ends all pulls and waits for them. What was pulled is kept.
func (b *Browse) Close() error {
	b.mu.Lock()
	if b.stop != nil {
		b.stop()
	}
	b.mu.Unlock()
	b.done.Wait()
	return nil
}

func (b *Browse) get(id domain.PeerID) *peer {
	p := b.peers[id]
	if p == nil {
		settled := make(chan struct{})
		close(settled)
		p = &peer{known: build(domain.Version{}, false, nil), settled: settled}
		b.peers[id] = p
	}
	return p
}

// Head takes a verified announcement and pulls what is new.
func (b *Browse) Head(head domain.Head) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.get(head.Peer)
	p.head, p.entries = head.Version, head.Entries
	if p.known.complete && (p.known.version == head.Version || p.answered == head.Version) {
		return
	}
	b.pull(head.Peer, p)
}

// Welcomed is told that a peer counts us as near and so answers our questions.
// Its head may never come: what it takes from us is its own affair.
func (b *Browse) Welcomed(id domain.PeerID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.get(id); !p.known.complete {
		b.pull(id, p)
	}
}

// Again pulls a peer's catalogue once more if it is not here in full or not as
// new as what was announced: after a pull that was given up.
func (b *Browse) Again(id domain.PeerID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.get(id)
	if !p.pulling && (!p.known.complete || p.head.Newer(p.known.version)) {
		b.pull(id, p)
	}
}

// pull starts pulling, or notes that it must be done again. The lock is held.
func (b *Browse) pull(id domain.PeerID, p *peer) {
	if b.ctx == nil || b.ctx.Err() != nil {
		return
	}
	if p.pulling {
		p.again = true
		return
	}
	p.pulling, p.problem = true, domain.Saying{}
	p.settled = make(chan struct{})
	b.publish(id, p)
	ctx := b.ctx
	b.done.Go(func() { b.pullAll(ctx, id) })
}

// pullAll pulls until nothing new is announced, with pauses after failures.
func (b *Browse) pullAll(ctx context.Context, id domain.PeerID) {
	pause := retry
	for tries := 0; ; tries++ {
		select {
		case b.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		b.mu.Lock()
		announced := b.get(id).head
		b.mu.Unlock()
		err := b.pullOnce(ctx, id)
		<-b.slots
		b.mu.Lock()
		p := b.get(id)
		who, _ := b.cfg.People.Peer(id)
		again := p.again
		p.again = false
		failed := err != nil
		if !failed {
			p.answered = announced
		}
		hopeless := failed && (!who.Online || errors.Is(err, domain.ErrRefused) || errors.Is(err, domain.ErrVersion) ||
			errors.Is(err, domain.ErrTooLarge) || errors.Is(err, domain.ErrMalformed) || tries >= 8)
		if failed && ctx.Err() == nil {
			p.problem = problemOf(who.Name, err)
			level := slog.LevelInfo
			if errors.Is(err, domain.ErrNoSpace) || errors.Is(err, domain.ErrTooLarge) {
				level = slog.LevelWarn // the user alone can do something about it
			}
			b.cfg.Log.Log(ctx, level, "a catalogue could not be pulled", "peer", id, "err", err)
		}
		if ctx.Err() != nil || hopeless || (!failed && !again) {
			p.pulling = false
			close(p.settled)
			b.publish(id, p)
			b.mu.Unlock()
			return
		}
		b.mu.Unlock()
		if failed {
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, retryMax)
		}
	}
}

func problemOf(name string, err error) domain.Saying {
	switch {
	case errors.Is(err, domain.ErrRefused):
		return domain.Say("%s doesn't count you as nearby yet.", name)
	case errors.Is(err, domain.ErrVersion):
		return domain.Say("%s uses another version of Potluck. Update the older one.", name)
	case errors.Is(err, domain.ErrNoSpace):
		return domain.Say("Disk full: no room for %s's list.", name)
	case errors.Is(err, domain.ErrTooLarge):
		return domain.Say("%s's list is too long.", name)
	default:
		return domain.Say("%s's list stopped halfway.", name)
	}
}

// pullOnce pulls what changed since the version that is known.
func (b *Browse) pullOnce(ctx context.Context, id domain.PeerID) error {
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	b.mu.Lock()
	p := b.get(id)
	base := p.known
	entries, size := b.held(id)
	b.mu.Unlock()
	who, _ := b.cfg.People.Peer(id)
	own, ownSize := 0, 0 // of what is counted, what is this one's
	since := base.version
	if !base.complete {
		since = domain.Version{}
	}
	first, pulled, shown := true, 0, 0
	var pages [][]domain.Entry // everything so far, of a full pull
	var fresh []domain.Change  // everything so far, of what changed
	return b.cfg.Puller.Pull(ctx, id, since, func(page domain.Page) error {
		if first && !page.Full {
			own, ownSize = len(base.entries), len(base.blob)
		}
		own += len(page.Changes)
		for _, c := range page.Changes {
			ownSize += len(c.Path) + 1
		}
		if entries+own > budget || size+ownSize > budgetBytes {
			return fmt.Errorf("%w: more than %d entries of others, or %d bytes of their names", domain.ErrTooLarge, budget, budgetBytes)
		}
		if !who.Friend && (own > budget/ofStranger || ownSize > budgetBytes/ofStranger) {
			return fmt.Errorf("%w: more than %d entries of somebody who is no friend, or %d bytes of their names",
				domain.ErrTooLarge, budget/ofStranger, budgetBytes/ofStranger)
		}
		if err := b.cfg.Store.PutPage(ctx, id, page, first); err != nil {
			return err
		}
		first = false
		last := page.Next == ""
		if !page.Full {
			fresh = append(fresh, page.Changes...)
			if last {
				b.show(id, base.with(page.Version, last, fresh))
			}
			return nil
		}
		// The first screen is shown at once, then more at every doubling, since
		// each time everything so far is sorted.
		came := make([]domain.Entry, len(page.Changes))
		for i, c := range page.Changes {
			came[i] = entryOf(c)
		}
		pages = append(pages, came)
		if pulled += len(came); last || pulled >= 2*shown {
			shown = pulled
			b.show(id, whole(page.Version, last, slices.Concat(pages...)))
		}
		return nil
	})
}

// show makes next the catalogue that is in view. One that was whole stays
// until the next is whole too.
func (b *Browse) show(id domain.PeerID, next *catalogue) {
	b.mu.Lock()
	p := b.get(id)
	if !next.complete && p.known.complete {
		b.mu.Unlock()
		return
	}
	p.known = next
	if next.complete {
		p.told = nil
	}
	b.publish(id, p)
	b.mu.Unlock()
	if b.cfg.Changed != nil {
		b.cfg.Changed(id)
	}
}

// held is the number of entries of all peers but one, and the bytes of their
// paths. The lock is held.
func (b *Browse) held(except domain.PeerID) (entries, size int) {
	for id, p := range b.peers {
		if id != except {
			entries += len(p.known.entries)
			size += len(p.known.blob)
		}
	}
	return entries, size
}

func (b *Browse) publish(id domain.PeerID, p *peer) {
	event.Publish(b.cfg.Bus, event.Catalogues, string(id), event.CatalogueState{
		Peer: id, Version: p.known.version, Known: len(p.known.entries),
		Total: p.entries, Pulling: p.pulling, Problem: p.problem,
	})
}

// Settle waits until no pull of the peer's catalogue is running, or ctx ends.
// It reports whether the catalogue is as new as what was announced.
func (b *Browse) Settle(ctx context.Context, id domain.PeerID) bool {
	b.mu.Lock()
	settled := b.get(id).settled
	b.mu.Unlock()
	select {
	case <-settled:
	case <-ctx.Done():
	}
	return b.Current(id)
}

// Current reports whether the peer's catalogue is here in full and as new as
// what was announced.
func (b *Browse) Current(id domain.PeerID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.get(id)
	return p.known.complete && !p.head.Newer(p.known.version)
}
