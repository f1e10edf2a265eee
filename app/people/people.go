// Package people knows who is around: it joins what the connections, the
// announcements and the memory of earlier runs say of each peer, and publishes
// one domain.Peer for each. It makes friends: two people ask each other by the
// network, compare words or pass an invitation on, and are friends once both
// have confirmed.
//
// All methods may be called from any goroutine. Those that take a context wait
// for the network or the disk, the others do not.
package people

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

const (
	// headFresh is how long a peer that is heard of only through heads counts
	// as around: two of the intervals at which heads are repeated, and a bit.
	headFresh = 25 * time.Minute
	// remember is how long somebody who is not a friend is kept in mind.
	remember = 30 * 24 * time.Hour
	// farAfter is how long a peer may say that we are not near before that is
	// shown: it may only just be hearing of us.
	farAfter = 10 * time.Second
	// saveEvery merges writes of what is remembered.
	saveEvery = 2 * time.Second
)

// Store keeps people over restarts.
type Store interface {
	PutPerson(ctx context.Context, p domain.Person) error
	People() ([]domain.Person, error)
	DropPeople(ctx context.Context, ids []domain.PeerID) error
}

// Network reaches peers.
type Network interface {
	Connect(ctx context.Context, address string) (domain.PeerID, error)
	// Visit connects to a peer at the addresses of an invitation that the user
	// has accepted.
	Visit(ctx context.Context, id domain.PeerID, addresses []string) error
	Sighted(s domain.Sighting)
	// Addresses are this machine's own, the best first.
	Addresses() []string
}

// Config is what People needs.
type Config struct {
	Store   Store
	Network Network
	Bus     *event.Bus
	Log     *slog.Logger
	Now     func() time.Time
	// Self is this machine's own ID, Name the nickname of its user.
	Self domain.PeerID
	Name func() string
	// Friends is how two people ask each other to be friends.
	Friends FriendNetwork
	// Changed is called after friends or blocked peers, or what the user calls
	// them, have changed. It must not block. Nil: nobody needs to know.
	Changed func()
	// Forgotten is told who is not known any more, after the store. Nil: nobody
	// needs to know.
	Forgotten func(ids []domain.PeerID)
	// Hidden reports whether this machine is hidden from others and so keeps no
	// connections: whoever is heard counts as around then. Nil: never. After a
	// change call Again.
	Hidden func() bool
}

// person is all that is known of one peer.
type person struct {
	domain.Person
	connected bool
	near      bool
	typed     bool // an address of it was typed here
	met       bool // it was near, a friend or typed at some time
	farSince  time.Time
	farTold   bool // that it does not count us as near was published
	hello     domain.Hello
	head      domain.Head
	headAt    time.Time // when the head left its owner
	dropped   time.Time // when the last connection ended
	intro     *introduction
	removed   *domain.Person // what a friend was that the user has removed
	due       bool           // the peer is to be told that the user has confirmed it
	telling   bool           // it is being told
	untold    bool           // that did not work
}

// People is the room. Make one with New.
type People struct {
	cfg Config

	mu    sync.Mutex
	known map[domain.PeerID]*person
	heard map[domain.PeerID]bool // by the discovery at this moment
	dirty map[domain.PeerID]bool
	// forgotten are still in the store.
	forgotten []domain.PeerID
	// bearers are the friends that bear a name, by its names.Alike.
	bearers map[string]domain.PeerID
	tokens  []token // of the open invitations, oldest first

	putting sync.Mutex // taken before mu

	tells chan struct{} // somebody is due
	save  chan struct{}
	stop  context.CancelFunc
	done  sync.WaitGroup
}

// New reads who is remembered.
func New(cfg Config) (*People, error) {
	p := &People{
		cfg:   cfg,
		known: make(map[domain.PeerID]*person),
		heard: make(map[domain.PeerID]bool),
		dirty: make(map[domain.PeerID]bool),
		tells: make(chan struct{}, 1),
		save:  make(chan struct{}, 1),
	}
	remembered, err := cfg.Store.People()
	if err != nil {
		return nil, fmt.Errorf("reading who is remembered: %w", err)
	}
	for _, r := range remembered {
		if lasting(r) || cfg.Now().Sub(r.LastSeen) < remember {
			p.known[r.ID] = &person{Person: r, met: true}
		} else {
			p.forgotten = append(p.forgotten, r.ID)
		}
	}
	p.makeRoom()
	if len(p.forgotten) > 0 {
		p.saveSoon()
	}
	p.nameFriends()
	return p, nil
}

