package db_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db"
)

const ana domain.PeerID = "ana"

// page makes a page whose entries have the given paths; a path after a minus
// is gone.
func page(v domain.Version, full bool, next string, paths ...string) domain.Page {
	p := domain.Page{Version: v, Full: full, Next: next}
	for _, path := range paths {
		if gone, ok := strings.CutPrefix(path, "-"); ok {
			p.Changes = append(p.Changes, domain.Change{Path: gone})
			continue
		}
		e := file(path, len(path)).Entry
		p.Changes = append(p.Changes, domain.Change{Path: path, Entry: &e})
	}
	return p
}

func listed(t testing.TB, d *db.DB, peer domain.PeerID) string {
	t.Helper()
	var all []string
	must(t, d.Entries(peer, func(e domain.Entry) error { all = append(all, e.Path); return nil }))
	return strings.Join(all, " ")
}

func state(t testing.TB, d *db.DB, peer domain.PeerID) string {
	t.Helper()
	v, complete, err := d.Catalogue(peer)
	must(t, err)
	return fmt.Sprintf("%d.%d %v", v.Epoch, v.Sequence, complete)
}

func TestFullPullReplacesOnceItIsComplete(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "potluck.db")
	d := openAt(t, path)
	one, two := domain.Version{Epoch: 5, Sequence: 1}, domain.Version{Epoch: 5, Sequence: 9}
	same(t, "unknown", state(t, d, ana)+listed(t, d, ana), "0.0 false")
	must(t, d.PutPage(ctx, ana, page(one, true, "more", "a", "b"), true))
	same(t, "first screen", state(t, d, ana)+": "+listed(t, d, ana), "0.0 false: a b")
	must(t, d.PutPage(ctx, ana, page(one, true, "", "c"), false))
	same(t, "first pull", state(t, d, ana)+": "+listed(t, d, ana), "5.1 true: a b c")

	// The second pull breaks off, and the program with it.
	must(t, d.PutPage(ctx, ana, page(two, true, "more", "b", "d"), true))
	must(t, d.Close())
	d = openAt(t, path)
	defer func() { must(t, d.Close()) }()
	same(t, "broken off", state(t, d, ana)+": "+listed(t, d, ana), "0.0 false: a b c d")

	// What breaks off again and again does not pile up.
	must(t, d.PutPage(ctx, ana, page(two, true, "more", "b"), true))
	same(t, "begun again", state(t, d, ana)+": "+listed(t, d, ana), "0.0 false: b")
	must(t, d.PutPage(ctx, ana, page(two, true, "more", "x", "y"), true))
	same(t, "begun once more", state(t, d, ana)+": "+listed(t, d, ana), "0.0 false: x y")
	must(t, d.PutPage(ctx, ana, page(two, true, "more", "b"), true))
	must(t, d.PutPage(ctx, ana, page(two, true, "", "e"), false))
	same(t, "second pull", state(t, d, ana)+": "+listed(t, d, ana), "5.9 true: b e")
}

