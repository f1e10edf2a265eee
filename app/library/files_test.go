package library_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/library"
	"github.com/potluck-share/potluck/storage/db"
)

// listed puts rows into lines: name, size, files below it, what is wrong.
func listed(rows []domain.ShareFile) (lines []string) {
	for _, r := range rows {
		line := fmt.Sprintf("%s %d", r.Path, r.Size)
		if r.Folder {
			line = fmt.Sprintf("%s/ %d %d", r.Path, r.Size, r.Entries)
		}
		if !r.Problem.IsZero() {
			line += " " + r.Problem.String()
		}
		lines = append(lines, line)
	}
	return lines
}

func TestFilesOfARealFolder(t *testing.T) {
	k := newKitchen(t)
	k.write("F/b", "bb")
	k.write("F/b c.txt", "c")
	k.write("F/a/deep/x", "xxx")
	k.write("F/a/y", "yy")
	k.write("F/a.txt", "four")
	k.write("F/b-/z", "z")
	must(t, os.MkdirAll(k.path("F/empty"), 0o700))
	must(t, os.Symlink(filepath.Join(k.dir, "nowhere"), k.path("F/a/broken")))
	k.write("one.txt", "1")
	k.share(everyone, "F", "one.txt")

	all := []string{"F/a/ 5 2", "F/b-/ 1 1", "F/empty/ 0 0", "F/a.txt 4", "F/b 2", "F/b c.txt 1"}
	rows, next, err := k.Files(t.Context(), "F", "", "", 0)
	must(t, err)
	same(t, "rows", listed(rows), all)
	same(t, "next", next, "")
	if info, err := os.Stat(k.path("F/b")); err != nil || !rows[4].Modified.Equal(info.ModTime().Truncate(time.Second)) || rows[4].Content.IsZero() {
		t.Errorf("the row of a file is %+v, want its time and content (%v)", rows[4], err)
	}
	// Page by page it is the same, however long a page is.
	for limit := 1; limit <= 7; limit++ {
		var paged []string
		for after := ""; ; after = next {
			rows, next, err = k.Files(t.Context(), "F", "", after, limit)
			must(t, err)
			if len(rows) > limit {
				t.Fatalf("%d rows on a page of %d", len(rows), limit)
			}
			if paged = append(paged, listed(rows)...); next == "" {
				break
			}
		}
		same(t, fmt.Sprint("pages of ", limit), paged, all)
	}
	for folder, want := range map[string][]string{
		"a": {"F/a/deep/ 3 1", "F/a/y 2"}, "a/deep": {"F/a/deep/x 3"}, "b-": {"F/b-/z 1"}, "empty": nil,
	} {
		rows, _, err := k.Files(t.Context(), "F", folder, "", 10)
		must(t, err)
		same(t, folder, listed(rows), want)
	}
	rows, _, err = k.Files(t.Context(), "one.txt", "", "", 10)
	must(t, err)
	same(t, "a file", listed(rows), []string{"one.txt 1"})

	for _, c := range []struct {
		share, folder, after string
		want                 error
	}{
		{"G", "", "", domain.ErrNotFound},
		{"F", "nowhere", "", domain.ErrNotFound},
		{"F", "b", "", nil}, // a file is found, and nothing in it
		{"F", "", "x1", domain.ErrUsage},
	} {
		if _, _, err := k.Files(t.Context(), c.share, c.folder, c.after, 10); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	k := newKitchen(t)
	k.write("F/a.txt", "a")
	k.write("F/m.txt", "m")
	k.write("F/sub/ok.txt", "ok")
	bad := "bad \xff"
	for _, name := range []string{"F/" + bad + ".txt", "F/sub/" + bad + "1", "F/sub/" + bad + "2", "F/none/" + bad} {
		if err := os.MkdirAll(filepath.Dir(k.path(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(k.path(name), nil, 0o600); err != nil {
			t.Skip("this file system takes no such name: ", err)
		}
	}
	_, err := k.Share(t.Context(), []string{k.path("F")}, everyone)
	must(t, err)
	rows, _, err := k.Files(t.Context(), "F", "", "", 0)
	must(t, err)
	lines := listed(rows)
	want := []string{"F/none/ 0 0 Can't share bad", "F/sub/ 2 1 Can't share bad", "F/a.txt 1", "F/bad \xff.txt 0 Can't share bad", "F/m.txt 1"}
	if len(lines) != len(want) {
		t.Fatalf("rows %q", lines)
	}
	for i := range want {
		if !strings.HasPrefix(lines[i], want[i]) {
			t.Errorf("row %q, want %q", lines[i], want[i])
		}
	}
	if !strings.Contains(lines[1], "and 1 more") {
		t.Errorf("a folder tells %q of two bad files", lines[1])
	}
	var paged []string
	for after, next := "", ""; ; after = next {
		if rows, next, err = k.Files(t.Context(), "F", "", after, 1); err != nil {
			t.Fatal(err)
		}
		if paged = append(paged, listed(rows)...); next == "" {
			break
		}
	}
	same(t, "page by page", paged, lines)
}

// TestFilesOfALargeShare wants the first screen of shares with 100,000 files at
// once: of one folder, and of many.
func TestFilesOfALargeShare(t *testing.T) {
	const files, screen, within = 100_000, 200, slowdown * 50 * time.Millisecond
	log := slog.New(slog.DiscardHandler)
	store, err := db.Open(filepath.Join(t.TempDir(), "potluck.db"), log)
	must(t, err)
	defer func() { must(t, store.Close()) }()
	put := func(name string, path func(n int) string) {
		b := domain.CatalogueBatch{PutShares: []domain.Share{{
			Name: name, Path: t.TempDir(), Folder: true, Audience: everyone, State: domain.ShareReady, Entries: files,
		}}}
		for n := range files {
			f := domain.File{Entry: domain.Entry{Path: name + "/" + path(n), Size: 1000, Modified: time.Unix(1e9, 0)}}
			copy(f.Content[:], fmt.Sprintf("%s%d", name, n))
			if b.PutFiles = append(b.PutFiles, f); len(b.PutFiles) == 5000 {
				_, err := store.Apply(t.Context(), b)
				must(t, err)
				b.PutFiles = nil
			}
		}
	}
	put("flat", func(n int) string { return fmt.Sprintf("IMG %06d.jpg", n) })
	put("deep", func(n int) string { return fmt.Sprintf("folder %03d/sub %d/IMG %06d.jpg", n%500, n%7, n) })
	l, err := library.New(library.Config{Store: store, Bus: event.NewBus(), Log: log})
	must(t, err)
	for _, name := range []string{"flat", "deep"} {
		best := time.Hour
		for range 5 { // the machine may be busy
			began := time.Now()
			rows, next, err := l.Files(t.Context(), name, "", "", screen)
			best = min(best, time.Since(began))
			must(t, err)
			if len(rows) != screen || next == "" {
				t.Fatalf("%s: %d rows, next %q", name, len(rows), next)
			}
			if name == "deep" && (rows[7].Entries != 200 || rows[7].Size != 200_000) {
				t.Errorf("a folder tells %+v", rows[7])
			}
		}
		t.Logf("%s: the first screen took %v", name, best)
		if best > within {
			t.Errorf("%s: the first screen took %v, want %v", name, best, within)
		}
	}
	began, seen, after := time.Now(), 0, ""
	for {
		rows, next, err := l.Files(t.Context(), "flat", "", after, screen)
		must(t, err)
		if seen += len(rows); next == "" {
			break
		}
		after = next
	}
	t.Logf("all %d files in pages of %d took %v", seen, screen, time.Since(began))
	same(t, "files", seen, files)
}
