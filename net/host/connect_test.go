package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/potluck-share/potluck/app/domain"
)

func TestConnectWithoutID(t *testing.T) {
	b := start(t, "Ben", nil)
	port, _ := b.Ports()
	for name, address := range map[string]string{
		"tcp":       addressOf(t, b, "tcp"),
		"quic":      addressOf(t, b, "quic-v1"),
		"host:port": fmt.Sprintf("127.0.0.1:%d", port),
		"name":      fmt.Sprintf(" localhost:%d\n", port),
		"dns":       fmt.Sprintf("/dns4/localhost/tcp/%d", port),
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, "Ana", nil)
			id, err := a.Connect(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			if id != b.ID() {
				t.Errorf("connected to %s, want %s", id, b.ID())
			}
		})
	}
}

func TestConnectFails(t *testing.T) {
	a, b := start(t, "Ana", nil), start(t, "Ben", nil)
	empty := nobodyAt(t)
	long := strings.Repeat("x", 2000)
	for address, want := range map[string]error{
		"":                             domain.ErrUsage,
		"/nonsense":                    domain.ErrUsage,
		"/ip4/1.2.3.4":                 domain.ErrUsage,
		"/ip4/1.2.3.4/udp/3":           domain.ErrUsage,
		"/ip4/0.0.0.0/tcp/3":           domain.ErrUsage,
		"/ip4/127.0.0.1/tcp/1/ws":      domain.ErrUsage,
		"127.0.0.1:0":                  domain.ErrUsage,
		"127.0.0.1:99999":              domain.ErrUsage,
		"127.0.0.1:http":               domain.ErrUsage,
		"0.0.0.0":                      domain.ErrUsage,
		"not a name":                   domain.ErrUsage,
		"potluck:peer/x":               domain.ErrUsage,
		long:                           domain.ErrUsage,
		addressOf(t, a, "tcp"):         domain.ErrUsage, // itself
		addressOf(t, a, "quic-v1"):     domain.ErrUsage,
		"/ip4/" + host(empty, "/tcp/"): domain.ErrNotFound,
		addressOf(t, b, "tcp") + "/p2p/" + string(newIdentity(t).ID()): domain.ErrNotFound, // someone else
		addressOf(t, b, "tcp") + "/p2p/" + string(a.ID()):              domain.ErrUsage,
	} {
		if _, err := a.Connect(t.Context(), address); !errors.Is(err, want) {
			t.Errorf("connect to %.80q: %v, want %v", address, err, want)
		}
	}
	if a.Connected(b.ID()) {
		t.Error("connected under a wrong ID")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Connect(ctx, addressOf(t, b, "tcp")); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

// nobodyAt returns a TCP address that refuses everybody, also when others look
// for free ports: it is this end of a connection.
func nobodyAt(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.LocalAddr().String()
}

func host(hostPort, between string) string {
	name, port, _ := strings.Cut(hostPort, ":")
	return name + between + port
}

func sighting(t *testing.T, h *Host, source domain.Source) domain.Sighting {
	t.Helper()
	return domain.Sighting{
		Peer: h.ID(), Addresses: h.Addresses(), Source: source, At: time.Now(), Expires: time.Now().Add(time.Hour),
	}
}

// Two hosts that hear each other at the same moment make one connection, TCP.
func TestSightedMakesOneConnection(t *testing.T) {
	var later atomic.Int64 // what the hosts' clocks are ahead
	patient := func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
		c.times.tie = 20 * time.Second    // more than the smaller ID needs, however slow the machine is
		c.times.settle = 20 * time.Second // or the second one might be closed before anybody looks
	}
	a, b := start(t, "Ana", patient), start(t, "Ben", patient)
	began := time.Now()
	a.Sighted(sighting(t, b, domain.SourceMulticast))
	b.Sighted(sighting(t, a, domain.SourceMulticast))
	// A dial by QUIC that TCP was faster than may still be on its way out.
	eventually(t, "connected, once", func() bool { return len(a.linksOf(b.ID())) == 1 && len(b.linksOf(a.ID())) == 1 })
	took := time.Since(began)
	later.Store(int64(2 * a.times.tie))
	for _, pair := range [][2]*Host{{a, b}, {b, a}} {
		if due, _ := pair[0].due(); len(due) > 0 {
			t.Error("when the head start is over the other one is dialled yet")
		}
		links := pair[0].linksOf(pair[1].ID())
		if len(links) != 1 {
			t.Errorf("%d connections, want 1", len(links))
			continue
		}
		// If the machine takes longer QUIC may be first.
		if _, err := links[0].conn.RemoteMultiaddr().ValueForProtocol(ma.P_TCP); err != nil && took < quicDelay {
			t.Errorf("connected by %s, want TCP", links[0].conn.RemoteMultiaddr())
		}
	}
}

func TestSightedBiggerDialsToo(t *testing.T) {
	a, b := start(t, "Ana", nil), start(t, "Ben", nil)
	if a.ID() < b.ID() {
		a, b = b, a
	}
	a.Sighted(sighting(t, b, domain.SourceMulticast)) // b heard nothing
	eventually(t, "connected", func() bool { return a.Connected(b.ID()) })
}

func TestSightedBounds(t *testing.T) {
	a := start(t, "Ana", nil)
	peer := newIdentity(t).ID()
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", 20000+i))
	}
	a.Sighted(domain.Sighting{Peer: peer, Addresses: many, Source: domain.SourceMulticast})
	a.mu.Lock()
	if n := len(a.peers[peer].addrs); n > maxAddresses {
		t.Errorf("%d addresses of one peer", n)
	}
	a.mu.Unlock()
	a.Forget(peer)
	eventually(t, "the peer is forgotten, once a running dial has failed", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(a.peers) == 0
	})
	for _, s := range []domain.Sighting{
		{Peer: peer, Addresses: []string{"/ip4/8.8.8.8/tcp/1"}},                                  // not local
		{Peer: peer, Addresses: []string{"/ip4/127.0.0.1/tcp/1/p2p/" + string(a.ID())}},          // another's
		{Peer: peer, Addresses: []string{"/ip4/127.0.0.1/tcp/1"}, Expires: time.Now().Add(-1)},   // over
		{Peer: "nonsense", Addresses: []string{"/ip4/127.0.0.1/tcp/1"}},                          // no ID
		{Peer: a.ID(), Addresses: []string{"/ip4/127.0.0.1/tcp/1"}},                              // ourselves
		{Peer: peer, Addresses: []string{"/dns4/evil.example/tcp/1", "/ip4/10.0.0.1/udp/1", ""}}, // unusable
		{Peer: peer, Gone: true},
	} {
		a.Sighted(s)
		a.mu.Lock()
		if len(a.peers) > 0 {
			t.Errorf("%+v was remembered", s)
		}
		a.mu.Unlock()
	}
	for range maxKnown + 50 {
		a.mu.Lock()
		a.entryOf(randomID(t))
		a.mu.Unlock()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.peers) != maxKnown {
		t.Errorf("%d peers are known, want %d", len(a.peers), maxKnown)
	}
	clear(a.peers)
}

