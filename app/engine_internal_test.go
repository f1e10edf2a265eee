package app

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/transfers"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/net/transfer/provide"
	"github.com/potluck-share/potluck/storage/content"
	"github.com/potluck-share/potluck/storage/partial"
)

// nothingOwn is a machine on which nothing is shared and nothing was fetched.
type nothingOwn struct{}

func (nothingOwn) shared(context.Context, domain.ContentID) (*os.File, []byte, error) {
	return nil, nil, domain.ErrNotFound
}
func (nothingOwn) finished(domain.ContentID) string { return "" }
func (nothingOwn) differs(domain.ContentID, string) {}

// nobody provides nothing: what is fetched from them waits for ever.
type nobody struct{}

func (nobody) Providers() []domain.PeerID { return nil }
func (nobody) Changed() <-chan struct{}   { return nil }

// TestAFileFinishedJustBeforeAKillIsNotFetchedAgain has a download finish, and
// then asks for it as a program does that was killed before it could note that:
// also where the name was taken, and with the notes beside it still there.
func TestAFileFinishedJustBeforeAKillIsNotFetchedAgain(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
	sum, err := content.Hash(t.Context(), bytes.NewReader(data), int64(len(data)), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := content.NewLayer(sum.ID, sum.Size, sum.Layer)
	if err != nil {
		t.Fatal(err)
	}
	for _, taken := range []bool{false, true} {
		folder := t.TempDir()
		want := domain.Want{Content: sum.ID, Size: sum.Size, Folder: folder, Target: "film.mp4"}
		if taken {
			if err := os.WriteFile(filepath.Join(folder, "film.mp4"), []byte("another"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		file, err := partial.Open(want)
		if err != nil {
			t.Fatal(err)
		}
		src := filepath.Join(t.TempDir(), "src")
		if err := os.WriteFile(src, data, 0o600); err != nil {
			t.Fatal(err)
		}
		from, err := os.Open(src)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.CopyFrom(t.Context(), from, layer); err != nil {
			t.Fatal(err)
		}
		if err := from.Close(); err != nil {
			t.Fatal(err)
		}
		if err := file.Sync(); err != nil { // so that there are notes
			t.Fatal(err)
		}
		notes, err := filepath.Glob(filepath.Join(folder, ".potluck-*.state"))
		if err != nil || len(notes) != 1 {
			t.Fatalf("notes %v, %v", notes, err)
		}
		kept, err := os.ReadFile(notes[0])
		if err != nil {
			t.Fatal(err)
		}
		finished, err := file.Finish()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(notes[0], kept, 0o600); err != nil {
			t.Fatal(err)
		}

		fetcher := fetch.New(fetch.Config{})
		e := &engine{
			fetcher: fetcher, provider: provide.New(provide.Config{}), own: nothingOwn{},
			holdings: transfers.NewHoldings(nil, nil),
		}
		final, had, err := e.Fetch(t.Context(), want, nobody{}, func(domain.Progress) {})
		if err != nil || final != finished || !had {
			t.Errorf("fetched %q, there before: %v, %v; want %q", final, had, err, finished)
		}
		if _, err := os.Stat(notes[0]); !os.IsNotExist(err) {
			t.Errorf("the notes are still there: %v", err)
		}
		if err := fetcher.Close(); err != nil {
			t.Error(err)
		}
	}
}
