package talk

import (
	"fmt"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

// A peer that goes on under its own name gains nothing by coming under many
// others at the same time.
func TestNewPeersDoNotResetTheLimitOfOthers(t *testing.T) {
	t.Parallel()
	rates := NewRates(2, 40)
	let := 0
	for i := range 20 * mostPeers {
		rates.Allow(domain.PeerID(fmt.Sprint("new ", i)))
		if i%(mostPeers/2) == 0 && rates.Allow("mallory") {
			let++
		}
		if i == 0 {
			for rates.Allow("mallory") { // as long as it may
			}
		}
	}
	if let > 1+2 { // what comes anew while the test runs
		t.Errorf("Mallory said %d more than it may", let)
	}
	if got := rates.peers.Len(); got > mostPeers {
		t.Errorf("%d peers are kept in mind", got)
	}
}
