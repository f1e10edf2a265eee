package library

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/storage/content"
	"github.com/potluck-share/potluck/storage/db"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestFileThatChangesWhileItIsRead changes a file at every, or only at the
// first, report of progress.
func TestFileThatChangesWhileItIsRead(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	store, err := db.Open(filepath.Join(t.TempDir(), "potluck.db"), log)
	check(t, err)
	l, err := New(Config{Store: store, Bus: event.NewBus(), Log: log})
	check(t, err)
	defer func() {
		check(t, l.Close())
		check(t, store.Close())
	}()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	check(t, err)
	defer func() { check(t, root.Close()) }()

	rewrite := func(n int) []byte {
		text := bytes.Repeat([]byte(fmt.Sprintf("%03d ", n)), 1000)
		path := filepath.Join(dir, "log")
		check(t, os.WriteFile(path, text, 0o600))
		// The size stays, and the time is told apart whatever the file system.
		at := time.Unix(1_700_000_000+int64(n), 0)
		check(t, os.Chtimes(path, at, at))
		return text
	}
	rewrite(0)
	n := 0
	_, err = l.hash(context.Background(), root, "log", func(int64) {
		n++
		rewrite(n)
	})
	if !errors.Is(err, domain.ErrChanged) || n != attempts {
		t.Fatalf("after %d changes: %v", n, err)
	}

	n = 0
	var last []byte
	f, err := l.hash(context.Background(), root, "log", func(int64) {
		if n++; n == 1 {
			last = rewrite(500)
		}
	})
	check(t, err)
	sum, err := content.Hash(context.Background(), bytes.NewReader(last), int64(len(last)), 1, nil)
	check(t, err)
	if f.Content != sum.ID || f.ModifiedNano != 1_700_000_500_000_000_000 || n != 2 {
		t.Fatalf("told as %s of %d after %d readings", f.Content, f.ModifiedNano, n)
	}
}

func TestProblemsInWords(t *testing.T) {
	unreadable, changed := domain.ErrUnreadable, fmt.Errorf("x: %w", domain.ErrChanged)
	for _, c := range []struct {
		problems map[string]error
		share    domain.Share
		want     string
	}{
		{nil, domain.Share{Folder: true, Entries: 3}, ""},
		{map[string]error{"F/a/diary.doc": unreadable}, domain.Share{Folder: true, Entries: 12}, "Can't read diary.doc; the other 12 are shared."},
		{map[string]error{"F/a": changed}, domain.Share{Folder: true, Entries: 1}, "Can't read a while it keeps changing; the other one is shared."},
		{map[string]error{"F/b": unreadable, "F/a": unreadable}, domain.Share{Folder: true, Entries: 2}, "Can't read a and 1 more; the other 2 are shared."},
		{map[string]error{"F/pipe": notShareable(os.ModeNamedPipe)}, domain.Share{Folder: true}, "Can't share pipe."},
		{map[string]error{"note": unreadable}, domain.Share{Entries: 1}, "Can't read note."},
	} {
		if got := problemInWords(c.problems, c.share); got.String() != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
