package host

import (
	"errors"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/libp2p/go-libp2p/p2p/transport/tcpreuse"
	ma "github.com/multiformats/go-multiaddr"
)

// tcpTransport is libp2p's TCP, which shares each socket that it listens on
// with bulk connections. The first bytes tell them apart: libp2p's own begin
// with multistream-select, bulk ones with a TLS ClientHello. Whatever else comes
// is closed.
type tcpTransport struct {
	*tcp.TcpTransport
	h      *Host
	shared *tcpreuse.ConnMgr
}

// newTCP makes the transport, without SO_REUSEPORT: with it, two Potlucks could
// share the default port and each would get half of the connections.
func (h *Host) newTCP(upgrader transport.Upgrader, resources network.ResourceManager) (*tcpTransport, error) {
	shared := tcpreuse.NewConnMgr(false, upgrader)
	t, err := tcp.NewTCPTransport(upgrader, resources, shared, tcp.DisableReuseport())
	if err != nil {
		return nil, err
	}
	return &tcpTransport{t, h, shared}, nil
}

// Listen listens for both kinds of connection.
func (t *tcpTransport) Listen(addr ma.Multiaddr) (transport.Listener, error) {
	l, err := t.TcpTransport.Listen(addr)
	if err != nil {
		return nil, err
	}
	bulk, err := t.shared.DemultiplexedListen(l.Multiaddr(), tcpreuse.DemultiplexedConnType_TLS)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	t.h.tasks.spawn(func() { t.h.acceptBulk(bulk) })
	return &tcpListener{l, bulk}, nil
}

// tcpListener ends both listeners at once.
type tcpListener struct {
	transport.Listener
	bulk transport.GatedMaListener
}

// Close ends them.
func (l *tcpListener) Close() error {
	return errors.Join(l.bulk.Close(), l.Listener.Close())
}
