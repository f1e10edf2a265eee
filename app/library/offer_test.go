package library_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

const anOffer = "00112233445566778899aabbccddeeff"

// in returns the paths in an offer, as the asker sees them, page by page.
func (k *kitchen) in(asker domain.Asker, id string) (paths []string, contents []domain.ContentID, err error) {
	k.Helper()
	for cursor := ""; ; {
		page, err := k.OfferPage(k.Context(), asker, id, cursor)
		if err != nil {
			return paths, contents, err
		}
		for _, c := range page.Changes {
			if c.Entry == nil || c.Entry.Path != c.Path {
				k.Fatalf("a change without its entry: %+v", c)
			}
			paths = append(paths, c.Path)
			if !c.Entry.Folder {
				contents = append(contents, c.Entry.Content)
			}
		}
		if cursor = page.Next; cursor == "" {
			return paths, contents, nil
		}
	}
}

func TestAnOfferIsForOnePersonAlone(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	k.write("Holiday/a.txt", "aaa")
	k.write("Holiday/sub/b.txt", "bbb")
	note := k.write("note.txt", "for you")
	other := k.write("other/note.txt", "for you too")
	k.write("public.txt", "all")
	_, err := k.Share(t.Context(), []string{k.path("public.txt")}, everyone)
	must(t, err)
	headOfNear, headOfCleo, changes := k.Head(near), k.Head(domain.Asker{Peer: "cleo", Near: true}), k.changes.Load()

	summary, problems, err := k.Offer(t.Context(), anOffer, near.Peer, []string{k.path("Holiday"), note, other, k.path("gone")}, nil)
	must(t, err)
	same(t, "summary", summary, domain.OfferSummary{ID: anOffer, Name: "Holiday", Items: 3, Folder: true, Entries: 4, Bytes: 24})
	if len(problems) != 1 || !errors.Is(problems[0].Err, domain.ErrNotFound) {
		t.Errorf("problems %+v", problems)
	}
	paths, contents, err := k.in(near, anOffer)
	must(t, err)
	if want := []string{"Holiday/a.txt", "Holiday/sub/b.txt", "note (2).txt", "note.txt"}; !slices.Equal(paths, want) {
		t.Errorf("ben sees %q, want %q", paths, want)
	}
	cleo := domain.Asker{Peer: "cleo", Near: true, Friend: true}
	for _, asker := range []domain.Asker{cleo, friend, far, {}} {
		if paths, _, err := k.in(asker, anOffer); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("%s sees %q, %v", asker.Peer, paths, err)
		}
		for _, id := range contents {
			_, absent := k.Open(t.Context(), asker, domain.ContentID{9})
			if _, err := k.Open(t.Context(), asker, id); !errors.Is(err, domain.ErrNotFound) || k.Allowed(asker, id) ||
				errors.Is(absent, domain.ErrRefused) != errors.Is(err, domain.ErrRefused) {
				t.Errorf("%s gets %v", asker.Peer, err)
			}
		}
	}
	for _, id := range contents {
		source, err := k.Open(t.Context(), near, id)
		must(t, err)
		if source.Nearby() {
			t.Error("everyone nearby may have it")
		}
		if k.Among(near, id) {
			t.Error("ben is not alone with what is offered to him alone")
		}
		must(t, source.Close())
	}

	// Nobody sees that there is one, whom it is for neither: it is told of it.
	same(t, "what ben is told of the shares", k.Head(near), headOfNear)
	same(t, "what cleo is told", k.Head(domain.Asker{Peer: "cleo", Near: true}), headOfCleo)
	same(t, "changes that were announced", k.changes.Load(), changes)
	same(t, "shares", len(k.Shares()), 1)
	page, err := k.Page(t.Context(), near, domain.Version{}, "")
	must(t, err)
	same(t, "entries of the catalogue", len(page.Changes), 1)
	hidden := "\x00" + anOffer + "\x00Holiday"
	for what, err := range map[string]error{
		"unshare by name": k.Unshare(t.Context(), []string{hidden}), "by path": k.Unshare(t.Context(), []string{k.path("Holiday")}),
		"audience": k.SetAudience(t.Context(), hidden, everyone), "move": k.Move(t.Context(), hidden, k.path("other")),
	} {
		if !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if entry, ok := k.Entry(contents[0]); !ok || entry.Path != "Holiday/a.txt" {
		t.Errorf("the entry is called %q", entry.Path)
	}

	// The same may be shared, and offered to somebody else.
	_, err = k.Share(t.Context(), []string{note}, everyone)
	must(t, err)
	_, _, err = k.Offer(t.Context(), strings.Repeat("f", 32), "cleo", []string{note}, nil)
	must(t, err)
	sum := contents[len(contents)-1]
	if !k.Among(near, sum) {
		t.Error("ben is alone with what everyone may have")
	}
	same(t, "offers", k.Offered(), []string{anOffer, strings.Repeat("f", 32)})
	must(t, k.Unshare(t.Context(), []string{note}))
	if k.Among(near, sum) || k.Among(cleo, sum) {
		t.Error("two to whom the same was offered know of each other")
	}
	if paths, _, err := k.in(cleo, strings.Repeat("f", 32)); err != nil || !slices.Equal(paths, []string{"note.txt"}) {
		t.Errorf("cleo sees %q, %v", paths, err)
	}
}

