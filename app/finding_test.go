package app_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/control"
	"github.com/potluck-share/potluck/app/lab"
	"github.com/potluck-share/potluck/app/programs"
)

// How soon people are to be found again after the cause has gone, and how soon
// it is to be seen that somebody left in order or died, and that a cable was
// pulled.
const (
	foundWithin = 2 * time.Second
	leftWithin  = 3 * time.Second
	lostWithin  = 15 * time.Second
	// sharedWithin is how soon something that was shared then is fetched.
	sharedWithin = 8 * time.Second
	// busy is what all of that may take longer on a machine that has other tests to
	// run meanwhile. What it took is in the log.
	busy = time.Second
)

// These tests do not run beside others: they measure time.

// on makes a Potluck on each of these hosts of a lab, not started yet.
func on(t *testing.T, network *lab.Lab, names ...string) []*mortal {
	t.Helper()
	bin := programs.Headless(t)
	all := make([]*mortal, len(names))
	for i, name := range names {
		m := &mortal{t: t, host: network.Host(name), bin: bin}
		m.copyOfPotluck = newCopy(t, name, m.program)
		all[i] = m
	}
	return all
}

// person is somebody whom a Potluck knows.
type person struct {
	Name        string   `json:"name"`
	Online      bool     `json:"online"`
	Near        bool     `json:"near"`
	NearForThem bool     `json:"near_for_them"`
	Friend      bool     `json:"friend"`
	Addresses   []string `json:"addresses"`
}

// knows returns somebody by name, as the running Potluck tells of them; the
// zero value if it knows nobody of that name.
func (m *mortal) knows(ctx context.Context, t *testing.T, name string) (found person) {
	t.Helper()
	client, err := control.Dial(ctx, m.data)
	if err != nil {
		t.Fatalf("%s: %v", m.name, err)
	}
	err = client.Call(ctx, "peers", struct{}{}, func(raw json.RawMessage) error {
		var one person
		err := json.Unmarshal(raw, &one)
		if one.Name == name {
			found = one
		}
		return err
	})
	if err != nil {
		t.Fatalf("%s: peers: %v", m.name, err)
	}
	return found
}