// Start publishes everybody, tells the network where they were last, and keeps
// what changes until Close.
func (p *People) Start(ctx context.Context) {
	ctx, p.stop = context.WithCancel(ctx)
	p.mu.Lock()
	var last []domain.Sighting
	for id, who := range p.known {
		p.publish(id, who)
		if len(who.Addresses) > 0 && !who.Blocked {
			last = append(last, p.lastSeenAt(who))
		}
	}
	p.mu.Unlock()
	for _, s := range last {
		p.cfg.Network.Sighted(s)
	}
	p.done.Go(func() { p.keep(ctx) })
}

// lastSeenAt is where the peer was last.
func (p *People) lastSeenAt(who *person) domain.Sighting {
	now := p.cfg.Now()
	return domain.Sighting{
		Peer: who.ID, Addresses: slices.Clone(who.Addresses), Source: domain.SourceRemembered,
		At: now, Expires: now.Add(remember),
	}
}

// Close writes what is not yet kept and waits.
func (p *People) Close() error {
	if p.stop != nil {
		p.stop()
	}
	p.done.Wait()
	return nil
}

// keep writes changed people, merged, until ctx ends.
func (p *People) keep(ctx context.Context) {
	stale := time.NewTicker(time.Minute)
	defer stale.Stop()
	far := time.NewTicker(farAfter / 4)
	defer far.Stop()
	var saving <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			p.flush(context.WithoutCancel(ctx))
			return
		case <-p.save:
			if saving == nil {
				saving = time.After(saveEvery)
			}
		case <-saving:
			saving = nil
			p.flush(context.WithoutCancel(ctx))
		case <-p.tells:
			p.tellDue(ctx)
		case <-stale.C:
			p.refresh()
			p.tellAgain()
		case <-far.C:
			p.tellFar()
			p.review()
		}
	}
}

func (p *People) flush(ctx context.Context) {
	p.mu.Lock()
	changed := slices.Collect(maps.Keys(p.dirty))
	clear(p.dirty)
	p.mu.Unlock()
	p.drop(ctx)
	for _, id := range changed {
		if err := p.put(ctx, id); err != nil {
			p.cfg.Log.Warn("could not remember a person", "peer", id, "err", err)
		}
	}
}

// put stores what is remembered of a peer. What is stored later is newer.
func (p *People) put(ctx context.Context, id domain.PeerID) error {
	p.putting.Lock()
	defer p.putting.Unlock()
	p.mu.Lock()
	who := p.known[id]
	if who == nil {
		p.mu.Unlock()
		return nil
	}
	person := who.Person
	person.Addresses = slices.Clone(person.Addresses)
	p.mu.Unlock()
	return p.cfg.Store.PutPerson(ctx, person)
}

// refresh publishes who went stale by the passing of time.
func (p *People) refresh() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, who := range p.known {
		if !who.present() && !who.headAt.IsZero() {
			p.publish(id, who)
		}
	}
}

// tellFar publishes those who have not counted us as near for a while.
func (p *People) tellFar() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, who := range p.known {
		if !who.farTold && p.far(who) {
			who.farTold = true
			p.publish(id, who)
		}
	}
}

// far reports whether the peer has not counted us as near for a while. Friends
// need not be near.
func (p *People) far(who *person) bool {
	return !who.Friend && !who.farSince.IsZero() && p.cfg.Now().Sub(who.farSince) >= farAfter
}

func (p *People) get(id domain.PeerID) *person {
	who := p.known[id]
	if who == nil {
		p.makeRoom()
		who = &person{Person: domain.Person{ID: id}}
		p.known[id] = who
	}
	return who
}

