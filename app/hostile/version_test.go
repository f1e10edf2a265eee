package hostile_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	ma "github.com/multiformats/go-multiaddr"
)

// TestAnotherVersionIsSaid has somebody come back with a program that speaks no
// hello of ours, as a Potluck of years later may: they are not there, and the
// check-up says why.
func TestAnotherVersionIsSaid(t *testing.T) {
	ana := run(t, "Ana")
	then := newRogue(t, "Ben")
	then.meets(ana)
	id, key, address := then.ID(), then.key(), then.Addresses()[0]
	waitFor(t, "Ben is there", func() bool { return ana.person(id).Online })
	if err := then.Close(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "Ben is gone", func() bool { return !ana.person(id).Online })
	where, err := ma.NewMultiaddr(address)
	if err != nil {
		t.Fatal(err)
	}
	now, err := libp2p.New(libp2p.Identity(key), libp2p.ListenAddrs(where), libp2p.DisableRelay())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = now.Close() }) // the test is over

	var said string
	for begun := time.Now(); time.Since(begun) < 20*time.Second && !strings.Contains(said, "another version"); {
		said = ana.do("doctor", "Ben")
	}
	if want := "Ben uses another version of Potluck."; !strings.Contains(said, want) {
		t.Errorf("the check-up says %q, want %q", said, want)
	}
	var all []struct {
		Kind string `json:"kind"`
		OK   bool   `json:"ok"`
		Do   string `json:"do"`
	}
	raw := ana.do("--json", "doctor", "Ben")
	if err := json.Unmarshal([]byte(raw), &all); err != nil || len(all) != 1 || all[0].Kind != "version" || all[0].OK || all[0].Do != "Update the older one." {
		t.Errorf("for programs it says %s, %v", raw, err)
	}
	if ana.person(id).Online {
		t.Error("somebody who says no hello is shown as there")
	}
}
