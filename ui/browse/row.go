package browse

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
)

// rowHeight is the height of a file's row.
const rowHeight float32 = 32

// kindFrom is how wide the table must be to show kinds: it is in a window of
// 1100.
const kindFrom float32 = 1100 - 196 - 2*16 - 2*12

var columns = widget.Columns{
	{Key: "name", Title: "Name"},
	{Key: "kind", Title: "Kind", Width: 88, From: kindFrom},
	{Key: "size", Title: "Size", Width: 84, Right: true},
	{Key: "modified", Title: "Modified", Width: 112},
	{Key: "from", Title: "From", Width: 120},
}

// row is a file or folder, in the words that are shown.
type row struct {
	id       string
	result   domain.Result
	name     string
	lower    string
	kind     string
	size     string
	modified string
	from     string
	here     bool // somebody who has it is around
}

// table is rows together with what finds them, all made off the UI thread.
type table struct {
	rows    []row
	ids     []string
	byID    map[string]int
	folders int
}

func tableOf(rows []row) table {
	t := table{rows: rows, ids: make([]string, len(rows)), byID: make(map[string]int, len(rows))}
	for i := range rows {
		t.ids[i] = rows[i].id
		t.byID[rows[i].id] = i
		if rows[i].result.Folder {
			t.folders++
		}
	}
	return t
}

func count(n int) string { return format.Count(n) }

// rowsOf puts results into words.
func rowsOf(results []domain.Result, at place, now time.Time) []row {
	rows := make([]row, len(results))
	for i, r := range results {
		rows[i] = rowOf(r, at, now)
	}
	return rows
}

func rowOf(r domain.Result, at place, now time.Time) row {
	out := row{result: r, name: r.Name(), modified: format.Day(r.Modified, now), kind: "Folder"}
	out.lower = strings.ToLower(out.name)
	if r.Folder {
		if r.Entries > 0 {
			out.size = format.Files(r.Entries)
		}
		if r.Size > 0 {
			out.size = format.Size(r.Size)
		}
	} else {
		out.kind = format.Kind(out.name)
		out.size = format.Size(r.Size)
	}
	out.id = r.Path
	if p, ok := out.provider(at.peer); ok {
		out.from = p.Name
		out.id = string(p.Peer) + "/" + p.Path
		if r.Folder {
			out.id += "/"
		}
	}
	if !r.Content.IsZero() && at.peer == "" {
		// The same content of several people is one row, whoever is first.
		out.id = r.Content.String() + "/" + r.Path
	}
	if n := len(r.Providers); n > 1 {
		out.from += " +" + count(n-1)
	}
	for _, p := range r.Providers {
		out.here = out.here || p.Online
	}
	return out
}

// provider chooses whom to ask: peer if that has it, else somebody around,
// else the first.
func (r *row) provider(peer domain.PeerID) (domain.Provider, bool) {
	if len(r.result.Providers) == 0 {
		return domain.Provider{}, false
	}
	best := r.result.Providers[0]
	for _, p := range r.result.Providers {
		if peer != "" && p.Peer == peer {
			return p, true
		}
		if p.Online && !best.Online {
			best = p
		}
	}
	return best, true
}

// ordering is how rows are sorted. Without a key, everyone's newest come
// first, what is found stays as it came, and a folder goes by name.
type ordering struct {
	key        string
	descending bool
}

// apply sorts rows. Folders come first, whichever way the rest goes.
func (o ordering) apply(rows []row, at place) {
	if o.key == "" && at.query != "" {
		return
	}
	newest := o.key == "" && at.peer == "" && at.folder == ""
	slices.SortStableFunc(rows, func(a, b row) int {
		if a.result.Folder != b.result.Folder && !newest {
			if a.result.Folder {
				return -1
			}
			return 1
		}
		var order int
		switch {
		case newest:
			order = b.result.Modified.Compare(a.result.Modified)
		case o.key == "size":
			order = cmp.Or(cmp.Compare(a.result.Size, b.result.Size), cmp.Compare(a.result.Entries, b.result.Entries))
		case o.key == "modified":
			order = a.result.Modified.Compare(b.result.Modified)
		case o.key == "from":
			order = strings.Compare(strings.ToLower(a.from), strings.ToLower(b.from))
		case o.key == "kind":
			order = strings.Compare(a.kind, b.kind)
		default:
			order = strings.Compare(a.lower, b.lower)
		}
		if o.descending {
			order = -order
		}
		return cmp.Or(order, strings.Compare(a.lower, b.lower), strings.Compare(a.id, b.id))
	})
}

