package host

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

func TestHidden(t *testing.T) {
	var hidden, fetching atomic.Bool
	var announced atomic.Int32
	var atA, atB diary
	a := start(t, "Ana", func(c *Config) {
		c.Presence = atA.write
		c.Hidden, c.Fetching = hidden.Load, func(domain.PeerID) bool { return fetching.Load() }
		c.times.backoffMin, c.times.backoffMax = 30*time.Second, 30*time.Second
	})
	b := start(t, "Ben", func(c *Config) {
		c.Presence = atB.write
		c.times.backoffMin, c.times.backoffMax = 30*time.Second, 30*time.Second
	})
	a.OnNear(func(domain.PeerID) { announced.Add(1) })
	echo(a, "/test/echo/1", NearOnly)
	echo(b, "/test/echo/1", NearOnly)
	a.HandleBulk("/test/bulk/1", NearOnly, echoBulk)
	connect(t, b, a)
	eventually(t, "they meet", func() bool { return announced.Load() == 1 && atB.last(a.ID()).Hello.Near })
	bulk, err := b.OpenBulk(t.Context(), a.ID(), "/test/bulk/1")
	if err != nil {
		t.Fatal(err)
	}

	// While something is fetched from b the connection stays, for that alone.
	fetching.Store(true)
	hidden.Store(true)
	a.Rejudge()
	if _, err := bulk.Read(make([]byte, 1)); err == nil {
		t.Error("a bulk connection from outside lives on")
	}
	if _, err := say(t, b, a.ID(), "/test/echo/1", "soup"); !errors.Is(err, domain.ErrRefused) {
		t.Errorf("a stream to one who hides: %v, want %v", err, domain.ErrRefused)
	}
	if got, err := say(t, a, b.ID(), "/test/echo/1", "soup"); err != nil || got != "soup" {
		t.Errorf("a stream of one who hides: %q, %v", got, err)
	}
	fetching.Store(false)
	eventually(t, "b sees a leave", func() bool { return !atB.last(a.ID()).Connected })

	// Nobody comes in, and nobody is dialled but by Reach.
	for _, kind := range []string{"tcp", "quic-v1"} {
		if _, err := b.Connect(t.Context(), addressOf(t, a, kind)); err == nil {
			t.Errorf("b came in by %s", kind)
		}
	}
	if _, err := a.Connect(t.Context(), addressOf(t, b, "tcp")); !errors.Is(err, domain.ErrRefused) {
		t.Errorf("connecting while hidden: %v, want %v", err, domain.ErrRefused)
	}
	if _, err := say(t, a, b.ID(), "/test/echo/1", "soup"); !errors.Is(err, domain.ErrOffline) {
		t.Errorf("opening a stream while hidden: %v, want %v", err, domain.ErrOffline)
	}
	a.Sighted(domain.Sighting{
		Peer: b.ID(), Addresses: []string{addressOf(t, b, "tcp")}, Source: domain.SourceMulticast,
		At: time.Now(), Expires: time.Now().Add(time.Hour),
	})
	time.Sleep(3 * quick().tie) // nothing is to come of it
	if a.Connected(b.ID()) {
		t.Error("a dialled b because it was sighted")
	}
	fetching.Store(true)
	if err := a.Reach(t.Context(), b.ID()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "b hears a hello that says nothing", func() bool {
		return atB.last(a.ID()).Connected && atA.last(b.ID()).Hello.Near && atB.last(a.ID()).Hello == domain.Hello{}
	})

	// Shown again: the connection that stands, and one that has to be made.
	before := announced.Load()
	hidden.Store(false)
	a.Rejudge()
	eventually(t, "b hears who it is", func() bool { return atB.last(a.ID()).Hello.Name == "Ana" && atB.last(a.ID()).Hello.Near })
	eventually(t, "b is announced again", func() bool { return announced.Load() > before })
	fetching.Store(false)
	hidden.Store(true)
	a.Rejudge()
	eventually(t, "b sees a leave again", func() bool { return !atB.last(a.ID()).Connected })
	eventually(t, "a does too", func() bool { return len(a.linksOf(b.ID())) == 0 })
	hidden.Store(false)
	a.Rejudge()
	eventually(t, "b sees a come back, long before any back-off ends", func() bool { return atB.last(a.ID()).Connected })
}
