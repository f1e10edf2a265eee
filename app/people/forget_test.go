package people_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// However many people are made up, only so many are known, here and in the
// store; friends and those who are here stay.
func TestOnlySoManyPeopleAreKnown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "db")
	r := open(t, file)
	r.Presence(connected(ana, "Ana"))
	must(t, r.Block(t.Context(), ben))
	r.Head(domain.Head{Peer: "old", Name: "Old"}, r.now())
	for i := range 10_000 {
		r.pass(time.Second)
		r.Head(domain.Head{Peer: domain.PeerID(fmt.Sprintf("stranger %05d", i)), Name: "Ben"}, r.now())
	}
	all := r.People.People()
	if len(all) > 4096 || len(all) < 3000 {
		t.Errorf("%d are known", len(all))
	}
	if who, known := r.Peer(ana); !known || !who.Online {
		t.Error("Ana, who is here, is not known any more")
	}
	if _, known := r.Peer("old"); known {
		t.Error("who was seen first is still known")
	}
	if _, known := r.Peer("stranger 09999"); !known {
		t.Error("who was seen last is not known")
	}
	r.close(t)
	again := open(t, file)
	defer again.close(t)
	stored, err := again.store.People()
	must(t, err)
	if len(stored) > 4096+2 {
		t.Errorf("%d are stored", len(stored))
	}
	if !again.IsBlocked(ben) {
		t.Error("who is blocked was forgotten")
	}
}
