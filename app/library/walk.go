package library

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/names"
)

// found is a regular file that a walk came across.
type found struct {
	rel  string // slash-separated, below the root
	info os.FileInfo
}

// walk looks through a shared folder or one part of it, in the order of the
// entries' paths, so that it can be compared with the catalogue as it goes.
type walk struct {
	root *os.Root
	real string // absolute path of the root
	own  func(path string, info os.FileInfo) bool
	skip patterns // of the user
	// entry makes the path of the entry out of one below the root.
	entry func(rel string) string

	// What it comes across. file returns an error to stop the walk; folder,
	// which may be nil, is told of a folder before that is read.
	file   func(found) error
	folder func(rel string)
	// empty is told of a folder in which there is nothing to offer.
	empty   func(rel string)
	problem func(rel string, err error)
	skipped func()
}

// at walks whatever lies at rel, or nothing if nothing is there or it is left
// out, because of itself or of a folder above it.
func (w *walk) at(ctx context.Context, rel string) error {
	if rel == "." {
		_, err := w.inside(ctx, rel)
		return err
	}
	if !w.folderAt(path.Dir(rel)) {
		return nil
	}
	info, err := w.root.Lstat(filepath.FromSlash(rel))
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			w.problem(rel, kindOf(err))
		}
		return nil
	}
	_, err = w.one(ctx, rel, info)
	return err
}

// folderAt reports whether a folder lies at rel that is not left out, because of
// itself or of one above it.
func (w *walk) folderAt(rel string) bool {
	for at := rel; at != "."; at = path.Dir(at) {
		info, err := w.root.Lstat(filepath.FromSlash(at))
		if err != nil || !info.IsDir() || w.leftOut(at, info) {
			return false
		}
	}
	return true
}

// inside walks the folder at rel. some reports whether there is anything to
// offer in it.
func (w *walk) inside(ctx context.Context, rel string) (some bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if w.folder != nil {
		w.folder(rel)
	}
	list, err := w.list(rel)
	if err != nil {
		w.problem(rel, err)
	}
	for _, e := range list {
		info, err := e.Info()
		if err != nil {
			continue // it went meanwhile
		}
		more, err := w.one(ctx, path.Join(rel, e.Name()), info)
		if err != nil {
			return false, err
		}
		some = some || more
	}
	if !some && err == nil {
		w.empty(rel)
		some = true
	}
	return some, nil
}

// list reads a folder, sorted so that what lies below comes in path order.
func (w *walk) list(rel string) ([]fs.DirEntry, error) {
	f, err := open(w.root, filepath.FromSlash(rel))
	if err != nil {
		return nil, err
	}
	list, err := f.ReadDir(-1)
	err = errors.Join(err, f.Close())
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(sortKey(a), sortKey(b)) })
	if err != nil {
		return list, kindOf(err)
	}
	return list, nil
}

func sortKey(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}

// leftOut reports whether something is no part of a share, whatever it holds.
func (w *walk) leftOut(rel string, info os.FileInfo) bool {
	name := path.Base(rel)
	return names.Ignored(name) || w.skip.mean(name) || w.own(filepath.Join(w.real, filepath.FromSlash(rel)), info)
}

// one looks at a single thing. some reports whether it, or anything in it, is
// to be offered.
func (w *walk) one(ctx context.Context, rel string, info os.FileInfo) (some bool, err error) {
	if w.leftOut(rel, info) {
		w.skipped()
		return false, nil
	}
	if err := w.nameable(rel); err != nil {
		w.problem(rel, err)
		return false, nil
	}
	mode := info.Mode()
	if mode&fs.ModeSymlink != 0 {
		// A link to a file within the share is the file once more. Others are
		// not followed: they lead out, nowhere, or to a folder that is walked
		// in its own place.
		info, err = w.root.Stat(filepath.FromSlash(rel))
		if err != nil || !info.Mode().IsRegular() || w.leadsToOwn(rel) {
			w.skipped()
			return false, nil //nolint:nilerr // left out
		}
		mode = info.Mode()
	}
	switch {
	case mode.IsDir():
		return w.inside(ctx, rel)
	case !mode.IsRegular():
		w.problem(rel, notShareable(mode))
		return false, nil
	case info.Size() > domain.MaxFileSize:
		w.problem(rel, domain.Fault(domain.ErrTooLarge, "it has %s", domain.Bytes(info.Size())))
		return false, nil
	}
	return true, w.file(found{rel: rel, info: info})
}

// leadsToOwn reports whether the link at rel leads to something that is not
// shared, or below it.
func (w *walk) leadsToOwn(rel string) bool {
	target, err := filepath.EvalSymlinks(filepath.Join(w.real, filepath.FromSlash(rel)))
	if err != nil || names.Ignored(filepath.Base(target)) || w.skips(target) {
		return true
	}
	for at := target; at != w.real && at != filepath.Dir(at); at = filepath.Dir(at) {
		if info, err := os.Stat(at); err != nil || w.own(at, info) {
			return true
		}
	}
	return false
}

// nameable reports why others could not be told of the path.
func (w *walk) nameable(rel string) error {
	if err := names.Shareable(path.Base(rel)); err != nil {
		return err
	}
	if n := len(w.entry(rel)); n > domain.MaxPath {
		return domain.Fault(domain.ErrNotShareable, "its path has %s bytes", n)
	}
	return nil
}
