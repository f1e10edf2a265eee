// Package transfer moves contents between peers: provide serves them, fetch gets
// them, picker decides what is asked of whom, wire is the language between, and
// limit holds both within the speeds that the user has set.
// Here they are joined with the host, which carries the streams.
//
// All functions may be called from any goroutine.
package transfer

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/host/complain"
	"github.com/potluck-share/potluck/net/transfer/grant"
	"github.com/potluck-share/potluck/net/transfer/limit"
	"github.com/potluck-share/potluck/net/transfer/provide"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

// Serve lets near peers ask the provider for contents, over bulk connections
// and over streams, within the limits, which may be nil.
func Serve(h *host.Host, p *provide.Provider, limits *limit.Limits) {
	h.HandleBulk(wire.Protocol, host.NearOnly, func(ctx context.Context, b *host.Bulk) {
		p.Handle(ctx, limits.Stream(b, b.Asker().Peer), b.Asker)
	})
	h.Handle(wire.Protocol, host.NearOnly, func(ctx context.Context, s network.Stream, asker domain.Asker) {
		p.Handle(ctx, limits.Stream(s, asker.Peer), func() domain.Asker { return h.Asker(s.Conn()) })
	})
}

// Dialer opens the streams of a fetch.Fetcher, within limits, which may be nil.
type Dialer struct {
	Host   *host.Host
	Limits *limit.Limits
}

// Open opens a bulk connection to the peer, or a stream where that does not
// work, connecting to it where needed.
func (d Dialer) Open(ctx context.Context, peer domain.PeerID) (wire.Stream, error) {
	if err := d.Host.Reach(ctx, peer); err != nil {
		return nil, err
	}
	if b, err := d.Host.OpenBulk(ctx, peer, wire.Protocol); err == nil {
		return d.Limits.Stream(b, peer), nil
	}
	s, err := d.Host.Open(ctx, peer, wire.Protocol)
	if err != nil {
		return nil, err // not the nil stream in a non-nil interface
	}
	return d.Limits.Stream(s, peer), nil
}

// Granter returns what makes grants in the name of this machine's user.
func Granter(h *host.Host, now func() time.Time) func(domain.PeerID, domain.ContentID, int64) ([]byte, error) {
	return func(peer domain.PeerID, content domain.ContentID, size int64) ([]byte, error) {
		key := h.Libp2p().Peerstore().PrivKey(h.Libp2p().ID())
		return grant.Seal(key, domain.Grant{Content: content, Size: size, Holder: peer, Expires: now().Add(grant.Life)})
	}
}

var errHolder = fmt.Errorf("%w: a grant of another peer", domain.ErrMalformed)

// Shown returns what proves the grants that askers show, and hands on those
// that hold and are the asker's own. Whoever shows others is named in the log.
func Shown(log *slog.Logger, now func() time.Time, take func(domain.Asker, domain.Grant)) func(domain.Asker, []byte) {
	complaints := complain.New(log)
	return func(asker domain.Asker, signed []byte) {
		g, err := grant.Open(signed, now())
		if err == nil && g.Holder != asker.Peer {
			err = errHolder
		}
		if err != nil {
			complaints.About(asker.Peer, "grants", err)
			return
		}
		take(asker, g)
	}
}
