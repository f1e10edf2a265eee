package discovery

import (
	"slices"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// echoTime is how long our own words take to come back at most.
const echoTime = 200 * time.Millisecond

// Ears tells how calling and listening goes on each interface. What it says of
// an Ask is there two seconds later. While hidden, nothing that is sent can be
// told from what others send, and so nothing echoes.
func (s *Service) Ears() []domain.Ear {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ears)
}

// listenToItself keeps for Ears how it goes.
func (l *loop) listenToItself(now time.Time) {
	var ears []domain.Ear
	for index, st := range l.stations {
		heard, multicast := l.cache.count(index)
		ears = append(ears, domain.Ear{
			Interface: st.Name, Network: domain.Network{ID: st.network.id, Name: networkName(st.prefixes), Present: true},
			Sends:  !st.failing && !st.sentAt.IsZero(),
			Echoes: !st.echoAt.Before(st.sentAt) || now.Sub(st.sentAt) < echoTime,
			Heard:  heard, Multicast: multicast > 0, Unaddressed: len(st.announced()) == 0,
		})
	}
	slices.SortFunc(ears, func(a, b domain.Ear) int { return strings.Compare(a.Interface, b.Interface) })
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.s.ears = ears
}
