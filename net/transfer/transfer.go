// Package transfer moves contents between peers: provide serves them, fetch gets
// them, picker decides what is asked of whom, and wire is the language between.
// Here they are joined with the host, which carries the streams.
//
// All functions may be called from any goroutine.
package transfer

import (
	"context"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/transfer/provide"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

// Serve lets near peers ask the provider for contents.
func Serve(h *host.Host, p *provide.Provider) {
	h.HandleBulk(wire.Protocol, host.NearOnly, func(ctx context.Context, b *host.Bulk) {
		p.Handle(ctx, b, b.Asker)
	})
	h.Handle(wire.Protocol, host.NearOnly, func(ctx context.Context, s network.Stream, _ domain.Asker) {
		p.Handle(ctx, s, func() domain.Asker { return h.Asker(s.Conn()) })
	})
}

// Dialer opens the streams of a fetch.Fetcher.
type Dialer struct{ Host *host.Host }

// Open opens a bulk connection to the peer, or a stream where that does not
// work, connecting to it where needed.
func (d Dialer) Open(ctx context.Context, peer domain.PeerID) (wire.Stream, error) {
	if err := d.Host.Reach(ctx, peer); err != nil {
		return nil, err
	}
	if b, err := d.Host.OpenBulk(ctx, peer, wire.Protocol); err == nil {
		return b, nil
	}
	s, err := d.Host.Open(ctx, peer, wire.Protocol)
	if err != nil {
		return nil, err // not the nil stream in a non-nil interface
	}
	return s, nil
}
