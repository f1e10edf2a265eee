package library

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/potluck-share/potluck/app/domain"
)

// Right is a reason, besides the shares, for which somebody may fetch a content:
// an open offer or a grant. Allows may be called from any goroutine.
type Right interface {
	Allows(asker domain.Asker, id domain.ContentID) bool
}

// Allowed decides who may have what. It, or Open, which decides alike, is asked
// on each request; everything that leaves this machine passes it.
func (l *Library) Allowed(asker domain.Asker, id domain.ContentID) bool {
	if !l.serves(asker) {
		return false
	}
	return l.offers(asker, l.holders(id)) || l.granted(asker, id)
}

// Among reports whether the asker may have the content together with others: not
// only because it was offered to it alone.
func (l *Library) Among(asker domain.Asker, id domain.ContentID) bool {
	if !l.serves(asker) {
		return false
	}
	shared := slices.DeleteFunc(l.holders(id), func(name string) bool { return strings.HasPrefix(name, offerMark) })
	return l.offers(asker, shared) || l.granted(asker, id)
}

// serves reports whether the asker may have anything at all.
func (l *Library) serves(asker domain.Asker) bool {
	return asker.Peer != "" && !l.blocked(asker.Peer) && !l.hidden()
}

// holders returns the shares that have the content.
func (l *Library) holders(id domain.ContentID) []string {
	holders, err := l.store.ContentShares(id)
	if err != nil {
		l.log.Error("a content could not be looked up; it is not given", "err", err)
	}
	return holders
}

// offers reports whether one of the shares has an audience that includes the
// asker.
func (l *Library) offers(asker domain.Asker, names []string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, name := range names {
		if sh := l.shares[name]; sh != nil && offers(sh.Share) && sh.Audience.Includes(asker) {
			return true
		}
	}
	return false
}

// granted reports whether there is another reason to let the asker have the
// content.
func (l *Library) granted(asker domain.Asker, id domain.ContentID) bool {
	return slices.ContainsFunc(l.rights, func(r Right) bool { return r.Allows(asker, id) })
}

// anyone stands for everyone nearby, on all networks that this machine is on.
func (l *Library) anyone() domain.Asker {
	return domain.Asker{Peer: "anyone", Near: true, Withheld: l.reserved()}
}

// Nearby reports whether everyone nearby may have the content.
func (l *Library) Nearby(id domain.ContentID) bool { return l.offers(l.anyone(), l.holders(id)) }

// Source is an open file that is served from. Its methods may be called from
// any goroutine, Close once.
type Source struct {
	library *Library
	file    *os.File
	stored  domain.File
	layer   []byte
	changed func()
	once    sync.Once

	// nearby is what was found when the file was opened. The first Nearby, which
	// belongs to the same request, takes it.
	nearby bool
	known  atomic.Bool // nearby is set and not taken
}

// Size returns the content's size in bytes.
func (s *Source) Size() int64 { return s.stored.Size }

// Layer returns the chaining values of all pieces; nil for a content of up to
// one piece. The caller must not change it.
func (s *Source) Layer() []byte { return s.layer }

// Nearby reports whether everyone nearby may have the content: when it was opened
// for somebody else, at first, and at this moment from then on.
func (s *Source) Nearby() bool {
	if s.known.CompareAndSwap(true, false) {
		return s.nearby
	}
	return s.library.Nearby(s.stored.Content)
}

// ReadAt reads like io.ReaderAt. What it reads is the content only if Fresh
// agrees afterwards.
func (s *Source) ReadAt(p []byte, off int64) (int, error) { return s.file.ReadAt(p, off) }

// File returns the file itself, for sharing its blocks. It is closed by Close.
func (s *Source) File() *os.File { return s.file }

// Fresh returns an error wrapping domain.ErrChanged if the file is not as it
// was when it was hashed; the file is then hashed again.
func (s *Source) Fresh() error {
	info, err := s.file.Stat()
	if err == nil && asSeen(info, s.stored.Size, s.stored.ModifiedNano) {
		return nil
	}
	s.once.Do(s.changed)
	return fmt.Errorf("%s: %w", s.stored.Path, domain.ErrChanged)
}

// Close closes the file.
func (s *Source) Close() error { return s.file.Close() }

// mostCopies is how many files of a share with the same content are tried.
const mostCopies = 16

