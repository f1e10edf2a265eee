package discovery

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/lab"
)

// soon is how long anything may take that a person would wait for.
const soon = 2 * time.Second

// testPeer returns a peer ID of the right form, in which name can be read.
func testPeer(name string) domain.PeerID {
	return domain.PeerID("12D3KooW" + strings.Repeat("x", 44-len(name)) + name)
}

// program is a discovery service that runs on a host of a lab.
type program struct {
	t       *testing.T
	host    *lab.Host
	peer    domain.PeerID
	cmd     *exec.Cmd
	in      io.WriteCloser
	reports chan report
	ready   chan struct{} // closed when the process is up and the service begins
	ended   chan struct{} // closed when it says no more
	started time.Time     // when it was ready
}

// start runs the service on a host, until the test ends or stop is called. It
// returns when the process is up: how long that takes is no promise of ours.
func start(t *testing.T, host *lab.Host, env ...string) *program {
	t.Helper()
	p := launch(t, host, env...)
	p.awaitReady()
	return p
}

// launch is start without waiting.
func launch(t *testing.T, host *lab.Host, env ...string) *program {
	t.Helper()
	p := &program{
		t: t, host: host, peer: testPeer(host.Name()),
		reports: make(chan report, 1000), ready: make(chan struct{}), ended: make(chan struct{}),
	}
	p.cmd = host.Command(t.Context(), os.Args[0])
	p.cmd.Env = append(append(os.Environ(), "DISCOVERY_TEST_PEER="+string(p.peer)), env...)
	var complaints strings.Builder
	p.cmd.Stderr = &complaints
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		defer close(p.reports)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var r report
			switch {
			case json.Unmarshal(lines.Bytes(), &r) != nil:
			case r.Ready:
				p.started = time.Now()
				close(p.ready)
			default:
				p.reports <- r
			}
		}
	}()
	t.Cleanup(func() {
		_ = p.in.Close() // stop may have closed it
		<-p.ended
		if err := p.cmd.Wait(); err != nil && t.Context().Err() == nil {
			t.Errorf("the program on %s: %v", host.Name(), err)
		}
		if t.Failed() {
			t.Logf("%s logged:\n%s", host.Name(), complaints.String())
		}
	})
	return p
}

// awaitReady waits until the process is up.
func (p *program) awaitReady() {
	p.t.Helper()
	select {
	case <-p.ready:
	case <-p.ended:
		p.t.Fatalf("the program on %s has ended", p.host.Name())
	case <-time.After(time.Minute):
		p.t.Fatalf("the program on %s does not come up", p.host.Name())
	}
}

// stop ends the service in order.
func (p *program) stop() {
	p.t.Helper()
	if err := p.in.Close(); err != nil {
		p.t.Fatal(err)
	}
}

// tell gives a command.
func (p *program) tell(command string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.in, command); err != nil {
		p.t.Fatal(err)
	}
}

// await returns the first report that is wanted. The test fails if none comes
// within a time.
func await[T any](p *program, within time.Duration, what string, wanted func(report) (T, bool)) T {
	p.t.Helper()
	deadline := time.After(within)
	var last []report
	for {
		select {
		case r, open := <-p.reports:
			if !open {
				p.t.Fatalf("%s ended while waiting for %s", p.host.Name(), what)
			}
			if value, ok := wanted(r); ok {
				return value
			}
			last = append(last, r)
		case <-deadline:
			text, err := json.Marshal(last)
			p.t.Fatalf("%s: no %s within %v, only %s (%v)", p.host.Name(), what, within, text, err)
		}
	}
}

// sees waits for a sighting of another and returns it.
func (p *program) sees(other *program, within time.Duration) domain.Sighting {
	p.t.Helper()
	return await(p, within, "sighting of "+other.host.Name(), func(r report) (domain.Sighting, bool) {
		if r.Sighting == nil || r.Sighting.Peer != other.peer || r.Sighting.Gone {
			return domain.Sighting{}, false
		}
		return *r.Sighting, true
	})
}

