package gossip

import (
	"context"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
)

// TestOnTheHostOfTheApp runs over net/host as the app wires it.
func TestOnTheHostOfTheApp(t *testing.T) {
	t.Parallel()
	type end struct {
		host   *host.Host
		gossip *Gossip
		heads  chan domain.Head
	}
	sequence := make(chan uint64, 1)
	sequence <- 1
	newEnd := func() end {
		identity, err := host.LoadIdentity(filepath.Join(t.TempDir(), "key"))
		if err != nil {
			t.Fatal(err)
		}
		h, err := host.New(t.Context(), host.Config{
			Identity: identity,
			Listen:   []string{"/ip4/127.0.0.1/tcp/0"},
			Nearby:   []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
			Hello:    func(domain.PeerID) domain.Hello { return domain.Hello{Name: "Ana", Version: "1.0.0"} },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
		heads := make(chan domain.Head, 100)
		g, err := New(context.Background(), Config{
			Host: h,
			Own: func(domain.Asker) domain.Head {
				n := <-sequence
				sequence <- n
				return domain.Head{Version: domain.Version{Epoch: 1, Sequence: n}}
			},
			Name:  func() string { return "Ana" },
			Heard: func(domain.PeerID) bool { return true },
			Head:  func(h domain.Head, _ time.Time) { heads <- h },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := g.Close(); err != nil {
				t.Error(err)
			}
		})
		if err := h.Listen(); err != nil {
			t.Fatal(err)
		}
		return end{h, g, heads}
	}
	a, b := newEnd(), newEnd()
	wait := func(e end, from *host.Host, sequence uint64) {
		t.Helper()
		for timeout := time.After(8 * time.Second); ; {
			select {
			case h := <-e.heads:
				if h.Peer == from.ID() && h.Sequence >= sequence {
					return
				}
			case <-timeout:
				t.Fatalf("no head with sequence %d came", sequence)
			}
		}
	}
	address := b.host.Addresses()[0] + "/p2p/" + string(b.host.ID())
	if _, err := a.host.Connect(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	wait(a, b.host, 1)
	wait(b, a.host, 1)
	<-sequence
	sequence <- 2
	a.gossip.Announce()
	wait(b, a.host, 2)
}
