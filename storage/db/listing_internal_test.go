package db

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db/pb"
)

func TestPeekReadsWhatDecodingReads(t *testing.T) {
	content := domain.ContentID{1, 2, 3}
	for _, f := range []domain.File{
		{},
		{Entry: domain.Entry{Path: "a", Size: 1}},
		{Entry: domain.Entry{Path: "a", Size: domain.MaxFileSize, Modified: time.Unix(-5, 0), Content: content}, ModifiedNano: -7},
		{Entry: domain.Entry{Path: "a", Folder: true, Modified: time.Unix(1e9, 0)}, ModifiedNano: 1},
	} {
		raw, err := encode(&pb.File{Entry: entryTo(f.Entry), ModifiedNano: f.ModifiedNano})
		if err != nil {
			t.Fatal(err)
		}
		if folder, size := peek(raw); folder != f.Folder || size != f.Size {
			t.Errorf("%+v: peek reads %v, %d", f, folder, size)
		}
		for n := range raw { // cut off, it reads what it can
			if _, size := peek(raw[:n]); size < 0 || size > domain.MaxFileSize {
				t.Errorf("%+v cut to %d bytes: peek reads a size of %d", f, n, size)
			}
		}
	}
}

func TestFoldersThatAreTooLargeToCount(t *testing.T) {
	d, err := open(filepath.Join(t.TempDir(), "potluck.db"), quietLog, migrations)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	b := domain.CatalogueBatch{PutShares: []domain.Share{{Name: "F", Path: "/F", Folder: true}}}
	for _, path := range []string{"a/1", "a/2", "a b/1", "b/1", "b/2/3", "b/4", "b-", "c/1"} {
		b.PutFiles = append(b.PutFiles, domain.File{Entry: domain.Entry{Path: "F/" + path, Size: 10}})
	}
	if _, err := d.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for most, want := range map[int]string{
		100: "[F/a 2 20 F/a b 1 10 F/b 3 30 F/c 1 10]",
		6:   "[F/a 2 20 F/a b 1 10 F/b -1 -1 F/c -1 -1]",
		0:   "[F/a -1 -1 F/a b -1 -1 F/b -1 -1 F/c -1 -1]",
	} {
		folders, err := d.foldersIn(t.Context(), "F", most)
		if err != nil {
			t.Fatal(err)
		}
		var got []any
		for _, f := range folders {
			got = append(got, f.Path, f.Entries, f.Size)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("counting up to %d entries: %v, want %s", most, got, want)
		}
	}
}
