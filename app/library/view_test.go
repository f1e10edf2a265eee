package library_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/library"
	"github.com/potluck-share/potluck/storage/db"
)

func TestAudiences(t *testing.T) {
	k := newKitchen(t)
	k.write("all.txt", "1")
	k.write("friends.txt", "22")
	k.write("cleo.txt", "333")
	k.share(everyone, "all.txt")
	k.share(friends, "friends.txt")
	k.share(chosen("cleo"), "cleo.txt")
	cleoFar := domain.Asker{Peer: "cleo"}
	cleoNear := domain.Asker{Peer: "cleo", Near: true}
	for _, c := range []struct {
		asker domain.Asker
		want  string
	}{
		{near, "all.txt=1"},
		{friend, "all.txt=1 friends.txt=22"},
		{domain.Asker{Peer: "ana", Friend: true, Near: true}, "all.txt=1 friends.txt=2"},
		{cleoFar, "cleo.txt=3"},
		{cleoNear, "all.txt=1 cleo.txt=3"},
	} {
		want := strings.ReplaceAll(c.want, "=22", "=2")
		same(t, fmt.Sprintf("seen by %+v", c.asker), strings.Join(k.seen(c.asker), " "), want)
		for _, name := range []string{"all.txt", "friends.txt", "cleo.txt"} {
			if got, should := k.Allowed(c.asker, k.content(name)), strings.Contains(want, name); got != should {
				t.Errorf("%+v fetching %s: %v", c.asker, name, got)
			}
			source, err := k.Open(t.Context(), c.asker, k.content(name))
			if should := strings.Contains(want, name); (err == nil) != should {
				t.Errorf("%+v opening %s: %v", c.asker, name, err)
			} else if !should && !errors.Is(err, domain.ErrNotFound) {
				t.Errorf("%+v learns of %s: %v", c.asker, name, err)
			}
			if source != nil {
				must(t, source.Close())
			}
		}
	}
	// Private and absent content get the same answer.
	id := k.content("cleo.txt")
	_, private := k.Open(t.Context(), near, id)
	must(t, k.Unshare(t.Context(), []string{"cleo.txt"}))
	_, absent := k.Open(t.Context(), near, id)
	same(t, "answer", private.Error(), absent.Error())

	for _, asker := range []domain.Asker{{}, far, {Near: true}} {
		same(t, "head", k.Head(asker), domain.Head{})
		if _, err := k.Page(t.Context(), asker, domain.Version{}, ""); !errors.Is(err, domain.ErrRefused) {
			t.Errorf("%+v: %v", asker, err)
		}
		if k.Allowed(asker, k.content("all.txt")) {
			t.Errorf("%+v may fetch", asker)
		}
	}
	k.blocked.Store(near.Peer)
	same(t, "head for a blocked one", k.Head(near), domain.Head{})
	if k.Allowed(near, k.content("all.txt")) {
		t.Error("a blocked one may fetch")
	}
	if _, err := k.Page(t.Context(), near, domain.Version{}, ""); !errors.Is(err, domain.ErrRefused) {
		t.Errorf("a blocked one may browse: %v", err)
	}
}

type grant struct {
	peer domain.PeerID
	id   domain.ContentID
}

func (g *grant) Allows(asker domain.Asker, id domain.ContentID) bool {
	return asker.Peer == g.peer && id == g.id
}

