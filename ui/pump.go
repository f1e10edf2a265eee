package ui

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/ui/words"
)

// beat is the shortest time between two changes of the window: eight a second
// are enough for the eye.
const beat = 125 * time.Millisecond

// model is what the events have told so far. It belongs to the pump.
type model struct {
	peers      map[string]domain.Peer
	shares     map[string]domain.Share
	transfers  map[string]domain.Transfer
	catalogues map[domain.PeerID]event.CatalogueState
	introduced map[string]domain.Introduction
	offers     map[string]domain.Offer
	networks   map[string]domain.Network
	status     domain.Status
}

// changes says what a batch of events was about.
type changes struct {
	peers, shares, transfers, status bool
	introduced, offers, networks     bool
	offered                          []domain.Offer    // that have just come
	news                             []domain.Transfer // what the user may want to be told of
	catalogues                       []domain.PeerID   // whose entries changed, or who came or went
}

func newModel() *model {
	return &model{
		peers:      make(map[string]domain.Peer),
		shares:     make(map[string]domain.Share),
		transfers:  make(map[string]domain.Transfer),
		catalogues: make(map[domain.PeerID]event.CatalogueState),
		introduced: make(map[string]domain.Introduction),
		offers:     make(map[string]domain.Offer),
		networks:   make(map[string]domain.Network),
	}
}

// apply takes in a batch of events.
func (m *model) apply(events []event.Event) (c changes) {
	for _, e := range events {
		if p, ok := event.As(event.Peers, e); ok {
			if before, known := m.peers[e.ID]; !known || e.Gone || before.Online != p.Online {
				c.catalogues = append(c.catalogues, p.ID)
			}
			keep(m.peers, e, p)
			c.peers = true
		} else if s, ok := event.As(event.Shares, e); ok {
			keep(m.shares, e, s)
			c.shares = true
		} else if t, ok := event.As(event.Transfers, e); ok {
			if before, known := m.transfers[e.ID]; known && !e.Gone && tells(before, t) {
				c.news = append(c.news, t)
			}
			keep(m.transfers, e, t)
			c.transfers = true
		} else if s, ok := event.As(event.Catalogues, e); ok {
			if e.Gone {
				delete(m.catalogues, s.Peer)
			} else {
				m.catalogues[s.Peer] = s
			}
			c.catalogues = append(c.catalogues, s.Peer)
		} else if i, ok := event.As(event.Introductions, e); ok {
			keep(m.introduced, e, i)
			c.introduced = true
		} else if o, ok := event.As(event.Offers, e); ok {
			if _, known := m.offers[e.ID]; !known && !e.Gone && o.Incoming && o.State == domain.OfferAsked {
				c.offered = append(c.offered, o)
			}
			keep(m.offers, e, o)
			c.offers = true
		} else if n, ok := event.As(event.Networks, e); ok {
			keep(m.networks, e, n)
			c.networks = true
		} else if s, ok := event.As(event.Statuses, e); ok && !e.Gone {
			m.status = s
			c.status = true
		}
	}
	return c
}

func keep[T any](in map[string]T, e event.Event, value T) {
	if e.Gone {
		delete(in, e.ID)
		return
	}
	in[e.ID] = value
}

// away tells who is away, and since when.
func (m *model) away() map[domain.PeerID]time.Time {
	away := make(map[domain.PeerID]time.Time)
	for _, p := range m.peers {
		if !p.Online {
			away[p.ID] = p.LastSeen
		}
	}
	return away
}

