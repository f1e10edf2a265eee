package transfers

import (
	"strings"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

func TestTheSecondLineIsASentence(t *testing.T) {
	want := map[string]string{
		"run":    "1.9 of 3.1 GB · 48 MB/s · 25 s left",
		"up":     "50 of 100 B · 2 B/s",
		"wait":   "Cleo is away since 14:02. Continues when Cleo is back.",
		"full":   "Disk full. Free 2.1 GB and it continues.",
		"queue":  "Waits for its turn.",
		"pause":  "Paused by you. 11 of 100 B is here.",
		"done":   "9.0 MB, done 14:00.",
		"fail":   "It stopped before it was done.",
		"cancel": "It stopped before it was done.",
	}
	for _, t1 := range all() {
		if got := sentenceOf(&t1, now); got != want[t1.ID] {
			t.Errorf("%s: %q, want %q", t1.ID, got, want[t1.ID])
		}
	}
	for _, c := range []struct {
		transfer domain.Transfer
		want     string
	}{
		{domain.Transfer{State: domain.Running}, "Asking for it…"},
		{domain.Transfer{State: domain.Running, Size: 10, Reason: domain.Say("Checking what's already here… 40 %")}, "Checking what's already here… 40 %"},
		{domain.Transfer{State: domain.Waiting, PeerName: "Ana"}, "Waits for Ana."},
		{domain.Transfer{State: domain.Waiting}, "Waits for somebody who has it."},
		{domain.Transfer{State: domain.Paused, Reason: domain.Say("Paused by you.")}, "Paused by you."},
		{domain.Transfer{State: domain.Done, Count: 3, Size: 1000}, "1.0 kB in 3 files, done."},
		{domain.Transfer{State: domain.Done, Size: 1000, Reason: domain.Say("You already have this.")}, "You already have this."},
		{domain.Transfer{State: domain.Running, Size: 1000, Reason: domain.Say("Checking what's already here… 40 %")}, "Checking what's already here… 40 %"},
		{domain.Transfer{State: domain.Queued, Reason: domain.Say("Number 2 in your queue.")}, "Number 2 in your queue."},
	} {
		if got := sentenceOf(&c.transfer, now); got != c.want {
			t.Errorf("%+v: %q, want %q", c.transfer.State, got, c.want)
		}
	}
}

func TestNamesOfBareContents(t *testing.T) {
	id := strings.Repeat("ab", 32)
	if got := Name(&domain.Transfer{Path: id, Kind: domain.Download}); strings.Contains(got, "abab") {
		t.Errorf("a hash is shown: %q", got)
	}
}

func TestWhoServesIsNamed(t *testing.T) {
	for _, c := range []struct {
		transfer domain.Transfer
		want     string
	}{
		{domain.Transfer{PeerName: "Ana"}, "from Ana"},
		{domain.Transfer{PeerName: "Ana", From: []string{"Ana", "Ben"}}, "from Ana, Ben"},
		{domain.Transfer{PeerName: "Ana", From: []string{"Ben", "Cleo", "Dan", "Eve"}}, "from Ben, Cleo and 2 more"},
		{domain.Transfer{}, ""},
		{domain.Transfer{Kind: domain.Upload, PeerName: "Ben"}, "to Ben"},
		{domain.Transfer{Kind: domain.Upload}, ""},
	} {
		if got := whoOf(&c.transfer); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
