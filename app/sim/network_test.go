package sim

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/marcopolo/simnet"
	"github.com/quic-go/quic-go"
	"go.uber.org/fx"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
)

// The links of the simulated network: an office's.
const (
	linkRate = 100_000_000 // bits per second, each way
	latency  = time.Millisecond
)

// sourceIP says that packets leave from the host's only address.
type sourceIP struct{ ip net.IP }

func (s *sourceIP) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) { return s.ip, nil }

// simulated makes a libp2p host on a simulated network. bytes returns how many
// bytes of UDP payload it has sent and received.
func simulated(t *testing.T, wire *simnet.Simnet, number int) (h libp2phost.Host, bytes func() int64) {
	t.Helper()
	link := simnet.LinkSettings{BitsPerSecond: linkRate}
	source := &sourceIP{}
	var conn *simnet.SimConn
	h, err := libp2p.New(
		libp2p.ListenAddrStrings(fmt.Sprintf("/ip4/10.%d.%d.%d/udp/17685/quic-v1", 1+number/62500, number/250%250, 1+number%250)),
		libp2p.Transport(libp2pquic.NewTransport),
		libp2p.DisableRelay(), libp2p.DisableMetrics(), libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.QUICReuse(
			func(life fx.Lifecycle, reset quic.StatelessResetKey, token quic.TokenGeneratorKey, opts ...quicreuse.Option) (*quicreuse.ConnManager, error) {
				manager, err := quicreuse.NewConnManager(reset, token, opts...)
				if err == nil {
					life.Append(fx.StopHook(manager.Close))
				}
				return manager, err
			},
			quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return source, nil }),
			quicreuse.OverrideListenUDP(func(_ string, at *net.UDPAddr) (net.PacketConn, error) {
				source.ip = at.IP
				conn = wire.NewEndpoint(at, simnet.NodeBiDiLinkSettings{Downlink: link, Uplink: link})
				return conn, nil
			}),
		),
	)
	if err != nil {
		t.Fatal(err)
	}
	return h, func() int64 {
		s := conn.Stats()
		return int64(s.BytesSent) + int64(s.BytesRcvd)
	}
}

// mate is one peer of the simulation: everybody counts everybody as near.
type mate struct {
	libp2phost.Host
	bytes func() int64

	mu     sync.Mutex
	onNear []func(domain.PeerID)
}

func (m *mate) ID() domain.PeerID { return domain.PeerID(m.Host.ID().String()) }

func (m *mate) Libp2p() libp2phost.Host { return m.Host }

func (m *mate) Asker(conn network.Conn) domain.Asker {
	return m.AskerFor(domain.PeerID(conn.RemotePeer().String()))
}

func (m *mate) AskerFor(id domain.PeerID) domain.Asker {
	return domain.Asker{Peer: id, Near: true, Network: "office"}
}

func (m *mate) Handle(proto string, _ host.Rule, handler func(context.Context, network.Stream, domain.Asker)) {
	m.SetStreamHandler(protocol.ID(proto), func(s network.Stream) {
		handler(context.Background(), s, m.Asker(s.Conn()))
		_ = s.Close() // the other side sees to it that it got all
	})
}

func (m *mate) Open(ctx context.Context, id domain.PeerID, proto string) (network.Stream, error) {
	to, err := peer.Decode(string(id))
	if err != nil {
		return nil, err
	}
	return m.NewStream(ctx, to, protocol.ID(proto))
}

func (m *mate) OnNear(f func(domain.PeerID)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.onNear = append(m.onNear, f)
}

// near tells of a peer as the host does when its hello has come.
func (m *mate) near(id domain.PeerID) {
	m.mu.Lock()
	calls := m.onNear
	m.mu.Unlock()
	for _, f := range calls {
		f(id)
	}
}

// meets connects two.
func (m *mate) meets(t *testing.T, other *mate) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := m.Connect(ctx, peer.AddrInfo{ID: other.Host.ID(), Addrs: other.Addrs()}); err != nil {
		t.Fatal(err)
	}
	m.near(other.ID())
	other.near(m.ID())
}
