package app

import (
	"cmp"
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/potluck-share/potluck/app/browse"
	"github.com/potluck-share/potluck/app/control"
	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/library"
	"github.com/potluck-share/potluck/app/people"
	"github.com/potluck-share/potluck/app/transfers"
	"github.com/potluck-share/potluck/app/transfers/offers"
	"github.com/potluck-share/potluck/net/catalogue"
	"github.com/potluck-share/potluck/net/discovery"
	"github.com/potluck-share/potluck/net/friend"
	"github.com/potluck-share/potluck/net/gossip"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/offer"
	"github.com/potluck-share/potluck/net/reach"
	"github.com/potluck-share/potluck/net/transfer"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/net/transfer/limit"
	"github.com/potluck-share/potluck/net/transfer/provide"
	"github.com/potluck-share/potluck/net/whereabouts"
	"github.com/potluck-share/potluck/storage/db"
)

// surroundings lets the host ask the discovery, which starts after it because
// it announces the host's ports.
type surroundings struct {
	service atomic.Pointer[discovery.Service]
	alone   bool // there will be no discovery
}

func (s *surroundings) Prefixes() []netip.Prefix {
	if d := s.service.Load(); d != nil {
		return d.Prefixes()
	}
	if s.alone {
		return nil
	}
	return discovery.Prefixes() // it begins in a moment
}

func (s *surroundings) Heard(peer domain.PeerID) (network string, ok bool) {
	if d := s.service.Load(); d != nil {
		return d.Heard(peer)
	}
	return "", false
}

func (s *surroundings) Ask() {
	if d := s.service.Load(); d != nil {
		d.Ask()
	}
}

// networkUp reports whether any network is usable; this machine alone is enough
// for a host that listens to nobody else.
func (n *node) networkUp() bool {
	if n.opts.loopbackOnly() {
		return true
	}
	d := n.around.service.Load()
	if d == nil {
		return false
	}
	_, up := d.Network()
	return up
}

// openHost makes the host, which is silent until start.
func (n *node) openHost(ctx context.Context, identity host.Identity) error {
	chosen := n.settings.Values()
	nearby, err := prefixes(chosen.Nearby)
	if err != nil {
		return err
	}
	if len(n.opts.listen) == 0 {
		n.port = cmp.Or(chosen.Port, host.DefaultPort)
	}
	n.host, err = host.New(ctx, host.Config{
		Identity: identity, Listen: n.opts.listen, Port: n.port, Nearby: nearby, Surroundings: &n.around,
		Hello: func(domain.PeerID) domain.Hello {
			return domain.Hello{Name: n.settings.Values().Name, Version: Version}
		},
		Friend:   func(id domain.PeerID) bool { return n.people.Friend(id) },
		Blocked:  func(id domain.PeerID) bool { return n.people.IsBlocked(id) },
		Hidden:   n.hidden.Load,
		Shown:    n.places.Shown,
		Fetching: n.fetching,
		Presence: n.presence,
		Log:      n.log.With("room", "host"), Now: time.Now,
	})
	if err != nil {
		return err
	}
	n.onClose("host", n.host.Close)
	return nil
}