// Open opens a content for the asker. The error wraps domain.ErrNotFound alike
// if it is not here and if the asker may not have it, and domain.ErrChanged if
// all files that had it have changed or gone; those are then looked at again.
// ctx is not kept.
func (l *Library) Open(ctx context.Context, asker domain.Asker, id domain.ContentID) (*Source, error) {
	if !l.serves(asker) {
		return nil, absent(id)
	}
	found, err := l.copies(id)
	if err != nil {
		l.log.Error("a content could not be looked up; it is not given", "err", err)
		return nil, absent(id)
	}
	names := make([]string, len(found))
	for i := range found {
		names[i] = found[i].share
	}
	if !l.offers(asker, names) && !l.granted(asker, id) {
		return nil, absent(id)
	}
	nearby := l.offers(l.anyone(), names)
	source, err := l.openAny(ctx, id, found)
	if err != nil {
		return nil, err
	}
	source.nearby = nearby
	source.known.Store(true)
	return source, nil
}

func absent(id domain.ContentID) error { return fmt.Errorf("content %s: %w", id, domain.ErrNotFound) }

// Local opens a content for the user's own use, whoever else may have it. The
// errors are those of Open.
func (l *Library) Local(ctx context.Context, id domain.ContentID) (*Source, error) {
	found, err := l.copies(id)
	if err != nil {
		return nil, err
	}
	return l.openAny(ctx, id, found)
}

// copies are the files of one share that have a content.
type copies struct {
	share string
	files []domain.File // at least one
}

// copies returns where a content is.
func (l *Library) copies(id domain.ContentID) (found []copies, err error) {
	l.mu.Lock()
	none := len(l.shares) == 0
	l.mu.Unlock()
	if none {
		return nil, nil // who shares nothing need not be asked for each file of a download
	}
	files, err := l.store.ContentFiles(id, mostCopies)
	if err != nil {
		return nil, err
	}
	for begin, i := 0, 1; i <= len(files); i++ {
		if share := files[begin].Share(); i == len(files) || files[i].Share() != share {
			found = append(found, copies{share, files[begin:i]})
			begin = i
		}
	}
	return found, nil
}

// openAny opens one of the files that have the content.
func (l *Library) openAny(ctx context.Context, id domain.ContentID, found []copies) (*Source, error) {
	stale := false
	for _, c := range found {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l.mu.Lock()
		sh := l.shares[c.share]
		var s domain.Share
		if sh != nil {
			s = sh.Share
		}
		l.mu.Unlock()
		if sh == nil || !offers(s) {
			continue
		}
		source, err := l.openIn(sh, s, c.files)
		if err == nil {
			return source, nil
		}
		l.log.Debug("a shared file could not be opened", "share", c.share, "err", err)
		stale = true
	}
	if stale {
		return nil, fmt.Errorf("content %s: %w", id, domain.ErrChanged)
	}
	return nil, absent(id)
}

// openIn opens one of the files of a share.
func (l *Library) openIn(sh *share, s domain.Share, files []domain.File) (*Source, error) {
	var layer []byte
	if files[0].Size > domain.PieceSize {
		var err error
		if layer, err = l.store.Layer(files[0].Content); err != nil {
			return nil, err
		}
	}
	k, start, err := l.folderOf(s)
	if err != nil {
		l.touch(sh, ".")
		return nil, fmt.Errorf("%w: %w", domain.ErrChanged, reasonOf(err))
	}
	defer l.roots.done(k) // the file stays open without it
	for _, f := range files {
		rel := start
		if start == "." {
			rel = strings.TrimPrefix(f.Path, s.Name+"/")
		}
		changed := func() { l.touch(sh, rel) }
		file, err := open(k.root, filepath.FromSlash(rel))
		if err != nil {
			changed()
			continue
		}
		source := &Source{library: l, file: file, stored: f, layer: layer, changed: changed}
		if source.Fresh() == nil {
			return source, nil
		}
		_ = file.Close() // was only looked at
	}
	return nil, domain.ErrChanged
}

// folderOf opens the folder of a share, which may be open still, or the one that a
// shared file lies in. start is the path of the share in it. The caller gives it
// back by roots.done.
func (l *Library) folderOf(s domain.Share) (k *keptRoot, start string, err error) {
	if k = l.roots.take(s.Path); k != nil {
		return k, ".", nil
	}
	where, err := l.locate(s.Path)
	if err != nil {
		return nil, "", err
	}
	root, start, err := where.open()
	if err != nil {
		return nil, "", err
	}
	if !where.folder {
		return &keptRoot{root: root, users: 1, gone: true}, start, nil
	}
	return l.roots.keep(s.Path, root), start, nil
}
