package library

import (
	"path"
	"path/filepath"
	"slices"
)

// patterns are the user's own patterns of names that are left out of shared
// folders, as path.Match has them.
type patterns []string

// mean reports whether one of the patterns means a name.
func (p patterns) mean(name string) bool {
	return slices.ContainsFunc(p, func(pattern string) bool {
		ok, _ := path.Match(pattern, name) // a bad pattern means nothing
		return ok
	})
}

// SetSkip leaves out of shared folders what the patterns mean, besides what is
// always left out. If they differ from those before, all shares are looked
// through, and what they mean is soon offered no more. It returns at once.
func (l *Library) SetSkip(skip []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Equal(l.skip, skip) {
		return
	}
	l.skip = slices.Clone(skip)
	if !l.started {
		return // everything is looked through then
	}
	for _, sh := range l.shares {
		l.touchLocked(sh, ".")
	}
}

// leaves returns what is left out of the share of a place: what was shared as a
// file was meant, whatever its name.
func (l *Library) leaves(where place) patterns {
	if !where.folder {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.skip
}

// skips reports whether the user's patterns leave out what lies at an absolute
// path, because of itself or of a folder above it, up to the root.
func (w *walk) skips(abs string) bool {
	for at := abs; at != w.real && at != filepath.Dir(at); at = filepath.Dir(at) {
		if w.skip.mean(filepath.Base(at)) {
			return true
		}
	}
	return false
}
