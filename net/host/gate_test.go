package host

import (
	"errors"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/potluck-share/potluck/app/domain"
)

// ends is the two addresses of a connection that is about to be.
type ends struct{ remote ma.Multiaddr }

func (e ends) LocalMultiaddr() ma.Multiaddr  { return ma.StringCast("/ip4/0.0.0.0/tcp/17685") }
func (e ends) RemoteMultiaddr() ma.Multiaddr { return e.remote }

func TestGateRefusesElsewhere(t *testing.T) {
	h := start(t, "Ana", func(c *Config) { c.Surroundings = &ears{prefixes: prefixes("192.168.1.5/24")} })
	peer := start(t, "Ben", nil).libp2p.ID()
	resources := gatedResources{h.rcmgr, h}
	for address, want := range map[string]bool{
		"/ip4/192.168.1.6/tcp/1000":         true,
		"/ip4/192.168.1.6/udp/1000/quic-v1": true,
		"/ip4/100.64.3.4/tcp/1000":          true,
		"/ip4/127.0.0.1/udp/1000/quic-v1":   true,
		"/ip4/8.8.8.8/tcp/1000":             false,
		"/ip4/8.8.8.8/udp/1000/quic-v1":     false,
		"/ip6/2001:db8::1/udp/1000/quic-v1": false,
	} {
		remote := ma.StringCast(address)
		if got := (gate{h}).InterceptAccept(ends{remote}); got != want {
			t.Errorf("accept from %s: %v, want %v", address, got, want)
		}
		if got := (gate{h}).InterceptAddrDial(peer, remote); got != want {
			t.Errorf("dial %s: %v, want %v", address, got, want)
		}
		scope, err := resources.OpenConnection(network.DirInbound, false, remote)
		if (err == nil) != want {
			t.Errorf("resources for a connection from %s: %v", address, err)
		}
		if scope != nil {
			scope.Done()
		}
		if !want && !errors.Is(err, domain.ErrRefused) {
			t.Errorf("resources for a connection from %s: %v, want %v", address, err, domain.ErrRefused)
		}
	}
	if _, err := resources.OpenConnection(network.DirInbound, false, nil); err == nil {
		t.Error("a connection from an unknown address got in")
	}
	// What the user typed may be anywhere, while it is tried.
	far := ma.StringCast("/ip4/8.8.8.8/tcp/1000")
	end := h.try(peer, []ma.Multiaddr{far})
	if !(gate{h}).InterceptAddrDial(peer, far) {
		t.Error("a typed address may not be dialled")
	}
	end()
	if (gate{h}).InterceptAddrDial(peer, far) {
		t.Error("an address may still be dialled after it was tried")
	}
}
