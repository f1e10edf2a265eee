package people_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/people"
	"github.com/potluck-share/potluck/storage/db"
)

// wire joins two people directly: what one asks the other is told at once.
type wire struct {
	mu    sync.Mutex
	sides map[domain.PeerID]*side
	cut   bool
}

// side is one person with its own store, who may be started anew.
type side struct {
	*people.People
	wire  *wire
	id    domain.PeerID
	name  string
	file  string
	store *db.DB
	bus   *event.Bus
	net   *network
	clock
	told int // how often friends have changed; guarded by the clock's lock
}

func (s *side) changes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told
}

func (s *side) open(t *testing.T) {
	t.Helper()
	var err error
	if s.store, err = db.Open(s.file, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	s.bus, s.net = event.NewBus(), &network{}
	fresh, err := people.New(people.Config{
		Store: s.store, Network: s.net, Bus: s.bus, Log: slog.New(slog.DiscardHandler), Now: s.now,
		Self: s.id, Name: func() string { return s.name }, Friends: line{s},
		Changed: func() { s.mu.Lock(); s.told++; s.mu.Unlock() },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.wire.mu.Lock()
	s.People = fresh
	s.wire.mu.Unlock()
	s.Start(t.Context())
}

func (s *side) close(t *testing.T) {
	t.Helper()
	if err := errors.Join(s.Close(), s.store.Close()); err != nil {
		t.Error(err)
	}
}

func (s *side) restart(t *testing.T) {
	t.Helper()
	s.close(t)
	s.open(t)
}

func (s *side) other(id domain.PeerID) (*people.People, error) {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	if s.wire.cut || s.wire.sides[id] == nil {
		return nil, domain.ErrOffline
	}
	return s.wire.sides[id].People, nil
}

// line is the way from one side to the other.
type line struct{ *side }

func (s line) Ask(_ context.Context, id domain.PeerID) ([]string, error) {
	other, err := s.other(id)
	if err != nil {
		return nil, err
	}
	words := []string{"lamp", "river", "oak", "seven"}
	return words, other.Asked(domain.Asker{Peer: s.id}, s.name, words)
}

func (s line) Invite(_ context.Context, id domain.PeerID, token string) error {
	other, err := s.other(id)
	if err != nil {
		return err
	}
	return other.Invited(domain.Asker{Peer: s.id}, s.name, token)
}

func (s line) Tell(_ context.Context, id domain.PeerID, what domain.FriendAsk) (bool, error) {
	other, err := s.other(id)
	if err != nil {
		return false, err
	}
	return other.Told(domain.Asker{Peer: s.id}, what), nil
}

func pair(t *testing.T) (a, b *side) {
	t.Helper()
	w := &wire{sides: make(map[domain.PeerID]*side)}
	for id, name := range map[domain.PeerID]string{ana: "Ana", ben: "Ben"} {
		s := &side{wire: w, id: id, name: name, file: filepath.Join(t.TempDir(), "db"), clock: clock{time: time.Date(2026, 5, 3, 14, 2, 0, 0, time.UTC)}}
		s.open(t)
		w.sides[id] = s
		t.Cleanup(func() { s.close(t) })
	}
	a, b = w.sides[ana], w.sides[ben]
	meet(a, b)
	return a, b
}

// meet connects the two.
func meet(a, b *side) {
	a.Presence(connected(ben, "Ben"))
	b.Presence(connected(ana, "Ana"))
}

func (s *side) stand(t *testing.T, id domain.PeerID, want domain.IntroductionState) domain.Introduction {
	t.Helper()
	i, ok := s.Introduction(id)
	if !ok && want != "" || i.State != want {
		t.Fatalf("%s stands at %q (%s), want %q", s.name, i.State, i.Reason, want)
	}
	return i
}

// friends waits until both are friends, as far as each knows.
func friends(t *testing.T, a, b *side) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); !a.Friend(ben) || !b.Friend(ana); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("friends: Ana %t, Ben %t", a.Friend(ben), b.Friend(ana))
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func befriend(t *testing.T, a, b *side) {
	t.Helper()
	must(t, a.AddFriend(t.Context(), ben))
	must(t, a.ConfirmFriend(t.Context(), ben))
	must(t, b.ConfirmFriend(t.Context(), ana))
	friends(t, a, b)
}

func TestBothConfirmTheSameWords(t *testing.T) {
	a, b := pair(t)
	must(t, a.AddFriend(t.Context(), ben))
	mine, theirs := a.stand(t, ben, domain.IntroductionComparing), b.stand(t, ana, domain.IntroductionComparing)
	if !slices.Equal(mine.Words, theirs.Words) || len(mine.Words) == 0 || mine.Theirs || !theirs.Theirs || theirs.Name != "Ana" {
		t.Errorf("words: %+v, %+v", mine, theirs)
	}
	must(t, b.AddFriend(t.Context(), ana)) // joins
	must(t, a.ConfirmFriend(t.Context(), ben))
	a.stand(t, ben, domain.IntroductionWaiting)
	if b.stand(t, ana, domain.IntroductionComparing); a.Friend(ben) || b.Friend(ana) {
		t.Fatal("friends before both have confirmed")
	}
	must(t, b.ConfirmFriend(t.Context(), ana))
	friends(t, a, b)
	a.stand(t, ben, domain.IntroductionDone)
	b.stand(t, ana, domain.IntroductionDone)
	if p, _ := a.Peer(ben); !p.Friend || a.changes() == 0 || b.changes() == 0 {
		t.Errorf("%+v; told %d, %d", p, a.changes(), b.changes())
	}
	if err := a.AddFriend(t.Context(), ben); !errors.Is(err, domain.ErrUsage) {
		t.Error("a friend is added again:", err)
	}
	a.restart(t)
	if !a.Friend(ben) {
		t.Error("forgotten by a restart")
	}
}

func TestDecliningEndsItOnBothSides(t *testing.T) {
	a, b := pair(t)
	must(t, a.AddFriend(t.Context(), ben))
	must(t, a.ConfirmFriend(t.Context(), ben))
	must(t, b.DeclineFriend(t.Context(), ana))
	if i := a.stand(t, ben, domain.IntroductionEnded); i.Reason.String() != "Ben declined, or saw other words." {
		t.Error(i.Reason)
	}
	b.stand(t, ana, domain.IntroductionEnded)
	// What was confirmed does not count any more.
	must(t, b.AddFriend(t.Context(), ana))
	must(t, b.ConfirmFriend(t.Context(), ana))
	if a.stand(t, ben, domain.IntroductionComparing); a.Friend(ben) || b.Friend(ana) {
		t.Error("friends by a confirmation that was taken back")
	}
	must(t, a.DeclineFriend(t.Context(), ben))
	must(t, a.DeclineFriend(t.Context(), ben)) // out of sight
	a.stand(t, ben, "")
	if err := a.DeclineFriend(t.Context(), ben); !errors.Is(err, domain.ErrNotFound) {
		t.Error("nothing declined:", err)
	}
	if err := a.ConfirmFriend(t.Context(), ben); !errors.Is(err, domain.ErrNotFound) {
		t.Error("nothing confirmed:", err)
	}
}

func TestConfirmationsOutliveRestartsAndLostConnections(t *testing.T) {
	a, b := pair(t)
	must(t, a.AddFriend(t.Context(), ben))
	b.wire.cut = true
	must(t, a.ConfirmFriend(t.Context(), ben))
	must(t, b.ConfirmFriend(t.Context(), ana)) // neither hears of the other's
	a.restart(t)
	b.restart(t)
	b.wire.cut = false
	a.Presence(connected(ben, "Ben")) // a new connection
	friends(t, a, b)
	// One that is a friend already answers so.
	b.close(t)
	must(t, dropFriend(t, b.file, ana))
	b.open(t)
	b.Presence(connected(ana, "Ana"))
	friends(t, a, b)
}

// dropFriend undoes what was stored last, as a crash does.
func dropFriend(t *testing.T, file string, id domain.PeerID) error {
	t.Helper()
	store, err := db.Open(file, slog.New(slog.DiscardHandler))
	must(t, err)
	all, err := store.People()
	must(t, err)
	for _, one := range all {
		if one.ID == id {
			one.Friend = false
			must(t, store.PutPerson(t.Context(), one))
		}
	}
	return store.Close()
}

func TestWhatNobodyAnswersEnds(t *testing.T) {
	a, b := pair(t)
	must(t, a.AddFriend(t.Context(), ben))
	events := a.bus.Subscribe(event.Introductions.Name())
	defer events.Close()
	a.pass(11 * time.Minute)
	until(t, events, func(i domain.Introduction, gone bool) bool { return i.State == domain.IntroductionEnded && !gone })
	a.pass(2 * time.Minute)
	until(t, events, func(_ domain.Introduction, gone bool) bool { return gone })
	b.stand(t, ana, domain.IntroductionComparing)
}

// until waits for an event of an introduction.
func until(t *testing.T, events *event.Subscription, fits func(i domain.Introduction, gone bool) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		batch, err := events.Next(ctx)
		must(t, err)
		for _, e := range batch {
			if i, ok := event.As(event.Introductions, e); ok && fits(i, e.Gone) || e.Gone && fits(i, true) {
				return
			}
		}
	}
}

func TestOnlySoManyAskAtOnce(t *testing.T) {
	a, _ := pair(t)
	ask := func(name string, n int, near bool) (refused int) {
		for i := range n {
			from := domain.Asker{Peer: domain.PeerID("12D3KooW" + name + string(rune('a'+i))), Near: near}
			if err := a.Asked(from, "Ben", []string{"x"}); errors.Is(err, domain.ErrBusy) {
				refused++
			}
		}
		return refused
	}
	if refused := ask("Far", 20, false); len(a.Introductions()) != 4 || refused != 16 {
		t.Errorf("from afar %d are open, %d refused", len(a.Introductions()), refused)
	}
	if refused := ask("Near", 20, true); len(a.Introductions()) != 20 || refused != 4 {
		t.Errorf("with those near %d are open, %d refused", len(a.Introductions()), refused)
	}
	// Who has become a friend makes room.
	for _, name := range []string{"a", "b"} {
		id := domain.PeerID("12D3KooWNear" + name)
		must(t, a.ConfirmFriend(t.Context(), id))
		if a.Told(domain.Asker{Peer: id, Near: true}, domain.FriendConfirm); !a.Friend(id) {
			t.Errorf("%s is no friend", id)
		}
	}
	if refused := ask("More", 3, true); refused != 1 {
		t.Errorf("after two became friends %d of 3 were refused", refused)
	}
	// Whoever asks and takes it back makes no room for more to be shown.
	for _, i := range a.Introductions() {
		a.Told(domain.Asker{Peer: i.Peer, Near: true}, domain.FriendDecline)
	}
	if refused := ask("Next", 5, true); refused != 5 {
		t.Errorf("%d of 5 were refused", refused)
	}
	a.pass(time.Hour)
	for end := time.Now().Add(20 * time.Second); len(a.Introductions()) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("those that have ended are not forgotten")
		}
	}
	if refused := ask("Later", 5, true); refused != 0 {
		t.Errorf("later %d were refused", refused)
	}
}

