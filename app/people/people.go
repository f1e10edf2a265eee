// Package people knows who is around: it joins what the connections, the
// announcements and the memory of earlier runs say of each peer, and publishes
// one domain.Peer for each.
//
// All methods may be called from any goroutine, and none blocks on the network
// except Connect.
package people

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/storage/names"
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
}

// Network reaches peers.
type Network interface {
	Connect(ctx context.Context, address string) (domain.PeerID, error)
	Sighted(s domain.Sighting)
}

// Config is what People needs.
type Config struct {
	Store   Store
	Network Network
	Bus     *event.Bus
	Log     *slog.Logger
	Now     func() time.Time
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
	headAt    time.Time // when the head came
	dropped   time.Time // when the last connection ended
}

// People is the room. Make one with New.
type People struct {
	cfg Config

	mu    sync.Mutex
	known map[domain.PeerID]*person
	heard map[domain.PeerID]bool // by the discovery at this moment
	dirty map[domain.PeerID]bool

	save chan struct{}
	stop context.CancelFunc
	done sync.WaitGroup
}

// New reads who is remembered.
func New(cfg Config) (*People, error) {
	p := &People{
		cfg:   cfg,
		known: make(map[domain.PeerID]*person),
		heard: make(map[domain.PeerID]bool),
		dirty: make(map[domain.PeerID]bool),
		save:  make(chan struct{}, 1),
	}
	remembered, err := cfg.Store.People()
	if err != nil {
		return nil, fmt.Errorf("reading who is remembered: %w", err)
	}
	for _, r := range remembered {
		if r.Friend || r.Blocked || cfg.Now().Sub(r.LastSeen) < remember {
			p.known[r.ID] = &person{Person: r, met: true}
		}
	}
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
			last = append(last, domain.Sighting{
				Peer: id, Addresses: who.Addresses, Source: domain.SourceRemembered,
				At: p.cfg.Now(), Expires: p.cfg.Now().Add(remember),
			})
		}
	}
	p.mu.Unlock()
	for _, s := range last {
		p.cfg.Network.Sighted(s)
	}
	p.done.Go(func() { p.keep(ctx) })
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
	for {
		select {
		case <-ctx.Done():
			p.flush(context.WithoutCancel(ctx))
			return
		case <-p.save:
			select {
			case <-ctx.Done():
			case <-time.After(saveEvery):
			}
			p.flush(context.WithoutCancel(ctx))
		case <-stale.C:
			p.refresh()
		case <-far.C:
			p.tellFar()
		}
	}
}

func (p *People) flush(ctx context.Context) {
	p.mu.Lock()
	changed := make([]domain.Person, 0, len(p.dirty))
	for id := range p.dirty {
		if who := p.known[id]; who != nil {
			changed = append(changed, who.Person)
		}
	}
	clear(p.dirty)
	p.mu.Unlock()
	for _, person := range changed {
		if err := p.cfg.Store.PutPerson(ctx, person); err != nil {
			p.cfg.Log.Warn("could not remember a person", "peer", person.ID, "err", err)
		}
	}
}