// pump brings what happens to the pages, off the UI thread: it puts rows into
// words there and swaps them in with one call each beat.
func (w *window) pump(ctx context.Context) {
	events := w.core.Bus.Subscribe()
	defer events.Close()
	m := newModel()
	for {
		batch, err := w.next(ctx, events)
		if err != nil {
			return
		}
		if show := w.prepare(m, m.apply(batch)); len(show) > 0 || len(batch) == 0 {
			w.do(func() {
				for _, f := range show {
					f()
				}
				w.transfers.Tick(time.Now())
				w.badges()
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(beat):
		}
	}
}

// next waits for news, and no longer than a second while the graphs of the
// transfers go on; then it returns none.
func (w *window) next(ctx context.Context, events *event.Subscription) ([]event.Event, error) {
	if !w.moving.Load() {
		return events.Next(ctx)
	}
	second, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	batch, err := events.Next(second)
	if err != nil && ctx.Err() == nil {
		return nil, nil
	}
	return batch, err
}

// prepare makes what has to run on the UI thread to show the changes.
func (w *window) prepare(m *model, c changes) (show []func()) {
	now := time.Now()
	if c.peers {
		blocked := len(w.core.People.Blocked())
		show = append(show, w.people.Prepare(slices.Collect(maps.Values(m.peers)), now), func() { w.people.SetBlocked(blocked) })
		around := slices.SortedFunc(maps.Values(m.peers), func(a, b domain.Peer) int { return strings.Compare(string(a.ID), string(b.ID)) })
		show = append(show, func() { w.friends.showFar(around) })
	}
	if c.introduced {
		all := maps.Clone(m.introduced)
		show = append(show, func() { w.friends.show(all) })
	}
	if c.offers || c.peers && len(m.offers) > 0 {
		all, people := maps.Clone(m.offers), m.people()
		show = append(show, func() { w.offers.show(all, people) })
	}
	if c.offers {
		show = append(show, func() { w.notify.offered(c.offered) })
	}
	if c.networks {
		all := maps.Clone(m.networks)
		show = append(show, func() { w.places.show(all) })
	}
	if c.peers {
		names := m.names()
		show = append(show, func() { w.library.SetNames(names) })
	}
	if c.shares || c.peers && m.chosen() {
		show = append(show, w.library.Prepare(slices.Collect(maps.Values(m.shares)), m.names()))
	}
	if c.transfers {
		all := slices.Collect(maps.Values(m.transfers))
		page, rows := w.transfers.Prepare(all, now), w.browse.PrepareTransfers(all)
		show = append(show, page, rows, func() {
			w.notify.add(c.news)
			w.stayAwake(slices.ContainsFunc(all, func(t domain.Transfer) bool { return t.State == domain.Running }))
		})
	}
	if len(c.catalogues) > 0 {
		states, away := maps.Clone(m.catalogues), m.away()
		show = append(show, func() { w.browse.Changed(states, away, c.catalogues) })
	}
	if c.status {
		status := m.status
		w.status.Store(&status)
		show = append(show, func() {
			w.settings.SetStatus(status)
			w.library.SetSelf(status.PeerID)
			w.network(status)
			w.watches(status)
			w.transfers.SetFree(status.Free)
			w.foot.setHidden(status.Hidden)
		})
	}
	return show
}

// stayAwake keeps the computer from falling asleep while something moves.
func (w *window) stayAwake(moving bool) {
	if moving {
		w.awake.Hold(words.T("Files are on their way"))
	} else {
		w.awake.Release()
	}
}

// chosen reports whether something is shared with people chosen one by one, who
// are then named.
func (m *model) chosen() bool {
	for _, s := range m.shares {
		if s.Audience.Kind == domain.Chosen {
			return true
		}
	}
	return false
}

// people returns those who are known, by ID.
func (m *model) people() map[domain.PeerID]domain.Peer {
	people := make(map[domain.PeerID]domain.Peer, len(m.peers))
	for _, p := range m.peers {
		people[p.ID] = p
	}
	return people
}

// names returns what the people are called that are known.
func (m *model) names() map[domain.PeerID]string {
	names := make(map[domain.PeerID]string, len(m.peers))
	for _, p := range m.peers {
		names[p.ID] = p.Name
	}
	return names
}

// badges brings the counts in the sidebar up to date.
func (w *window) badges() {
	w.moving.Store(w.transfers.Moving())
	down, up := w.transfers.Running()
	w.nav[pageTransfers].SetBadge(down+up, false)
	w.nav[pagePeople].SetBadge(w.friends.waiting()+w.offers.waiting(), false)
	w.nav[pageShares].SetBadge(w.library.Problems(), true)
	w.tray.update()
}