// within waits until what m knows of somebody is so, and fails if that takes
// longer than most since a time; it waits a good deal longer, to say how long it
// took.
func (m *mortal) within(ctx context.Context, t *testing.T, most time.Duration, since time.Time, what, name string, is func(person) bool) {
	t.Helper()
	for {
		who := m.knows(ctx, t, name)
		took := time.Since(since)
		switch {
		case is(who) && took <= most+busy:
			t.Logf("%s: %s %s after %.2f s", m.name, name, what, took.Seconds())
			return
		case is(who):
			t.Errorf("%s: %s %s after %.2f s, want %v", m.name, name, what, took.Seconds(), most)
			return
		case took > 3*most+10*time.Second:
			t.Fatalf("%s: in %.0f s %s never %s: %+v", m.name, took.Seconds(), name, what, who)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// found waits until all of these see each other.
func found(ctx context.Context, t *testing.T, since time.Time, all ...*mortal) {
	t.Helper()
	for _, m := range all {
		for _, other := range all {
			if other != m {
				m.within(ctx, t, foundWithin, since, "is found", other.name, here)
			}
		}
	}
}

func here(p person) bool { return p.Online && p.NearForThem }

func gone(p person) bool { return !p.Online }

// left waits until these see that somebody is away.
func (m *mortal) left(ctx context.Context, t *testing.T, most time.Duration, since time.Time, by ...*mortal) {
	t.Helper()
	for _, other := range by {
		other.within(ctx, t, most, since, "is seen to be away", m.name, gone)
	}
}

func TestFindingWithANetworkThatComesLate(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	network := lab.Bare(t, "ana", "ben")
	all := on(t, network, "ana", "ben")
	network.Host("ana").Connect(lab.DefaultSwitch, "eth0", "10.77.0.1/24")
	start(ctx, t, all...)
	time.Sleep(2 * time.Second) // they have been alone for a while
	since := time.Now()
	network.Host("ben").Connect(lab.DefaultSwitch, "eth0", "10.77.0.2/24")
	found(ctx, t, since, all...)
}

// A link goes down for 25 s, longer than most connections take to die.
func TestFindingAfterALinkWasDown(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	all := mortals(ctx, t, "ana", "ben")
	ana, ben := all[0], all[1]
	ana.meets(ctx, t, "ben")
	since := time.Now()
	ben.host.SetLink(false)
	ben.left(ctx, t, lostWithin, since, ana)
	time.Sleep(time.Until(since.Add(25 * time.Second)))
	since = time.Now()
	ben.host.SetLink(true)
	found(ctx, t, since, all...)
}

func TestFindingAfterACableWasPulled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all := mortals(ctx, t, "ana", "ben")
	ana, ben := all[0], all[1]
	ana.meets(ctx, t, "ben")
	since := time.Now()
	ben.host.SetCable(false)
	ben.left(ctx, t, lostWithin, since, ana)
	ana.left(ctx, t, lostWithin, since, ben)
	since = time.Now()
	ben.host.SetCable(true)
	found(ctx, t, since, all...)
}

// What lies between them fails for a while, of which neither system tells
// anything: a switch is off, an access point starts anew.
func TestFindingAfterWhatIsBetweenFailed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	all := mortals(ctx, t, "ana", "ben")
	ana, ben := all[0], all[1]
	ana.meets(ctx, t, "ben")
	ana.invites(ctx, t, ben)
	since := time.Now()
	ana.host.Drop(`input iifname != "lo"`, `output oifname != "lo"`)
	ana.left(ctx, t, lostWithin, since, ben)
	ben.left(ctx, t, lostWithin, since, ana)
	time.Sleep(time.Until(since.Add(30 * time.Second)))
	since = time.Now()
	ana.host.Drop()
	for _, pair := range [][2]*mortal{{ana, ben}, {ben, ana}} {
		pair[0].within(ctx, t, 5*time.Second, since, "is found", pair[1].name, here)
	}
}

func TestFindingAfterTheAddressHasChanged(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all := mortals(ctx, t, "ana", "ben")
	ana, ben := all[0], all[1]
	ana.meets(ctx, t, "ben")
	ben.meets(ctx, t, "ana")
	since := time.Now()
	ben.host.RemoveAddress("eth0", "10.77.0.2/24")
	ben.host.AddAddress("eth0", "10.77.0.99/24")
	ana.within(ctx, t, foundWithin, since, "is known at the new address", "ben", func(p person) bool {
		return here(p) && strings.Contains(strings.Join(p.Addresses, " "), "10.77.0.99")
	})
	// The old connection is dead: it is the new one that shows in a fetch.
	ana.fetchesFrom(ctx, t, ben, since)
}

// Somebody with a foot on two networks sees the people of both, who do not see
// each other.
func TestFindingOnTwoNetworks(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	network := lab.Bare(t, "ana", "ben", "cleo")
	network.Host("ana").Connect(lab.DefaultSwitch, "eth0", "10.77.0.1/24")
	network.Host("ana").Connect("br1", "eth1", "10.88.0.1/24")
	network.Host("ben").Connect(lab.DefaultSwitch, "eth0", "10.77.0.2/24")
	network.Host("cleo").Connect("br1", "eth0", "10.88.0.2/24")
	all := on(t, network, "ana", "ben", "cleo")
	start(ctx, t, all...)
	since := time.Now()
	found(ctx, t, since, all[0], all[1])
	found(ctx, t, since, all[0], all[2])
	time.Sleep(time.Second)
	if who := all[1].knows(ctx, t, "cleo"); who.Online {
		t.Errorf("ben sees cleo: %+v", who)
	}
}

// What looks like a container's or a VPN's interface is not in the way, and its
// address is told to nobody.
func TestFindingBesideContainers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	network := lab.New(t, "ana", "ben")
	for _, name := range []string{"docker0", "br-0a1b2c", "virbr0"} {
		ana := network.Host("ana")
		ana.IP("link", "add", name, "type", "bridge")
		ana.IP("address", "add", map[string]string{"docker0": "172.17.0.1/16", "br-0a1b2c": "172.18.0.1/16", "virbr0": "192.168.122.1/24"}[name], "dev", name)
		ana.IP("link", "set", name, "up")
	}
	network.Host("ana").Connect("vpn", "tun0", "10.8.0.2/24")
	all := on(t, network, "ana", "ben")
	start(ctx, t, all...)
	found(ctx, t, time.Now(), all...)
	told := strings.Join(all[1].knows(ctx, t, "ana").Addresses, " ")
	for _, other := range []string{"172.17.", "172.18.", "192.168.122.", "10.8.0."} {
		if strings.Contains(told, other) {
			t.Errorf("ben was told of %s: %s", other, told)
		}
	}
}