// moves reports whether showing the newer rows would move or remove one that
// is on screen.
func moves(old, latest []row) bool {
	if len(latest) < len(old) {
		return true
	}
	for i := range old {
		if old[i].id != latest[i].id {
			return true
		}
	}
	return false
}

// rowView shows a row.
type rowView struct {
	object   *fyne.Container
	icon     *widget.Icon
	name     *widget.Text
	check    *widget.Icon
	note     *widget.Text
	bar      *widget.Progress
	kind     *widget.Text
	size     *widget.Text
	modified *widget.Text
	from     *widget.Text
}

func newRow() widget.Cells {
	v := &rowView{
		icon:     widget.NewIcon("file", theme.SecondText),
		name:     widget.NewCell(widget.Middle, fyne.TextAlignLeading, theme.Text),
		check:    widget.NewIcon("check", theme.Done).Sized(14),
		note:     widget.NewText("", theme.TextCaption, theme.SecondText),
		bar:      widget.NewProgress(),
		kind:     widget.NewCell(widget.End, fyne.TextAlignLeading, theme.SecondText),
		size:     widget.NewCell(widget.End, fyne.TextAlignTrailing, theme.SecondText),
		modified: widget.NewCell(widget.End, fyne.TextAlignLeading, theme.SecondText),
		from:     widget.NewCell(widget.End, fyne.TextAlignLeading, theme.SecondText),
	}
	v.check.Hide()
	v.bar.Hide()
	name := container.New(nameLayout{v}, v.icon, v.name, v.check, v.note, v.bar)
	v.object = container.New(columns, name, v.kind, v.size, v.modified, v.from)
	return v
}

// Object returns what shows the row.
func (v *rowView) Object() fyne.CanvasObject { return v.object }

func (v *rowView) show(r *row, p progress) {
	icon, tint := "file", theme.SecondText
	if r.result.Folder {
		icon, tint = "folder", theme.Primary
	}
	if !r.here {
		tint = theme.SecondText
	}
	v.icon.Set(icon, tint)
	v.name.SetText(r.name)
	v.kind.SetText(r.kind)
	v.size.SetText(r.size)
	v.modified.SetText(r.modified)
	v.from.SetText(r.from)

	note, noteInk, check := "", theme.SecondText, false
	switch {
	case p.words != "":
		note, noteInk, check = p.words, p.ink, p.done
	case r.result.Have:
		note, noteInk, check = "you have this", theme.Done, true
	}
	v.note.Set(note, noteInk)
	setVisible(v.note, note != "")
	setVisible(v.check, check)
	setVisible(v.bar, p.bar)
	v.bar.Set(p.fraction, p.ink)
	name := v.object.Objects[0].(*fyne.Container)
	name.Layout.Layout(name.Objects, name.Size())
}

func setVisible(o fyne.CanvasObject, visible bool) {
	switch {
	case o.Visible() == visible:
	case visible:
		o.Show()
	default:
		o.Hide()
	}
}

// nameLayout places icon, name, and after it the check mark and note; the
// bar lies underneath.
type nameLayout struct{ v *rowView }

// MinSize is called by Fyne.
func (nameLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(80, rowHeight) }

// Layout is called by Fyne.
func (l nameLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	v := l.v
	v.icon.Move(fyne.NewPos(0, (size.Height-theme.IconSize)/2))
	v.icon.Resize(fyne.NewSquareSize(theme.IconSize))
	x := theme.IconSize + theme.Space8
	rest := size.Width - x
	note, check := float32(0), float32(0)
	if v.note.Visible() {
		note = min(v.note.FullWidth(), rest/2) + theme.Space8
	}
	if v.check.Visible() {
		check = 14 + theme.Space8
	}
	name := max(0, min(v.name.FullWidth(), rest-note-check))
	v.name.Move(fyne.NewPos(x, 0))
	v.name.Resize(fyne.NewSize(name, size.Height))
	after := x + name
	if v.check.Visible() {
		v.check.Move(fyne.NewPos(after+theme.Space8, (size.Height-14)/2))
		v.check.Resize(fyne.NewSquareSize(14))
		after += check - theme.Space4
	}
	v.note.Move(fyne.NewPos(after+theme.Space8, 0))
	v.note.Resize(fyne.NewSize(max(0, note-theme.Space8), size.Height))
	v.bar.Move(fyne.NewPos(x, size.Height-theme.ProgressHeight-1))
	v.bar.Resize(fyne.NewSize(rest, theme.ProgressHeight))
}