// loses waits until another is reported as gone.
func (p *program) loses(other *program, within time.Duration) {
	p.t.Helper()
	await(p, within, "loss of "+other.host.Name(), func(r report) (bool, bool) {
		return true, r.Sighting != nil && r.Sighting.Peer == other.peer && r.Sighting.Gone
	})
}

// state asks for what the service knows.
func (p *program) state() answer {
	p.t.Helper()
	p.tell("state")
	return await(p, 5*time.Second, "answer", func(r report) (answer, bool) {
		if r.Answer == nil {
			return answer{}, false
		}
		return *r.Answer, true
	})
}

// seesAll waits until all others were sighted and returns when the last one
// was.
func (p *program) seesAll(within time.Duration, others ...*program) time.Time {
	p.t.Helper()
	missing := make(map[domain.PeerID]bool)
	for _, o := range others {
		missing[o.peer] = true
	}
	return await(p, within, "sighting of all", func(r report) (time.Time, bool) {
		if r.Sighting == nil || r.Sighting.Gone {
			return time.Time{}, false
		}
		delete(missing, r.Sighting.Peer)
		return r.Sighting.At, len(missing) == 0
	})
}

func TestThreeHostsFindEachOther(t *testing.T) {
	t.Parallel()
	l := lab.New(t, "ana", "ben", "cem")
	ana, ben := launch(t, l.Host("ana")), launch(t, l.Host("ben"))
	ana.awaitReady()
	ben.awaitReady()
	last := ana.seesAll(soon, ben)
	if b := ben.seesAll(soon, ana); b.After(last) {
		last = b
	}
	t.Logf("two that start together: %v", last.Sub(ana.started))

	cem := start(t, l.Host("cem"))
	last = cem.seesAll(soon, ana, ben)
	t.Logf("a joiner finds both in %v", last.Sub(cem.started))
	got := ana.sees(cem, soon)
	t.Logf("and is found in %v", got.At.Sub(cem.started))

	want := []string{"/ip4/10.77.0.3/tcp/4001", "/ip4/10.77.0.3/udp/4002/quic-v1"}
	if !slices.Equal(got.Addresses, want) {
		t.Errorf("cem's addresses %q, want %q", got.Addresses, want)
	}
	if got.Source != domain.SourceMulticast || got.Interface != "eth0" || got.Network != "prefix:10.77.0.0/24" {
		t.Errorf("cem was sighted by %s on %s in %s", got.Source, got.Interface, got.Network)
	}
	if life := got.Expires.Sub(got.At); life < time.Minute || life > 2*time.Minute+time.Second {
		t.Errorf("the sighting is good for %v", life)
	}
	state := ana.state()
	if !state.Up || state.Network != got.Network || len(state.Heard) != 2 || state.Heard[cem.peer] != got.Network {
		t.Errorf("ana knows %+v", state)
	}
	if !slices.Contains(state.Own, "10.77.0.1/24") || slices.Contains(state.Own, "127.0.0.1/8") {
		t.Errorf("ana's own addresses: %q", state.Own)
	}
}

func TestGoodbyeIsNoticed(t *testing.T) {
	t.Parallel()
	l := lab.New(t, "ana", "ben")
	ana, ben := start(t, l.Host("ana")), start(t, l.Host("ben"))
	ana.sees(ben, soon)

	ben.tell("hide true")
	ana.loses(ben, soon)
	// Whoever hides does not answer either, but still hears others.
	ana.tell("ask")
	time.Sleep(500 * time.Millisecond)
	ben.tell("hide false")
	if back := ana.sees(ben, soon); len(back.Addresses) == 0 {
		t.Errorf("ben came back without addresses: %+v", back)
	}
	ben.stop()
	ana.loses(ben, soon)
	if state := ana.state(); state.Heard[ben.peer] == "" {
		t.Errorf("ben's goodbye made ana forget that it was heard: %+v", state)
	}
}