// openRooms opens the use cases, which do nothing until start.
func (n *node) openRooms(store *db.DB) (err error) {
	n.people, err = people.New(people.Config{
		Store: store, Network: n.host, Bus: n.bus, Log: n.log.With("room", "people"), Now: time.Now,
		Self: n.host.ID(), Name: func() string { return n.settings.Values().Name },
		Friends: asking{n}, Changed: n.trustChanged, Hidden: n.hidden.Load,
		Forgotten: func(ids []domain.PeerID) { n.browse.Forget(ids) },
	})
	if err != nil {
		return err
	}
	own := []string{n.opts.data}
	if socket, err := control.SocketPath(n.opts.data); err == nil {
		own = append(own, socket)
	}
	n.holdings = transfers.NewHoldings(func(id domain.PeerID) (string, bool) {
		asker := n.host.AskerFor(id)
		return asker.Network, asker.Near
	}, time.Now)
	n.library, err = library.New(library.Config{
		Store: store, Rights: []library.Right{n.holdings}, Bus: n.bus, Log: n.log.With("room", "library"), Own: own, Now: time.Now, Skip: n.settings.Values().Skip,
		Changed: n.announce, Blocked: n.people.IsBlocked, Hidden: n.hidden.Load, Reserved: n.places.Reserved,
	})
	if err != nil {
		return err
	}
	n.catalogues, err = catalogue.NewClient(n.host, catalogue.Config{Log: n.log.With("room", "catalogue")})
	if err != nil {
		return err
	}
	n.browse, err = browse.New(browse.Config{
		Store: store, Puller: n.catalogues, Crowd: crowd{n}, People: n.people, Bus: n.bus, Log: n.log.With("room", "browse"),
		Have:    n.have,
		Changed: func(domain.PeerID) { n.transfers.ProvidersChanged() },
	})
	if err != nil {
		return err
	}
	chosen := n.settings.Values()
	n.limits = limit.New()
	n.pace = &pace{now: time.Now, values: n.settings.Values, set: n.limits.Set}
	n.pace.apply()
	n.provider = provide.New(provide.Config{
		Source: shelf{n.library, n.holdings}, Log: n.log.With("room", "provide"),
		Uploads:   n.uploaded,
		Addresses: n.host.AddressesOf,
		Among:     n.library.Among,
		Friend:    n.people.Friend,
		Grant:     transfer.Granter(n.host, time.Now),
		Shown:     transfer.Shown(n.log.With("room", "provide"), time.Now, n.holdings.Granted),
	})
	n.provider.SetSlots(chosen.UploadsAtOnce, chosen.UploadsPerPerson)
	n.fetcher = fetch.New(fetch.Config{
		Open: transfer.Dialer{Host: n.host, Limits: n.limits}, Self: n.host.ID(), Told: n.told, Nearby: n.holdings.Said, Coming: n.provider.Coming,
		Hidden: n.hidden.Load, Log: n.log.With("room", "fetch"),
	})
	n.onClose("fetching", n.fetcher.Close)
	n.transfers, err = transfers.New(transfers.Config{
		Engine:    &engine{fetcher: n.fetcher, provider: n.provider, holdings: n.holdings, own: ownContents{n}, looks: make(chan struct{}, looksAtOnce)},
		Catalogue: n.browse, People: n.people, Store: store,
		Bus: n.bus, Log: n.log.With("room", "transfers"), Now: time.Now,
		Downloads: func() string { return n.settings.Values().Downloads },
		Network:   n.networkUp,
		Shared:    n.served,
		Own:       func(id domain.ContentID) bool { _, has := n.library.Entry(id); return has },
		Offered:   func(id string) bool { return n.offers.Open(id) },
		AtOnce:    chosen.DownloadsAtOnce,
		Hidden:    n.hidden.Load,
	})
	if err != nil {
		return err
	}
	n.offers, err = offers.New(offers.Config{
		Network: giving{n}, Library: n.library, Downloads: n.transfers, People: n.people, Store: store,
		Bus: n.bus, Log: n.log.With("room", "offers"), Now: time.Now,
	})
	return err
}

