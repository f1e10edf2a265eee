// Package transfer moves contents between peers: provide serves them, fetch gets
// them, picker decides what is asked of whom, wire is the language between, and
// limit holds both within the speeds that the user has set.
// Here they are joined with the host, which carries the streams.
//
// All functions may be called from any goroutine.
package transfer

import (
	"context"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/transfer/limit"
	"github.com/potluck-share/potluck/net/transfer/provide"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

// Serve lets near peers ask the provider for contents, within the limits, which
// may be nil.
func Serve(h *host.Host, p *provide.Provider, limits *limit.Limits) {
	h.Handle(wire.Protocol, host.NearOnly, func(ctx context.Context, s network.Stream, _ domain.Asker) {
		p.Handle(ctx, limits.Stream(s), func() domain.Asker { return h.Asker(s.Conn()) })
	})
}

// Dialer opens the streams of a fetch.Fetcher, within limits, which may be nil.
type Dialer struct {
	Host   *host.Host
	Limits *limit.Limits
}

// Open opens a stream to the peer, connecting to it where needed.
func (d Dialer) Open(ctx context.Context, peer domain.PeerID) (wire.Stream, error) {
	s, err := d.Host.Open(ctx, peer, wire.Protocol)
	if err != nil {
		return nil, err // not the nil stream in a non-nil interface
	}
	return d.Limits.Stream(s), nil
}
