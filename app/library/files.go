package library

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
)

// A cursor of Files is the name of the last row after one of these.
const (
	inFolders = "d"
	inFiles   = "f"
)

// Files returns what lies directly in a folder of an own share, as it is stored:
// folders first, each kind by the bytes of its names, up to limit rows, all of
// them for 0. folder is a slash-separated path below the share, empty for the
// share itself; a share that is a file has itself as its one row. after is empty
// at first and then the next of the last call; next is empty at the end. What
// cannot be shared has a row that says why.
//
// The error wraps domain.ErrNotFound for an unknown share or folder and
// domain.ErrUsage for a cursor that was not made here.
func (l *Library) Files(ctx context.Context, share, folder, after string, limit int) (rows []domain.ShareFile, next string, err error) {
	l.mu.Lock()
	sh := l.named(share)
	var single bool
	if sh != nil {
		single = !sh.Folder
	}
	l.mu.Unlock()
	if sh == nil {
		return nil, "", fmt.Errorf("%w: %w", domain.Fault(nil, "%s is not shared", share), domain.ErrNotFound)
	}
	if single && folder == "" {
		rows, err = l.singleFile(sh, share)
		return rows, "", err
	}
	at := share
	if folder != "" {
		at += "/" + folder
	}
	rows, next, err = l.page(ctx, at, l.troublesIn(sh, at), after, max(limit, 0))
	if err == nil && len(rows) == 0 && folder != "" && after == "" {
		_, err = l.store.File(at) // an empty folder is there all the same
	}
	return rows, next, err
}

// singleFile returns the row of a share that is a file.
func (l *Library) singleFile(sh *share, name string) ([]domain.ShareFile, error) {
	file, err := l.store.File(name)
	if errors.Is(err, domain.ErrNotFound) {
		file, err = domain.File{Entry: domain.Entry{Path: name}}, nil // not read yet
	}
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return []domain.ShareFile{{Entry: file.Entry, Problem: problemInWords(sh.problems, domain.Share{})}}, nil
}

// troubles are what is wrong in a folder, by the names in it.
type troubles map[string]*trouble

// trouble is what is wrong with one of them.
type trouble struct {
	all   map[string]error // by entry path
	below bool             // something below it, so that it is a folder
}

// row makes a row of an entry, with what is wrong with it.
func (t troubles) row(e domain.ShareFile) domain.ShareFile {
	if wrong := t[e.Name()]; wrong != nil {
		e.Problem = problemInWords(wrong.all, domain.Share{})
	}
	return e
}

// troublesIn returns what is wrong with what lies in the folder at a path.
func (l *Library) troublesIn(sh *share, at string) troubles {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := make(troubles)
	for path, err := range sh.problems {
		rest, inside := strings.CutPrefix(path, at+"/")
		if !inside {
			continue
		}
		name, _, below := strings.Cut(rest, "/")
		if found[name] == nil {
			found[name] = &trouble{all: make(map[string]error)}
		}
		found[name].all[path] = err
		found[name].below = found[name].below || below
	}
	return found
}

// page returns the rows of the folder at a path after a cursor.
func (l *Library) page(ctx context.Context, at string, wrong troubles, after string, limit int) (rows []domain.ShareFile, next string, err error) {
	kind, name := inFolders, ""
	if after != "" {
		kind, name = after[:1], after[1:]
	}
	switch kind {
	case inFolders:
		if rows, err = l.folders(ctx, at, wrong, name); err != nil {
			return nil, "", err
		}
		if limit > 0 && len(rows) > limit {
			rows = rows[:limit]
			return rows, inFolders + rows[limit-1].Name(), nil
		}
		if limit > 0 && len(rows) == limit {
			return rows, inFiles, nil
		}
		name = ""
	case inFiles:
	default:
		return nil, "", fmt.Errorf("%w: where the list of %s goes on", domain.ErrUsage, at)
	}
	if limit > 0 {
		limit -= len(rows)
	}
	files, more, err := l.files(ctx, at, wrong, name, limit)
	if err != nil {
		return nil, "", err
	}
	if more {
		next = inFiles + files[len(files)-1].Name()
	}
	return append(rows, files...), next, nil
}

// folders returns the rows of the folders after a name.
func (l *Library) folders(ctx context.Context, at string, wrong troubles, after string) ([]domain.ShareFile, error) {
	rows, err := l.store.FoldersIn(ctx, at)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(rows))
	for i := range rows {
		known[rows[i].Name()] = true
		rows[i] = wrong.row(rows[i])
	}
	for name, trouble := range wrong {
		if trouble.below && !known[name] { // nothing in it is shared
			rows = append(rows, wrong.row(domain.ShareFile{Entry: domain.Entry{Path: at + "/" + name, Folder: true}}))
		}
	}
	slices.SortFunc(rows, byPath)
	first, found := slices.BinarySearchFunc(rows, domain.ShareFile{Entry: domain.Entry{Path: at + "/" + after}}, byPath)
	if found {
		first++
	}
	return rows[first:], nil
}

func byPath(a, b domain.ShareFile) int { return strings.Compare(a.Path, b.Path) }

// files returns up to limit rows of files after a name, and whether there are
// more.
func (l *Library) files(ctx context.Context, at string, wrong troubles, after string, limit int) (rows []domain.ShareFile, more bool, err error) {
	files, err := l.store.FilesIn(ctx, at, after, limit)
	if err != nil {
		return nil, false, err
	}
	known := make(map[string]bool, len(files))
	for _, f := range files {
		known[f.Name()] = true
		rows = append(rows, wrong.row(domain.ShareFile{Entry: f}))
	}
	for name, trouble := range wrong {
		if name <= after || known[name] || trouble.below {
			continue
		}
		// What could not be read may also be a folder that could be once.
		if stored, err := l.store.FilesFrom(at+"/"+name, "", 1); err == nil && len(stored) == 0 {
			rows = append(rows, wrong.row(domain.ShareFile{Entry: domain.Entry{Path: at + "/" + name}}))
		}
	}
	slices.SortFunc(rows, byPath)
	if limit == 0 {
		return rows, false, nil
	}
	return rows[:min(limit, len(rows))], len(files) == limit || len(rows) > limit, nil
}
