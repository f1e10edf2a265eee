package app

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

// losses are ways in which a database goes.
var losses = map[string]func(path string) error{
	"deleted": os.Remove,
	"damaged": func(path string) error {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = file.WriteAt(bytes.Repeat([]byte("soup"), 4096), 0)
		return errors.Join(err, file.Close())
	},
}

// audiences returns what is shared with whom.
func (n *node) audiences() string {
	var all []string
	for _, s := range n.library.Shares() {
		all = append(all, fmt.Sprintf("%s %s %s %d %s", s.Name, filepath.Base(s.Path), s.Audience, s.Entries, s.State))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// A database that is lost costs no friend, no block and no audience; without a
// backup that can be read nothing is shared.
func TestBackupRestoresWhatTheDatabaseLost(t *testing.T) {
	t.Parallel()
	for name, lose := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ana, ben, cleo := startPotluck(t, "ana"), startPotluck(t, "ben"), startPotluck(t, "cleo")
			meet(t, ana, ben)
			befriend(t, ana, ben)
			if err := ana.people.Block(t.Context(), cleo.host.ID()); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(ana.people.Rename(t.Context(), ben.host.ID(), "Benny"), ana.people.AcceptUpTo(t.Context(), ben.host.ID(), mib)); err != nil {
				t.Fatal(err)
			}
			for kind, audience := range map[string]domain.Audience{
				"Everyone": {Kind: domain.Everyone}, "Friends": {Kind: domain.Friends},
				"Chosen": {Kind: domain.Chosen, Peers: []domain.PeerID{ben.host.ID()}},
			} {
				folder, _ := present(t, kind, 100)
				if _, err := ana.library.Share(t.Context(), []string{folder}, audience); err != nil {
					t.Fatal(err)
				}
			}
			gift, _ := present(t, "Gift", 100)
			ben.offer(t, ana.send(t, ben, "", gift), domain.OfferAsked)
			want := ana.audiences()
			ana.close()
			if err := lose(databasePath(ana.opts.data)); err != nil {
				t.Fatal(err)
			}

			again := ana.again(t)
			until(t, "all is shared again", func() error {
				if got := again.audiences(); got != want {
					return fmt.Errorf("shared are\n%s\nwant\n%s", got, want)
				}
				return nil
			})
			who, _ := again.people.Peer(ben.host.ID())
			if !who.Friend || who.Name != "Benny" || who.AcceptUpTo != mib || !again.people.IsBlocked(cleo.host.ID()) {
				t.Errorf("ben is %+v, cleo blocked: %v", who, again.people.IsBlocked(cleo.host.ID()))
			}
			again.close()
			if err := errors.Join(lose(databasePath(ana.opts.data)), os.WriteFile(backupPath(ana.opts.data), []byte("soup"), 0o600)); err != nil {
				t.Fatal(err)
			}
			bare := ana.again(t)
			if got := bare.audiences(); got != "" || bare.people.Friend(ben.host.ID()) {
				t.Errorf("without a backup it shares\n%s", got)
			}
			if kept, err := os.ReadFile(backupPath(ana.opts.data) + ".unread"); err != nil || string(kept) != "soup" {
				t.Errorf("what could not be read is %q, %v", kept, err)
			}
		})
	}
}

// befriend makes friends of two who see each other.
func befriend(t *testing.T, a, b *node) {
	t.Helper()
	made, err := a.people.Invite(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	link, err := domain.ParseLink(made.Link)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.people.Join(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	if err := a.people.ConfirmFriend(t.Context(), b.host.ID()); err != nil {
		t.Fatal(err)
	}
	until(t, "they are friends", func() error {
		if !a.people.Friend(b.host.ID()) || !b.people.Friend(a.host.ID()) {
			return errors.New("not yet")
		}
		return nil
	})
}
