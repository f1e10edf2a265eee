package reach

import (
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"testing"

	ma "github.com/multiformats/go-multiaddr"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/reach/pb"
)

// person is a host with the protocol.
type person struct {
	*host.Host
	reach *Reacher
	port  int // that it says it listens on; 0: the true one
}

func (p *person) Ports() (tcp, udp int) {
	if p.port != 0 {
		return p.port, 0
	}
	return p.Host.Ports()
}

func newPerson(t *testing.T, nearby ...netip.Prefix) *person {
	t.Helper()
	p := &person{}
	identity, err := host.LoadIdentity(filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	p.Host, err = host.New(t.Context(), host.Config{
		Identity: identity, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Nearby: nearby,
		Hello: func(domain.PeerID) domain.Hello { return domain.Hello{Name: "Ana"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	p.reach = New(p)
	t.Cleanup(func() {
		if err := errors.Join(p.reach.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	})
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *person) meets(t *testing.T, other *person) {
	t.Helper()
	if _, err := p.Connect(t.Context(), other.Addresses()[0]+"/p2p/"+string(other.ID())); err != nil {
		t.Fatal(err)
	}
}

var loopback = netip.MustParsePrefix("127.0.0.0/8")

// A peer tells whether a port of ours can be reached, of this very address.
func TestAPeerTries(t *testing.T) {
	t.Parallel()
	ana, ben := newPerson(t, loopback), newPerson(t, loopback)
	ana.meets(t, ben)
	if got, err := ana.reach.TryMe(t.Context(), ben.ID()); err != nil || got != domain.ReachOK {
		t.Errorf("where it listens: %q, %v", got, err)
	}
	// A port that refuses everybody, also when others look for free ones: this
	// end of a connection.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ana.port = conn.LocalAddr().(*net.TCPAddr).Port
	if got, err := ana.reach.TryMe(t.Context(), ben.ID()); err != nil || got != domain.ReachRefused {
		t.Errorf("where nobody listens: %q, %v", got, err)
	}
	ana.port = 22
	if _, err := ana.reach.TryMe(t.Context(), ben.ID()); err == nil {
		t.Error("a port of other programs is tried")
	}
}

// Whoever is far makes nobody try anything, and nobody tries too often.
func TestTriesAreForFewAndBounded(t *testing.T) {
	t.Parallel()
	ana, ben, far := newPerson(t, loopback), newPerson(t, loopback), newPerson(t)
	ana.meets(t, ben)
	ana.meets(t, far)
	if _, err := ana.reach.TryMe(t.Context(), far.ID()); err == nil {
		t.Error("somebody for whom we are far tries")
	}
	busy := 0
	for range 3 * tryBurst {
		if _, err := ana.reach.TryMe(t.Context(), ben.ID()); errors.Is(err, domain.ErrBusy) {
			busy++
		}
	}
	if busy < tryBurst {
		t.Errorf("%d of %d were too many", busy, 3*tryBurst)
	}
}

// What comes through a relay has no address of its own.
func TestRelaysAreNotTried(t *testing.T) {
	t.Parallel()
	relayed := ma.StringCast("/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWR2yfytbWfEguXaY2raTZYFVxvvwEmYYKTziWqkDYxfbo/p2p-circuit")
	if ip, err := ipOf(relayed); err == nil {
		t.Errorf("%v is tried", ip)
	}
	for text, want := range map[string]string{
		"/ip4/192.168.3.4/tcp/1": "192.168.3.4", "/ip6/::ffff:10.0.0.1/udp/1/quic-v1": "10.0.0.1", "/ip6zone/eth0/ip6/fe80::1/tcp/1": "fe80::1%eth0",
	} {
		if ip, err := ipOf(ma.StringCast(text)); err != nil || ip.String() != want {
			t.Errorf("%s: %v, %v", text, ip, err)
		}
	}
	if _, err := ipOf(ma.StringCast("/dns4/example.org/tcp/1")); err == nil {
		t.Error("a name is tried")
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte{8, 0x95, 0x8a, 1})
	f.Add([]byte{8, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if port, err := decodeRequest(raw); err == nil && port < domain.LeastPort {
			t.Errorf("port %d", port)
		}
		if outcome, err := decodeReply(raw); err == nil && outcome < pb.Outcome_OUTCOME_UNKNOWN {
			t.Log("an outcome that is not known is none")
		}
	})
}
