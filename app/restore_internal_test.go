package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/storage/db"
)

// loses closes ana and takes the database away. What is not empty replaces the
// backup.
func (n *node) loses(t *testing.T, backup string) {
	t.Helper()
	n.close()
	if err := os.Remove(databasePath(n.opts.data)); err != nil {
		t.Fatal(err)
	}
	if backup == "" {
		return
	}
	if err := os.WriteFile(backupPath(n.opts.data), []byte(backup), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A backup that names what is Potluck's own shares none of it.
func TestRestoreSharesNothingOfPotluckItself(t *testing.T) {
	t.Parallel()
	ana := startPotluck(t, "ana")
	key := filepath.Join(ana.opts.data, "identity.key")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(ana.opts.data, link); err != nil {
		t.Skip(err) // not everybody may make links on Windows
	}
	ana.loses(t, fmt.Sprintf("format = 1\n[[share]]\npath = %q\nname = \"k\"\naudience = \"everyone\"\n"+
		"[[share]]\npath = %q\nname = \"d\"\nfolder = true\naudience = \"everyone\"\n"+
		"[[share]]\npath = %q\nname = \"l\"\nfolder = true\naudience = \"everyone\"\n", key, ana.opts.data, link))
	again := ana.again(t)
	until(t, "all were looked at", func() error {
		for _, s := range again.library.Shares() {
			if s.State != domain.ShareUnreadable {
				return fmt.Errorf("%s is %s", s.Path, s.State)
			}
		}
		return nil
	})
	page, err := again.library.Page(t.Context(), domain.Asker{Peer: "anyone", Near: true}, domain.Version{}, "")
	if err != nil || len(page.Changes) != 0 {
		t.Errorf("offered are %+v, %v", page.Changes, err)
	}
}

// What is not clear in a backup means less rather than more.
func TestRestoreTakesTheNarrowerMeaning(t *testing.T) {
	t.Parallel()
	ana, ben := startPotluck(t, "ana"), startPotluck(t, "ben")
	folder, _ := present(t, "Holiday", 100)
	text := "format = 1\n"
	for _, said := range []string{"blocked", "friend"} {
		text += fmt.Sprintf("[[person]]\npeer = %q\n%s = true\n", ben.host.ID(), said)
	}
	for name, audience := range map[string]string{"One": "chosen", "Two": "world", "..": "everyone"} {
		text += fmt.Sprintf("[[share]]\npath = %q\nname = %q\nfolder = true\naudience = %q\n", folder, name, audience)
	}
	ana.loses(t, text)
	again := ana.again(t)
	if !again.people.IsBlocked(ben.host.ID()) || again.people.Friend(ben.host.ID()) {
		t.Error("who is blocked and a friend is not blocked")
	}
	if got := again.audiences(); got != "" {
		t.Errorf("shared are\n%s", got)
	}
}

// A start that is broken off loses nothing of the backup.
func TestRestoreOutlivesAStartBrokenOff(t *testing.T) {
	t.Parallel()
	ana, ben := startPotluck(t, "ana"), startPotluck(t, "ben")
	if err := ana.people.Block(t.Context(), ben.host.ID()); err != nil {
		t.Fatal(err)
	}
	ana.loses(t, "")
	chosen, err := prepare(ana.opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := startNode(ctx, ana.opts, chosen, event.NewBus(), slog.New(slog.DiscardHandler)); err == nil {
		n.close()
	} else if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	again := ana.again(t)
	if !again.people.IsBlocked(ben.host.ID()) {
		t.Error("a block is lost")
	}

	// One that died between making a new database and restoring.
	again.loses(t, "")
	store, err := db.Open(databasePath(ana.opts.data), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	again = again.again(t)
	if !again.people.IsBlocked(ben.host.ID()) {
		t.Error("a block is lost with the first process")
	}
	// What is undone afterwards is not brought back by the backup.
	if err := again.people.Unblock(t.Context(), ben.host.ID()); err != nil {
		t.Fatal(err)
	}
	again.close()
	if again.again(t).people.IsBlocked(ben.host.ID()) {
		t.Error("a database that is not new any more is restored again")
	}
}

// A backup that is behind is brought up to date by the next start, also when
// there is nothing left to keep.
func TestBackupIsNotLeftBehind(t *testing.T) {
	t.Parallel()
	ana := startPotluck(t, "ana")
	ana.close()
	folder, _ := present(t, "Holiday", 100)
	old := fmt.Sprintf("format = 1\n[[share]]\npath = %q\nname = \"Holiday\"\nfolder = true\naudience = \"everyone\"\n", folder)
	if err := os.WriteFile(backupPath(ana.opts.data), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	again := ana.again(t)
	again.loses(t, "")
	if got := again.again(t).audiences(); got != "" {
		t.Errorf("shared are\n%s", got)
	}
}

// Each backup that cannot be read is kept.
func TestBackupsThatCannotBeReadAreAllKept(t *testing.T) {
	t.Parallel()
	n := startPotluck(t, "ana")
	for i, text := range []string{"soup", "stew"} {
		n.loses(t, text)
		n = n.again(t)
		kept, err := filepath.Glob(backupPath(n.opts.data) + ".unread*")
		if err != nil || len(kept) != i+1 {
			t.Errorf("kept are %v, %v", kept, err)
		}
	}
}
