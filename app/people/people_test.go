package people_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/people"
	"github.com/potluck-share/potluck/storage/db"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ana  domain.PeerID = "12D3KooWAnaAnaAnaAnaAnaAnaAnaAnaAnaAnaAnaAnaAnaAna11"
	anna domain.PeerID = "12D3KooWAnnaAnnaAnnaAnnaAnnaAnnaAnnaAnnaAnnaAnnaAnn22"
	ben  domain.PeerID = "12D3KooWBenBenBenBenBenBenBenBenBenBenBenBenBenBen333"
)

// network notes what it is told of.
type network struct {
	mu     sync.Mutex
	sights []domain.Sighting
	answer func() // called by Connect
	away   error  // of Visit
}

func (n *network) Connect(context.Context, string) (domain.PeerID, error) {
	if n.answer == nil {
		return "", domain.ErrNotFound
	}
	n.answer()
	return ben, nil
}

func (n *network) Visit(context.Context, domain.PeerID, []string) error { return n.away }

func (n *network) Addresses() []string {
	return []string{"/ip4/192.168.1.7/tcp/17685", "/ip4/127.0.0.1/tcp/17685"}
}

func (n *network) Sighted(s domain.Sighting) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sights = append(n.sights, s)
}

type room struct {
	*people.People
	net   *network
	bus   *event.Bus
	store *db.DB
	clock
}

// clock is a time that the test lets pass.
type clock struct {
	mu   sync.Mutex
	time time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.time = c.time.Add(d)
}

func open(t *testing.T, file string) *room {
	t.Helper()
	store, err := db.Open(file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	r := &room{net: &network{}, bus: event.NewBus(), store: store, clock: clock{time: time.Date(2026, 5, 3, 14, 2, 0, 0, time.UTC)}}
	r.People, err = people.New(people.Config{
		Store: store, Network: r.net, Bus: r.bus, Log: slog.New(slog.DiscardHandler), Now: r.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Start(t.Context())
	return r
}

func (r *room) close(t *testing.T) {
	t.Helper()
	if err := errors.Join(r.Close(), r.store.Close()); err != nil {
		t.Error(err)
	}
}

func connected(id domain.PeerID, name string) domain.Presence {
	return domain.Presence{
		Peer: id, Connected: true, Near: true, Addresses: []string{"/ip4/192.168.1.7/tcp/17685"},
		Hello: domain.Hello{Name: name, Version: "1", Near: true},
	}
}

func TestPresenceAndHeads(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "db"))
	defer r.close(t)
	r.Presence(connected(ana, "Ana\u202e:/"))
	r.Head(domain.Head{Peer: ana, Name: "Ana", Entries: 3, Bytes: 30}, r.now())
	r.Head(domain.Head{Peer: ben, Name: "Ben"}, r.now())
	all := r.People.People()
	if len(all) != 2 || all[0].Name != "Ana" || !all[0].Online || all[0].Entries != 3 || !all[1].Online {
		t.Fatalf("around: %+v", all)
	}
	// Who is only heard of is away when nothing more is heard.
	r.pass(time.Hour)
	if p, _ := r.Peer(ben); p.Online {
		t.Error("Ben is still around after an hour of silence")
	}
	// A connection that ends outweighs what was heard before, not after.
	r.Head(domain.Head{Peer: ana, Name: "Ana"}, r.now())
	r.Presence(domain.Presence{Peer: ana})
	if p, _ := r.Peer(ana); p.Online || !p.LastSeen.Equal(r.now()) {
		t.Errorf("gone: %+v", p)
	}
	left := r.now()
	r.pass(time.Second)
	r.Head(domain.Head{Peer: ana, Name: "Ana", Entries: 4}, left)
	if p, _ := r.Peer(ana); p.Online || p.Entries != 4 {
		t.Errorf("a head that another passes on late brings Ana back: %+v", p)
	}
	r.Head(domain.Head{Peer: ana, Name: "Ana"}, r.now())
	if p, _ := r.Peer(ana); !p.Online {
		t.Error("a new head does not bring Ana back")
	}
	r.Gone(ana)
	if p, _ := r.Peer(ana); p.Online {
		t.Error("Ana said goodbye and is still around")
	}
}

func TestWhoSaysNoHelloIsNotThere(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "db"))
	defer r.close(t)
	r.Presence(connected(ana, "Ana"))
	r.Presence(domain.Presence{Peer: ana})
	left := r.now()
	r.pass(time.Minute)
	mute := connected(ana, "")
	mute.Hello = domain.Hello{}
	r.Presence(mute)
	if p, _ := r.Peer(ana); p.Online || !p.LastSeen.Equal(left) {
		t.Errorf("connected without a word: %+v", p)
	}
	r.Presence(connected(ana, "Ana"))
	if p, _ := r.Peer(ana); !p.Online || !p.LastSeen.Equal(r.now()) {
		t.Errorf("after the hello: %+v", p)
	}
}

