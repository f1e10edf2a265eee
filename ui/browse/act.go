package browse

import (
	"context"
)

// row returns the row of an ID, and nil if it is not there any more.
func (v *View) row(id string) *row {
	if i, ok := v.byID[id]; ok {
		return v.rows[i]
	}
	return nil
}

// chosen returns the selected rows, top to bottom.
func (v *View) chosen() []*row {
	ids := v.list.Selected()
	if len(ids) == len(v.rows) {
		return v.rows
	}
	rows := make([]*row, 0, len(ids))
	for _, id := range ids {
		if r := v.row(id); r != nil {
			rows = append(rows, r)
		}
	}
	return rows
}

// open goes into a folder, opens a file that is here, and gets one that is
// not.
func (v *View) open(id string) {
	r := v.row(id)
	switch {
	case r == nil:
	case r.result.Folder:
		to := place{peer: v.at.peer, name: v.at.name, folder: r.result.Path}
		if p, ok := r.provider(v.at.peer); ok {
			to = place{peer: p.Peer, name: p.Name, folder: p.Path}
		}
		v.visit(to)
	case v.isHere(r): // or was, and is fetched again then
		v.onThisMachine(r, func(path string) { v.OnOpen(path, r.owner) }, func() { v.begin([]*row{r}, "") })
	default:
		v.begin([]*row{r}, "")
	}
}

// isHere reports whether a row's content is on this machine.
func (v *View) isHere(r *row) bool { return r.result.Have || v.progressFor(r).done }

// onThisMachine does something with the path at which a row's content lies
// here, or something else if it lies nowhere.
func (v *View) onThisMachine(r *row, do func(path string), otherwise func()) {
	final := v.progressFor(r).final
	v.run.Go(func(context.Context) func() {
		if !r.result.Folder {
			final = v.browse.Where(r.result.Content)
		}
		return func() {
			if final == "" {
				otherwise()
				return
			}
			do(final)
		}
	})
}

// Download gets what is selected.
func (v *View) Download() { v.begin(v.chosen(), "") }

// downloadTo gets what is selected into a folder that the user chooses.
func (v *View) downloadTo() {
	rows := v.chosen()
	if len(rows) > 0 {
		v.OnFolder(func(path string) { v.begin(rows, path) })
	}
}

// begin gets rows into a folder, or the usual one. The page stays; the rows
// gain progress.
func (v *View) begin(rows []*row, to string) {
	at := v.at
	if len(rows) == 0 {
		return
	}
	v.run.Go(func(ctx context.Context) func() {
		var failed error
		for _, r := range rows {
			if _, err := v.get.Get(ctx, r.request(at, to)); err != nil && failed == nil {
				failed = err
			}
		}
		if failed != nil && ctx.Err() == nil {
			return func() { v.OnError(failed) }
		}
		return nil
	})
}