// openProtocols lets the host serve what near peers may ask for.
func (n *node) openProtocols(ctx context.Context, store *db.DB) error {
	transfer.Serve(n.host, n.provider, n.limits) //nolint:contextcheck // streams live until Close, not until the start is over
	n.onClose("providing", func() error { n.provider.Close(); return nil })

	if err := catalogue.Serve(n.host, n.library, n.log.With("room", "catalogue")); err != nil {
		return err
	}

	friends := friend.New(n.host, friend.Config{
		Handler: n.people, Name: func() string { return n.settings.Values().Name },
		Log: n.log.With("room", "friends"), Now: time.Now,
	})
	n.onClose("friends", friends.Close)
	n.friends = friends
	n.teller = whereabouts.New(n.host, whereabouts.Config{Self: n.host.ID(), Friends: n.friendIDs})
	n.onClose("whereabouts", n.teller.Close)
	n.grapes = n.startGrapevine() //nolint:contextcheck // it lives until it is closed
	n.onClose("grapevine", n.grapes.close)
	n.reacher = reach.New(n.host)
	n.onClose("tries", n.reacher.Close)
	n.openDoctor()
	n.giving = offer.New(n.host, offer.Config{Handler: n.offers, Log: n.log.With("room", "offers")})
	n.onClose("offers on the network", n.giving.Close)

	remembered, err := store.Heads()
	if err != nil {
		return err
	}
	known := make([][]byte, 0, len(remembered))
	for _, head := range remembered {
		known = append(known, head.Signed)
	}
	n.heads = newHeadKeeper(store, n.log.With("room", "gossip"))
	n.gossip, err = gossip.New(ctx, gossip.Config{
		Host: n.host, Own: n.library.Head, Delta: n.delta, Name: func() string { return n.settings.Values().Name },
		Heard:       n.heard,
		Vouched:     n.vouched,
		TwoNetworks: n.crowds.several,
		Hidden:      n.hidden.Load,
		Reserved:    n.places.Reserved,
		Head:        n.head, Behind: n.heads.behind, Known: known,
		Answer: crowd{n}.answer,
		Log:    n.log.With("room", "gossip"), Now: time.Now,
	})
	if err != nil {
		return err
	}
	n.heads.start(n.gossip)
	n.onClose("heads", n.heads.close)
	n.onClose("gossip", n.gossip.Close)
	return nil
}

// start wakes everything, use cases first, so that nothing arrives that nobody
// takes.
func (n *node) start(ctx context.Context) error {
	n.backups = startBackup(backupPath(n.opts.data), n.toBackUp, n.log) //nolint:contextcheck // it lives until it is closed
	n.onClose("backup", n.backups.close)
	n.library.Start(ctx)
	n.onClose("library", n.library.Close)
	n.browse.Start(ctx)
	n.onClose("browse", n.browse.Close)
	n.transfers.Start(ctx)
	n.onClose("transfers", n.transfers.Close)
	n.offers.Start(ctx)
	n.onClose("offers", n.offers.Close)
	if err := n.host.Listen(); err != nil {
		return err
	}
	if err := n.discover(ctx); err != nil {
		return err
	}
	n.people.Start(ctx)
	n.onClose("people", n.people.Close)
	n.settings.OnChange(func(v domain.Settings) {
		n.vanish(v.Hidden)
		if nearby, err := prefixes(v.Nearby); err == nil { // they were checked
			n.host.SetNearby(nearby)
		}
		n.announce()
		n.transfers.AtOnce(v.DownloadsAtOnce)
		n.provider.SetSlots(v.UploadsAtOnce, v.UploadsPerPerson)
		n.library.SetSkip(v.Skip)
		n.pace.apply()
	})
	n.onClose("slow hours", n.pace.start(ctx))
	return nil
}

// discover begins to look for others on the local networks, unless this host
// listens to its own machine only: then nobody there could come.
func (n *node) discover(ctx context.Context) error {
	if n.opts.loopbackOnly() {
		return nil
	}
	tcp, udp := n.host.Ports()
	service, err := discovery.Start(ctx, discovery.Config{
		Peer: n.host.ID(), TCP: func() int { return tcp }, UDP: func() int { return udp },
		Sighted: n.sighted, Changed: n.networkChanged, Renamed: n.places.Renamed, Hidden: n.hidden.Load(),
		Log: n.log.With("room", "discovery"), Now: time.Now,
	})
	if err != nil {
		return err
	}
	n.around.service.Store(service)
	n.places.Look(ctx)
	n.onClose("discovery", service.Close)
	return nil
}

// presence takes what the host says of a connection.
func (n *node) presence(p domain.Presence) {
	n.crowds.note(p)
	n.people.Presence(p)
	n.grapes.presence(p)
	if p.Connected && p.Hello.Near {
		n.browse.Welcomed(p.Peer)
	}
	n.transfers.ProvidersChanged()
}

// toldFor is how long an address is good for that a third one told.
const toldFor = time.Hour

// told takes where somebody is said to be who holds what we fetch.
func (n *node) told(peer domain.PeerID, addresses []string) {
	now := time.Now()
	n.host.Sighted(domain.Sighting{
		Peer: peer, Addresses: addresses, Source: domain.SourceTold, At: now, Expires: now.Add(toldFor),
	})
}