func TestFurtherRights(t *testing.T) {
	k := newKitchen(t)
	g := &grant{peer: far.Peer}
	k.rights = []library.Right{g}
	k.restart()
	k.write("secret.txt", "secret")
	k.share(chosen("cleo"), "secret.txt")
	if _, err := k.Open(t.Context(), far, k.content("secret.txt")); !errors.Is(err, domain.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	g.id = k.content("secret.txt")
	source, err := k.Open(t.Context(), far, g.id)
	must(t, err)
	must(t, source.Close())
	k.blocked.Store(far.Peer)
	if k.Allowed(far, g.id) {
		t.Fatal("a right beats a block")
	}
}

func TestAudienceChangesAreToldToEachViewAlone(t *testing.T) {
	k := newKitchen(t)
	k.write("a.txt", "1")
	k.write("F/b.txt", "22")
	k.share(everyone, "a.txt")
	public := k.Head(near)
	private := k.Head(friend)
	if private.Version == public.Version || private.Epoch == public.Epoch {
		t.Fatal("the views share a numbering")
	}
	same(t, "first private sequence", private.Sequence, uint64(1))

	k.share(friends, "F")
	same(t, "public head", k.Head(near), public)
	same(t, "private counts", []any{k.Head(friend).Entries, k.Head(friend).Bytes}, []any{2, 3})
	if !k.Head(friend).Newer(private.Version) {
		t.Fatal("the friend is not told")
	}
	private = k.Head(friend)
	same(t, "asked again", k.Head(friend), private)
	page, err := k.Page(t.Context(), friend, private.Version, "")
	must(t, err)
	same(t, "up to date", []any{page.Full, len(page.Changes), page.Version}, []any{false, 0, private.Version})

	// Gaining it is an addition for everyone nearby, losing it a deletion.
	must(t, k.SetAudience(t.Context(), "F", everyone))
	page, err = k.Page(t.Context(), near, public.Version, "")
	must(t, err)
	same(t, "gained", []any{page.Full, len(page.Changes), page.Changes[0].Path, page.Changes[0].Entry.Size}, []any{false, 1, "F/b.txt", 2})
	must(t, k.SetAudience(t.Context(), "F", chosen("cleo")))
	page, err = k.Page(t.Context(), near, page.Version, "")
	must(t, err)
	same(t, "lost", []any{page.Full, page.Changes}, []any{false, []domain.Change{{Path: "F/b.txt"}}})
	same(t, "seen by the friend", k.seen(friend), []string{"a.txt=1"})
	if err := k.SetAudience(t.Context(), "none", everyone); !errors.Is(err, domain.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
}

// pull keeps a catalogue as somebody does who pulls it.
func pull(t *testing.T, k *kitchen, asker domain.Asker, known map[string]bool, since domain.Version) (full bool, pages int, v domain.Version) {
	t.Helper()
	for cursor := ""; ; {
		page, err := k.Page(t.Context(), asker, since, cursor)
		must(t, err)
		if page.Full && cursor == "" {
			clear(known)
		}
		if pages > 0 && page.Version != v {
			t.Fatal("the version changed between two pages")
		}
		if len(page.Changes) > 1000 {
			t.Fatalf("a page of %d", len(page.Changes))
		}
		for _, c := range page.Changes {
			if c.Entry == nil {
				delete(known, c.Path)
			} else {
				known[c.Path] = true
			}
		}
		pages++
		full, v = page.Full, page.Version
		if cursor = page.Next; cursor == "" {
			return full, pages, v
		}
	}
}

func TestPullByPagesAndChanges(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	for n := range 1500 {
		k.write(fmt.Sprintf("A/%04d", n), "")
	}
	k.share(everyone, "A")
	known := make(map[string]bool)
	full, pages, v := pull(t, k, near, known, domain.Version{})
	same(t, "first pull", []any{full, pages, len(known)}, []any{true, 2, 1500})
	k.write("b.txt", "b")
	k.share(everyone, "b.txt")
	full, pages, v = pull(t, k, near, known, v)
	same(t, "one more", []any{full, pages, len(known)}, []any{false, 1, 1501})
	must(t, k.Unshare(t.Context(), []string{"A"}))
	full, pages, v = pull(t, k, near, known, v)
	same(t, "all gone", []any{full, pages, len(known)}, []any{false, 2, 1})
	full, pages, _ = pull(t, k, near, known, v)
	same(t, "nothing new", []any{full, pages, len(known)}, []any{false, 1, 1})
	full, _, _ = pull(t, k, near, known, domain.Version{Epoch: v.Epoch, Sequence: v.Sequence + 5})
	same(t, "from another history", []any{full, len(known)}, []any{true, 1})

	for _, bad := range []string{"x", "f.1.2.", "d.1.2.x", "f.-1.2.a", "z.1.2.3", "f.1.99999999999999999999.a", strings.Repeat("f", 10_000)} {
		if _, err := k.Page(t.Context(), near, domain.Version{}, bad); !errors.Is(err, domain.ErrMalformed) {
			t.Errorf("cursor %.20q: %v", bad, err)
		}
	}
	if _, err := k.Page(t.Context(), near, domain.Version{}, "d.7.9.3"); !errors.Is(err, domain.ErrChanged) {
		t.Errorf("got %v", err)
	}
}

// FuzzCursor hands arbitrary cursors to a library that offers nothing: it may
// refuse them, but must neither panic nor tell anything.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", "f.1.2.a/b", "d.1.9.3", "f.18446744073709551615.0.x", "d.0.0.0", "f...", "\xff"} {
		f.Add(seed)
	}
	store, err := db.Open(filepath.Join(f.TempDir(), "potluck.db"), slog.New(slog.DiscardHandler))
	must(f, err)
	l, err := library.New(library.Config{Store: store, Bus: event.NewBus(), Log: slog.New(slog.DiscardHandler)})
	must(f, err)
	f.Cleanup(func() {
		must(f, l.Close())
		must(f, store.Close())
	})
	f.Fuzz(func(t *testing.T, cursor string) {
		page, err := l.Page(t.Context(), near, domain.Version{}, cursor)
		switch {
		case err == nil && len(page.Changes)+len(page.Next) > 0:
			t.Errorf("%q brought %+v", cursor, page)
		case err != nil && !errors.Is(err, domain.ErrMalformed) && !errors.Is(err, domain.ErrChanged):
			t.Errorf("%q: %v", cursor, err)
		}
	})
}

func TestWhereAContentIs(t *testing.T) {
	k := newKitchen(t)
	k.write("Holiday/deep/a.txt", "one")
	k.write("notes.txt", "two")
	k.share(everyone, "Holiday")
	k.share(everyone, "notes.txt")
	for _, name := range []string{"Holiday/deep/a.txt", "notes.txt"} {
		same(t, name, k.Where(k.content(name)), k.path(name))
	}
	gone := k.content("notes.txt")
	must(t, os.Remove(k.path("notes.txt")))
	same(t, "what is gone", k.Where(gone), "")
	same(t, "what never was", k.Where(domain.ContentID{9}), "")
}
