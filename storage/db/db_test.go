package db_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		writeUntilKilled(path)
		return
	}
	goleak.VerifyTestMain(m)
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

func openAt(t testing.TB, path string) *db.DB {
	t.Helper()
	d, err := db.Open(path, quietLog())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// fresh opens a new database that is closed at the end of the test.
func fresh(t testing.TB) *db.DB {
	t.Helper()
	d := openAt(t, filepath.Join(t.TempDir(), "potluck.db"))
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: got %+v, want %+v", what, got, want)
	}
}

func apply(t testing.TB, d *db.DB, b domain.CatalogueBatch) domain.Version {
	t.Helper()
	v, err := d.Apply(context.Background(), b)
	must(t, err)
	return v
}

func contentID(n int) (id domain.ContentID) {
	copy(id[:], fmt.Sprintf("content %08d", n))
	return id
}

func file(path string, n int) domain.File {
	return domain.File{
		Entry: domain.Entry{
			Path: path, Size: int64(n), Content: contentID(n),
			Modified: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		},
		ModifiedNano: 1_767_323_045_000_000_001,
	}
}

func paths(files []domain.File) []string {
	out := make([]string, 0, len(files))
	for _, f := range files {
		out = append(out, f.Path)
	}
	return out
}

func TestEverythingIsThereAfterReopening(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "potluck.db")
	d := openAt(t, path)
	at := time.Date(2026, 5, 6, 7, 8, 9, 10, time.UTC)
	share := domain.Share{
		Name: "Holiday", Path: "/home/\xff/Holiday", Folder: true, Added: at, Entries: 2, Bytes: 7,
		Audience: domain.Audience{Kind: domain.Chosen, Peers: []domain.PeerID{"ana", "ben"}},
		State:    domain.ShareGone, Problem: domain.Say("%s has moved.", "Holiday 100 %"),
	}
	layered := file("Holiday/b", 4)
	layered.Layer = []byte(strings.Repeat("x", 64))
	plain := file("Holiday/a", 3)
	v := apply(t, d, domain.CatalogueBatch{
		PutShares: []domain.Share{share}, PutFiles: []domain.File{layered, plain},
		Public: []domain.Change{{Path: plain.Path, Entry: &plain.Entry}, {Path: "Holiday/old"}},
	})
	entry := domain.Entry{Path: "Music/é.ogg", Size: 5, Content: contentID(9)}
	must(t, d.PutPage(ctx, "ana", domain.Page{
		Version: domain.Version{Epoch: 7, Sequence: 8}, Full: true,
		Changes: []domain.Change{{Path: entry.Path, Entry: &entry}},
	}, true))
	head := domain.Head{Peer: "ana", Name: "Ana", Version: domain.Version{Epoch: 7, Sequence: 8}, Entries: 1, Bytes: 5, Time: at}
	must(t, d.PutHead(ctx, head, []byte("signed")))
	person := domain.Person{ID: "ana", Name: "Ana", Addresses: []string{"/ip4/10.0.0.2/tcp/1"}, LastSeen: at, Friend: true, Blocked: true, Given: "Anna", Confirmed: true, AcceptUpTo: 1 << 30}
	must(t, d.PutPerson(ctx, person))
	transfer := domain.Transfer{
		ID: "t1", Kind: domain.Download, Peer: "ana", PeerName: "Ana", Path: "Music", Folder: "/d", Count: 1, Size: 5,
		Done: 2, State: domain.Waiting, Reason: domain.Say("%s is away since %s, %s, %s.", "Ana", at, 3, domain.Bytes(5)), Failure: "offline", Added: at,
		Files: []domain.TransferFile{{Entry: entry, Target: "Music/é.ogg"}},
	}
	must(t, d.PutTransfer(ctx, transfer))
	must(t, d.Close())

	d = openAt(t, path)
	defer func() { must(t, d.Close()) }()
	same(t, "set aside", d.SetAside(), "")
	same(t, "version", d.Version(), v)
	shares, err := d.Shares()
	must(t, err)
	same(t, "shares", shares, []domain.Share{share})
	files, err := d.FilesFrom("Holiday", "", 10)
	must(t, err)
	withoutLayer := layered
	withoutLayer.Layer = nil
	same(t, "files", files, []domain.File{plain, withoutLayer})
	layer, err := d.Layer(layered.Content)
	must(t, err)
	same(t, "layer", layer, layered.Layer)
	changes, reached, ok, err := d.Changes(domain.Version{Epoch: v.Epoch}, 10)
	must(t, err)
	same(t, "changes", changes, []domain.Change{{Path: plain.Path, Entry: &plain.Entry}, {Path: "Holiday/old"}})
	same(t, "reached", []any{reached, ok}, []any{v, true})
	var entries []domain.Entry
	must(t, d.Entries("ana", func(e domain.Entry) error { entries = append(entries, e); return nil }))
	same(t, "entries", entries, []domain.Entry{entry})
	heads, err := d.Heads()
	must(t, err)
	same(t, "heads", heads, map[domain.PeerID]db.StoredHead{"ana": {Head: head, Signed: []byte("signed")}})
	people, err := d.People()
	must(t, err)
	same(t, "people", people, []domain.Person{person})
	transfers, err := d.Transfers()
	must(t, err)
	same(t, "transfers", transfers, []domain.Transfer{transfer})
}

