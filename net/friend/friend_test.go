package friend

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/friend/pb"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/host/talk"
)

// person is a host with the protocol, and what its user was told.
type person struct {
	*host.Host
	*Friend
	t *testing.T

	mu        sync.Mutex
	words     map[domain.PeerID][]string // that were asked with
	names     map[domain.PeerID]string
	tokens    map[string]bool
	told      map[domain.PeerID]domain.FriendAsk
	confirmed map[domain.PeerID]bool
	refuses   error
	at        time.Time
}

// newPerson makes a person on loopback. One who is far counts nobody as near.
func newPerson(t *testing.T, name string, far bool) *person {
	t.Helper()
	p := &person{
		t: t, words: make(map[domain.PeerID][]string), names: make(map[domain.PeerID]string), tokens: make(map[string]bool),
		told: make(map[domain.PeerID]domain.FriendAsk), confirmed: make(map[domain.PeerID]bool), at: time.Now(),
	}
	identity, err := host.LoadIdentity(filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := host.Config{
		Identity: identity, Listen: []string{"/ip4/127.0.0.1/tcp/0"},
		Hello: func(domain.PeerID) domain.Hello { return domain.Hello{Name: name, Version: "1"} },
	}
	if !far {
		cfg.Nearby = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}
	if p.Host, err = host.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	p.Friend = New(p.Host, Config{Handler: p, Name: func() string { return name }, Now: p.now})
	t.Cleanup(func() {
		if err := errors.Join(p.Friend.Close(), p.Host.Close()); err != nil {
			t.Error(err)
		}
	})
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *person) now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

func (p *person) wait(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = p.at.Add(d)
}

func (p *person) Asked(from domain.Asker, name string, words []string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.words[from.Peer], p.names[from.Peer] = words, name
	return p.refuses
}

func (p *person) Invited(from domain.Asker, name, token string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.tokens[token] {
		return domain.ErrNotFound
	}
	delete(p.tokens, token)
	p.names[from.Peer] = name
	return nil
}

func (p *person) Told(from domain.Asker, what domain.FriendAsk) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told[from.Peer] = what
	return p.confirmed[from.Peer]
}

func (p *person) meets(other *person) {
	p.t.Helper()
	if _, err := p.Connect(p.t.Context(), other.Addresses()[0]+"/p2p/"+string(other.ID())); err != nil {
		p.t.Fatal(err)
	}
}

// Close and ID are of both that are embedded.
func (p *person) ID() domain.PeerID { return p.Host.ID() }

func TestBothSidesShowTheSameWords(t *testing.T) {
	t.Parallel()
	for _, far := range []bool{false, true} {
		ana, ben := newPerson(t, "Ana", far), newPerson(t, "Ben", far)
		ana.meets(ben)
		words, err := ana.Ask(t.Context(), ben.ID())
		if err != nil {
			t.Fatal(err)
		}
		if len(words) != wordCount || !slices.Equal(words, ben.words[ana.ID()]) || ben.names[ana.ID()] != "Ana" {
			t.Errorf("Ana sees %q, Ben sees %q of %q", words, ben.words[ana.ID()], ben.names[ana.ID()])
		}
		ben.confirmed[ana.ID()] = true
		if mutual, err := ana.Tell(t.Context(), ben.ID(), domain.FriendConfirm); err != nil || !mutual {
			t.Errorf("Ben has confirmed: %v, %v", mutual, err)
		}
		if mutual, err := ben.Tell(t.Context(), ana.ID(), domain.FriendDecline); err != nil || mutual {
			t.Errorf("Ana has confirmed: %v, %v", mutual, err)
		}
		if ana.told[ben.ID()] != domain.FriendDecline || ben.told[ana.ID()] != domain.FriendConfirm {
			t.Errorf("Ana was told %q, Ben %q", ana.told[ben.ID()], ben.told[ana.ID()])
		}
	}
}

// Mallory calls herself Ben to Ana and Ana to Ben, and asks both.
func TestSomebodyInBetweenChangesTheWords(t *testing.T) {
	t.Parallel()
	ana, ben := newPerson(t, "Ana", false), newPerson(t, "Ben", false)
	asBen, asAna := newPerson(t, "Ben", false), newPerson(t, "Ana", false)
	ana.meets(asBen)
	asAna.meets(ben)
	atAna, err := ana.Ask(t.Context(), asBen.ID())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := asAna.Ask(t.Context(), ben.ID()); err != nil {
		t.Fatal(err)
	}
	if atBen := ben.words[asAna.ID()]; len(atBen) != wordCount || slices.Equal(atAna, atBen) {
		t.Errorf("Ana sees %q and Ben %q", atAna, atBen)
	}
}

