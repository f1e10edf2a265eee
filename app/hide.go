package app

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/shape"
)

// Hide lets this machine vanish from others, or shows it again; that lasts over
// restarts. While it is hidden nobody is told that it is here, let in or given
// anything, and nobody is dialled but for downloads; those go on, and whom they
// are fetched from sees the connection. The error says that the choice could not
// be kept; nothing has changed then.
func (n *node) Hide(ctx context.Context, hidden bool) error {
	return n.settings.Update(ctx, func(v *domain.Settings) { v.Hidden = hidden })
}

// vanish does what Hide says when the settings have it.
func (n *node) vanish(hidden bool) {
	if n.hidden.Swap(hidden) == hidden {
		return
	}
	n.announce() // or not
	if d := n.around.service.Load(); d != nil {
		d.Hide(hidden)
	}
	n.people.Again()
	n.host.Rejudge()
	n.transfers.ProvidersChanged()
}

// fetching reports whether something is fetched from the peer at this moment.
func (n *node) fetching(id domain.PeerID) bool {
	return n.transfers.Runs(id) || n.fetcher.Uses(id)
}

func (n *node) handleHide(ctx context.Context, r shape.HideRequest, _ func(any) error) error {
	return n.Hide(ctx, r.Hidden)
}
