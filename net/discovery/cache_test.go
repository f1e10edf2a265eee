package discovery

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

var home = []netip.Prefix{
	netip.MustParsePrefix("192.168.1.5/24"),
	netip.MustParsePrefix("fd00:1::5/64"),
	netip.MustParsePrefix("2001:db8:1::5/64"),
	netip.MustParsePrefix("fe80::5/64"),
}

func TestOnlyCredibleAddressesAreTaken(t *testing.T) {
	for name, test := range map[string]struct {
		claims []netip.Addr
		from   string
		want   []netip.Addr
	}{
		"its own":         {addrs("192.168.1.9", "fd00:1::9"), "192.168.1.9", addrs("192.168.1.9", "fd00:1::9")},
		"source added":    {addrs("192.168.1.10"), "192.168.1.9", addrs("192.168.1.10", "192.168.1.9")},
		"another network": {addrs("10.1.1.1", "172.17.0.1", "fd00:2::9"), "192.168.1.9", addrs("192.168.1.9")},
		"public":          {addrs("8.8.8.8", "2001:db8:2::9"), "192.168.1.9", addrs("192.168.1.9")},
		"public, on link": {addrs("2001:db8:1::9"), "fe80::9", addrs("2001:db8:1::9")},
		"nonsense":        {addrs("0.0.0.0", "127.0.0.1", "::1", "224.0.0.1", "ff02::1", "255.255.255.255"), "fe80::9", nil},
		"link-local":      {addrs("169.254.3.4", "fe80::9"), "fe80::9", addrs("169.254.3.4")},
		"carrier's NAT":   {addrs("100.64.0.1"), "192.168.1.9", addrs("192.168.1.9")},
	} {
		c := newCache()
		at := place{1, testPeer("ana")}
		c.hear(epoch, at, announcement{peer: at.peer, tcp: 1, ttl: 120, addresses: test.claims},
			netip.MustParseAddr(test.from), domain.SourceMulticast, home)
		if got := c.entries[at].addresses; !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestNews(t *testing.T) {
	c := newCache()
	at := place{1, testPeer("ana")}
	from4, from6 := netip.MustParseAddr("192.168.1.9"), netip.MustParseAddr("fe80::9")
	said := announcement{peer: at.peer, tcp: 1, ttl: 120, addresses: addrs("192.168.1.9")}
	moved := announcement{peer: at.peer, tcp: 1, ttl: 120, addresses: addrs("192.168.1.77")}
	goodbye := announcement{peer: at.peer}
	for n, step := range []struct {
		after  time.Duration
		said   announcement
		from   netip.Addr
		source domain.Source
		want   news
	}{
		{0, said, from4, domain.SourceBroadcast, appeared},
		{time.Second, said, from4, domain.SourceMulticast, changed},
		{time.Second, said, from6, domain.SourceMulticast, nothing},
		{2 * time.Second, said, from4, domain.SourceBroadcast, nothing},
		{30 * time.Second, said, from6, domain.SourceMulticast, renewed},
		{31 * time.Second, moved, netip.MustParseAddr("192.168.1.77"), domain.SourceMulticast, changed},
		{32 * time.Second, goodbye, from4, domain.SourceMulticast, nothing}, // not from there any more
		{33 * time.Second, goodbye, netip.MustParseAddr("192.168.1.77"), domain.SourceMulticast, left},
		{33 * time.Second, goodbye, netip.MustParseAddr("192.168.1.77"), domain.SourceMulticast, nothing},
	} {
		if got := c.hear(epoch.Add(step.after), at, step.said, step.from, step.source, home); got != step.want {
			t.Errorf("step %d: %d, want %d", n, got, step.want)
		}
	}
	c.settle(epoch.Add(longestLife + time.Hour))
	if len(c.entries) != 0 || len(c.owner) != 0 || len(c.sources) != 0 {
		t.Errorf("something is left: %+v", c)
	}
}

func TestLifeIsBounded(t *testing.T) {
	for ttl, want := range map[uint32]time.Duration{1: shortestLife, 120: 2 * time.Minute, 1<<32 - 1: longestLife} {
		c := newCache()
		at := place{1, testPeer("ana")}
		c.hear(epoch, at, announcement{peer: at.peer, tcp: 1, ttl: ttl}, netip.MustParseAddr("192.168.1.9"), domain.SourceMulticast, home)
		if gone := c.expire(epoch.Add(want - 1)); len(gone) > 0 {
			t.Errorf("TTL %d: gone before %v", ttl, want)
		}
		if gone := c.expire(epoch.Add(want)); len(gone) != 1 {
			t.Errorf("TTL %d: not gone after %v", ttl, want)
		}
	}
}

func TestRefreshBeforeTheEnd(t *testing.T) {
	c := newCache()
	at := place{3, testPeer("ana")}
	c.hear(epoch, at, announcement{peer: at.peer, tcp: 1, ttl: 100}, netip.MustParseAddr("192.168.1.9"), domain.SourceMulticast, home)
	var points []int
	for second := range 100 {
		if c.refresh(epoch.Add(time.Duration(second) * time.Second))[3] {
			points = append(points, second)
		}
	}
	if want := refreshPoints[:]; !slices.Equal(points, want) {
		t.Errorf("refreshed at %v, want %v", points, want)
	}
	if list := c.known(epoch.Add(49*time.Second), 3); len(list) != 1 || list[0] != (known{at.peer, 51}) {
		t.Errorf("known in the first half: %v", list)
	}
	if list := c.known(epoch.Add(51*time.Second), 3); len(list) != 0 {
		t.Errorf("known in the second half: %v", list)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	c := newCache()
	hear := func(n int, from netip.Addr) {
		at := place{1, memberID(n)}
		c.hear(epoch, at, announcement{peer: at.peer, tcp: 1, ttl: 120}, from, domain.SourceMulticast, home)
	}
	for n := range 1000 {
		hear(n, netip.MustParseAddr("192.168.1.66"))
	}
	if len(c.entries) != maxPerSource {
		t.Errorf("one address is %d peers, want at most %d", len(c.entries), maxPerSource)
	}
	for n := range 6000 {
		hear(n+1000, netip.AddrFrom4([4]byte{192, 168, 1, byte(n)}))
	}
	if len(c.entries) != maxPeers {
		t.Errorf("%d peers are remembered, want %d", len(c.entries), maxPeers)
	}
	if gone := c.leave(0); len(gone) != maxPeers || len(c.sources) != 0 || len(c.owner) != 0 {
		t.Errorf("%d have left and something remains", len(gone))
	}
}

// One source may claim to be so many peers in a while, whether it says goodbye for
// them or not.
func TestGoodbyesMakeNoRoomForMore(t *testing.T) {
	c := newCache()
	from := netip.MustParseAddr("192.168.1.66")
	say := func(n int, ttl uint32, now time.Time) news {
		at := place{1, memberID(n)}
		return c.hear(now, at, announcement{peer: at.peer, ttl: ttl, tcp: 1}, from, domain.SourceMulticast, nil)
	}
	for n := range 2 * maxPerSource {
		want := appeared
		if n >= maxPerSource {
			want = nothing
		}
		if got := say(n, 60, epoch); got != want {
			t.Fatalf("number %d: %v, want %v", n, got, want)
		}
		say(n, 0, epoch)
	}
	if len(c.entries) != 0 {
		t.Errorf("%d are there after their goodbyes", len(c.entries))
	}
	c.expire(epoch.Add(time.Minute))
	if len(c.parted) != 0 || len(c.sources) != 0 {
		t.Errorf("later %d goodbyes count, for %d sources", len(c.parted), len(c.sources))
	}
	if got := say(1, 60, epoch.Add(time.Minute)); got != appeared {
		t.Errorf("later: %v", got)
	}
}

func TestHearingsEnd(t *testing.T) {
	peer := testPeer("ana")
	now := epoch
	s := &Service{hearings: make(map[hearing]time.Time), cfg: Config{Now: func() time.Time { return now }}}
	s.nowOn([]presentNetwork{{"home", "home", ""}}, nil)
	s.remember(peer, "home", now)
	expect := func(when string, want bool) {
		t.Helper()
		if network, got := s.Heard(peer); got != want || got && network != "home" {
			t.Errorf("%s: heard is %v on %q, want %v", when, got, network, want)
		}
	}
	now = epoch.Add(hearingLife - time.Second)
	expect("within a day", true)
	now = epoch.Add(hearingLife)
	expect("after a day", false)
	now = epoch.Add(-time.Hour)
	expect("with the clock set back", false)
	now = epoch.Add(time.Hour)
	s.nowOn(nil, nil)
	expect("without a network", false)
	s.nowOn([]presentNetwork{{"unknown:1", "", ""}}, nil)
	expect("while it is not clear which network it is", false)
	s.rename("unknown:1", "home")
	s.nowOn([]presentNetwork{{"home", "home", ""}}, nil)
	expect("on the same network again", true)
	s.nowOn([]presentNetwork{{"cafe", "cafe", ""}}, nil)
	expect("on another network", false)
	s.nowOn([]presentNetwork{{"home", "home", ""}}, nil)
	expect("back from another network", false)
}

func TestHearingsAreBounded(t *testing.T) {
	s := &Service{hearings: make(map[hearing]time.Time)}
	for n := range maxPeers + 100 {
		s.remember(memberID(n), "somewhere", epoch)
	}
	if len(s.hearings) != maxPeers {
		t.Errorf("%d hearings, want %d", len(s.hearings), maxPeers)
	}
	// Whoever comes later is not kept out by those who were there before.
	if _, heard := s.hearings[hearing{memberID(maxPeers + 99), "somewhere"}]; !heard {
		t.Error("the last one was not noted")
	}
	s.remember(memberID(7_000), "somewhere", epoch.Add(time.Minute))
	for n := range maxPeers - 1 {
		s.remember(memberID(10_000+n), "somewhere", epoch.Add(2*time.Minute))
	}
	if _, heard := s.hearings[hearing{memberID(7_000), "somewhere"}]; !heard {
		t.Error("not the oldest one made room")
	}
	// Old ones make room.
	s.remember(testPeer("ana"), "somewhere", epoch.Add(25*time.Hour))
	if len(s.hearings) != 1 {
		t.Errorf("%d hearings after a day, want 1", len(s.hearings))
	}
}
