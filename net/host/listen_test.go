package host

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/potluck-share/potluck/app/domain"
)

func TestDefaultPortAndAnother(t *testing.T) {
	open := func() *Host {
		return start(t, "Ana", func(c *Config) {
			c.Listen = nil
			c.Surroundings = &ears{prefixes: prefixes("192.168.7.5/24", "127.0.0.1/8", "2001:db8::5/64", "fe80::5/64")}
		})
	}
	a, b := open(), open()
	tcpA, udpA := a.Ports()
	tcpB, udpB := b.Ports()
	if tcpA == 0 || udpA == 0 || tcpB == 0 || udpB == 0 || tcpA == tcpB || udpA == udpB {
		t.Errorf("ports %d and %d of one host, %d and %d of the other", tcpA, udpA, tcpB, udpB)
	}
	if free, err := net.Listen("tcp4", "0.0.0.0:17685"); err == nil {
		_ = free.Close()
		t.Error("the default port is free, and was not taken")
	}
	addresses := a.Addresses()
	for _, text := range addresses {
		addr := ma.StringCast(text)
		if ip, ok := directIP(addr); !ok || ip.IsUnspecified() || ip.IsLinkLocalUnicast() || portOf(addr) == 0 {
			t.Errorf("address %s", text)
		}
	}
	if !strings.HasPrefix(addresses[0], "/ip4/192.168.7.5/tcp/") {
		t.Errorf("the first of %v is not the one on a real network", addresses)
	}
	if !slices.ContainsFunc(addresses, func(s string) bool { return strings.HasPrefix(s, "/ip4/127.0.0.1/udp/") }) {
		t.Errorf("no QUIC on loopback in %v", addresses)
	}
}

func TestAChosenPortAndAnother(t *testing.T) {
	var want int
	open := func() *Host {
		return start(t, "Ana", func(c *Config) { c.Listen, c.Port = nil, want })
	}
	// Others on this machine may take the port, or have it by UDP already.
	for tries := 1; ; tries++ {
		free, err := net.Listen("tcp4", "0.0.0.0:0")
		if err != nil {
			t.Fatal(err)
		}
		want = free.Addr().(*net.TCPAddr).Port
		if err := free.Close(); err != nil {
			t.Fatal(err)
		}
		tcp, udp := open().Ports()
		if tcp == want && udp == want {
			break
		}
		if tries == 5 {
			t.Fatalf("the ports are %d and %d, %d was chosen", tcp, udp, want)
		}
	}
	b := open()
	if tcp, udp := b.Ports(); tcp == want || udp == want || tcp == 0 || udp == 0 {
		t.Errorf("the ports are %d and %d although another has %d", tcp, udp, want)
	}
}

func TestListenErrors(t *testing.T) {
	for _, listen := range []string{"nonsense", "/ip4/127.0.0.1/tcp/0/p2p/" + string(newIdentity(t).ID()), "/ip4/127.0.0.1/udp/0"} {
		h, err := New(t.Context(), Config{
			Identity: newIdentity(t), Listen: []string{listen},
			Hello: func(domain.PeerID) domain.Hello { return domain.Hello{} },
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Listen(); domain.ErrorKind(err) != "usage" {
			t.Errorf("listen on %s: %v", listen, err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRank(t *testing.T) {
	h := &Host{cfg: Config{Surroundings: &ears{prefixes: prefixes("192.168.1.5/24")}}}
	var addrs []ma.Multiaddr
	for _, text := range []string{
		"/ip4/192.168.1.9/udp/1/quic-v1", "/ip4/10.9.9.9/tcp/1", "/ip4/8.8.8.8/tcp/1", "/ip4/192.168.1.9/tcp/1",
	} {
		addrs = append(addrs, ma.StringCast(text))
	}
	var order []string
	var last time.Duration
	for _, d := range h.rank(addrs) {
		order = append(order, d.Addr.String())
		if strings.Contains(d.Addr.String(), "8.8.8.8") {
			continue // goes by libp2p's own delays
		}
		if d.Delay < last || len(order) == 1 && d.Delay != 0 {
			t.Errorf("%s after %s", d.Addr, d.Delay)
		}
		last = d.Delay
	}
	want := []string{"/ip4/192.168.1.9/tcp/1", "/ip4/10.9.9.9/tcp/1", "/ip4/192.168.1.9/udp/1/quic-v1", "/ip4/8.8.8.8/tcp/1"}
	if !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}

// wire carries TCP connections to a host until it is cut: then nothing passes
// any more, and nobody is told.
type wire struct {
	listener net.Listener
	cut      chan struct{}
	group    sync.WaitGroup
	mu       sync.Mutex
	conns    []net.Conn
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, cut: make(chan struct{})}
	carry := func(from, to net.Conn) {
		buf := make([]byte, 4096)
		for {
			n, err := from.Read(buf)
			select {
			case <-w.cut:
				return
			default:
			}
			if err != nil {
				_ = to.Close()
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	}
	w.group.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			w.mu.Lock()
			w.conns = append(w.conns, in, out)
			w.mu.Unlock()
			w.group.Go(func() { carry(in, out) })
			w.group.Go(func() { carry(out, in) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		w.mu.Lock()
		for _, c := range w.conns {
			_ = c.Close()
		}
		w.mu.Unlock()
		w.group.Wait()
	})
	return w
}

// A peer that vanishes without a word is noticed, also while data for it is
// being written.
func TestVanishedPeerIsNoticed(t *testing.T) {
	shorten := func(c *Config) {
		c.times.pingEvery = 100 * time.Millisecond
		c.times.pingTimeout = 2 * time.Second // a busy machine answers late
	}
	a, b := start(t, "Ana", shorten), start(t, "Ben", shorten)
	echo(b, "/test/echo/1", NearOnly)
	port, _ := b.Ports()
	w := newWire(t, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port)).String())
	if _, err := a.Connect(t.Context(), w.listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * a.times.pingEvery)
	if !a.Connected(b.ID()) {
		t.Fatal("an idle connection was closed")
	}
	s, err := a.Open(t.Context(), b.ID(), "/test/echo/1")
	if err != nil {
		t.Fatal(err)
	}
	close(w.cut)
	var writer sync.WaitGroup
	writer.Go(func() { _, _ = io.Copy(s, zeros{}) })
	eventually(t, "both notice", func() bool {
		// That neither dials the other one anew. Libp2p may tell of addresses late.
		a.Forget(b.ID())
		b.Forget(a.ID())
		return !a.Connected(b.ID()) && !b.Connected(a.ID())
	})
	writer.Wait()
}

// zeros never ends.
type zeros struct{}

// Read reads zeros.
func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestConnectToAnotherKindOfPeer(t *testing.T) {
	a := start(t, "Ana", nil)
	other, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableMetrics())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if _, err := a.Connect(t.Context(), other.Addrs()[0].String()); !errors.Is(err, domain.ErrVersion) {
		t.Errorf("connect to a host without hello: %v, want %v", err, domain.ErrVersion)
	}
	eventually(t, "closed", func() bool { return !a.Connected(domain.PeerID(other.ID().String())) })
}
