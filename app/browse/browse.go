// Package browse keeps what others share: it pulls their catalogues when a
// head tells of something new, keeps them over restarts so that an absent
// person can still be browsed, and searches over all of them in memory.
//
// All methods may be called from any goroutine; none waits for the network
// except Ask and Settle.
package browse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

// Store keeps catalogues over restarts.
type Store interface {
	PutPage(ctx context.Context, peer domain.PeerID, page domain.Page, first bool) error
	Catalogue(peer domain.PeerID) (version domain.Version, complete bool, err error)
	Entries(peer domain.PeerID, each func(domain.Entry) error) error
	Catalogues() ([]domain.PeerID, error)
	DropCatalogue(ctx context.Context, peer domain.PeerID) error
}

// Puller asks a peer for its catalogue since a version, page by page.
type Puller interface {
	Pull(ctx context.Context, peer domain.PeerID, since domain.Version, each func(domain.Page) error) error
	// UnpackChanges reads changes that came with a head.
	UnpackChanges(packed []byte) (domain.Page, error)
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
	// Most is how many entries of others are held in all; 0 is a million.
	Most int
}

// Browse is the room. Make one with New.
type Browse struct {
	cfg Config
	// slots hold one token for each pull that runs, and ofStrangers another for
	// those of people who are neither friends nor looked at.
	slots, ofStrangers chan struct{}

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
	coming   size        // what a pull that runs has brought
	opened   bool        // the user looked at it
	riding   domain.Head // the latest that came with changes
	again    bool        // something new was announced while pulling
	problem  domain.Saying
	settled  chan struct{} // closed when no pull is running or due
	told     *told         // what it answered to searches; nil for nothing
}

// New reads the catalogues of earlier runs, those of friends first, as far as
// there is room for them.
func New(cfg Config) (*Browse, error) {
	if cfg.Most <= 0 {
		cfg.Most = budget
	}
	b := &Browse{
		cfg: cfg, slots: make(chan struct{}, pulls), ofStrangers: make(chan struct{}, strangerPulls),
		peers: make(map[domain.PeerID]*peer),
	}
	ids, err := cfg.Store.Catalogues()
	if err != nil {
		return nil, fmt.Errorf("reading others' catalogues: %w", err)
	}
	slices.SortStableFunc(ids, func(one, other domain.PeerID) int { return cmp.Compare(b.rank(other), b.rank(one)) })
	for _, id := range ids {
		known, err := b.load(id)
		if err != nil {
			return nil, fmt.Errorf("reading the catalogue of %s: %w", id, err)
		}
		b.get(id).known = known
	}
	return b, nil
}

// load reads as much of a catalogue as there is room for.
func (b *Browse) load(id domain.PeerID) (*catalogue, error) {
	version, complete, err := b.cfg.Store.Catalogue(id)
	if err != nil {
		return nil, err
	}
	who, _ := b.cfg.People.Peer(id)
	var entries []domain.Entry
	var all size
	others := b.held(id)
	err = b.cfg.Store.Entries(id, func(e domain.Entry) error {
		all.add(e.Path)
		if b.over(who, all, others) != nil {
			return errFull
		}
		entries = append(entries, e)
		return nil
	})
	if errors.Is(err, errFull) {
		version, complete, err = domain.Version{}, false, nil
	}
	if err != nil {
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
	if head.Delta != "" {
		p.riding = head
	}
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

// Forget is told that peers are not known any more.
func (b *Browse) Forget(ids []domain.PeerID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		if p := b.peers[id]; p != nil && !p.pulling {
			delete(b.peers, id)
			event.Retract(b.cfg.Bus, event.Catalogues, string(id))
		}
	}
}

// Again pulls a peer's catalogue once more if it is not here in full or not as
// new as what was announced: after a pull that was given up.
func (b *Browse) Again(id domain.PeerID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.get(id)
	p.opened = true
	if !p.pulling && (!p.known.complete || p.head.Newer(p.known.version)) {
		b.pull(id, p)
	}
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