func TestUnreadableFileIsSetAside(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole.db")
	d := openAt(t, whole)
	var files []domain.File
	for n := range 3000 {
		files = append(files, file(fmt.Sprintf("Holiday/%d", n), n))
	}
	apply(t, d, domain.CatalogueBatch{PutFiles: files})
	must(t, d.Close())
	good, err := os.ReadFile(whole)
	must(t, err)

	overwritten := append([]byte(nil), good...)
	for i := range overwritten[:8192] {
		overwritten[i] = 0xa5
	}
	for name, raw := range map[string][]byte{
		"no database":     []byte("This is a letter to my aunt, not a database.\n"),
		"long nonsense":   []byte(strings.Repeat("nonsense ", 10_000)),
		"meta pages gone": overwritten,
		"cut off":         good[:len(good)/2],
		"cut to metas":    good[:8192],
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "potluck.db")
			must(t, os.WriteFile(path, raw, 0o600))
			d := openAt(t, path)
			defer func() { must(t, d.Close()) }()
			if !strings.HasPrefix(d.SetAside(), path+".damaged-") {
				t.Fatalf("set aside as %q", d.SetAside())
			}
			kept, err := os.ReadFile(d.SetAside())
			must(t, err)
			if string(kept) != string(raw) {
				t.Fatal("what was set aside is not what was there")
			}
			apply(t, d, domain.CatalogueBatch{PutShares: []domain.Share{{Name: "new"}}})
		})
	}
}

func TestForeignDatabaseIsSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "potluck.db")
	b, err := bbolt.Open(path, 0o600, nil)
	must(t, err)
	must(t, b.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("recipes"))
		return err
	}))
	must(t, b.Close())
	d := openAt(t, path)
	defer func() { must(t, d.Close()) }()
	if d.SetAside() == "" {
		t.Fatal("another program's database was taken over")
	}
}

func TestOpenedTwiceIsBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "potluck.db")
	d := openAt(t, path)
	defer func() { must(t, d.Close()) }()
	if _, err := db.Open(path, quietLog()); !errors.Is(err, domain.ErrBusy) {
		t.Fatalf("got %v", err)
	}
}

func TestMissingFolderIsNoDamage(t *testing.T) {
	_, err := db.Open(filepath.Join(t.TempDir(), "none", "potluck.db"), quietLog())
	if !errors.Is(err, os.ErrNotExist) || errors.Is(err, domain.ErrDamaged) {
		t.Fatalf("got %v", err)
	}
}
