package fetched

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db"
)

// fullDisk is a store that has no room at times.
type fullDisk struct {
	*db.DB
	full bool
}

func (s *fullDisk) PutFetch(ctx context.Context, share string, number uint64, f domain.Fetcher) (uint64, int, error) {
	if s.full {
		return 0, 0, domain.ErrNoSpace
	}
	return s.DB.PutFetch(ctx, share, number, f)
}

func TestWhatCannotBeStoredIsStoredLater(t *testing.T) {
	base, err := db.Open(filepath.Join(t.TempDir(), "potluck.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := base.Close(); err != nil {
			t.Error(err)
		}
	}()
	share := domain.Share{Name: "F", Path: "/f", Folder: true, State: domain.ShareReady}
	if _, err := base.Apply(t.Context(), domain.CatalogueBatch{PutShares: []domain.Share{share}}); err != nil {
		t.Fatal(err)
	}
	store := &fullDisk{DB: base, full: true}
	times := 0
	l := New(Config[string]{
		Store: store, Name: func(share string) (string, bool) { return share, true },
		Counted: func(_ string, n int) { times = n },
		Now:     time.Now, Log: slog.New(slog.DiscardHandler),
	})
	l.Sent("F", "ben", "Ben", domain.ContentID{1}, 3, 3)
	l.keep(t.Context())
	l.Sent("F", "ben", "Ben", domain.ContentID{2}, 4, 4)
	l.keep(t.Context())
	if times != 0 {
		t.Fatalf("counted %d times on a full disk", times)
	}
	store.full = false
	all, err := l.Fetchers(t.Context(), "F")
	if err != nil || len(all) != 1 || all[0].Files != 2 || all[0].Bytes != 7 || times != 1 {
		t.Errorf("%s, %d times, %v", fmt.Sprint(all), times, err)
	}
}
