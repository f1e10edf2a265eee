package discovery

import (
	"net/netip"
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// hearingLife is how long somebody who was heard counts as nearby.
const hearingLife = 24 * time.Hour

// hearing is a peer that was heard on a network.
type hearing struct {
	peer    domain.PeerID
	network string
}

// Heard reports whether the peer was heard, by multicast or broadcast, within
// 24 hours on a network that is present now, and on which.
func (s *Service) Heard(peer domain.PeerID) (network string, ok bool) {
	now := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.present {
		at, heard := s.hearings[hearing{peer, n.id}]
		if heard && fresh(at, now) {
			return n.id, true
		}
	}
	return "", false
}

// fresh reports whether a hearing at one time still counts at another. One from
// the future, which a clock that was set back leaves behind, does not.
func fresh(at, now time.Time) bool {
	age := now.Sub(at)
	return age > -time.Minute && age < hearingLife
}

// remember notes that a peer was heard on a network.
func (s *Service) remember(peer domain.PeerID, network string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := hearing{peer, network}
	if _, had := s.hearings[h]; !had && len(s.hearings) >= maxPeers {
		s.forgetOldest(now)
	}
	s.hearings[h] = now
}

// forgetOldest makes room for one hearing: for that of whoever was not heard for
// the longest time. Who is there is heard every few minutes, so that a flood of
// names has to go on to keep anybody out. The lock is held.
func (s *Service) forgetOldest(now time.Time) {
	var oldest hearing
	for h, at := range s.hearings {
		if !fresh(at, now) {
			delete(s.hearings, h)
		} else if oldest.peer == "" || at.Before(s.hearings[oldest]) {
			oldest = h
		}
	}
	if len(s.hearings) >= maxPeers {
		delete(s.hearings, oldest)
	}
}

// forgetAll forgets all hearings.
func (s *Service) forgetAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.hearings)
}

// rename moves the hearings on a network to the name that it has turned out to
// have.
func (s *Service) rename(old, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h, at := range s.hearings {
		if h.network == old {
			delete(s.hearings, h)
			s.hearings[hearing{h.peer, id}] = at
		}
	}
}

// nowOn tells which networks and addresses are present, and forgets what was
// heard on others. Without any network, or while it is not yet clear which it
// is, nothing is forgotten: after a pulled cable it is likely the same one.
// It reports whether anything that can be asked for has changed.
func (s *Service) nowOn(present []presentNetwork, prefixes []netip.Prefix) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := !slices.Equal(s.present, present) || !slices.Equal(s.prefixes, prefixes)
	s.present, s.prefixes = present, prefixes
	certain := len(present) > 0 && !slices.ContainsFunc(present, func(n presentNetwork) bool { return n.shown == "" })
	if changed && certain {
		for h := range s.hearings {
			if !slices.ContainsFunc(present, func(n presentNetwork) bool { return n.id == h.network }) {
				delete(s.hearings, h)
			}
		}
	}
	return changed
}