func TestAnInvitationCountsOnce(t *testing.T) {
	a, b := pair(t)
	made, err := a.Invite(t.Context())
	must(t, err)
	link, err := domain.ParseLink(made.Link)
	must(t, err)
	if link.Name != "Ana" || link.Peer != string(ana) || !slices.Equal(link.Addresses, []string{"/ip4/192.168.1.7/tcp/17685"}) || !made.Expires.Equal(a.now().Add(10*time.Minute)) {
		t.Errorf("%+v until %s", link, made.Expires)
	}
	if _, err := a.Join(t.Context(), link); !errors.Is(err, domain.ErrUsage) {
		t.Error("an own invitation:", err)
	}
	who, err := b.Join(t.Context(), link)
	must(t, err)
	if who.ID != ana || who.Name != "Ana" {
		t.Errorf("joined %+v", who)
	}
	b.stand(t, ana, domain.IntroductionWaiting)
	if i := a.stand(t, ben, domain.IntroductionInvited); len(i.Words) > 0 || a.Friend(ben) {
		t.Errorf("before the inviter has confirmed: %+v", i)
	}
	must(t, a.ConfirmFriend(t.Context(), ben))
	friends(t, a, b)
	// Somebody else finds it used.
	if err := a.Invited(domain.Asker{Peer: anna}, "Anna", link.Token); !errors.Is(err, domain.ErrNotFound) {
		t.Error("used twice:", err)
	}
}