// stream opens a stream by hand.
func stream(t *testing.T, from, to *person) network.Stream {
	t.Helper()
	s, err := from.Open(t.Context(), to.ID(), protocolID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetDeadline(time.Now().Add(2 * exchangeTime)); err != nil {
		t.Fatal(err)
	}
	return s
}

// An attacker that waits for the other nonce to choose one of its own cannot.
func TestANonceCannotBeChosenLate(t *testing.T) {
	t.Parallel()
	ana, mallory := newPerson(t, "Ana", false), newPerson(t, "Mallory", false)
	mallory.meets(ana)
	s := stream(t, mallory, ana)
	committed := sides{mallory.ID(), ana.ID()}.commitment(nonceOf(1))
	if err := talk.Write(s, &pb.Message{Kind: pb.Kind_KIND_ASK, Commitment: committed[:]}); err != nil {
		t.Fatal(err)
	}
	if _, err := readMessage(s, pb.Kind_KIND_NONCE); err != nil {
		t.Fatal(err)
	}
	other := nonceOf(2)
	if err := talk.Write(s, &pb.Message{Kind: pb.Kind_KIND_REVEAL, Nonce: other[:]}); err != nil {
		t.Fatal(err)
	}
	m, err := readMessage(s, pb.Kind_KIND_ANSWER)
	if err != nil || m.GetStatus() != pb.Status_STATUS_MALFORMED {
		t.Errorf("it is answered %v, %v", m, err)
	}
	if len(ana.words) > 0 {
		t.Errorf("Ana is shown %q", ana.words)
	}
}

// One that stops once it knows the words has used up a try.
func TestThreeTriesThenAPause(t *testing.T) {
	t.Parallel()
	ana, ben := newPerson(t, "Ana", false), newPerson(t, "Ben", false)
	ana.meets(ben)
	for range mostTries {
		s := stream(t, ben, ana)
		if err := talk.Write(s, &pb.Message{Kind: pb.Kind_KIND_ASK, Commitment: make([]byte, nonceSize)}); err != nil {
			t.Fatal(err)
		}
		if _, err := readMessage(s, pb.Kind_KIND_NONCE); err != nil {
			t.Fatal(err)
		}
		_ = s.Reset() // Ben does not like these words
	}
	if _, err := ben.Ask(t.Context(), ana.ID()); !errors.Is(err, domain.ErrBusy) {
		t.Errorf("the fourth time Ben is answered %v", err)
	}
	if _, err := ana.Ask(t.Context(), ben.ID()); !errors.Is(err, domain.ErrBusy) {
		t.Errorf("Ana may ask too: %v", err)
	}
	ana.wait(pauseTime)
	ben.wait(pauseTime)
	for range mostTries {
		if _, err := ben.Ask(t.Context(), ana.ID()); err != nil {
			t.Fatalf("after the pause: %v", err)
		}
	}
	// Who becomes a friend has none to lose.
	ana.confirmed[ben.ID()] = true
	if _, err := ben.Tell(t.Context(), ana.ID(), domain.FriendConfirm); err != nil {
		t.Fatal(err)
	}
	if _, err := ben.Ask(t.Context(), ana.ID()); err != nil {
		t.Errorf("as a friend: %v", err)
	}
}

func TestInvitationsAreHandedOver(t *testing.T) {
	t.Parallel()
	ana, ben := newPerson(t, "Ana", true), newPerson(t, "Ben", true)
	ben.meets(ana)
	token := rand.Text()
	ana.tokens[token] = true
	if err := ben.Invite(t.Context(), ana.ID(), token); err != nil {
		t.Fatal(err)
	}
	if ana.names[ben.ID()] != "Ben" {
		t.Errorf("it came from %q", ana.names[ben.ID()])
	}
	for _, used := range []string{token, "", strings.Repeat("x", maxToken)} {
		if err := ben.Invite(t.Context(), ana.ID(), used); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("a token that is no good: %v", err)
		}
	}
}

func TestNoIsToldAsSuch(t *testing.T) {
	t.Parallel()
	ana, ben := newPerson(t, "Ana", false), newPerson(t, "Ben", false)
	ana.meets(ben)
	for _, no := range []error{domain.ErrRefused, domain.ErrBusy} {
		ben.refuses = no
		if _, err := ana.Ask(t.Context(), ben.ID()); !errors.Is(err, no) {
			t.Errorf("Ben says %v, Ana hears %v", no, err)
		}
	}
}