// served returns the entry of a content that is served from here.
func (n *node) served(id domain.ContentID) (domain.Entry, bool) {
	if entry, ok := n.library.Entry(id); ok {
		return entry, true
	}
	return n.holdings.Entry(id)
}

// uploaded takes what was sent to a peer. Who only looks at something has not
// fetched it.
func (n *node) uploaded(u provide.Upload) {
	if u.Look {
		return
	}
	if offer := n.library.OfferOf(u.Peer, u.Content); offer != "" {
		n.offers.Sent(offer, u.Sent)
		return
	}
	n.transfers.Uploaded(u.Peer, u.Content, u.Sent)
	who, _ := n.people.Peer(u.Peer)
	n.library.Sent(n.host.AskerFor(u.Peer), who.Name, u.Content, u.Sent)
}

// head takes a verified announcement that left its owner at a time. What blocked
// peers share is not of interest.
func (n *node) head(h domain.Head, heard time.Time) {
	if n.people.IsBlocked(h.Peer) {
		return
	}
	n.people.Head(h, heard)
	n.browse.Head(h)
	n.heads.put(h.Peer)
}

// delta returns what has changed for everyone nearby since a version, in at most so
// many bytes, and the version to which that leads; nothing if it is more.
func (n *node) delta(since domain.Version, most int) (packed []byte, to domain.Version) {
	page, err := n.library.Page(context.Background(), gossip.Everyone, since, "")
	if err != nil || page.Full || page.Next != "" {
		return nil, domain.Version{}
	}
	if packed = n.catalogues.PackChanges(page, most); packed == nil {
		return nil, domain.Version{}
	}
	return packed, page.Version
}

// sighted takes what the discovery hears.
func (n *node) sighted(s domain.Sighting) {
	gone := n.sightings.gone(s)
	n.people.Heard(s.Peer, !gone)
	if gone {
		n.people.Gone(s.Peer)
	}
	n.host.Sighted(s)
	n.host.Rejudge()
}

// networkChanged is told when addresses or the network have changed.
func (n *node) networkChanged() {
	if n.around.service.Load() != nil {
		n.places.Look(context.Background())
	}
	n.host.Rejudge()
	n.transfers.ProvidersChanged()
}

// heard is whether the author of a head counts as near: by our own hearing, or
// by the owner's word on its connection.
func (n *node) heard(peer domain.PeerID) bool {
	if _, ok := n.around.Heard(peer); ok {
		return true
	}
	return n.host.Near(peer)
}

// vouched is whether the peer is near by the owner's word alone.
func (n *node) vouched(peer domain.PeerID) bool {
	asker := n.host.AskerFor(peer)
	return asker.Near && asker.Network == ""
}

// announce tells everybody that what is offered here has changed.
func (n *node) announce() {
	n.backUp()
	if n.gossip != nil {
		n.gossip.Announce()
	}
}

// sightings knows on which interfaces peers are heard. It is used by the
// discovery's goroutine alone.
type sightings map[domain.PeerID]map[string]bool

// gone takes a sighting and reports whether the peer is heard nowhere any more.
func (all sightings) gone(s domain.Sighting) bool {
	if !s.Gone {
		if all[s.Peer] == nil {
			all[s.Peer] = make(map[string]bool)
		}
		all[s.Peer][s.Interface] = true
		return false
	}
	delete(all[s.Peer], s.Interface)
	if len(all[s.Peer]) > 0 {
		return false
	}
	delete(all, s.Peer)
	return true
}

// crowds counts the networks on which near peers are connected.
type crowds struct {
	mu   sync.Mutex
	near map[domain.PeerID]string
}

func (n *crowds) note(p domain.Presence) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !p.Connected || !p.Near {
		delete(n.near, p.Peer)
		return
	}
	if n.near == nil {
		n.near = make(map[domain.PeerID]string)
	}
	n.near[p.Peer] = p.Network
}

// several reports whether there are near peers on more than one network.
func (n *crowds) several() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	seen := make(map[string]bool)
	for _, network := range n.near {
		seen[network] = true
	}
	return len(seen) > 1
}