func TestInvitationsExpireAndAreFew(t *testing.T) {
	a, b := pair(t)
	made, err := a.Invite(t.Context())
	must(t, err)
	link, err := domain.ParseLink(made.Link)
	must(t, err)
	for range 15 {
		_, err := a.Invite(t.Context())
		must(t, err)
	}
	if _, err := a.Invite(t.Context()); !errors.Is(err, domain.ErrBusy) {
		t.Error("a seventeenth:", err)
	}
	a.pass(10 * time.Minute)
	_, err = b.Join(t.Context(), link)
	if said, ok := domain.SayingOf(err); !errors.Is(err, domain.ErrNotFound) || !ok || said.String() != "this invitation has expired or was used; ask for a new one" {
		t.Error("an expired one:", err)
	}
	b.stand(t, ana, domain.IntroductionEnded)
	if _, err := a.Invite(t.Context()); err != nil {
		t.Error("there is room again:", err)
	}
	b.net.away = domain.ErrNotFound
	if _, err := b.Join(t.Context(), link); !errors.Is(err, domain.ErrNotFound) {
		t.Error("nobody there:", err)
	}
}

func TestBlockedPeersAreNotHeard(t *testing.T) {
	a, b := pair(t)
	befriend(t, a, b)
	before := a.changes()
	must(t, a.Block(t.Context(), ben))
	if a.Friend(ben) || !a.IsBlocked(ben) || a.changes() == before || len(a.People.People()) != 0 || len(a.Blocked()) != 1 {
		t.Errorf("blocked: %+v", a.People.People())
	}
	if p, _ := a.Peer(ben); !p.Blocked || p.Online || p.Friend {
		t.Errorf("%+v", p)
	}
	a.Head(domain.Head{Peer: ben, Name: "Mallory", Entries: 3}, a.now())
	if p, _ := a.Peer(ben); p.Entries != 0 || p.Name != "Ben" {
		t.Errorf("heard: %+v", p)
	}
	must(t, b.RemoveFriend(t.Context(), ana))
	if err := b.AddFriend(t.Context(), ana); !errors.Is(err, domain.ErrRefused) {
		t.Error("a blocked one asks:", err)
	}
	if len(a.Introductions()) != 0 {
		t.Errorf("shown: %+v", a.Introductions())
	}
	if err := a.AddFriend(t.Context(), ben); !errors.Is(err, domain.ErrRefused) {
		t.Error("a blocked one is asked:", err)
	}
	a.restart(t)
	if !a.IsBlocked(ben) {
		t.Error("forgotten by a restart")
	}
	must(t, a.Unblock(t.Context(), ben))
	if !a.Friend(ben) || len(a.Blocked()) != 0 {
		t.Error("not as before")
	}
	if err := a.Block(t.Context(), ana); !errors.Is(err, domain.ErrUsage) {
		t.Error("oneself:", err)
	}
}