func TestHidingIsSilent(t *testing.T) {
	t.Parallel()
	l := lab.New(t, "ana", "ben", "cem")
	ana := start(t, l.Host("ana"))
	ana.tell("hide true")
	ana.state() // now it is hidden
	ben := start(t, l.Host("ben"))
	cem := start(t, l.Host("cem"), "DISCOVERY_TEST_HIDDEN=1") // from the beginning
	ana.sees(ben, soon)
	cem.sees(ben, soon)
	time.Sleep(time.Second)
	ben.tell("ask")
	time.Sleep(time.Second)
	if state := ben.state(); len(state.Heard) > 0 {
		t.Errorf("ben heard %v", state.Heard)
	}
	cem.tell("hide false")
	ben.sees(cem, soon)
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(h *lab.Host, up bool){
		"link":  (*lab.Host).SetLink,
		"cable": (*lab.Host).SetCable,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lab.New(t, "ana", "ben")
			ana, ben := start(t, l.Host("ana")), start(t, l.Host("ben"))
			ana.sees(ben, soon)
			set(ana.host, false)
			ana.loses(ben, soon)
			if state := ana.state(); state.Up || len(state.Heard) > 0 {
				t.Errorf("without network ana says %+v", state)
			}
			mended := time.Now()
			set(ana.host, true)
			t.Logf("ana sees ben again after %v", ana.sees(ben, soon).At.Sub(mended))
			if state := ana.state(); state.Heard[ben.peer] == "" {
				t.Errorf("ana has not heard ben: %+v", state)
			}
		})
	}
}

func TestAddressChangeIsAnnounced(t *testing.T) {
	t.Parallel()
	l := lab.New(t, "ana", "ben")
	ana, ben := start(t, l.Host("ana")), start(t, l.Host("ben"))
	ben.sees(ana, soon)
	ana.host.RemoveAddress("eth0", "10.77.0.1/24")
	changed := time.Now()
	ana.host.AddAddress("eth0", "10.77.0.99/24")
	want := []string{"/ip4/10.77.0.99/tcp/4001", "/ip4/10.77.0.99/udp/4002/quic-v1"}
	got := await(ben, soon, "new address", func(r report) (domain.Sighting, bool) {
		if r.Sighting == nil || !slices.Equal(r.Sighting.Addresses, want) {
			return domain.Sighting{}, false
		}
		return *r.Sighting, true
	})
	t.Logf("ben knows the new address, and it alone, after %v", got.At.Sub(changed))
}

func TestNetworkComesLate(t *testing.T) {
	t.Parallel()
	l := lab.Bare(t, "ana", "ben")
	l.Host("ben").Connect(lab.DefaultSwitch, "eth0", "10.77.0.2/24")
	ana, ben := start(t, l.Host("ana")), start(t, l.Host("ben"))
	if state := ana.state(); state.Up || len(state.Own) > 0 {
		t.Fatalf("without network ana says %+v", state)
	}
	time.Sleep(1500 * time.Millisecond)
	came := time.Now()
	ana.host.Connect(lab.DefaultSwitch, "eth0", "10.77.0.1/24")
	t.Logf("ana sees ben %v after the network came", ana.sees(ben, soon).At.Sub(came))
	t.Logf("ben sees ana %v after the network came", ben.sees(ana, soon).At.Sub(came))
}

func TestSleepIsNoticed(t *testing.T) {
	t.Parallel()
	l := lab.New(t, "ana", "ben")
	ana, ben := start(t, l.Host("ana")), start(t, l.Host("ben"))
	ana.sees(ben, soon)
	slept := time.Now()
	ana.tell("sleep 1h")
	ana.loses(ben, soon)
	got := ana.sees(ben, soon-time.Since(slept))
	t.Logf("ana sees ben %v after waking up", got.At.Sub(slept)-time.Hour)
	if state := ana.state(); state.Heard[ben.peer] == "" {
		t.Errorf("ana has not heard ben: %+v", state)
	}
}

