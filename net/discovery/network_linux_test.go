package discovery

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
)

const someRoutes = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wlan0	00000000	0101A8C0	0003	0	0	600	00000000	0	0	0
eth0	00000000	0100000A	0003	0	0	100	00000000	0	0	0
eth0	00000000	0200000A	0003	0	0	50	00000000	0	0	0
tun0	00000000	00000000	0001	0	0	0	00000000	0	0	0
down0	00000000	0100000A	0002	0	0	0	00000000	0	0	0
eth0	0000000A	00000000	0001	0	0	100	00FFFFFF	0	0	0
half
`

const someNeighbours = `IP address       HW type     Flags       HW address            Mask     Device
10.0.0.2         0x1         0x2         AA:bb:cc:dd:ee:ff     *        eth0
10.0.0.1         0x1         0x0         00:00:00:00:00:00     *        eth0
192.168.1.1      0x1         0x2         11:22:33:44:55:66     *        eth9
nonsense
`

func TestGatewaysAreRead(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the sample is from a little-endian machine")
	}
	list, err := parseRoutes(strings.NewReader(someRoutes))
	if err != nil {
		t.Fatal(err)
	}
	if err := parseNeighbours(strings.NewReader(someNeighbours), list); err != nil {
		t.Fatal(err)
	}
	for link, want := range map[string]*gateway{
		"eth0":  {link: "eth0", address: netip.MustParseAddr("10.0.0.2"), metric: 50, hardware: "aa:bb:cc:dd:ee:ff"},
		"wlan0": {link: "wlan0", address: netip.MustParseAddr("192.168.1.1"), metric: 600},
		"tun0":  {link: "tun0"},
		"down0": nil,
	} {
		got := gatewayOf(list, link)
		if (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("%s: %+v, want %+v", link, got, want)
		}
	}
}

func FuzzGateways(f *testing.F) {
	f.Add(someRoutes, someNeighbours)
	f.Fuzz(func(t *testing.T, routes, neighbours string) {
		list, err := parseRoutes(strings.NewReader(routes))
		if err != nil {
			return
		}
		_ = parseNeighbours(strings.NewReader(neighbours), list) // an error is a fine answer
		for _, g := range list {
			if g.link == "" || g.address.IsValid() && !g.address.Is4() {
				t.Errorf("read %+v", g)
			}
		}
	})
}
