package transfers

import (
	"cmp"
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// mostNamed is how many providers Transfer.From names.
const mostNamed = 4

// giver is somebody who serves a download, or did.
type giver struct {
	meter
	serving bool // when it was last looked at
}

// Providers returns whom a download comes from, those first who have brought
// most, and then who else is known to have what it lacks first. The error is
// domain.ErrNotFound.
func (t *Transfers) Providers(id string) ([]domain.TransferProvider, error) {
	t.mu.Lock()
	d, ok := t.all[id]
	if !ok {
		t.mu.Unlock()
		return nil, unknown(id)
	}
	var all []domain.TransferProvider
	for peer, s := range d.served() {
		one := domain.TransferProvider{Peer: peer, Serving: s.Serving, Done: s.Done}
		if g := d.rates[peer]; g != nil && g.serving {
			one.Rate, one.Serving = g.rate, true
		}
		all = append(all, one)
	}
	owner, lacking := d.Peer, domain.ContentID{}
	for i := range d.Files {
		if f := &d.Files[i]; lacks(f) && !f.Folder {
			lacking = f.Content
			break
		}
	}
	t.mu.Unlock()
	slices.SortFunc(all, func(a, b domain.TransferProvider) int {
		return cmp.Or(cmp.Compare(b.Done, a.Done), cmp.Compare(a.Peer, b.Peer))
	})
	add := func(peer domain.PeerID) {
		if peer != "" && !slices.ContainsFunc(all, func(p domain.TransferProvider) bool { return p.Peer == peer }) {
			all = append(all, domain.TransferProvider{Peer: peer})
		}
	}
	if !lacking.IsZero() {
		for _, peer := range t.around(lacking, owner) {
			add(peer)
		}
		known, _ := t.cfg.Catalogue.Providers(lacking)
		for _, p := range known {
			add(p.Peer)
		}
		add(owner)
	}
	for i := range all {
		who, _ := t.cfg.People.Peer(all[i].Peer)
		all[i].Name, all[i].Online = who.Name, who.Online
	}
	return all, nil
}

// served adds up what came from whom. The lock is held.
func (d *transfer) served() map[domain.PeerID]domain.Served {
	all := make(map[domain.PeerID]domain.Served, len(d.brought))
	for peer, n := range d.brought {
		all[peer] = domain.Served{Peer: peer, Done: n}
	}
	for _, f := range d.flight {
		for _, s := range f.From {
			sum := all[s.Peer]
			all[s.Peer] = domain.Served{Peer: s.Peer, Done: sum.Done + s.Done, Serving: sum.Serving || s.Serving}
		}
	}
	return all
}

// landed takes in what a fetch that has ended brought. The lock is held.
func (d *transfer) landed(f *flight) {
	for _, s := range f.From {
		if s.Done == 0 {
			continue
		}
		if d.brought == nil {
			d.brought = make(map[domain.PeerID]int64)
		}
		d.brought[s.Peer] += s.Done
	}
}

// tellServed measures what comes from whom, and names them: whom it was asked
// of first, then by name. The lock is held.
func (t *Transfers) tellServed(d *transfer, now time.Time) {
	if d.rates == nil {
		d.rates = make(map[domain.PeerID]*giver)
	}
	var serving []domain.Peer
	for peer, s := range d.served() {
		g := d.rates[peer]
		if g == nil {
			g = new(giver)
			d.rates[peer] = g
		}
		// A small file is here before it is told who serves it.
		g.serving = s.Serving || s.Done > g.done
		g.add(now, s.Done)
		if who, _ := t.cfg.People.Peer(peer); g.serving && who.Name != "" {
			serving = append(serving, who)
		}
	}
	rank := func(p domain.Peer) int {
		if p.ID == d.Peer {
			return 0
		}
		return 1
	}
	slices.SortFunc(serving, func(a, b domain.Peer) int {
		return cmp.Or(rank(a)-rank(b), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	d.From = nil // not to change what was handed out
	for _, who := range serving[:min(mostNamed, len(serving))] {
		d.From = append(d.From, who.Name)
	}
	d.Providers = max(d.Providers, len(serving))
}
