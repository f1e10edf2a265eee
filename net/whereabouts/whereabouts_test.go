package whereabouts

import (
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/whereabouts/pb"
)

// person is a host with the protocol.
type person struct {
	*host.Host
	teller  *Teller
	friends []domain.PeerID
}

func newPerson(t *testing.T) *person {
	t.Helper()
	p := &person{}
	identity, err := host.LoadIdentity(filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	p.Host, err = host.New(t.Context(), host.Config{
		Identity: identity, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Nearby: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Hello:  func(domain.PeerID) domain.Hello { return domain.Hello{Name: "Ana"} },
		Friend: func(id domain.PeerID) bool { return slices.Contains(p.friends, id) },
	})
	if err != nil {
		t.Fatal(err)
	}
	p.teller = New(p, Config{Self: p.ID(), Friends: func() []domain.PeerID { return p.friends }})
	t.Cleanup(func() {
		if err := errors.Join(p.teller.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	})
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *person) meets(t *testing.T, other *person) {
	t.Helper()
	if _, err := p.Connect(t.Context(), other.Addresses()[0]+"/p2p/"+string(other.ID())); err != nil {
		t.Fatal(err)
	}
}

// asks returns of whom another one tells.
func (p *person) asks(t *testing.T, other *person, ids ...domain.PeerID) (told []domain.PeerID, err error) {
	t.Helper()
	err = p.teller.Ask(t.Context(), other.ID(), ids, func(id domain.PeerID, addresses []string) {
		if len(addresses) == 0 {
			t.Errorf("%s is told without an address", id.Short())
		}
		told = append(told, id)
	})
	return told, err
}

// A friend is told of friends of both who are there, and of nobody else.
func TestAFriendTellsOfFriends(t *testing.T) {
	t.Parallel()
	ana, ben, cleo, dora, emil := newPerson(t), newPerson(t), newPerson(t), newPerson(t), newPerson(t)
	ben.friends = []domain.PeerID{ana.ID(), cleo.ID(), emil.ID()}
	for _, other := range []*person{ana, cleo, dora} {
		ben.meets(t, other) // emil is a friend who is away, dora is here and none
	}
	told, err := ana.asks(t, ben, cleo.ID(), dora.ID(), emil.ID(), ana.ID())
	if err != nil || !slices.Equal(told, []domain.PeerID{cleo.ID()}) {
		t.Errorf("ana is told of %v, %v", told, err)
	}
	if told, err := ana.asks(t, ben); err != nil || len(told) > 0 {
		t.Errorf("for nobody: %v, %v", told, err)
	}
	if told, err := dora.asks(t, ben, cleo.ID()); err == nil {
		t.Errorf("somebody near is told of %v", told)
	}
	tired := false
	for range 3 * askBurst {
		told, err := ana.asks(t, ben, cleo.ID())
		if err != nil {
			t.Fatal(err)
		}
		tired = tired || len(told) == 0
	}
	if !tired {
		t.Error("one may ask for ever")
	}
}

// Whoever answers of somebody who was not asked for tells nothing.
func TestOnlyWhoWasAskedForIsTold(t *testing.T) {
	t.Parallel()
	raw, err := proto.Marshal(&pb.Reply{Known: []*pb.Known{{Sought: make([]byte, hashSize), Addresses: []string{"/ip4/10.0.0.1/tcp/1"}}}})
	if err != nil {
		t.Fatal(err)
	}
	known, err := decodeReply(raw)
	if err != nil || len(known) != 1 {
		t.Fatalf("%v, %v", known, err)
	}
	if hash([]byte("a"), "ana", "ben") == hash([]byte("b"), "ana", "ben") || hash([]byte("a"), "ana", "ben") == hash([]byte("a"), "cleo", "ben") {
		t.Error("one can be known again by the hash")
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte{10, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	f.Add([]byte{10, 2, 10, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if m, err := decodeRequest(raw); err == nil && (len(m.GetSought()) > MostSought || len(m.GetSalt()) != saltSize) {
			t.Errorf("%v", m)
		}
		if known, err := decodeReply(raw); err == nil {
			for _, k := range known {
				if len(k.GetSought()) != hashSize || len(k.GetAddresses()) > mostAddresses {
					t.Errorf("%v", k)
				}
			}
		}
	})
}
