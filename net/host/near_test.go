package host

import (
	"net/netip"
	"testing"

	ma "github.com/multiformats/go-multiaddr"
)

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func TestNearFar(t *testing.T) {
	own := prefixes("192.168.1.5/24", "203.0.113.9/24", "100.101.102.103/32", "127.0.0.1/8", "::1/128",
		"2001:db8:1:2:aa::5/128", "fe80::5/64")
	nearby := prefixes("198.51.100.0/24", "100.99.0.0/16")
	relay := "/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC/p2p-circuit"
	for _, test := range []struct {
		remote  string
		heard   bool // near if its peer was heard
		byWord  bool // near whether or not it was
		connect bool // may connect at all
	}{
		{"/ip4/192.168.1.7/tcp/4000", true, false, true},
		{"/ip4/192.168.1.7/udp/4000/quic-v1", true, false, true},
		{"/ip4/10.1.2.3/tcp/4000", true, false, true},
		{"/ip4/172.16.0.1/tcp/4000", true, false, true},
		{"/ip4/172.32.0.1/tcp/4000", false, false, false},
		{"/ip4/169.254.7.7/tcp/4000", true, false, true},
		{"/ip4/127.0.0.1/tcp/4000", true, false, true},
		{"/ip4/8.8.8.8/tcp/4000", false, false, false},
		{"/ip4/203.0.113.77/tcp/4000", false, false, false}, // on-link, but public
		{"/ip4/203.0.113.9/tcp/4000", false, false, false},
		{"/ip4/0.0.0.0/tcp/4000", false, false, false},
		{"/ip4/224.0.0.251/udp/4000/quic-v1", false, false, false},
		{"/ip4/100.64.0.1/tcp/4000", false, false, true},
		{"/ip4/100.127.255.255/tcp/4000", false, false, true},
		{"/ip4/100.128.0.1/tcp/4000", false, false, false},
		{"/ip4/100.101.102.103/tcp/4000", false, false, true}, // even our own
		{"/ip4/100.99.1.1/tcp/4000", true, true, true},
		{"/ip4/198.51.100.20/tcp/4000", true, true, true},
		{"/ip6/::1/tcp/4000", true, false, true},
		{"/ip6/fd12:3456::1/tcp/4000", true, false, true},
		{"/ip6/2001:db8:1:2::77/tcp/4000", true, false, true},
		{"/ip6/2001:db8:1:3::77/tcp/4000", false, false, false},
		{"/ip6/fe80::77/tcp/4000", true, false, true},
		{"/ip6/::2/tcp/4000", false, false, false},
		{"/ip6/::ffff:192.168.1.7/tcp/4000", true, false, true},
		{"/ip6/::ffff:8.8.8.8/tcp/4000", false, false, false},
		{"/ip4/192.168.1.7/tcp/4000" + relay, false, false, false},
		{"/ip4/198.51.100.20/tcp/4000" + relay, false, false, false},
		{"/dns4/nas.local/tcp/4000", false, false, false},
	} {
		hearing := &ears{prefixes: own}
		hearing.hear("heard", "home")
		h := &Host{cfg: Config{Surroundings: hearing}}
		h.nearby.Store(&nearby)
		remote, err := ma.NewMultiaddr(test.remote)
		if err != nil {
			t.Fatalf("%s: %v", test.remote, err)
		}
		if near, network := h.judge("heard", remote); near != test.heard {
			t.Errorf("%s, heard: near is %v, want %v", test.remote, near, test.heard)
		} else if want := map[bool]string{true: "home"}[near && !test.byWord]; network != want {
			t.Errorf("%s, heard: network %q, want %q", test.remote, network, want)
		}
		if near, network := h.judge("unheard", remote); near != test.byWord || network != "" {
			t.Errorf("%s, not heard: near is %v on %q, want %v on none", test.remote, near, network, test.byWord)
		}
		ip, direct := directIP(remote)
		if may := direct && h.mayConnect(ip); may != test.connect {
			t.Errorf("%s: may connect is %v, want %v", test.remote, may, test.connect)
		}
	}
	h := &Host{cfg: Config{Surroundings: &ears{prefixes: own}}}
	h.nearby.Store(&nearby)
	if near, _ := h.judge("heard", nil); near {
		t.Error("a connection without an address is near")
	}
}