func TestFindingOverIPv6Only(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	network := lab.Bare(t, "ana", "ben")
	for i, name := range []string{"ana", "ben"} {
		network.Host(name).Connect(lab.DefaultSwitch, "eth0", "")
		network.Host(name).IP("address", "add", []string{"fd00:77::1/64", "fd00:77::2/64"}[i], "dev", "eth0", "nodad")
	}
	all := on(t, network, "ana", "ben")
	start(ctx, t, all...)
	since := time.Now()
	found(ctx, t, since, all...)
	source := all[1].share(ctx, t, "note.txt", 3000)
	all[0].run(ctx, t, "get", "ben:note.txt")
	sameFile(ctx, t, all[0].downloads+"/note.txt", source)
}

// Somebody's computer dies without a word and comes back with the same key,
// while the others' connection to its earlier run still looks alive.
func TestFindingSomebodyWhoWasStartedAgain(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all := mortals(ctx, t, "ana", "ben")
	ana, ben := all[0], all[1]
	ana.meets(ctx, t, "ben")
	ben.host.SetCable(false) // nobody hears it die
	ben.kill(t)
	ben.host.SetCable(true)
	start(ctx, t, ben)
	since := time.Now()
	ben.within(ctx, t, foundWithin, since, "is found", "ana", here)
	ana.fetchesFrom(ctx, t, ben, since)
}

// fetchesFrom has another one share a file, and fetches it: what is shared right
// after something else is announced up to two seconds later.
func (m *mortal) fetchesFrom(ctx context.Context, t *testing.T, other *mortal, since time.Time) {
	t.Helper()
	source := other.share(ctx, t, "note.txt", 3000)
	m.run(ctx, t, "get", other.name+":note.txt")
	if took := time.Since(since); took > sharedWithin {
		t.Errorf("%s has a file of %s after %.2f s", m.name, other.name, took.Seconds())
	}
	sameFile(ctx, t, filepath.Join(m.downloads, "note.txt"), source)
}

// That somebody ends in order, or dies, is seen at once.
func TestLeavingIsSeen(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all := mortals(ctx, t, "ana", "ben", "cleo")
	ana, ben, cleo := all[0], all[1], all[2]
	for _, m := range all[1:] {
		ana.meets(ctx, t, m.name)
		m.meets(ctx, t, "ana")
	}
	since := time.Now()
	ben.kill(t)
	ben.left(ctx, t, leftWithin, since, ana, cleo)
	since = time.Now()
	cleo.stop(t)
	cleo.left(ctx, t, leftWithin, since, ana)
}

