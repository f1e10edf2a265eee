package host

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/potluck-share/potluck/app/domain"
)

// far makes a host count nobody as near that its ears have not heard.
func far(e *ears) func(*Config) {
	return func(c *Config) { c.Nearby, c.Surroundings = nil, e }
}

func TestFarStranger(t *testing.T) {
	hearing := &ears{}
	var atA, atB diary
	a := start(t, "Ana", func(c *Config) {
		far(hearing)(c)
		c.Presence = atA.write
		c.times.stranger = 3 * time.Second // all of what follows is within it
	})
	b := start(t, "Ben", func(c *Config) { c.Presence = atB.write })
	echo(a, "/test/near/1", NearOnly)
	echo(a, "/test/anyone/1", Anyone)
	a.OnNear(func(id domain.PeerID) { t.Errorf("%s came near", id) })
	connect(t, b, a)
	if _, err := say(t, b, a.ID(), "/test/near/1", "soup"); !errors.Is(err, domain.ErrRefused) {
		t.Errorf("a stranger opens a stream for near peers: %v, want %v", err, domain.ErrRefused)
	}
	if got, err := say(t, b, a.ID(), "/test/anyone/1", "soup"); err != nil || got != "soup" {
		t.Errorf("a stranger opens a stream for anyone: %q, %v", got, err)
	}
	if asker := a.AskerFor(b.ID()); asker != (domain.Asker{Peer: b.ID()}) {
		t.Errorf("the asker is %+v, want a far stranger", asker)
	}
	if hearing.asks() == 0 {
		t.Error("a did not ask around for the local stranger")
	}
	eventually(t, "b knows that it is far for a", func() bool {
		p := atB.last(a.ID())
		return p.Near && p.Hello.Name == "Ana" && !p.Hello.Near
	})
	eventually(t, "the stranger is closed", func() bool {
		return !atA.last(b.ID()).Connected && atA.has(b.ID(), func(p domain.Presence) bool { return p.Hello.Name == "Ben" && !p.Near })
	})
}

// A stranger with a reason to stay is closed only when that is taken back.
func TestStrangerThatIsKept(t *testing.T) {
	var atA diary
	const stay = 2 * time.Second // the hello has to come within it
	a := start(t, "Ana", func(c *Config) {
		far(&ears{})(c)
		c.Presence = atA.write
		c.times.stranger = stay
	})
	b := start(t, "Ben", nil)
	a.Keep(b.ID(), "introduction")
	connect(t, b, a)
	eventually(t, "they meet", func() bool { return atA.last(b.ID()).Hello.Name == "Ben" })
	first := a.linksOf(b.ID())[0].conn // another one would be made at once
	time.Sleep(stay + stay/4)          // nothing is to come of it
	if first.IsClosed() {
		t.Fatal("a stranger that is kept was closed")
	}
	a.Release(b.ID(), "introduction")
	eventually(t, "the stranger is closed", func() bool { return !atA.last(b.ID()).Connected })
}

func TestFriendFarAway(t *testing.T) {
	var ben atomic.Value
	ben.Store(domain.PeerID(""))
	near := make(chan domain.PeerID, 4)
	a := start(t, "Ana", func(c *Config) {
		far(&ears{})(c)
		c.Friend = func(id domain.PeerID) bool { return id == ben.Load() }
	})
	a.OnNear(func(id domain.PeerID) { near <- id })
	b := start(t, "Ben", far(&ears{}))
	ben.Store(b.ID())
	echo(a, "/test/near/1", NearOnly)
	connect(t, b, a)
	if id := <-near; id != b.ID() {
		t.Errorf("announced %s", id)
	}
	if got, err := say(t, b, a.ID(), "/test/near/1", "soup"); err != nil || got != "soup" {
		t.Errorf("a friend's stream: %q, %v", got, err)
	}
	if asker := a.AskerFor(b.ID()); !asker.Friend || asker.Near {
		t.Errorf("the asker is %+v, want a far friend", asker)
	}
}

func TestTheOwnersWordChanges(t *testing.T) {
	var atB diary
	a := start(t, "Ana", far(&ears{}))
	b := start(t, "Ben", func(c *Config) { c.Presence = atB.write })
	echo(a, "/test/near/1", NearOnly)
	connect(t, b, a)
	eventually(t, "b hears that it is far", func() bool {
		return atB.has(a.ID(), func(p domain.Presence) bool { return p.Hello.Name == "Ana" && !p.Hello.Near })
	})
	a.SetNearby(loopback)
	eventually(t, "b hears that it is near now", func() bool { return atB.last(a.ID()).Hello.Near })
	if got, err := say(t, b, a.ID(), "/test/near/1", "soup"); err != nil || got != "soup" {
		t.Errorf("a stream of one who is near by now: %q, %v", got, err)
	}
	a.SetNearby(nil)
	if asker := a.AskerFor(b.ID()); asker.Near {
		t.Errorf("the asker is %+v, want one who is far again", asker)
	}
	eventually(t, "b is told, or let go", func() bool { p := atB.last(a.ID()); return !p.Connected || !p.Hello.Near })
}

