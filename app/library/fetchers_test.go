package library_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

// fetchers puts who fetched from a share into lines, newest first.
func (k *kitchen) fetchers(share string) (lines []string) {
	k.Helper()
	all, err := k.Fetchers(k.Context(), share)
	must(k.T, err)
	for _, f := range all {
		lines = append(lines, fmt.Sprintf("%s %q %d files %d bytes", f.Peer, f.Name, f.Files, f.Bytes))
	}
	return lines
}

// times returns how often the share was fetched, as it is told.
func (k *kitchen) times(share string) int {
	k.Helper()
	for _, s := range k.Shares() {
		if s.Name == share {
			return s.Fetched
		}
	}
	k.Fatalf("%s is not shared", share)
	return 0
}

func TestFetchedIsCountedOncePerVisit(t *testing.T) {
	k := newKitchen(t)
	k.write("F/a", "aaaa")
	k.write("F/b", "bbbbbbbb")
	k.write("one", "1")
	k.share(everyone, "F", "one")
	ana := domain.Asker{Peer: "ana", Near: true}
	a, b := k.content("F/a"), k.content("F/b")

	k.Sent(near, "Ben", a, 3) // not yet whole
	same(t, "who had a part", k.fetchers("F"), nil)
	k.Sent(near, "Ben", a, 1)
	k.Sent(ana, "Ana", b, 8)
	k.pass(9 * time.Minute)
	k.Sent(near, "Ben", b, 5)
	k.pass(9 * time.Minute)
	k.Sent(near, "Benny", b, 3)
	k.Sent(near, "Benny", domain.ContentID{1}, 3) // of no share
	same(t, "fetchers", k.fetchers("F"), []string{`ben "Benny" 2 files 12 bytes`, `ana "Ana" 1 files 8 bytes`})
	same(t, "times", k.times("F"), 2)

	// After a longer pause it is another time; what was half through goes on.
	k.Sent(near, "Ben", b, 4)
	k.pass(11 * time.Minute)
	k.Sent(near, "Ben", b, 4)
	same(t, "times after a pause", []any{k.fetchers("F")[0], k.times("F")}, []any{`ben "Ben" 1 files 8 bytes`, 3})
	same(t, "another share", k.times("one"), 0)

	// It lasts over a restart, and what goes on within the pause is the same.
	k.restart()
	same(t, "times after a restart", k.times("F"), 3)
	k.pass(time.Minute)
	k.Sent(near, "Ben", a, 4)
	same(t, "a visit over a restart", []any{k.fetchers("F")[0], k.times("F")}, []any{`ben "Ben" 2 files 12 bytes`, 3})

	// Who shares it no longer knows no more of it.
	must(t, k.Unshare(t.Context(), []string{"F"}))
	if _, err := k.Fetchers(t.Context(), "F"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("fetchers of what is not shared: %v", err)
	}
	k.share(everyone, "F")
	same(t, "shared again", []any{k.fetchers("F"), k.times("F")}, []any{[]string(nil), 0})
}

func TestFetchedIsToldAndBounded(t *testing.T) {
	k := newKitchen(t)
	k.write("one", "1")
	k.write("copies/one", "1")
	k.share(chosen("ana"), "copies")
	k.share(everyone, "one")
	k.Start(t.Context())
	sub := k.bus.Subscribe(event.Shares.Name())
	defer sub.Close()
	id := k.content("one")
	for n := range 205 {
		peer := domain.PeerID(fmt.Sprintf("peer %03d", n))
		k.Sent(domain.Asker{Peer: peer, Near: true}, "Somebody", id, 1)
		if n%10 == 0 {
			k.fetchers("one") // so that they are stored in their order
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for told := 0; told < 205; {
		events, err := sub.Next(ctx)
		must(t, err)
		for _, e := range events {
			if s, ok := event.As(event.Shares, e); ok && s.Name == "one" {
				told = s.Fetched
			}
		}
	}
	kept := k.fetchers("one")
	same(t, "kept one by one", len(kept), 200)
	for _, line := range kept {
		if strings.HasPrefix(line, "peer 000") {
			t.Errorf("the oldest, %s, is still there", line)
		}
	}
	same(t, "the share that they may not see", k.times("copies"), 0)
}
