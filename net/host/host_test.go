package host

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"go.uber.org/goleak"

	"github.com/potluck-share/potluck/app/domain"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// ears is a Surroundings that a test sets.
type ears struct {
	mu       sync.Mutex
	heard    map[domain.PeerID]string
	prefixes []netip.Prefix
	asked    int
}

func (e *ears) Prefixes() []netip.Prefix {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.prefixes)
}

func (e *ears) Heard(id domain.PeerID) (string, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	network, ok := e.heard[id]
	return network, ok
}

func (e *ears) Ask() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked++
}

func (e *ears) hear(id domain.PeerID, network string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.heard == nil {
		e.heard = make(map[domain.PeerID]string)
	}
	e.heard[id] = network
}

func (e *ears) forget(id domain.PeerID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.heard, id)
}

func (e *ears) asks() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked
}

// diary keeps the presences that a host reports.
type diary struct {
	mu    sync.Mutex
	pages []domain.Presence
}

func (d *diary) write(p domain.Presence) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pages = append(d.pages, p)
}

// has reports whether a presence of the peer was reported that fits.
func (d *diary) has(id domain.PeerID, fits func(domain.Presence) bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.pages, func(p domain.Presence) bool { return p.Peer == id && fits(p) })
}

// last returns the latest presence of the peer.
func (d *diary) last(id domain.PeerID) domain.Presence {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range slices.Backward(d.pages) {
		if p.Peer == id {
			return p
		}
	}
	return domain.Presence{}
}

// quick are times that let a test see their effects.
func quick() *times {
	t := defaultTimes()
	t.backoffMin = 50 * time.Millisecond
	t.backoffMax = 200 * time.Millisecond
	t.tie = 100 * time.Millisecond
	t.handlers = 0
	// One that fails is not tried again for minutes.
	t.bulk = 10 * time.Second
	return t
}

func newIdentity(t testing.TB) Identity {
	t.Helper()
	identity, err := LoadIdentity(filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// prepare makes a host on loopback that does not listen yet, near to all others
// there unless the configuration says otherwise, and ends it with the test.
func prepare(t testing.TB, name string, change func(*Config)) *Host {
	t.Helper()
	cfg := Config{
		Listen: []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"},
		Nearby: loopback,
		Hello:  func(domain.PeerID) domain.Hello { return domain.Hello{Name: name, Version: "1.2.3"} },
		times:  quick(),
	}
	if change != nil {
		change(&cfg)
	}
	if cfg.Identity.key == nil {
		cfg.Identity = newIdentity(t)
	}
	h, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// start is prepare with a host that listens.
func start(t testing.TB, name string, change func(*Config)) *Host {
	t.Helper()
	h := prepare(t, name, change)
	if err := h.Listen(); err != nil {
		t.Fatal(err)
	}
	return h
}

// addressOf returns where a host listens, by TCP or QUIC.
func addressOf(t testing.TB, h *Host, kind string) string {
	t.Helper()
	for _, a := range h.Addresses() {
		if strings.Contains(a, "/"+kind) {
			return a
		}
	}
	t.Fatalf("no %s address in %v", kind, h.Addresses())
	return ""
}

func connect(t testing.TB, from, to *Host) {
	t.Helper()
	id, err := from.Connect(t.Context(), addressOf(t, to, "tcp")+"/p2p/"+string(to.ID()))
	if err != nil {
		t.Fatal(err)
	}
	if id != to.ID() {
		t.Fatalf("connected to %s, want %s", id, to.ID())
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func TestHelloBothWays(t *testing.T) {
	var atA, atB diary
	a := start(t, "Ana", func(c *Config) { c.Presence = atA.write })
	b := start(t, "Ben", func(c *Config) { c.Presence = atB.write })
	connect(t, a, b)
	for _, side := range []struct {
		diary *diary
		other *Host
		name  string
	}{{&atA, b, "Ben"}, {&atB, a, "Ana"}} {
		eventually(t, side.name+" is connected, near, and says so", func() bool {
			p := side.diary.last(side.other.ID())
			return p.Connected && p.Near && p.Hello == domain.Hello{Name: side.name, Version: "1.2.3", Near: true}
		})
	}
	if !a.Near(b.ID()) || !b.Near(a.ID()) {
		t.Error("not near by the owner's word")
	}
	eventually(t, "a learns where b listens", func() bool {
		return slices.Contains(atB.last(a.ID()).Addresses, addressOf(t, a, "quic-v1"))
	})
}

// echo serves a protocol that sends back what it gets.
func echo(h *Host, proto string, rule Rule) {
	h.Handle(proto, rule, func(_ context.Context, s network.Stream, _ domain.Asker) {
		if _, err := io.Copy(s, s); err != nil {
			_ = s.Reset()
		}
	})
}

// say sends a text on a new stream and returns the answer.
func say(t *testing.T, from *Host, to domain.PeerID, proto, text string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	s, err := from.Open(ctx, to, proto)
	if err != nil {
		return "", err
	}
	defer func() { _ = s.Close() }()
	if _, err := io.WriteString(s, text); err != nil {
		return "", err
	}
	if err := s.CloseWrite(); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(s)
	return string(answer), err
}

func TestStreams(t *testing.T) {
	a, b := start(t, "Ana", nil), start(t, "Ben", nil)
	echo(b, "/test/echo/1", NearOnly)
	connect(t, a, b)
	if got, err := say(t, a, b.ID(), "/test/echo/1", "soup"); err != nil || got != "soup" {
		t.Errorf("echo of soup: %q, %v", got, err)
	}
	if _, err := say(t, a, b.ID(), "/test/echo/2", "soup"); !errors.Is(err, domain.ErrVersion) {
		t.Errorf("protocol that b does not know: %v, want %v", err, domain.ErrVersion)
	}
	stranger := newIdentity(t).ID()
	if _, err := say(t, a, stranger, "/test/echo/1", "soup"); !errors.Is(err, domain.ErrOffline) {
		t.Errorf("unknown peer: %v, want %v", err, domain.ErrOffline)
	}
}
