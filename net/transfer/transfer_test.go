package transfer_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/transfer"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/net/transfer/provide"
	"github.com/potluck-share/potluck/net/transfer/wire"
	"github.com/potluck-share/potluck/storage/content"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts a host that is near to all others on loopback.
func start(t testing.TB, listen ...string) *host.Host {
	t.Helper()
	identity, err := host.LoadIdentity(filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.New(t.Context(), host.Config{
		Identity: identity,
		Listen:   listen,
		Nearby:   []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Hello:    func(domain.PeerID) domain.Hello { return domain.Hello{Name: "Ana", Version: "1.2.3"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := h.Listen(); err != nil {
		t.Fatal(err)
	}
	return h
}

// plate has one content in memory, for near peers.
type plate struct {
	*bytes.Reader
	sum  content.Sum
	read *atomic.Bool // a piece of it was asked for, and whoever did so has a place
}

func newPlate(t testing.TB, size int64) plate {
	t.Helper()
	data := make([]byte, size)
	_, _ = rand.Read(data) // never fails
	sum, err := content.Hash(t.Context(), bytes.NewReader(data), size, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return plate{bytes.NewReader(data), sum, new(atomic.Bool)}
}

func (p plate) ReadAt(b []byte, off int64) (int, error) {
	p.read.Store(true)
	return p.Reader.ReadAt(b, off)
}

func (p plate) Allowed(asker domain.Asker, id domain.ContentID) bool {
	return asker.Near && id == p.sum.ID
}

func (p plate) Open(_ context.Context, asker domain.Asker, id domain.ContentID) (provide.Content, error) {
	if !p.Allowed(asker, id) {
		return nil, domain.ErrNotFound
	}
	return p, nil
}

func (p plate) Layer() []byte        { return p.sum.Layer }
func (plate) Fresh() error           { return nil }
func (plate) Spread() provide.Spread { return provide.Nearby }
func (plate) Close() error           { return nil }

// bowl takes a content.
type bowl struct {
	mu    sync.Mutex
	layer content.Layer
	known bool
	data  []byte
	has   map[int]bool
	done  int64
}

func newBowl(size int64) *bowl { return &bowl{data: make([]byte, size), has: make(map[int]bool)} }

func (b *bowl) Layer() (content.Layer, bool) { return b.layer, b.known }

func (b *bowl) SetLayer(l content.Layer) error {
	b.layer, b.known = l, true
	return nil
}

func (b *bowl) Has(index int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.has[index]
}

func (b *bowl) Missing() (missing []int) {
	for i := range domain.Pieces(int64(len(b.data))) {
		if !b.Has(i) {
			missing = append(missing, i)
		}
	}
	return missing
}

func (b *bowl) Done() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.done
}

func (b *bowl) Put(p content.Piece) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done += int64(copy(b.data[p.Index()*domain.PieceSize:], p.Data()))
	b.has[p.Index()] = true
	return nil
}

func serve(h *host.Host, p *provide.Provider) { transfer.Serve(h, p, nil) }

// serveStreams is how a peer serves that knows no bulk connections.
func serveStreams(h *host.Host, p *provide.Provider) {
	h.Handle(wire.Protocol, host.NearOnly, func(ctx context.Context, s network.Stream, _ domain.Asker) {
		p.Handle(ctx, s, func() domain.Asker { return h.Asker(s.Conn()) })
	})
}

// TestTransfer fetches over a bulk connection, and over a stream where there is
// no bulk connection to be had.
func TestTransfer(t *testing.T) {
	const tcp, quic = "/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"
	for _, c := range []struct {
		name   string
		listen string
		serve  func(*host.Host, *provide.Provider)
		bulk   bool
	}{
		{"bulk", tcp, serve, true},
		{"no TCP port", quic, serve, false},
		{"an older peer", tcp, serveStreams, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			const size = 5<<20 + 77
			from, to := start(t, c.listen), start(t, tcp, quic)
			food := newPlate(t, size)
			provider := provide.New(provide.Config{Source: food})
			t.Cleanup(provider.Close)
			c.serve(from, provider)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if _, err := to.Connect(ctx, from.Addresses()[0]+"/p2p/"+string(from.ID())); err != nil {
				t.Fatal(err)
			}
			s, err := transfer.Dialer{Host: to}.Open(ctx, from.ID())
			if err != nil {
				t.Fatal(err)
			}
			if _, bulk := s.(*host.Bulk); bulk != c.bulk {
				t.Errorf("the stream is a %T", s)
			}
			_ = s.Reset() // it was opened to be looked at

			fetcher := fetch.New(fetch.Config{Open: transfer.Dialer{Host: to}})
			defer func() { _ = fetcher.Close() }() // always nil
			into := newBowl(size)
			if err := fetcher.Fetch(ctx, food.sum.ID, size, into, fetch.Fixed{from.ID()}, nil); err != nil {
				t.Fatal(err)
			}
			want := make([]byte, size)
			if _, err := food.ReadAt(want, 0); err != nil || !bytes.Equal(into.data, want) {
				t.Errorf("other bytes came, %v", err)
			}
		})
	}
}

// The connection that carries the rest is made first.
func TestOpenConnects(t *testing.T) {
	t.Parallel()
	const tcp = "/ip4/127.0.0.1/tcp/0"
	from, to := start(t, tcp), start(t, tcp)
	open := transfer.Dialer{Host: to}.Open
	if _, err := open(t.Context(), from.ID()); !errors.Is(err, domain.ErrOffline) {
		t.Fatalf("to an unknown peer: %v, want %v", err, domain.ErrOffline)
	}
	provider := provide.New(provide.Config{Source: newPlate(t, 1)})
	t.Cleanup(provider.Close)
	serve(from, provider)
	to.Sighted(domain.Sighting{Peer: from.ID(), Addresses: from.Addresses(), Source: domain.SourceRemembered})
	s, err := open(t.Context(), from.ID())
	if err != nil {
		t.Fatal(err)
	}
	if _, bulk := s.(*host.Bulk); !bulk {
		t.Errorf("the stream is a %T", s)
	}
	_ = s.Reset() // it was opened to be looked at
}