func TestRemovingAFriendCanBeUndone(t *testing.T) {
	a, b := pair(t)
	befriend(t, a, b)
	must(t, a.AcceptUpTo(t.Context(), ben, 1<<20))
	if err := a.RestoreFriend(t.Context(), ben); !errors.Is(err, domain.ErrNotFound) {
		t.Error("nothing to undo:", err)
	}
	must(t, a.RemoveFriend(t.Context(), ben))
	if err := a.AcceptUpTo(t.Context(), ben, 1); a.Friend(ben) || !errors.Is(err, domain.ErrNotFound) {
		t.Error("still a friend:", err)
	}
	must(t, a.RestoreFriend(t.Context(), ben))
	if p, _ := a.Peer(ben); !p.Friend || p.AcceptUpTo != 1<<20 {
		t.Errorf("%+v", p)
	}
	// Who is a friend to them needs their word no second time.
	must(t, a.RemoveFriend(t.Context(), ben))
	must(t, a.AddFriend(t.Context(), ben))
	b.stand(t, ana, domain.IntroductionWaiting)
	must(t, a.ConfirmFriend(t.Context(), ben))
	friends(t, a, b)
}

func TestTwoWhoAskAtTheSameMomentSeeTheSameWords(t *testing.T) {
	a, b := pair(t)
	var both sync.WaitGroup
	both.Go(func() { must(t, a.AddFriend(t.Context(), ben)) })
	both.Go(func() { must(t, b.AddFriend(t.Context(), ana)) })
	both.Wait()
	a.stand(t, ben, domain.IntroductionComparing)
	b.stand(t, ana, domain.IntroductionComparing)
}