func TestAnOfferStaysOverARestartUntilItIsWithdrawn(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	k.write("Holiday/a.txt", "aaa")
	first, _, err := k.Offer(t.Context(), anOffer, near.Peer, []string{k.path("Holiday")}, nil)
	must(t, err)
	k.restart()
	again, _, err := k.Offer(t.Context(), anOffer, near.Peer, []string{k.path("Holiday")}, func(int64, int64) {})
	must(t, err)
	same(t, "the offer once more", again, first)
	_, contents, err := k.in(near, anOffer)
	must(t, err)
	if k.blocked.Store(near.Peer); k.Allowed(near, contents[0]) {
		t.Error("who is blocked gets it")
	}
	if _, _, err := k.in(near, anOffer); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("who is blocked sees it: %v", err)
	}
	k.blocked.Store(domain.PeerID(""))
	must(t, k.Withdraw(t.Context(), anOffer))
	must(t, k.Withdraw(t.Context(), anOffer))
	if _, _, err := k.in(near, anOffer); !errors.Is(err, domain.ErrNotFound) || k.Allowed(near, contents[0]) || len(k.Offered()) > 0 {
		t.Errorf("it is there after it was taken back: %v, %v", err, k.Offered())
	}
	if _, err := os.Stat(k.path("Holiday/a.txt")); err != nil {
		t.Error("the file is gone:", err)
	}
}

func TestWhatMayNotBeOffered(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	must(t, os.WriteFile(filepath.Join(k.data, "identity.key"), []byte("secret"), 0o600))
	for _, path := range []string{k.data, filepath.Join(k.data, "identity.key"), k.path("gone")} {
		if _, problems, err := k.Offer(t.Context(), anOffer, "ben", []string{path}, nil); !errors.Is(err, domain.ErrNotFound) || len(problems) != 1 {
			t.Errorf("%s: %+v, %v", path, problems, err)
		}
	}
	if _, _, err := k.Offer(t.Context(), "", "ben", []string{k.dir}, nil); !errors.Is(err, domain.ErrUsage) {
		t.Errorf("an offer without an ID: %v", err)
	}
	if _, err := k.OfferPage(t.Context(), near, "", ""); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("a page of no offer: %v", err)
	}
}

// More files than a page holds.
func TestOffersOfManyFiles(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	const many = 2300
	for i := range many {
		k.write(fmt.Sprintf("Holiday/%04d.txt", i), "x")
	}
	_, _, err := k.Offer(t.Context(), anOffer, near.Peer, []string{k.path("Holiday")}, nil)
	must(t, err)
	paths, _, err := k.in(near, anOffer)
	must(t, err)
	if len(paths) != many || paths[many-1] != "Holiday/2299.txt" || !slices.IsSorted(paths) {
		t.Errorf("%d paths, the last one %q", len(paths), paths[len(paths)-1])
	}
	for _, cursor := range []string{"x", "d.0.0.5", "f.0.0.", strings.Repeat("y", 9000)} {
		if _, err := k.OfferPage(t.Context(), near, anOffer, cursor); !errors.Is(err, domain.ErrMalformed) {
			t.Errorf("the cursor %.20q: %v", cursor, err)
		}
	}
}