func TestEachInterfaceHasItsOwnAddresses(t *testing.T) {
	t.Parallel()
	l := lab.New(t, "ana", "ben", "cem")
	ana := l.Host("ana")
	ana.Connect("br1", "eth1", "10.88.0.1/24")
	dora := l.Host("cem")
	dora.IP("link", "del", "eth0")
	dora.Connect("br1", "eth1", "10.88.0.3/24")
	a, b, c := start(t, ana), start(t, l.Host("ben")), start(t, dora)
	for _, test := range []struct {
		at   *program
		want string
	}{{b, "10.77.0.1"}, {c, "10.88.0.1"}} {
		got := test.at.sees(a, soon)
		want := []string{"/ip4/" + test.want + "/tcp/4001", "/ip4/" + test.want + "/udp/4002/quic-v1"}
		if !slices.Equal(got.Addresses, want) {
			t.Errorf("on %s ana has the addresses %q, want %q", test.at.host.Name(), got.Addresses, want)
		}
	}
	a.seesAll(soon, b, c)
	state := a.state()
	if state.Heard[b.peer] != "prefix:10.77.0.0/24" || state.Heard[c.peer] != "prefix:10.88.0.0/24" {
		t.Errorf("ana heard %v", state.Heard)
	}
}

func TestBroadcastWhereMulticastDoesNotPass(t *testing.T) {
	t.Parallel()
	l := lab.New(t, "ana", "ben")
	l.Host("ana").SetMulticast(false)
	l.Host("ben").SetMulticast(false)
	ana := start(t, l.Host("ana"))
	time.Sleep(time.Second)
	ben := start(t, l.Host("ben"))
	got := ana.sees(ben, 5*time.Second)
	if got.Source != domain.SourceBroadcast {
		t.Errorf("ben was heard by %s", got.Source)
	}
	if other := ben.sees(ana, 5*time.Second); other.Source != domain.SourceBroadcast {
		t.Errorf("ana was heard by %s", other.Source)
	}
	if state := ana.state(); state.Heard[ben.peer] == "" {
		t.Errorf("ana has not heard ben: %+v", state)
	}
	ben.stop()
	ana.loses(ben, soon)
}

func TestNetworkIsKnownByItsGateway(t *testing.T) {
	t.Parallel()
	l := lab.New(t, "ana", "ben", "gate", "gate2")
	gate := l.Host("gate")
	gate.AddAddress("eth0", "10.77.0.254/24")
	gate.IP("link", "set", "eth0", "address", "02:00:00:00:00:01")
	ana, ben := l.Host("ana"), l.Host("ben")
	ana.IP("route", "add", "default", "via", "10.77.0.254")
	a, b := start(t, ana), start(t, ben)
	a.sees(b, soon)
	isOn := func(network string) func(report) (bool, bool) {
		return func(report) (bool, bool) {
			a.tell("state")
			deadline := time.After(time.Second)
			for {
				select {
				case r := <-a.reports:
					if r.Answer != nil {
						return true, r.Answer.Network == network
					}
				case <-deadline:
					return false, false
				}
			}
		}
	}
	a.tell("ask")
	await(a, 3*time.Second, "network of the first gateway", isOn("gateway:02:00:00:00:00:01"))
	if state := a.state(); state.Heard[b.peer] != "gateway:02:00:00:00:00:01" {
		t.Errorf("ana heard %v", state.Heard)
	}
	// The same addresses behind another gateway are another network.
	b.stop()
	a.loses(b, soon)
	ana.IP("neighbour", "replace", "10.77.0.254", "lladdr", "02:00:00:00:00:02", "dev", "eth0")
	state := a.state()
	for changed := time.Now(); state.Network != "gateway:02:00:00:00:00:02" && time.Since(changed) < 5*time.Second; {
		time.Sleep(100 * time.Millisecond)
		state = a.state()
	}
	if state.Network != "gateway:02:00:00:00:00:02" {
		t.Errorf("behind another gateway ana is on %q", state.Network)
	}
	if len(state.Heard) > 0 {
		t.Errorf("on another network ana still counts %v as heard", state.Heard)
	}
}