var ids uint64

// randomID returns the ID of a key that nobody has.
func randomID(t *testing.T) domain.PeerID {
	t.Helper()
	ids++
	// An identity multihash of a marshalled Ed25519 public key.
	raw := append([]byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}, make([]byte, 32)...)
	copy(raw[6:], fmt.Sprintf("%032d", ids))
	id, err := peer.IDFromBytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	return domain.PeerID(id.String())
}

// A peer that is closed and started again, on the same port with the same key,
// is connected again without anybody saying so.
func TestReconnect(t *testing.T) {
	var atA diary
	a := start(t, "Ana", func(c *Config) { c.Presence = atA.write })
	identity := newIdentity(t)
	b := start(t, "Ben", func(c *Config) { c.Identity = identity })
	a.Sighted(sighting(t, b, domain.SourceMulticast))
	eventually(t, "connected", func() bool { return atA.last(b.ID()).Connected })
	port, _ := b.Ports()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "disconnected", func() bool { return !atA.last(b.ID()).Connected })
	again := prepare(t, "Ben", func(c *Config) {
		c.Identity = identity
		c.Listen = []string{fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port)}
	})
	// Somebody else on this machine may have it for a moment.
	eventually(t, "the port is free again", func() bool { return again.Listen() == nil })
	eventually(t, "connected again", func() bool { return a.Connected(again.ID()) && again.Connected(a.ID()) })
}

// The newest connection wins: when a peer was started again, the connection to
// its earlier run goes, although nobody closed it.
func TestOldRunIsDropped(t *testing.T) {
	identity := newIdentity(t)
	a := start(t, "Ana", nil)
	first := start(t, "Ben", func(c *Config) { c.Identity = identity })
	connect(t, first, a)
	old := a.linksOf(first.ID())[0]
	second := start(t, "Ben", func(c *Config) { c.Identity = identity })
	connect(t, second, a)
	eventually(t, "the old connection is closed", func() bool { return old.conn.IsClosed() })
	if !a.Connected(second.ID()) {
		t.Error("the new connection was closed as well")
	}
}

func TestVisitGoesToTheAddressesOfAnInvitation(t *testing.T) {
	a, b, c := start(t, "Ana", nil), start(t, "Ben", nil), start(t, "Cy", nil)
	at := addressOf(t, b, "tcp")
	if err := a.Visit(t.Context(), b.ID(), []string{"nonsense", "/ip4/0.0.0.0/tcp/1", at + "/p2p/" + string(c.ID()), at}); err != nil {
		t.Fatal(err)
	}
	if !a.Connected(b.ID()) {
		t.Error("Ana is not connected to Ben")
	}
	if err := a.Visit(t.Context(), b.ID(), nil); err != nil {
		t.Error("visiting again:", err)
	}
	for _, wrong := range []struct {
		id   domain.PeerID
		at   []string
		want error
	}{
		{"nobody", []string{at}, domain.ErrUsage},
		{a.ID(), []string{at}, domain.ErrUsage},
		{c.ID(), []string{at}, domain.ErrNotFound}, // someone else answers
		{c.ID(), nil, domain.ErrOffline},
	} {
		if err := a.Visit(t.Context(), wrong.id, wrong.at); !errors.Is(err, wrong.want) {
			t.Errorf("%s at %v: %v, want %v", wrong.id.Short(), wrong.at, err, wrong.want)
		}
	}
}

func TestAnInvitationMayLeadAnywhere(t *testing.T) {
	a := start(t, "Ana", nil)
	id := newIdentity(t).ID()
	pid, err := peer.Decode(string(id))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := ma.NewMultiaddr("/ip4/203.0.113.7/tcp/4")
	if err != nil {
		t.Fatal(err)
	}
	for source, want := range map[domain.Source]bool{domain.SourceTold: false, domain.SourceInvited: true} {
		a.Sighted(domain.Sighting{Peer: id, Addresses: []string{elsewhere.String()}, Source: source, At: time.Now()})
		if got := (gate{a}).InterceptAddrDial(pid, elsewhere); got != want {
			t.Errorf("by %s: dialled %t, want %t", source, got, want)
		}
		a.Forget(id)
	}
}