// Presence takes what the host says of a connection.
func (p *People) Presence(now domain.Presence) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.get(now.Peer)
	if who.connected && !now.Connected {
		who.dropped = p.cfg.Now()
	}
	before := who.present()
	who.connected, who.near = now.Connected, now.Near
	if now.Connected {
		who.hello = now.Hello
		if len(now.Addresses) > 0 {
			who.Addresses = slices.Clone(now.Addresses)
		}
		p.calledItself(who, now.Hello.Name)
	}
	if before || who.present() {
		who.LastSeen = p.cfg.Now()
	}
	who.met = who.met || who.near || who.Friend || who.typed
	switch saysFar := now.Connected && now.Hello != (domain.Hello{}) && !now.Hello.Near; {
	case !saysFar:
		who.farSince, who.farTold = time.Time{}, false
	case who.farSince.IsZero():
		who.farSince = p.cfg.Now()
	}
	if who.met {
		p.changed(now.Peer)
	}
	p.publish(now.Peer, who)
	if !before && who.present() {
		p.tellConfirmed(who)
	}
	p.tidy(who)
}

// tidy forgets a stranger that came and went. The lock is held.
func (p *People) tidy(who *person) {
	if !who.connected && !who.visible() && !who.Blocked && !who.Confirmed && who.intro == nil && who.removed == nil {
		delete(p.known, who.ID)
	}
}

// Head takes a verified announcement that left its owner at a time, which may
// be before the peer went away. What blocked peers say is not heard.
func (p *People) Head(head domain.Head, heard time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.get(head.Peer)
	if who.Blocked {
		return
	}
	who.head, who.headAt = head, heard
	if who.LastSeen.Before(who.headAt) {
		who.LastSeen = who.headAt
	}
	p.calledItself(who, head.Name)
	p.changed(head.Peer)
	p.publish(head.Peer, who)
}

// Heard takes whether a peer is heard on the local networks at this moment.
func (p *People) Heard(id domain.PeerID, heard bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.heard[id] == heard {
		return
	}
	if heard {
		p.heard[id] = true
	} else {
		delete(p.heard, id)
	}
	if who := p.known[id]; who != nil && p.hidden() {
		p.publish(id, who)
	}
}

// Again publishes everybody anew.
func (p *People) Again() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.publishAll()
}

func (p *People) publishAll() {
	for id, who := range p.known {
		p.publish(id, who)
	}
}

func (p *People) hidden() bool { return p.cfg.Hidden != nil && p.cfg.Hidden() }

// Gone takes a goodbye: heads heard before it do not count any more.
func (p *People) Gone(id domain.PeerID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.known[id]
	if !ok {
		return
	}
	who.dropped = p.cfg.Now()
	p.publish(id, who)
}

func (p *People) changed(id domain.PeerID) {
	p.dirty[id] = true
	p.saveSoon()
}

func (p *People) saveSoon() {
	select {
	case p.save <- struct{}{}:
	default:
	}
}

// Welcome reports whether the peer is known not to refuse us: it counts us as
// near, or is a friend, or has not said otherwise.
func (p *People) Welcome(id domain.PeerID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.known[id]
	return !ok || who.Friend || who.farSince.IsZero()
}

// Connect reaches a typed address and waits for the peer's hello, for up to
// 5 s, and a little for it to count us as near. The result tells whether either
// side does not count the other as near.
func (p *People) Connect(ctx context.Context, address string) (domain.Peer, error) {
	id, err := p.cfg.Network.Connect(ctx, address)
	if err != nil {
		return domain.Peer{}, err
	}
	welcome, cancelWelcome := context.WithTimeout(ctx, 1500*time.Millisecond)
	defer cancelWelcome()
	greeting, cancelGreeting := context.WithTimeout(ctx, 5*time.Second)
	defer cancelGreeting()
	for {
		p.mu.Lock()
		who := p.get(id)
		who.typed, who.met = true, true
		peer, greeted := p.describe(id, who), who.hello != (domain.Hello{})
		peer.FarForThem = !who.Friend && !who.farSince.IsZero()
		if greeted && (!peer.FarForThem || welcome.Err() != nil) || greeting.Err() != nil {
			p.changed(id)
			p.publish(id, who)
			p.mu.Unlock()
			return peer, ctx.Err()
		}
		p.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}
