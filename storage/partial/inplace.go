package partial

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
	"github.com/potluck-share/potluck/storage/disk"
	"github.com/potluck-share/potluck/storage/names"
)

const (
	// mostAlike is how many names like the target are looked at.
	mostAlike = 100
	// mostKnown is how many files a Finder remembers.
	mostKnown = 10_000
)

// Finder finds finished files that lie where a download of the same content
// would put them: fetched once before, or just finished when the program was
// killed. It remembers what it has hashed in vain. Its zero value is ready, and
// it may be used from any goroutine.
type Finder struct {
	mu    sync.Mutex
	known map[wrong]time.Time // when the file was modified
}

// wrong is a file that is not the content.
type wrong struct {
	path    string
	content domain.ContentID
	size    int64
}

// Find returns the path of a file that lies at the target of want, or under a
// name that Finish would have given it, and has the content; "" if there is
// none. Files of that size are hashed, with all cores. progress, which may be
// nil, is told the bytes done since the last call. What cannot be looked at is
// not the file; the only error is the context's own.
func (f *Finder) Find(ctx context.Context, want domain.Want, progress func(n int64)) (path string, err error) {
	target, err := names.Clean(want.Target)
	if err != nil {
		return "", nil // Open says so
	}
	root, err := os.OpenRoot(want.Folder)
	if err != nil {
		return "", nil // there is nothing in it yet, or Open says why not
	}
	defer func() { _ = root.Close() }() // only looked into
	for n := 1; n <= mostAlike; n++ {
		rel := target
		if n > 1 {
			rel = names.Numbered(target, n)
		}
		info, err := root.Lstat(filepath.FromSlash(rel))
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
		if err != nil || !info.Mode().IsRegular() || info.Size() != want.Size {
			continue
		}
		path := filepath.Join(want.Folder, filepath.FromSlash(rel))
		key := wrong{path, want.Content, want.Size}
		if f.isKnown(key, info.ModTime()) {
			continue
		}
		same, err := hasContent(ctx, root, filepath.FromSlash(rel), want, progress)
		if same {
			return path, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if err == nil {
			f.note(key, info.ModTime())
		}
	}
	return "", nil
}

func (f *Finder) isKnown(key wrong, modified time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, ok := f.known[key]
	return ok && at.Equal(modified)
}

func (f *Finder) note(key wrong, modified time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil || len(f.known) >= mostKnown {
		f.known = make(map[wrong]time.Time) // hashing once more does no harm
	}
	f.known[key] = modified
}

// hasContent hashes the file rel below root.
func hasContent(ctx context.Context, root *os.Root, rel string, want domain.Want, progress func(int64)) (bool, error) {
	file, info, err := disk.OpenRegular(root, rel)
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }() // only read from
	if info.Size() != want.Size {
		return false, domain.ErrChanged
	}
	sum, err := content.Hash(ctx, file, want.Size, 0, progress)
	if err != nil {
		return false, fmt.Errorf("hashing %s: %w", rel, err)
	}
	return sum.ID == want.Content, nil
}
