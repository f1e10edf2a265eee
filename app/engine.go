package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/library"
	"github.com/potluck-share/potluck/app/transfers"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/net/transfer/provide"
	"github.com/potluck-share/potluck/storage/content"
	"github.com/potluck-share/potluck/storage/disk"
	"github.com/potluck-share/potluck/storage/names"
	"github.com/potluck-share/potluck/storage/partial"
)

// slowToHash is from which size on, in bytes, looking through a part takes long
// enough to be told.
const slowToHash = 256 << 20

// looksAtOnce is how many files on this machine are looked into at a time.
const looksAtOnce = 2

// engine joins the fetching of bytes with the files that they become. It is
// the transfers.Engine of the running app.
type engine struct {
	fetcher  *fetch.Fetcher
	provider *provide.Provider
	holdings *transfers.Holdings
	own      own
	finder   partial.Finder
	looks    chan struct{} // a token per look into a file on this machine; has room for those at once
}

// told is a download whose pieces others are told of as they come.
type told struct {
	*partial.File
	content  domain.ContentID
	provider *provide.Provider
}

func (t told) Put(p content.Piece) error {
	if err := t.File.Put(p); err != nil {
		return err
	}
	t.provider.Grown(t.content, p.Index())
	return nil
}

func (e *engine) Fetch(ctx context.Context, want domain.Want, from transfers.Providers, report func(domain.Progress)) (final string, had bool, err error) {
	if final, err = e.inPlace(ctx, want, report); final != "" || err != nil {
		return final, final != "", err
	}
	if want.Size > slowToHash && !want.New {
		report(domain.Progress{Checking: true, Checked: -1}) // what an earlier run left is hashed
	}
	file, err := partial.Open(want)
	if err != nil {
		return "", false, err
	}
	if err := e.copyOwn(ctx, want, file, report); err != nil {
		return "", false, errors.Join(err, file.Close())
	}
	holding := e.holdings.Begin(want, file)
	err = e.fetcher.Fetch(ctx, want.Content, want.Size, told{file, want.Content, e.provider}, from, report)
	if err == nil {
		final, err = file.Finish()
	}
	if err != nil {
		holding.End(file)
		return "", false, errors.Join(err, file.Close())
	}
	holding.Finish(want.Folder, final, file)
	return final, false, nil
}

func (e *engine) Holders(id domain.ContentID) []domain.PeerID { return e.fetcher.Holders(id) }

func (e *engine) Discard(want domain.Want) error { return partial.Remove(want) }

func (e *engine) Claim(to, name string) (string, error) {
	clean, err := names.Clean(name)
	if err != nil {
		return "", err
	}
	if err := e.Prepare(to); err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		free := clean
		if n > 1 {
			free = fmt.Sprintf("%s (%d)", clean, n) // a folder has no extension to keep at the end
		}
		err := os.Mkdir(filepath.Join(to, free), 0o755) //nolint:gosec // the user's own folder, like any other of theirs
		switch {
		case err == nil:
			return free, nil
		case !errors.Is(err, os.ErrExist) || n > 9999:
			return "", fmt.Errorf("making the folder %s: %w", free, disk.Kind(err))
		}
	}
}

// Holds looks at names and sizes only: Fetch hashes each file.
func (e *engine) Holds(to, name string, files []domain.TransferFile) (string, bool) {
	clean, err := names.Clean(name)
	if err != nil {
		return "", false
	}
	root, err := os.OpenRoot(filepath.Join(to, clean))
	if err != nil {
		return "", false
	}
	defer func() { _ = root.Close() }() // only looked into
	for i := range files {
		f := &files[i]
		if f.Skipped {
			continue
		}
		_, below, _ := strings.Cut(f.Target, "/")
		if below == "" {
			continue // the folder itself
		}
		if below, err = names.Clean(below); err != nil {
			return "", false
		}
		info, err := root.Lstat(filepath.FromSlash(below))
		if err != nil || info.IsDir() != f.Folder || !f.Folder && (!info.Mode().IsRegular() || info.Size() != f.Size) {
			return "", false
		}
	}
	return clean, true
}

func (e *engine) Prepare(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // the user's own folder, like any other of theirs
		return fmt.Errorf("the download folder %s: %w", folder, disk.Kind(err))
	}
	return nil
}

func (e *engine) Folder(root, target string, modified time.Time) error {
	return partial.Folder(root, target, modified)
}

func (e *engine) Size(ctx context.Context, peer domain.PeerID, id domain.ContentID) (int64, error) {
	return e.fetcher.Probe(ctx, peer, id)
}

func (e *engine) Free(folder string) (int64, error) { return disk.Free(folder) }

// shelf lets net/transfer serve what the library offers and what was, or is
// being, downloaded.
type shelf struct {
	library  *library.Library
	holdings *transfers.Holdings
}

func (s shelf) Open(ctx context.Context, asker domain.Asker, id domain.ContentID) (provide.Content, error) {
	source, err := s.library.Open(ctx, asker, id)
	if err == nil {
		return shared{source}, nil
	}
	// The library decides who may have what, also of what is held.
	if s.library.Allowed(asker, id) {
		held, heldErr := s.holdings.Open(asker, id)
		switch {
		case heldErr == nil && held.Growing():
			return growing{kept{held}}, nil
		case heldErr == nil:
			return kept{held}, nil
		case errors.Is(err, domain.ErrNotFound):
			err = heldErr
		}
	}
	return nil, err // not the nil *Source in a non-nil interface
}

// shared is what the library offers: it is for us to give leave.
type shared struct{ *library.Source }

func (s shared) Spread() provide.Spread {
	if s.Nearby() {
		return provide.Nearby
	}
	return provide.Granted
}

// kept is what was downloaded: the leave is another's to give.
type kept struct{ *transfers.Held }

func (k kept) Spread() provide.Spread {
	if k.Nearby() {
		return provide.Nearby
	}
	return provide.Kept
}

// growing is what is held in part.
type growing struct{ kept }

func (g growing) Has(piece int) bool { return g.Here(piece) }

func (s shelf) Allowed(asker domain.Asker, id domain.ContentID) bool {
	return s.library.Allowed(asker, id)
}
