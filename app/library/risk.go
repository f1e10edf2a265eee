package library

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// manyFiles is how many files are shared without a question.
	manyFiles = 50_000
	// countFiles and countTime bound the counting.
	countFiles = 1_000_000
	countTime  = 3 * time.Second
)

// keyFolders hold keys and passwords although their names have no dot.
var keyFolders = []string{"appdata", "keychains", "gnupg", "ssh"}

// Assess tells which of the paths should only be shared after a question: the
// home folder or what holds it, a whole drive, what is hidden or holds keys, a
// folder of over 50,000 files. There is at most one risk per path. It counts
// for some seconds at most and leaves out what cannot be read.
func (l *Library) Assess(ctx context.Context, paths []string) []domain.Risk {
	home := ""
	if dir, err := os.UserHomeDir(); err == nil {
		if home, err = filepath.EvalSymlinks(dir); err != nil {
			home = dir
		}
	}
	var risks []domain.Risk
	for _, path := range paths {
		where, err := l.locate(path)
		if err != nil {
			continue // Share will say why
		}
		kind, risky := where.risk(home)
		files, more := 1, false
		if where.folder {
			files, more = l.count(ctx, where)
		}
		if !risky && files > manyFiles {
			kind, risky = domain.RiskMany, true
		}
		if risky {
			risks = append(risks, domain.Risk{Kind: kind, Path: where.path, Files: files, More: more})
		}
	}
	return risks
}

// risk judges a place by its path alone.
func (p place) risk(home string) (domain.RiskKind, bool) {
	if p.folder && p.isDrive() {
		return domain.RiskRoot, true
	}
	if p.folder && home != "" && (p.real == home || strings.HasPrefix(home, p.real+string(filepath.Separator))) {
		return domain.RiskHome, true
	}
	// What lies above the home folder is not the user's choice.
	below := strings.TrimPrefix(p.real, home)
	for _, part := range strings.Split(filepath.ToSlash(below), "/") {
		if strings.HasPrefix(part, ".") || slices.Contains(keyFolders, strings.ToLower(part)) {
			return domain.RiskHidden, true
		}
	}
	return "", false
}

// isDrive reports whether a folder is the root of a drive.
func (p place) isDrive() bool {
	above := filepath.Dir(p.real)
	if above == p.real {
		return true
	}
	in, err := os.Lstat(p.real)
	if err != nil {
		return false
	}
	out, err := os.Lstat(above)
	return err == nil && isDrive(in, out)
}

// count counts the files that would be visible. more says that it stopped
// before the end.
func (l *Library) count(ctx context.Context, where place) (files int, more bool) {
	root, rel, err := where.open()
	if err != nil {
		return 0, false
	}
	defer func() { _ = root.Close() }() // was only looked through
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	enough := errors.New("enough")
	w := &walk{
		root: root, real: root.Name(), own: l.isOwn, skip: l.leaves(where),
		entry: func(rel string) string { return rel },
		file: func(found) error {
			if files++; files >= countFiles {
				return enough
			}
			return nil
		},
		empty:   func(string) {},
		problem: func(string, error) {},
		skipped: func() {},
	}
	more = w.at(ctx, rel) != nil
	return files, more
}
