package db

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

func TestFetchesAreKeptFromTheSecondSchemaOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "potluck.db")
	d, err := open(path, quietLog, migrations[:1])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"F", "G"} {
		if _, err := d.Apply(t.Context(), domain.CatalogueBatch{PutShares: []domain.Share{{Name: name, Path: "/" + name}}}); err == nil {
			continue
		}
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	reopen := func() {
		t.Helper()
		if d, err = open(path, quietLog, migrations); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() }) // it may be closed already
	}
	reopen()
	at := time.Date(2026, 5, 1, 12, 0, 0, 5, time.UTC)
	ben := domain.Fetcher{Peer: "ben", Name: "Ben", At: at, Files: 2, Bytes: 3}
	number, count, err := d.PutFetch(t.Context(), "F", 0, ben)
	if err != nil || number == 0 || count != 1 {
		t.Fatalf("the first is number %d of %d: %v", number, count, err)
	}
	ben.Files, ben.At = 5, at.Add(time.Second)
	if same, count, err := d.PutFetch(t.Context(), "F", number, ben); err != nil || same != number || count != 1 {
		t.Errorf("once more it is number %d of %d: %v", same, count, err)
	}
	if _, _, err := d.PutFetch(t.Context(), "none", 0, ben); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("a fetch of no share: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	reopen()
	if all, numbers, err := d.Fetches("F"); err != nil || len(all) != 1 || all[0] != ben || numbers[0] != number {
		t.Errorf("kept %+v %v: %v", all, numbers, err)
	}
	if shares, err := d.Shares(); err != nil || len(shares) != 2 || shares[0].Fetched != 1 || shares[1].Fetched != 0 {
		t.Errorf("the shares are %+v: %v", shares, err)
	}

	// Of more than are kept one by one the oldest goes, and the count stays.
	for n := range mostFetches {
		if _, count, err = d.PutFetch(t.Context(), "F", 0, domain.Fetcher{Peer: "ana", At: at, Files: n}); err != nil {
			t.Fatal(err)
		}
	}
	all, _, err := d.Fetches("F")
	if err != nil || len(all) != mostFetches || all[0].Files != mostFetches-1 || count != mostFetches+1 {
		t.Errorf("%d are kept of %d, the newest %+v: %v", len(all), count, all[0], err)
	}
	if _, after, err := d.PutFetch(t.Context(), "F", number, ben); err != nil || after != count {
		t.Errorf("the forgotten one came back: %d of %d, %v", after, count, err)
	}
	if all, _, err := d.Fetches("F"); err != nil || len(all) != mostFetches || all[len(all)-1].Peer == "ben" {
		t.Errorf("%d are kept, the oldest %+v: %v", len(all), all[len(all)-1], err)
	}
	if _, err := d.Apply(t.Context(), domain.CatalogueBatch{DropShares: []string{"F", "G"}}); err != nil {
		t.Fatal(err)
	}
	if all, _, err := d.Fetches("F"); err != nil || len(all) != 0 {
		t.Errorf("of what is not shared %+v is kept: %v", all, err)
	}
}