func TestNearnessBeginsAndEnds(t *testing.T) {
	hearing := &ears{}
	var atA, atB diary
	var announced atomic.Int32
	a := start(t, "Ana", func(c *Config) { far(hearing)(c); c.Presence = atA.write })
	b := start(t, "Ben", func(c *Config) { c.Presence = atB.write })
	a.OnNear(func(domain.PeerID) { announced.Add(1) })
	connect(t, b, a)
	eventually(t, "b hears that it is far", func() bool {
		return atB.has(a.ID(), func(p domain.Presence) bool { return p.Hello.Name == "Ana" && !p.Hello.Near })
	})
	if announced.Load() != 0 {
		t.Fatal("announced while far")
	}

	hearing.hear(b.ID(), "home")
	a.Rejudge()
	eventually(t, "b hears that it is near now", func() bool { return atB.last(a.ID()).Hello.Near })
	eventually(t, "b is announced", func() bool { return announced.Load() == 1 })
	eventually(t, "a is told that b is near, at home", func() bool {
		p := atA.last(b.ID())
		return p.Near && p.Network == "home"
	})
	if asker := a.AskerFor(b.ID()); asker != (domain.Asker{Peer: b.ID(), Near: true, Network: "home"}) {
		t.Errorf("asker %+v", asker)
	}
	for range 5 {
		a.Rejudge()
		time.Sleep(2 * rejudgePause)
	}
	if n := announced.Load(); n != 1 {
		t.Errorf("announced %d times for one connection", n)
	}

	hearing.forget(b.ID())
	if a.Near(b.ID()) {
		t.Error("still near before the host looked again")
	}
	a.Rejudge()
	eventually(t, "the connection ends", func() bool {
		return atA.has(b.ID(), func(p domain.Presence) bool { return !p.Connected })
	})
	// b still wants a and dials it anew; it begins as a stranger.
	eventually(t, "connected anew as a stranger", func() bool {
		p := atA.last(b.ID())
		return p.Connected && !p.Near && p.Hello.Name == "Ben"
	})
	if n := announced.Load(); n != 1 {
		t.Errorf("announced %d times after the nearness ended", n)
	}
}

func TestBlocked(t *testing.T) {
	var blocked sync.Map
	a := start(t, "Ana", func(c *Config) {
		c.Blocked = func(id domain.PeerID) bool { _, ok := blocked.Load(id); return ok }
	})
	b := start(t, "Ben", nil)
	connect(t, b, a)
	conn := a.linksOf(b.ID())[0].conn
	blocked.Store(b.ID(), true)
	if asker := a.Asker(conn); asker.Near || asker.Friend {
		t.Errorf("a blocked asker is %+v", asker)
	}
	a.Rejudge()
	eventually(t, "the blocked peer is closed", func() bool { return !a.Connected(b.ID()) && !b.Connected(a.ID()) })
	b.Forget(a.ID())
	for _, kind := range []string{"tcp", "quic-v1"} {
		_, err := b.Connect(t.Context(), addressOf(t, a, kind)+"/p2p/"+string(a.ID()))
		if !errors.Is(err, domain.ErrRefused) && !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("a blocked peer connects by %s: %v", kind, err)
		}
	}
	if _, err := a.Connect(t.Context(), addressOf(t, b, "tcp")); !errors.Is(err, domain.ErrRefused) {
		t.Errorf("connecting to a blocked peer: %v, want %v", err, domain.ErrRefused)
	}
	if _, err := a.Open(t.Context(), b.ID(), helloProtocol); !errors.Is(err, domain.ErrRefused) {
		t.Errorf("a stream to a blocked peer: %v, want %v", err, domain.ErrRefused)
	}
}

func TestStreamsPerPeerAreBounded(t *testing.T) {
	a, b := start(t, "Ana", nil), start(t, "Ben", nil)
	echo(a, "/test/echo/1", NearOnly)
	connect(t, b, a)
	for i := range maxStreams {
		s, err := b.Open(t.Context(), a.ID(), "/test/echo/1")
		if err != nil {
			t.Fatalf("stream %d: %v", i, err)
		}
		defer func() { _ = s.Reset() }()
	}
	if _, err := b.Open(t.Context(), a.ID(), "/test/echo/1"); !errors.Is(err, domain.ErrBusy) {
		t.Errorf("one stream more: %v, want %v", err, domain.ErrBusy)
	}
}

func TestCloseWaitsForHandlers(t *testing.T) {
	a, b := start(t, "Ana", nil), start(t, "Ben", nil)
	begun, done := make(chan struct{}), atomic.Bool{}
	a.Handle("/test/slow/1", NearOnly, func(ctx context.Context, _ network.Stream, _ domain.Asker) {
		close(begun)
		<-ctx.Done()
		time.Sleep(50 * time.Millisecond)
		done.Store(true)
	})
	connect(t, b, a)
	if _, err := b.Open(t.Context(), a.ID(), "/test/slow/1"); err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if !done.Load() {
		t.Error("Close did not wait for the handler")
	}
}