func TestANameIsNobody(t *testing.T) {
	a, b := pair(t)
	befriend(t, a, b)
	a.Presence(connected(anna, "ＢＥＮ"))
	if p, _ := a.Peer(anna); p.LooksLike != "Ben" || p.Friend {
		t.Errorf("%+v", p)
	}
	if p, _ := a.Peer(ben); p.LooksLike != "" {
		t.Errorf("%+v", p)
	}
	if _, err := a.Find("ben"); !errors.Is(err, domain.ErrUsage) {
		t.Error("both are around:", err)
	}
	a.Presence(domain.Presence{Peer: anna})
	if p, err := a.Find("ben"); err != nil || p.ID != ben {
		t.Errorf("the friend alone is around: %+v, %v", p, err)
	}
	must(t, a.Rename(t.Context(), ben, "  Benjamin "))
	if p, _ := a.Peer(ben); p.Name != "Benjamin" || p.Claimed != "Ben" {
		t.Errorf("%+v", p)
	}
	for _, name := range []string{"Ben", "benjamin"} {
		a.Presence(connected(anna, name))
		if p, _ := a.Peer(anna); p.LooksLike != "Benjamin" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if p, err := a.Find("Ben"); err != nil || p.ID != ben {
		t.Errorf("by the claimed name: %+v, %v", p, err)
	}
	for _, wrong := range []string{"a:b", "a/b", "\u202ex", string(make([]rune, 41))} {
		if err := a.Rename(t.Context(), ben, wrong); !errors.Is(err, domain.ErrUsage) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	must(t, a.Rename(t.Context(), ben, ""))
	if p, _ := a.Peer(ben); p.Name != "Ben" || p.Claimed != "" {
		t.Errorf("%+v", p)
	}
	if p, _ := a.Peer(anna); p.LooksLike != "" {
		t.Errorf("benjamin looks like %+v", p)
	}
}

func TestWhoWouldBeMissedIsKept(t *testing.T) {
	a, b := pair(t)
	befriend(t, a, b)
	must(t, a.Block(t.Context(), anna))
	a.Presence(connected("12D3KooWStranger", "Zoe"))
	before := a.changes()
	must(t, a.Rename(t.Context(), ben, "Benjamin"))
	must(t, a.AcceptUpTo(t.Context(), ben, 7))
	if got := a.changes() - before; got != 2 {
		t.Errorf("told of %d changes, want 2", got)
	}
	kept := a.Kept()
	if len(kept) != 2 || kept[0].ID != anna || !kept[0].Blocked || kept[1].ID != ben || !kept[1].Friend || kept[1].Given != "Benjamin" || kept[1].AcceptUpTo != 7 {
		t.Errorf("kept: %+v", kept)
	}
	a.pass(60 * 24 * time.Hour)
	a.restart(t)
	if got := a.Kept(); len(got) != 2 {
		t.Errorf("after two months: %+v", got)
	}
	if _, ok := a.Peer("12D3KooWStranger"); ok {
		t.Error("a stranger is remembered for two months")
	}
}
