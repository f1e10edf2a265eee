package discovery

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"
)

func named(names ...string) []nic {
	var out []nic
	for n, name := range names {
		out = append(out, nic{
			Interface: net.Interface{Index: n + 1, Name: name, Flags: net.FlagUp | net.FlagRunning | net.FlagMulticast | net.FlagBroadcast},
			prefixes:  []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(n), 1}), 24)},
		})
	}
	return out
}

func TestUsableInterfaces(t *testing.T) {
	for name, test := range map[string]struct {
		all, routed, want []string
	}{
		"plain":               {[]string{"eth0", "wlan0"}, nil, []string{"eth0", "wlan0"}},
		"containers and VPNs": {[]string{"eth0", "docker0", "br-12ab", "virbr0", "veth1", "tun0", "wg0", "tailscale0", "utun3", "ztabc", "vboxnet0"}, nil, []string{"eth0"}},
		"Windows":             {[]string{"Ethernet", "vEthernet (WSL)", "VMware Network Adapter VMnet8"}, nil, []string{"Ethernet"}},
		"a plain bridge":      {[]string{"br0", "docker0"}, nil, []string{"br0"}},
		"default route":       {[]string{"eth0", "tun0", "docker0"}, []string{"tun0"}, []string{"eth0", "tun0"}},
		"the last one left":   {[]string{"veth7"}, nil, []string{"veth7"}},
		"none":                {nil, nil, nil},
	} {
		var gateways []gateway
		for _, link := range test.routed {
			gateways = append(gateways, gateway{link: link})
		}
		var got []string
		for _, n := range usable(named(test.all...), gateways) {
			got = append(got, n.Name)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestBroadcastAddress(t *testing.T) {
	for prefix, want := range map[string]string{
		"192.168.1.5/24": "192.168.1.255", "10.1.2.3/8": "10.255.255.255", "10.1.2.3/21": "10.1.7.255",
		"10.0.0.1/30": "10.0.0.3", "10.0.0.1/31": "", "10.0.0.1/32": "", "10.0.0.1/0": "", "fd00::1/64": "",
	} {
		got, ok := broadcastOf(netip.MustParsePrefix(prefix))
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%s: %v %v, want %q", prefix, got, ok, want)
		}
	}
}

func TestOnlyWhatWasSentToAllIsHeard(t *testing.T) {
	n := named("eth0")[0] // 10.0.0.1/24
	for name, test := range map[string]struct {
		via  via
		from string
		to   string
		want bool
	}{
		"multicast":                   {viaMulticast4, "10.0.0.2:5353", "224.0.0.251", true},
		"multicast, another subnet":   {viaMulticast4, "192.168.0.2:5353", "224.0.0.251", true},
		"multicast from afar":         {viaMulticast4, "8.8.8.8:5353", "224.0.0.251", false},
		"multicast from a program":    {viaMulticast4, "10.0.0.2:40000", "224.0.0.251", false},
		"sent to us":                  {viaMulticast4, "10.0.0.2:5353", "10.0.0.1", false},
		"sent to we know not whom":    {viaMulticast4, "10.0.0.2:5353", "", false},
		"IPv6":                        {viaMulticast6, "[fe80::2]:5353", "ff02::fb", true},
		"IPv6 sent to us":             {viaMulticast6, "[fe80::2]:5353", "fe80::1", false},
		"IPv6 from afar":              {viaMulticast6, "[2001:db8::2]:5353", "ff02::fb", false},
		"broadcast":                   {viaBroadcast, "10.0.0.2:17686", "10.0.0.255", true},
		"broadcast to all":            {viaBroadcast, "10.0.0.2:17686", "255.255.255.255", true},
		"broadcast, another subnet":   {viaBroadcast, "192.168.0.2:17686", "255.255.255.255", false},
		"sent to us, broadcasts' way": {viaBroadcast, "10.0.0.2:17686", "10.0.0.1", false},
	} {
		d := datagram{via: test.via, from: netip.MustParseAddrPort(test.from)}
		if test.to != "" {
			d.to = netip.MustParseAddr(test.to)
		}
		if got := n.admits(d); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestIdentity(t *testing.T) {
	at := func(address string) nic {
		return nic{prefixes: []netip.Prefix{netip.MustParsePrefix(address), netip.MustParsePrefix("fe80::1/64")}}
	}
	via := func(hardware string) *gateway {
		return &gateway{address: netip.MustParseAddr("10.0.0.254"), hardware: hardware}
	}
	names := 0
	fresh := func() string { names++; return strconv.Itoa(names) }
	var i identity
	for n, step := range []struct {
		after            time.Duration
		nic              nic
		gateway          *gateway
		unreadable       bool
		id, shown        string
		changed, renamed bool
	}{
		{nic: at("10.0.0.1/24"), id: "prefix:10.0.0.0/24", shown: "prefix:10.0.0.0/24", changed: true},
		{nic: at("10.0.0.2/24"), id: "prefix:10.0.0.0/24", shown: "prefix:10.0.0.0/24"},
		{nic: at("10.0.0.2/24"), gateway: via(""), id: "unknown:1", changed: true},
		{after: settleTime, nic: at("10.0.0.2/24"), gateway: via(""), id: "unknown:1", shown: "unknown:1"},
		{nic: at("10.0.0.2/24"), gateway: via("aa"), id: "gateway:aa", shown: "gateway:aa", changed: true, renamed: true},
		{nic: at("10.0.0.2/24"), gateway: via(""), id: "gateway:aa", shown: "gateway:aa"}, // forgotten by the system
		{nic: at("10.0.0.2/24"), unreadable: true, gateway: via(""), id: "gateway:aa", shown: "gateway:aa"},
		{nic: at("10.0.0.2/24"), gateway: via("bb"), id: "gateway:bb", shown: "gateway:bb", changed: true},
		{nic: at("10.0.0.3/24"), gateway: via("bb"), id: "gateway:bb", shown: "gateway:bb"},
		{nic: at("10.0.0.4/24"), gateway: via(""), id: "unknown:2", changed: true},
		{nic: at("10.9.0.4/24"), unreadable: true, id: "unknown:3", changed: true},
		{nic: at("10.9.0.5/24"), unreadable: true, id: "unknown:4", changed: true},
		{nic: at("10.9.0.5/24"), gateway: &gateway{}, id: "prefix:10.9.0.0/24", shown: "prefix:10.9.0.0/24", changed: true, renamed: true},
	} {
		changed, renamed := i.update(epoch, step.nic, step.gateway, !step.unreadable, fresh)
		if i.id != step.id || changed != step.changed || renamed != step.renamed {
			t.Errorf("step %d: %q changed %v renamed %v, want %+v", n, i.id, changed, renamed, step)
		}
		if got := i.shown(epoch.Add(step.after)); got != step.shown {
			t.Errorf("step %d: shown as %q, want %q", n, got, step.shown)
		}
	}
}
