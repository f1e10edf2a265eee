package doctor_test

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/doctor"
	"github.com/potluck-share/potluck/app/domain"
)

// state is how things stand, as the rooms around the doctor tell it. That they
// tell what is so is for the tests of the whole program.
type state struct {
	ears   []domain.Ear
	people []domain.Peer
	status domain.Status
	tries  domain.Reach
	tryErr error
	// reachErr is why nobody who is away can be reached; slow is whether an
	// answer never comes.
	reachErr error
	slow     bool
}

func (s *state) Ask()                    {}
func (s *state) Ears() []domain.Ear      { return s.ears }
func (s *state) Near(domain.PeerID) bool { return true }
func (s *state) Prefixes() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("192.168.1.2/24")}
}
func (s *state) Reach(context.Context, domain.PeerID) error { return s.reachErr }

func (s *state) TryMe(ctx context.Context, _ domain.PeerID) (domain.Reach, error) {
	if s.slow {
		<-ctx.Done()
		return "", ctx.Err()
	}
	return s.tries, s.tryErr
}

func (s *state) doctor() *doctor.Doctor {
	return doctor.New(doctor.Config{
		Network: s, People: func() []domain.Peer { return s.people }, Status: func() domain.Status { return s.status },
		Reserved: func() bool { return false },
		Peer: func(id domain.PeerID) (domain.Peer, bool) {
			i := slices.IndexFunc(s.people, func(p domain.Peer) bool { return p.ID == id })
			if i < 0 {
				return domain.Peer{}, false
			}
			return s.people[i], true
		},
	})
}

// has reports whether something was found, and is good or bad as it should be.
func has(t *testing.T, found []domain.Finding, ok bool, what string) {
	t.Helper()
	for _, f := range found {
		if f.What.String() == what {
			if f.OK != ok || !ok && f.Do.IsZero() {
				t.Errorf("%q: %+v", what, f)
			}
			return
		}
	}
	t.Errorf("it does not find %q but %v", what, found)
}

func TestWhatIsFoundHere(t *testing.T) {
	t.Parallel()
	fine := domain.Ear{Interface: "wlan0", Sends: true, Echoes: true, Multicast: true, Heard: 2}
	broadcast := fine
	broadcast.Multicast = false
	two := []domain.Peer{{ID: "ana", Name: "Ana", Online: true}, {ID: "ben", Name: "Ben", Online: true}}
	for want, s := range map[string]struct {
		state
		ok bool
	}{
		"On wlan0 people are heard by broadcast only: it passes no multicast.": {state{ears: []domain.Ear{broadcast}}, true},
		"2 people are here.":                                   {state{ears: []domain.Ear{fine}, people: two}, true},
		"Potluck listens nowhere.":                             {state{ears: []domain.Ear{fine}}, false},
		"Ana can reach this computer.":                         {state{ears: []domain.Ear{fine}, people: two, tries: domain.ReachOK}, true},
		"Ben can't reach this computer: a firewall is likely.": {state{ears: []domain.Ear{fine}, people: two, tries: domain.ReachTimeout}, false},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			has(t, s.doctor().Check(t.Context()), s.ok, want)
		})
	}
}

// Whoever does not answer holds the check-up up for a while only, however many they
// are.
func TestTheCheckUpEnds(t *testing.T) {
	t.Parallel()
	s := state{slow: true}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		s.people = append(s.people, domain.Peer{ID: domain.PeerID(name), Name: name, Online: true})
	}
	begun := time.Now()
	s.doctor().Check(t.Context())
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestWhatIsFoundOfAPerson(t *testing.T) {
	t.Parallel()
	at := []string{"/ip4/192.168.1.7/tcp/17685"}
	for want, s := range map[string]struct {
		state
		ok bool
	}{
		"Ana uses an older version of Potluck, which can't try to reach you.": {
			state{people: []domain.Peer{{ID: "ana", Name: "Ana", Online: true}}, tryErr: domain.ErrVersion}, true,
		},
		"It isn't known where Ana is.": {state{people: []domain.Peer{{ID: "ana", Name: "Ana"}}}, false},
		"Ana answers.":                 {state{people: []domain.Peer{{ID: "ana", Name: "Ana", Addresses: at}}}, true},
		"Ana's computer doesn't answer at 192.168.1.7.": {
			state{people: []domain.Peer{{ID: "ana", Name: "Ana", Addresses: at}}, reachErr: domain.ErrOffline}, false,
		},
		"Ana was last at 10.9.8.7, which is another network than yours (192.168.1.0/24).": {
			state{people: []domain.Peer{{ID: "ana", Name: "Ana", Addresses: []string{"/ip4/10.9.8.7/tcp/1"}}}, reachErr: domain.ErrOffline}, false,
		},
		// Whose clock is wrong is found all the same.
		"Ana is here.": {
			state{people: []domain.Peer{{ID: "ana", Name: "Ana", Online: true, LastSeen: time.Unix(0, 0).AddDate(300, 0, 0)}}, tries: domain.ReachOK}, true,
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			found, err := s.doctor().CheckPerson(t.Context(), "ana")
			if err != nil {
				t.Fatal(err)
			}
			has(t, found, s.ok, want)
		})
	}
}