// refresh publishes who went stale by the passing of time.
func (p *People) refresh() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, who := range p.known {
		if !who.connected && !who.headAt.IsZero() {
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

// far reports whether the peer has not counted us as near for a while.
func (p *People) far(who *person) bool {
	return !who.farSince.IsZero() && p.cfg.Now().Sub(who.farSince) >= farAfter
}

func (p *People) get(id domain.PeerID) *person {
	who := p.known[id]
	if who == nil {
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
	if who.connected || now.Connected {
		who.LastSeen = p.cfg.Now()
	}
	who.connected, who.near = now.Connected, now.Near
	if now.Connected {
		who.hello = now.Hello
		if len(now.Addresses) > 0 {
			who.Addresses = slices.Clone(now.Addresses)
		}
		if name := names.Nickname(now.Hello.Name); name != "" {
			who.Name = name
		}
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
	if !now.Connected && !who.visible() && !who.Blocked {
		delete(p.known, now.Peer) // a stranger that came and went
	}
}

// Head takes a verified announcement.
func (p *People) Head(head domain.Head) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.get(head.Peer)
	who.head, who.headAt = head, p.cfg.Now()
	if who.LastSeen.Before(who.headAt) {
		who.LastSeen = who.headAt
	}
	if name := names.Nickname(head.Name); name != "" {
		who.Name = name
	}
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
	select {
	case p.save <- struct{}{}:
	default:
	}
}

// visible is whether the user is shown the person: not the strangers that
// merely connected.
func (who *person) visible() bool {
	return who.near || who.Friend || who.typed || !who.headAt.IsZero() || who.met && who.Name != ""
}

func (p *People) publish(id domain.PeerID, who *person) {
	if !who.visible() {
		event.Retract(p.cfg.Bus, event.Peers, string(id))
		return
	}
	event.Publish(p.cfg.Bus, event.Peers, string(id), p.describe(id, who))
}

func (p *People) describe(id domain.PeerID, who *person) domain.Peer {
	now := p.cfg.Now()
	byEar := p.heard[id] && p.hidden()
	byHead := !who.headAt.IsZero() && now.Sub(who.headAt) < headFresh && who.headAt.After(who.dropped)
	peer := domain.Peer{
		ID: id, Name: who.Name, Version: who.hello.Version,
		Friend: who.Friend, Near: who.near || byEar, Online: who.connected || byHead || byEar,
		LastSeen: who.LastSeen, Addresses: slices.Clone(who.Addresses),
		Entries: who.head.Entries, Bytes: who.head.Bytes,
	}
	if peer.Name == "" {
		peer.Name = "somebody " + id.Short()
	}
	if who.connected || byEar {
		peer.LastSeen = now
	}
	if who.connected {
		peer.FarForThem = p.far(who)
	}
	return peer
}

// People returns everybody who is or was around: those online first, then by
// name.
func (p *People) People() []domain.Peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []domain.Peer
	for id, who := range p.known {
		if who.visible() && !who.Blocked {
			all = append(all, p.describe(id, who))
		}
	}
	slices.SortFunc(all, func(a, b domain.Peer) int {
		if a.Online != b.Online {
			if a.Online {
				return -1
			}
			return 1
		}
		if c := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); c != 0 {
			return c
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	return all
}

// Peer returns what is known of one peer.
func (p *People) Peer(id domain.PeerID) (domain.Peer, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.known[id]
	if !ok {
		return domain.Peer{ID: id}, false
	}
	return p.describe(id, who), true
}

// Welcome reports whether the peer is known not to refuse us: it counts us as
// near, or has not said otherwise.
func (p *People) Welcome(id domain.PeerID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.known[id]
	return !ok || who.farSince.IsZero()
}

// Friend reports whether the user has confirmed the peer.
func (p *People) Friend(id domain.PeerID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.known[id]
	return ok && who.Friend
}

// Blocked reports whether the user wants nothing to do with the peer.
func (p *People) Blocked(id domain.PeerID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.known[id]
	return ok && who.Blocked
}

// Find returns the peer that text names: a nickname where it is unique, a peer
// ID, or an unambiguous beginning or end of one. The error is
// domain.ErrNotFound or, for an ambiguous one, domain.ErrUsage.
func (p *People) Find(text string) (domain.Peer, error) {
	all := p.People()
	var named, begun []domain.Peer
	for _, peer := range all {
		switch {
		case string(peer.ID) == text:
			return peer, nil
		case strings.EqualFold(peer.Name, text):
			named = append(named, peer)
		case len(text) >= 4 && (strings.HasPrefix(string(peer.ID), text) || strings.HasSuffix(string(peer.ID), text)):
			begun = append(begun, peer)
		}
	}
	// A name may look like the beginning of somebody else's ID.
	switch found := append(named, begun...); len(found) {
	case 0:
	case 1:
		return found[0], nil
	default:
		ids := make([]string, len(found))
		for i, peer := range found {
			ids[i] = peer.Name + " (" + string(peer.ID) + ")"
		}
		return domain.Peer{}, domain.Fault(domain.ErrUsage, "\"%s\" could be %s; give the peer ID", text, strings.Join(ids, " or "))
	}
	return domain.Peer{}, domain.Fault(domain.ErrNotFound, "nobody around is called \"%s\"; see: potluck peers", text)
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
		peer.FarForThem = !who.farSince.IsZero()
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
