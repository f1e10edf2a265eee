package library

import (
	"context"
	"path"
	"path/filepath"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/words"
)

// pageSize is how many files of a folder are asked for at first; more come when
// they are scrolled to.
const pageSize = 500

// branch is an unfolded folder: a share, or a folder in one.
type branch struct {
	share   string
	folder  string // below the share; empty: the share itself
	depth   int    // of what lies in it
	rows    []*row
	next    string // where the next page goes on; empty: there is none
	loading bool
	stale   bool // what is there has changed since it was asked for
}

func (b *branch) id() string { return path.Join(b.share, b.folder) }

// unfold opens a folder's row, or closes it.
func (v *View) unfold(id string) {
	r := v.row(id)
	if r == nil || !r.folder {
		return
	}
	if v.open[id] != nil {
		for at := range v.open {
			if at == id || strings.HasPrefix(at, id+"/") {
				delete(v.open, at)
			}
		}
		v.flatten()
		return
	}
	b := &branch{share: r.owner, folder: strings.TrimPrefix(strings.TrimPrefix(id, r.owner), "/"), depth: r.depth + 1}
	v.open[id] = b
	v.load(b, "", pageSize)
}

// load asks for what lies in a folder, after what is there. From the beginning,
// it takes the place of that.
func (v *View) load(b *branch, after string, limit int) {
	b.loading = true
	v.run.Go(func(ctx context.Context) func() {
		files, next, err := v.core.Files(ctx, b.share, b.folder, after, limit)
		made := make([]row, len(files)) // one piece of memory for all of them
		rows := make([]*row, len(files))
		for i, f := range files {
			made[i] = fileRowOf(f, b.share, b.depth)
			rows[i] = &made[i]
		}
		return func() {
			b.loading = false
			if v.open[b.id()] != b {
				return // folded meanwhile
			}
			if err != nil {
				delete(v.open, b.id())
				v.flatten()
				v.OnError(err)
				return
			}
			if after == "" {
				b.rows = nil
			}
			b.rows = append(b.rows, rows...)
			b.next = next
			v.flatten()
			if b.stale {
				v.reload(b)
			}
		}
	})
}

// loadMore asks for the next page of a folder, which is the longer the more of
// it is here: with each page all rows are arranged anew.
func (v *View) loadMore(b *branch) {
	if !b.loading && b.next != "" {
		v.load(b, b.next, max(pageSize, len(b.rows)/2))
	}
}

// reload asks anew for what is shown of a folder.
func (v *View) reload(b *branch) {
	b.stale = b.loading
	if !b.loading {
		v.load(b, "", max(pageSize, len(b.rows)))
	}
}

// reloadChanged asks anew for the unfolded folders of the shares that hold
// something else than before, and folds those of shares that are gone.
func (v *View) reloadChanged(before, after map[string]domain.Share) {
	for id, b := range v.open {
		old, now := before[b.share], after[b.share]
		switch {
		case now.Name == "":
			delete(v.open, id)
		case now.State == domain.ShareReading && len(b.rows) > pageSize:
			// It is told several times a second; the end of it is what counts.
		case old.Entries != now.Entries || old.Bytes != now.Bytes || old.State != now.State:
			v.reload(b)
		}
	}
}

// flatten makes the list's rows of the shares and what is unfolded below them.
func (v *View) flatten() {
	most := len(v.shares)
	for _, b := range v.open {
		most += len(b.rows) + 1
	}
	v.rows = make([]*row, 0, most)
	for i := range v.shares {
		v.add(&v.shares[i])
	}
	ids := make([]string, len(v.rows))
	v.byID = make(map[string]int, len(v.rows))
	for i, r := range v.rows {
		ids[i] = r.id
		v.byID[r.id] = i
	}
	v.list.SetIDs(ids)
}

func (v *View) add(r *row) {
	b := v.open[r.id]
	r.open = b != nil
	v.rows = append(v.rows, r)
	if b == nil {
		return
	}
	for _, below := range b.rows {
		v.add(below)
	}
	note := &row{id: r.id + noteMark, kind: noteRow, owner: r.owner, depth: b.depth, progress: -1}
	switch {
	case b.next != "":
		note.name, note.more = words.T("More is coming…"), b
	case len(b.rows) == 0 && b.loading:
		note.name = words.T("Looking inside…")
	case len(b.rows) == 0:
		note.name = words.T("Nothing in it")
	default:
		return
	}
	v.rows = append(v.rows, note)
}

// noteMark ends the IDs of notes. No path has it.
const noteMark = "/\x00"

func isNote(id string) bool { return strings.HasSuffix(id, noteMark) }

// fileRowOf puts what lies in a folder into words.
func fileRowOf(f domain.ShareFile, share string, depth int) row {
	r := row{id: f.Path, kind: fileRow, owner: share, depth: depth, file: f.Entry, name: format.Name(f.Name()), folder: f.Folder, progress: -1}
	r.lower = strings.ToLower(r.name)
	switch {
	case !f.Problem.IsZero():
		r.icon, r.tint, r.state, r.broken = "warning", theme.Waiting, words.Say(f.Problem), true
	case !f.Folder:
		r.state = words.Size(f.Size)
	case f.Entries >= 0 && f.Size >= 0:
		r.state = words.T("%s, %s", words.N("%s files", f.Entries), words.Size(f.Size))
	}
	return r
}

// parent returns the row above a file or folder; empty for a share.
func parent(id string) string {
	if i := strings.LastIndexByte(strings.TrimSuffix(id, noteMark), '/'); i >= 0 {
		return id[:i]
	}
	return ""
}

// place returns where a row lies on this machine.
func (v *View) place(r *row) string {
	at := v.known[r.owner].Path
	if rel, below := strings.CutPrefix(r.id, r.owner+"/"); below {
		return filepath.Join(at, filepath.FromSlash(rel))
	}
	return at
}