// Strangers from afar may use up what all of them have, and nothing else.
func TestStrangersAreLimitedTogether(t *testing.T) {
	t.Parallel()
	at := time.Now()
	l := newLimits(func() time.Time { return at })
	let := func(n int, asker domain.Asker) (in int) {
		for range n {
			if leave, ok := l.enter(asker); ok {
				in++
				leave()
			}
		}
		return in
	}
	if got := let(10*exchangeBurst, domain.Asker{Peer: "stranger"}); got != exchangeBurst {
		t.Errorf("%d exchanges of strangers at once", got)
	}
	if got := let(1, domain.Asker{Peer: "ana", Near: true}); got != 1 {
		t.Error("strangers keep those who are near out")
	}
	at = at.Add(time.Second)
	if got := let(100, domain.Asker{Peer: "another"}); got != int(exchangeRate) {
		t.Errorf("%d exchanges of strangers a second later", got)
	}
	at = at.Add(time.Hour)
	if got := let(1, domain.Asker{}); got != 1 {
		t.Error("nobody is let in an hour later")
	}
	for i := range 100 * mostPeers {
		l.try(domain.PeerID(rune(i)))
	}
	if len(l.tries) > mostPeers {
		t.Errorf("%d peers are kept in mind", len(l.tries))
	}
}

// Strangers from afar may hold some of the places, for as long as they like, and
// never all of them.
func TestStrangersLeavePlaces(t *testing.T) {
	t.Parallel()
	at := time.Now()
	l := newLimits(func() time.Time { return at })
	hold := func(n int, asker domain.Asker) (leaves []func()) {
		for range n {
			if leave, ok := l.enter(asker); ok {
				leaves = append(leaves, leave)
			}
		}
		return leaves
	}
	far, near := domain.Asker{Peer: "mallory"}, domain.Asker{Peer: "ana", Near: true}
	strangers := hold(mostAtOnce+1, far)
	if len(strangers) != mostFarAtOnce {
		t.Errorf("strangers hold %d places at once", len(strangers))
	}
	neighbours := hold(mostAtOnce+1, near)
	if len(neighbours) != mostAtOnce-mostFarAtOnce {
		t.Errorf("%d places are left to those who are near", len(neighbours))
	}
	for _, leave := range strangers {
		leave()
	}
	neighbours = append(neighbours, hold(mostAtOnce, near)...)
	if len(neighbours) != mostAtOnce {
		t.Errorf("those who are near get %d places when the strangers have left", len(neighbours))
	}
	if got := hold(1, far); len(got) > 0 {
		t.Error("more at once than there are places")
	}
	for _, leave := range neighbours {
		leave()
	}
	if got := hold(mostAtOnce, domain.Asker{Peer: "ben", Friend: true}); len(got) != mostAtOnce {
		t.Errorf("places were lost: %d are left", len(got))
	}
	if len(l.all) != mostAtOnce || len(l.fromFar) != 0 {
		t.Errorf("%d places are taken, %d of them by strangers", len(l.all), len(l.fromFar))
	}
}

func TestWhatMakesNoSenseEnds(t *testing.T) {
	t.Parallel()
	ana, mallory := newPerson(t, "Ana", false), newPerson(t, "Mallory", false)
	mallory.meets(ana)
	for name, bytes := range map[string][]byte{
		"no protobuf": {3, 0xff, 0xff, 0xff},
		"too long":    {0xff, 0xff, 0x7f},
		"no kind":     {0},
	} {
		s := stream(t, mallory, ana)
		if _, err := s.Write(bytes); err != nil {
			t.Fatal(err)
		}
		m, err := readMessage(s, pb.Kind_KIND_ANSWER)
		if err != nil || m.GetStatus() != pb.Status_STATUS_MALFORMED {
			t.Errorf("%s: answered %v, %v", name, m, err)
		}
	}
	if testing.Short() {
		t.Skip("the rest takes ten seconds")
	}
	s := stream(t, mallory, ana) // and says nothing
	begun := time.Now()
	if _, err := io.ReadAll(s); time.Since(begun) > exchangeTime+5*time.Second {
		t.Errorf("a silent stream lives for %v, %v", time.Since(begun), err)
	}
}

// While two people compare words the connection has a reason to stay, and none
// once they are through.
func TestTheConnectionIsKeptMeanwhile(t *testing.T) {
	t.Parallel()
	k := &keeper{kept: make(map[domain.PeerID]int)}
	at := time.Now()
	f := New(k, Config{Now: func() time.Time { return at }})
	defer func() { _ = f.Close() }() // always nil
	f.keep("ana")
	f.keep("ben")
	f.keep("ben")
	f.settled("ben", true)
	f.settled("cleo", false)
	if k.kept["ana"] != 1 || k.kept["ben"] != 0 || k.kept["cleo"] != 0 {
		t.Errorf("kept: %v", k.kept)
	}
}

// keeper notes what is kept.
type keeper struct {
	kept map[domain.PeerID]int
}

func (k *keeper) ID() domain.PeerID { return "me" }
func (k *keeper) Handle(string, host.Rule, func(context.Context, network.Stream, domain.Asker)) {
}

func (k *keeper) Open(context.Context, domain.PeerID, string) (network.Stream, error) {
	return nil, domain.ErrOffline
}
func (k *keeper) Keep(id domain.PeerID, _ string)    { k.kept[id] = 1 }
func (k *keeper) Release(id domain.PeerID, _ string) { k.kept[id]-- }
