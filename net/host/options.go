package host

import (
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/x/rate"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	// maxOthers is how many people who are not friends we dial on our own.
	maxOthers = 48
	// Above the high mark the connections with the least reasons are closed
	// until the low mark is reached.
	connsLow, connsHigh = 96, 128
	connGrace           = time.Minute
	// maxConns bounds the connections of both directions, in every state.
	maxConns, maxConnsInbound = 320, 192
	// maxMemory bounds what libp2p's buffers take, in bytes.
	maxMemory = 512 << 20
	// perAddress is how many connections one IP address may have: several users
	// of one machine, or a router that hides a network behind it.
	perAddress = 32
)

// newLibp2p makes the libp2p host. It does not listen yet.
func (h *Host) newLibp2p() (libp2phost.Host, error) {
	conns, err := connmgr.NewConnManager(connsLow, connsHigh, connmgr.WithGracePeriod(connGrace))
	if err != nil {
		return nil, fmt.Errorf("make the connection manager: %w", err)
	}
	version := h.cfg.Hello(h.id).Version
	lp, err := libp2p.New(
		libp2p.Identity(h.cfg.Identity.key),
		libp2p.NoListenAddrs,
		libp2p.Transport(h.newTCP),
		libp2p.Transport(libp2pquic.NewTransport),
		libp2p.Security(libp2ptls.ID, libp2ptls.New),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.DisableRelay(),
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.DisableMetrics(),
		libp2p.UserAgent("potluck/"+version),
		libp2p.AddrsFactory(h.announced),
		libp2p.ConnectionGater(gate{h}),
		libp2p.ConnectionManager(conns),
		libp2p.ResourceManager(gatedResources{h.rcmgr, h}),
		libp2p.BandwidthReporter(h.activity),
		libp2p.SwarmOpts(swarm.WithDialRanker(h.rank)),
		// In a local network most addresses are of machines that are off. That
		// says nothing about the network.
		libp2p.UDPBlackHoleSuccessCounter(nil),
		libp2p.IPv6BlackHoleSuccessCounter(nil),
	)
	if err != nil {
		return nil, fmt.Errorf("make the libp2p host: %w", err)
	}
	return lp, nil
}

// newResourceManager makes libp2p's own limits fit a desktop: its default ones
// for the machine's memory, but never over maxMemory, and with room for the
// people of one office.
func newResourceManager() (network.ResourceManager, error) {
	scaling := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&scaling)
	limits := rcmgr.PartialLimitConfig{
		System: rcmgr.ResourceLimits{
			Memory:        maxMemory,
			Conns:         maxConns,
			ConnsInbound:  maxConnsInbound,
			ConnsOutbound: maxConns,
		},
	}.Build(scaling.AutoScale())
	// The default limits for IPv6 are made for the Internet, where a /56 is one
	// household: eight connections. Here it is the whole local network.
	manager, err := rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(limits),
		rcmgr.WithMetricsDisabled(),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: perAddress}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 128, ConnCount: perAddress}, {PrefixLength: 64, ConnCount: maxConns}},
		),
		rcmgr.WithConnRateLimiters(&rate.Limiter{
			SubnetRateLimiter: rate.SubnetLimiter{
				IPv4SubnetLimits: []rate.SubnetLimit{
					{PrefixLength: 32, Limit: rate.Limit{RPS: 2, Burst: 2 * perAddress}},
				},
				IPv6SubnetLimits: []rate.SubnetLimit{
					{PrefixLength: 128, Limit: rate.Limit{RPS: 2, Burst: 2 * perAddress}},
					{PrefixLength: 64, Limit: rate.Limit{RPS: 50, Burst: 2 * maxConns}},
				},
				GracePeriod: time.Minute,
			},
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("make the resource manager: %w", err)
	}
	return manager, nil
}

const (
	// dialStep is the head start of one address over the next.
	dialStep = 150 * time.Millisecond
	// quicDelay is the head start of TCP over QUIC, which carries a quarter as
	// much for the same work in a local network.
	quicDelay = 400 * time.Millisecond
	// maxDialDelay bounds the wait for the last of many addresses.
	maxDialDelay = 1500 * time.Millisecond
)

// rank says in which order, and how long after the first, a peer's addresses
// are dialled: those of our own networks first, TCP before QUIC. An attempt
// that fails early lets the next one begin at once.
func (h *Host) rank(addrs []ma.Multiaddr) []network.AddrDelay {
	own := h.cfg.Surroundings.Prefixes()
	type ranked struct {
		addr  ma.Multiaddr
		class int
		quic  bool
	}
	var here []ranked
	var elsewhere []ma.Multiaddr
	for _, a := range addrs {
		ip, ok := directIP(a)
		if !ok || !h.mayConnect(ip) {
			elsewhere = append(elsewhere, a)
			continue
		}
		r := ranked{addr: a, quic: isQUIC(a)}
		if r.quic {
			r.class += 4
		}
		if !ip.IsLoopback() && !contains(own, ip) {
			r.class += 2 // another of its networks, or one behind a router
		}
		if ip.Is6() {
			r.class++
		}
		here = append(here, r)
	}
	slices.SortStableFunc(here, func(a, b ranked) int { return a.class - b.class })
	delays := make([]network.AddrDelay, 0, len(addrs))
	var delay time.Duration
	for i, r := range here {
		if i > 0 {
			delay += dialStep
			if r.quic && !here[i-1].quic {
				delay = max(delay, quicDelay)
			}
		}
		delays = append(delays, network.AddrDelay{Addr: r.addr, Delay: min(delay, maxDialDelay)})
	}
	return append(delays, swarm.DefaultDialRanker(elsewhere)...)
}

func isQUIC(addr ma.Multiaddr) bool {
	_, err := addr.ValueForProtocol(ma.P_QUIC_V1)
	return err == nil
}