func TestChangesNeedACompleteCatalogue(t *testing.T) {
	ctx := context.Background()
	d := fresh(t)
	v := func(n uint64) domain.Version { return domain.Version{Epoch: 5, Sequence: n} }
	if err := d.PutPage(ctx, ana, page(v(2), false, "", "a"), true); !errors.Is(err, domain.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	must(t, d.PutPage(ctx, ana, page(v(2), true, "", "a", "b", "c"), true))
	must(t, d.PutPage(ctx, ana, page(v(4), false, "more", "-a"), true))
	same(t, "half the changes", state(t, d, ana)+": "+listed(t, d, ana), "5.2 true: b c")
	must(t, d.PutPage(ctx, ana, page(v(4), false, "", "d"), false))
	same(t, "all changes", state(t, d, ana)+": "+listed(t, d, ana), "5.4 true: b c d")
	// What changes brought survives the sweep of nothing else but a full pull.
	must(t, d.PutPage(ctx, ana, page(v(5), true, "", "d"), true))
	same(t, "full", listed(t, d, ana), "d")
	if err := d.PutPage(ctx, ana, page(v(6), true, "", "x"), false); !errors.Is(err, domain.ErrMalformed) {
		t.Fatalf("a page of no pull was taken: %v", err)
	}
	for _, bad := range []domain.Page{page(v(6), false, "", ""), page(v(6), false, "", strings.Repeat("x", domain.MaxPath+1))} {
		if err := d.PutPage(ctx, ana, bad, true); !errors.Is(err, domain.ErrMalformed) {
			t.Fatalf("got %v", err)
		}
	}
	if err := d.PutPage(ctx, "", page(v(6), true, ""), true); !errors.Is(err, domain.ErrMalformed) {
		t.Fatalf("got %v", err)
	}
}

func TestDropCatalogue(t *testing.T) {
	ctx := context.Background()
	d := fresh(t)
	v := domain.Version{Epoch: 1, Sequence: 1}
	for _, peer := range []domain.PeerID{ana, "ben"} {
		must(t, d.PutPage(ctx, peer, page(v, true, "", "a"), true))
		must(t, d.PutHead(ctx, domain.Head{Peer: peer, Version: v}, []byte("signed")))
	}
	must(t, d.DropCatalogue(ctx, ana))
	must(t, d.DropCatalogue(ctx, ana))
	peers, err := d.Catalogues()
	must(t, err)
	same(t, "catalogues", peers, []domain.PeerID{"ben"})
	heads, err := d.Heads()
	must(t, err)
	same(t, "heads", len(heads), 1)
	same(t, "of ana", state(t, d, ana)+listed(t, d, ana), "0.0 false")
	same(t, "of ben", listed(t, d, "ben"), "a")
}

func TestTransferFilesAndMarks(t *testing.T) {
	ctx := context.Background()
	d := fresh(t)
	tr := domain.Transfer{ID: "t", Kind: domain.Download, State: domain.Running, Added: time.Unix(5, 0).UTC()}
	for n := range 300 {
		name := fmt.Sprintf("F/%d", n)
		tr.Files = append(tr.Files, domain.TransferFile{Entry: file(name, n).Entry, Target: name})
	}
	// A bare content ID has no path.
	tr.Files[299].Path = ""
	must(t, d.PutTransfer(ctx, tr))
	must(t, d.MarkFiles(ctx, "t", map[int]domain.Finished{256: {Final: "/d/F/256"}}))
	brief := tr
	brief.Files, brief.State = nil, domain.Paused
	must(t, d.PutTransfer(ctx, brief))
	got, err := d.Transfers()
	must(t, err)
	want := tr
	want.State = domain.Paused
	want.Files[256].Final = "/d/F/256"
	same(t, "transfers", got, []domain.Transfer{want})

	fewer := want
	fewer.Files = want.Files[:2]
	must(t, d.PutTransfer(ctx, fewer))
	got, err = d.Transfers()
	must(t, err)
	same(t, "files left", len(got[0].Files), 2)
	if err := d.MarkFiles(ctx, "none", map[int]domain.Finished{1: {Final: "/x"}}); !errors.Is(err, domain.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	if err := d.MarkFiles(ctx, "t", map[int]domain.Finished{-1: {Final: "/x"}}); !errors.Is(err, domain.ErrMalformed) {
		t.Fatalf("got %v", err)
	}
	must(t, d.DropTransfer(ctx, "t"))
	must(t, d.DropTransfer(ctx, "t"))
	got, err = d.Transfers()
	must(t, err)
	same(t, "transfers left", len(got), 0)
}

func TestFound(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "db")
	d := openAt(t, path)
	one, two := domain.ContentID{1}, domain.ContentID{2}
	at := func(path string) domain.Found {
		return domain.Found{Path: path, Size: 7, Written: time.Unix(5, 0)}
	}
	must(t, d.PutFound(ctx, map[domain.ContentID]domain.Found{one: at("/d/one"), two: at("/d/two")}))
	must(t, d.PutFound(ctx, map[domain.ContentID]domain.Found{two: {}, one: at("/d/one (2)"), {3}: {}, {4}: at(strings.Repeat("x", 1<<20))}))
	must(t, d.Close())
	d = openAt(t, path)
	got, err := d.Found()
	must(t, err)
	same(t, "found", len(got), 1)
	same(t, "path", got[one].Path, "/d/one (2)")
	same(t, "size", got[one].Size, int64(7))
	same(t, "written", got[one].Written.Equal(time.Unix(5, 0)), true)

	// There is an end to it: the first ones go.
	many := make(map[domain.ContentID]domain.Found)
	for i := range 100_000 {
		many[domain.ContentID{0, byte(i), byte(i >> 8), byte(i >> 16)}] = at("/d/f")
	}
	must(t, d.PutFound(ctx, many))
	got, err = d.Found()
	must(t, err)
	same(t, "kept", len(got), 90_000)
	same(t, "the first one", got[one], domain.Found{})
	must(t, d.PutFound(ctx, map[domain.ContentID]domain.Found{one: at("/d/one")}))
	got, err = d.Found()
	must(t, err)
	same(t, "kept", len(got), 90_001)
	must(t, d.Close())
}
