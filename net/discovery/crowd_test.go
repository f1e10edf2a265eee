package discovery

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// wire is a network in memory, for more hosts than a machine has room for.
// What is sent is heard by all, the sender included, but for what is lost.
type wire struct {
	mu      sync.Mutex
	members map[*tap]bool
	sent    int     // packets
	bytes   int     // in them
	lost    float64 // share of packets that a receiver misses
	random  *rand.Rand
}

// tap is a host's transport on a wire.
type tap struct {
	wire   *wire
	from   netip.Addr
	out    chan<- datagram
	closed chan struct{}
}

func (*tap) join(*net.Interface) error               { return nil }
func (*tap) sendTo(netip.AddrPort, []byte) error     { return nil }
func (p *tap) close() error                          { close(p.closed); return nil }
func (p *tap) send(_ *net.Interface, d []byte) error { p.wire.carry(p, d); return nil }
func (p *tap) read(out chan<- datagram) error {
	p.wire.mu.Lock()
	p.out = out
	p.wire.members[p] = true
	p.wire.mu.Unlock()
	<-p.closed
	p.wire.mu.Lock()
	delete(p.wire.members, p)
	p.wire.mu.Unlock()
	return net.ErrClosed
}

func (w *wire) carry(from *tap, data []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent++
	w.bytes += len(data)
	d := datagram{
		data: data, from: netip.AddrPortFrom(from.from, multicastPort), to: group4,
		link: 1, via: viaMulticast4,
	}
	for m := range w.members {
		if m == from || w.random.Float64() >= w.lost {
			select {
			case m.out <- d:
			default:
			}
		}
	}
}

// tally returns what was sent since it was last called.
func (w *wire) tally() (packets, bytes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	packets, bytes = w.sent, w.bytes
	w.sent, w.bytes = 0, 0
	return packets, bytes
}

// member is a service on a wire and whom it sees.
type member struct {
	service *Service
	mu      sync.Mutex
	sees    map[domain.PeerID]bool
	losses  int
}

func (m *member) count() (seen, losses int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.sees), m.losses
}

// memberID returns the ID of the member with that number.
func memberID(n int) domain.PeerID {
	return testPeer(strings.ReplaceAll(strconv.Itoa(n), "0", "o")) // base58 knows no 0
}

// plug starts a service on the wire.
func (w *wire) plug(t *testing.T, n int) *member {
	t.Helper()
	addr := netip.AddrFrom4([4]byte{10, 0, byte(n / 250), byte(n%250 + 1)})
	m := &member{sees: make(map[domain.PeerID]bool)}
	port := func() int { return 4001 }
	var err error
	m.service, err = Start(t.Context(), Config{
		Peer: memberID(n), TCP: port, UDP: port,
		Log: slog.New(slog.DiscardHandler),
		Sighted: func(s domain.Sighting) {
			m.mu.Lock()
			defer m.mu.Unlock()
			if s.Gone {
				delete(m.sees, s.Peer)
				m.losses++
			} else {
				m.sees[s.Peer] = true
			}
		},
		listen: func(_ context.Context, v via) (transport, error) {
			if v != viaMulticast4 {
				return nil, net.ErrClosed
			}
			return &tap{wire: w, from: addr, closed: make(chan struct{})}, nil
		},
		look: func() ([]nic, []gateway, error) {
			return []nic{{
				Interface: net.Interface{Index: 1, Name: "eth0", Flags: net.FlagUp | net.FlagRunning | net.FlagMulticast},
				prefixes:  []netip.Prefix{netip.PrefixFrom(addr, 16)},
			}}, nil, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// crowd runs services on a wire, started within a second.
func crowd(t *testing.T, w *wire, size int) []*member {
	t.Helper()
	w.members, w.random = make(map[*tap]bool), rand.New(rand.NewPCG(1, 2))
	var all []*member
	for n := range size {
		all = append(all, w.plug(t, n))
		time.Sleep(time.Second / time.Duration(size))
	}
	return all
}

func closeAll(t *testing.T, all []*member) {
	t.Helper()
	for _, m := range all {
		if err := m.service.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestCrowdStaysQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, minutes = 40, 6
		w := new(wire)
		all := crowd(t, w, size)
		time.Sleep(2 * time.Second)
		packets, bytes := w.tally()
		t.Logf("%d finding each other: %d packets, %d bytes", size, packets, bytes)
		for n, m := range all {
			if seen, _ := m.count(); seen != size-1 {
				t.Errorf("after 2 s number %d sees %d of %d", n, seen, size-1)
			}
		}
		time.Sleep(minutes * time.Minute)
		packets, bytes = w.tally()
		t.Logf("then: %d packets and %d bytes a minute", packets/minutes, bytes/minutes)
		// Everyone has to say once in two minutes that it is still there; a
		// little goes to questions.
		if most := minutes * size * 3 / 2; packets > most {
			t.Errorf("%d packets in %d minutes, want at most %d", packets, minutes, most)
		}
		for n, m := range all {
			if seen, losses := m.count(); seen != size-1 || losses > 0 {
				t.Errorf("later number %d sees %d and has lost somebody %d times", n, seen, losses)
			}
		}
		closeAll(t, all[1:])
		synctest.Wait()
		if seen, _ := all[0].count(); seen != 0 {
			t.Errorf("after all goodbyes %d are still seen", seen)
		}
		closeAll(t, all[:1])
	})
}

func TestLostPacketsLoseNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 12
		w := &wire{lost: 0.03}
		all := crowd(t, w, size)
		time.Sleep(12 * time.Minute)
		for n, m := range all {
			if seen, losses := m.count(); seen != size-1 || losses > 0 {
				t.Errorf("number %d sees %d of %d and has lost somebody %d times", n, seen, size-1, losses)
			}
		}
		closeAll(t, all)
	})
}

func TestSilentDeathIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(wire)
		all := crowd(t, w, 2)
		time.Sleep(time.Minute)
		w.mu.Lock()
		w.lost = 1 // from now on nobody hears another
		w.mu.Unlock()
		time.Sleep(timeToLive*time.Second + pollEvery)
		for n, m := range all {
			if seen, losses := m.count(); seen != 0 || losses != 1 {
				t.Errorf("number %d sees %d and has lost somebody %d times", n, seen, losses)
			}
		}
		if _, ok := all[0].service.Heard(memberID(1)); !ok {
			t.Error("a hearing should outlive the sighting")
		}
		closeAll(t, all)
	})
}
