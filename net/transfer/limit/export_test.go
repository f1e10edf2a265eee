package limit

import "github.com/potluck-share/potluck/app/domain"

// Lane returns the queue in which the peer's streams wait.
func (l *Limits) Lane(peer domain.PeerID) int { return l.Stream(nil, peer).(*stream).lane }
