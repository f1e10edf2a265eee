package app

import (
	"errors"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

// Whoever is blocked gives and gets nothing from that moment on, and what was
// under way goes on after the block is taken back.
func TestBlockingStopsDownloadsAtOnce(t *testing.T) {
	t.Parallel()
	for name, blocks := range map[string]func(giver, taker *node) (who *node, whom domain.PeerID){
		"by who gets":  func(giver, taker *node) (*node, domain.PeerID) { return taker, giver.host.ID() },
		"by who gives": func(giver, taker *node) (*node, domain.PeerID) { return giver, taker.host.ID() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ana, ben := startPotluck(t, "ana"), startPotluck(t, "ben")
			if _, err := ben.people.Connect(t.Context(), ana.describe().Addresses[0]); err != nil {
				t.Fatal(err)
			}
			const size = 24 * mib
			_, req := ana.shares(t, "film.bin", size, size, domain.Everyone)
			ben.throttle(t, 1_000_000)
			var id string
			until(t, "Ben finds it", func() (err error) {
				id, err = ben.transfers.Get(t.Context(), domain.GetRequest{Peer: req.Peer, Path: req.Path})
				return err
			})
			ben.awaits(t, id, "Ana serves it", func(d domain.Transfer) bool { return d.Done > 0 })
			who, whom := blocks(ana, ben)
			if err := who.people.Block(t.Context(), whom); err != nil {
				t.Fatal(err)
			}
			waiting := ben.awaits(t, id, "it waits", func(d domain.Transfer) bool { return d.State == domain.Waiting })
			if waiting.Done >= size/2 {
				t.Errorf("%d of %d bytes came", waiting.Done, size)
			}
			if err := who.people.Unblock(t.Context(), whom); err != nil {
				t.Fatal(err)
			}
			ben.throttle(t, 0)
			ben.awaits(t, id, "it is done", func(d domain.Transfer) bool { return d.State == domain.Done })
		})
	}
}

// What an invitation names is who invites, whatever the link calls them.
func TestWhatAnInvitationNames(t *testing.T) {
	t.Parallel()
	ana, ben := startPotluck(t, "Ana"), startPotluck(t, "Ben")
	made, err := ana.people.Invite(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	link, err := domain.ParseLink(made.Link)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ana.target(t.Context(), link); err != nil || !got.Own || got.Name != "Ana" {
		t.Errorf("an own one: %+v, %v", got, err)
	}
	stranger := link
	stranger.Name = "Zoe\u202e:"
	if got, err := ben.target(t.Context(), stranger); err != nil || got.Own || got.Name != "Zoe" || got.Owner.ID != ana.host.ID() || got.Owner.Friend {
		t.Errorf("of somebody unknown: %+v, %v", got, err)
	}
	if _, err := ben.people.Join(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	if err := ana.people.ConfirmFriend(t.Context(), ben.host.ID()); err != nil {
		t.Fatal(err)
	}
	until(t, "Ben knows", func() error {
		if !ben.people.Friend(ana.host.ID()) {
			return errors.New("no friends")
		}
		return nil
	})
	if got, err := ben.target(t.Context(), stranger); err != nil || got.Name != "Ana" || !got.Owner.Friend {
		t.Errorf("of a friend: %+v, %v", got, err)
	}
}
