package browse

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// folders is the kind of folders; those of files are format's.
const folders = "folder"

// filter says which rows the user wants to see. The zero value wants all.
type filter struct {
	kind    string // empty: any
	size    int    // index into sizes
	hereNow bool   // only what somebody who is around has
}

// sizes are the choices of size, in bytes: from the first on, below the second
// one. The first choice is any size.
var sizes = [][2]int64{
	{0, domain.MaxFileSize + 1},
	{0, 1e6},
	{1e6, 10e6},
	{10e6, 100e6},
	{100e6, 1e9},
	{1e9, domain.MaxFileSize + 1},
}

// kinds are the choices of kind. The first one is any kind.
var kinds = []string{"", folders, format.Picture, format.Music, format.Video, format.Document, format.Archive, format.Program, format.Other}

// kindChoice names a choice of kind.
func kindChoice(kind string) string {
	switch kind {
	case folders:
		return words.T("Folders")
	case format.Picture:
		return words.T("Pictures")
	case format.Video:
		return words.T("Videos")
	case format.Document:
		return words.T("Documents")
	case format.Archive:
		return words.T("Archives")
	case format.Program:
		return words.T("Programs")
	case format.Other:
		return words.T("Other files")
	case "":
		return words.T("Any kind")
	default:
		return format.KindName(kind)
	}
}

// sizeChoice names a choice of size.
func sizeChoice(i int) string {
	from, below := sizes[i][0], sizes[i][1]
	switch {
	case i == 0:
		return words.T("Any size")
	case from == 0:
		return words.T("Up to %s", round(below))
	case below > domain.MaxFileSize:
		return words.T("Over %s", round(from))
	default:
		return words.T("%s to %s", round(from), round(below))
	}
}

// round writes a round size: "1 MB" rather than "1.0 MB".
func round(bytes int64) string {
	return strings.NewReplacer(".0 ", " ", ",0 ", " ").Replace(words.Size(bytes))
}

// fits reports whether an entry has the kind and size that are wanted.
func (f filter) fits(e domain.Entry) bool {
	if e.Folder {
		return f.size == 0 && (f.kind == "" || f.kind == folders)
	}
	if f.kind != "" && f.kind != format.KindOf(e.Name()) {
		return false
	}
	return e.Size >= sizes[f.size][0] && e.Size < sizes[f.size][1]
}

// wants reports whether a row is to be seen. Folders stay while the user walks
// through them, whatever kind and size the files are to have.
func (f filter) wants(r *row, walking bool) bool {
	if f.hereNow && !r.here {
		return false
	}
	if f.kind == "" && f.size == 0 || walking && r.result.Folder {
		return true
	}
	return (f.kind == "" || f.kind == r.kind) && f.fits(r.result.Entry)
}

// apply returns the rows that are to be seen, in a slice of its own.
func (f filter) apply(all []*row, at place) []*row {
	if f == (filter{}) {
		return slices.Clone(all)
	}
	rows := make([]*row, 0, len(all))
	for _, r := range all {
		if f.wants(r, at.query == "") {
			rows = append(rows, r)
		}
	}
	return rows
}

// filters are the buttons that set the filter.
type filters struct {
	object  *fyne.Container
	kind    *widget.Button
	size    *widget.Button
	hereNow *widget.Button
}

func (f *filters) build(v *View) {
	f.kind = widget.NewMenuButton("", widget.Plain, func() { below(f.kind, v.kindItems()) })
	f.size = widget.NewMenuButton("", widget.Plain, func() { below(f.size, v.sizeItems()) })
	f.hereNow = widget.NewButton(words.T("Here now"), "box", widget.Plain, func() {
		v.wish.filter.hereNow = !v.wish.filter.hereNow
		v.filtered()
	})
	f.object = widget.HBox(theme.Space8, f.kind, f.size, f.hereNow)
	f.show(filter{})
}

// kindItems are the kinds to choose from.
func (v *View) kindItems() []*fyne.MenuItem {
	items := make([]*fyne.MenuItem, len(kinds))
	for i, kind := range kinds {
		items[i] = fyne.NewMenuItem(kindChoice(kind), func() {
			v.wish.filter.kind = kind
			v.filtered()
		})
		items[i].Checked = v.wish.filter.kind == kind
	}
	return items
}

// sizeItems are the sizes to choose from.
func (v *View) sizeItems() []*fyne.MenuItem {
	items := make([]*fyne.MenuItem, len(sizes))
	for i := range sizes {
		items[i] = fyne.NewMenuItem(sizeChoice(i), func() {
			v.wish.filter.size = i
			v.filtered()
		})
		items[i].Checked = v.wish.filter.size == i
	}
	return items
}

// show lights the buttons of what is set.
func (f *filters) show(set filter) {
	kind, size, box := words.T("Kind"), words.T("Size"), "box"
	if set.kind != "" {
		kind = kindChoice(set.kind)
	}
	if set.size != 0 {
		size = sizeChoice(set.size)
	}
	if set.hereNow {
		box = "box-checked"
	}
	f.kind.Set(kind, "chevron-down")
	f.size.Set(size, "chevron-down")
	f.hereNow.Set(words.T("Here now"), box)
	f.kind.SetChosen(set.kind != "")
	f.size.SetChosen(set.size != 0)
	f.hereNow.SetChosen(set.hereNow)
	f.object.Refresh()
}

// filtered shows what the filter wants by now. What is found is asked for
// anew, since more than is shown may have been found.
func (v *View) filtered() {
	v.filters.show(v.wish.filter)
	if v.at.query != "" {
		v.load(false)
		return
	}
	v.arrange()
}

// ClearFilters shows everything again.
func (v *View) ClearFilters() {
	v.wish.filter = filter{}
	v.filtered()
	v.focusRows()
}

// below opens a menu under a button.
func below(button *widget.Button, items []*fyne.MenuItem) {
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(button).AddXY(0, button.Size().Height+theme.Space4)
	fwidget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), canvasOf(button), at)
}