func TestStrangersAreNotShown(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "db"))
	defer r.close(t)
	far := connected(ben, "Ben")
	far.Near = false
	r.Presence(far)
	if all := r.People.People(); len(all) != 0 {
		t.Errorf("a far stranger is shown: %+v", all)
	}
	r.Presence(domain.Presence{Peer: ben})
	if all := r.People.People(); len(all) != 0 {
		t.Errorf("a far stranger that left is shown: %+v", all)
	}
	// One whose address was typed here is, with what Ben says of us.
	r.net.answer = func() {
		far.Hello.Near = false
		r.Presence(far)
	}
	who, err := r.Connect(t.Context(), "192.168.3.7")
	if err != nil || who.ID != ben || !who.FarForThem {
		t.Errorf("connect: %+v, %v", who, err)
	}
	if all := r.People.People(); len(all) != 1 {
		t.Errorf("typed and not shown: %+v", all)
	}
}

func TestFind(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "db"))
	defer r.close(t)
	r.Presence(connected(ana, "Ana"))
	r.Presence(connected(anna, "ana"))
	r.Presence(connected(ben, "Ben"))
	for text, want := range map[string]domain.PeerID{
		"Ben": ben, "ben": ben, string(ana): ana, "12D3KooWAnna": anna, "Ben333": ben,
	} {
		if p, err := r.Find(text); err != nil || p.ID != want {
			t.Errorf("Find(%q) = %v, %v", text, p.ID, err)
		}
	}
	for text, want := range map[string]error{
		"Ana": domain.ErrUsage, "12D3KooW": domain.ErrUsage, "Cleo": domain.ErrNotFound, "": domain.ErrNotFound,
	} {
		if p, err := r.Find(text); !errors.Is(err, want) {
			t.Errorf("Find(%q) = %v, %v", text, p, err)
		}
	}
	if _, err := r.Find("Ana"); !strings.Contains(err.Error(), string(anna)) {
		t.Errorf("the ambiguity is not explained: %v", err)
	}
}

func TestPeopleAreRememberedWithTheirAddresses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "db")
	r := open(t, file)
	r.Presence(connected(ana, "Ana"))
	r.Presence(domain.Presence{Peer: ana})
	r.close(t)

	again := open(t, file)
	defer again.close(t)
	all := again.People.People()
	if len(all) != 1 || all[0].Name != "Ana" || all[0].Online {
		t.Errorf("remembered: %+v", all)
	}
	if s := again.net.sights; len(s) != 1 || s[0].Peer != ana || s[0].Source != domain.SourceRemembered || len(s[0].Addresses) != 1 {
		t.Errorf("the network was told %+v", s)
	}
	snapshot := again.bus.Subscribe(event.Peers.Name())
	defer snapshot.Close()
	if events, err := snapshot.Next(t.Context()); err != nil || len(events) != 1 {
		t.Errorf("published %v, %v", events, err)
	}
}