// Where no multicast and no broadcast passes, people are found at the addresses
// that are remembered of them, at one that is typed, and by an invitation.
func TestFindingWithoutMulticast(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	network := lab.New(t, "ana", "ben", "cleo")
	all := on(t, network, "ana", "ben", "cleo")
	for _, m := range all {
		m.host.Drop("input udp dport { 5353, 17686 }", "output udp dport { 5353, 17686 }")
	}
	start(ctx, t, all...)
	ana, ben, cleo := all[0], all[1], all[2]
	time.Sleep(time.Second)
	if who := ana.knows(ctx, t, "ben"); who.Online {
		t.Fatalf("multicast passes: ana sees %+v", who)
	}

	// An invitation, confirmed by who has made it.
	ana.invites(ctx, t, ben)
	found(ctx, t, time.Now(), ana, ben)

	// An address that is typed: they do not count each other as nearby.
	cleo.run(ctx, t, "connect", "10.77.0.1")
	cleo.within(ctx, t, foundWithin, time.Now(), "answers at the address", "ana", func(p person) bool { return p.Online })

	// Both start again: friends find each other where they were.
	ana.kill(t)
	ben.kill(t)
	start(ctx, t, ana, ben)
	found(ctx, t, time.Now(), ana, ben)
	source := ben.share(ctx, t, "note.txt", 3000)
	ana.run(ctx, t, "get", "ben:note.txt")
	sameFile(ctx, t, ana.downloads+"/note.txt", source)
}

// invites makes a friend of another by an invitation.
func (m *mortal) invites(ctx context.Context, t *testing.T, other *mortal) {
	t.Helper()
	made := ask[struct{ Link string }](ctx, t, m.copyOfPotluck, "invite")
	join := other.command(ctx, "--data", other.data, "connect", "-")
	join.Stdin = strings.NewReader(made.Link)
	if out, err := join.CombinedOutput(); err != nil {
		t.Fatalf("%s: connect -: %v\n%s", other.name, err, out)
	}
	m.run(ctx, t, "friend", "add", other.name, "--yes", "--wait", "20s")
}

// Cleo has moved while Ana was away: Ana knows an old address only, and hears the
// new one from Ben, who is a friend of both.
func TestFindingByACommonFriend(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	network := lab.New(t, "ana", "ben", "cleo")
	all := on(t, network, "ana", "ben", "cleo")
	for _, m := range all {
		m.host.Drop("input udp dport { 5353, 17686 }", "output udp dport { 5353, 17686 }")
	}
	start(ctx, t, all...)
	ana, ben, cleo := all[0], all[1], all[2]
	ana.invites(ctx, t, ben)
	ben.invites(ctx, t, cleo)
	cleo.invites(ctx, t, ana)
	ana.kill(t)
	cleo.host.RemoveAddress("eth0", "10.77.0.3/24")
	cleo.host.AddAddress("eth0", "10.77.0.77/24")
	cleo.within(ctx, t, lostWithin, time.Now(), "is found from the new address", "ben", here)
	ben.within(ctx, t, lostWithin, time.Now(), "is known at the new address", "cleo", func(p person) bool {
		return p.Online && strings.Contains(strings.Join(p.Addresses, " "), "10.77.0.77")
	})
	start(ctx, t, ana)
	since := time.Now()
	ana.within(ctx, t, 2*foundWithin, since, "is found by what Ben says", "cleo", here)

	// The other way round: Ana asks Ben before Ben knows.
	ana.kill(t)
	cleo.kill(t)
	ben.within(ctx, t, lostWithin, time.Now(), "is away", "cleo", func(p person) bool { return !p.Online })
	start(ctx, t, ana)
	ana.within(ctx, t, 2*foundWithin, time.Now(), "is here again", "ben", here)
	time.Sleep(2 * time.Second) // she has asked, and Ben knew nothing
	cleo.host.RemoveAddress("eth0", "10.77.0.77/24")
	cleo.host.AddAddress("eth0", "10.77.0.88/24")
	start(ctx, t, cleo)
	ana.within(ctx, t, askedAgainWithin, time.Now(), "is found although Ben knew later", "cleo", here)
}

// askedAgainWithin is how long it may take until a friend who knew nothing of a
// third one is asked again.
const askedAgainWithin = 25 * time.Second
