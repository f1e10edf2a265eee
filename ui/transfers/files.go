package transfers

import (
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// The sizes of the list of files.
const (
	fileHeight float32 = 32
	filesHead  float32 = 36
)

// files is the list of a download's files, with a box to choose each. Only
// the rows on screen are put into words: there may be a hundred thousand.
type files struct {
	block   *fyne.Container // all of it
	fixed   *fyne.Container
	list    *widget.List
	summary *widget.Text
	every   *widget.Button
	nothing *widget.Button

	all     []domain.FileProgress
	changes map[int]bool // what the user has chosen otherwise than it is, by index
	chosen  int          // files
	changed func()

	loading bool
	next    time.Time // when to look again how far they are
}

// build makes the list, empty. The function is called when the choice has
// changed.
func (f *files) build(changed func()) {
	f.changed = changed
	f.changes = make(map[int]bool)
	f.list = widget.NewList(fileHeight, func() widget.Cells { return newFile(f) }, func(i int, cells widget.Cells) { cells.(*fileView).show(i) })
	f.list.OnOpen = func(id string) { f.toggle([]string{id}) }
	f.list.OnKey = func(ev *fyne.KeyEvent) bool {
		if ev.Name == fyne.KeySpace {
			f.toggle(f.list.Selected())
		}
		return ev.Name == fyne.KeySpace
	}
	f.summary = widget.NewText("", theme.TextCaption, theme.SecondText).Shortened(widget.End)
	f.every = widget.NewButton(words.T("All"), "", widget.Quiet, func() { f.choose(f.indexes(), true) }).Small()
	f.nothing = widget.NewButton(words.T("None"), "", widget.Quiet, func() { f.choose(f.indexes(), false) }).Small()
	head := widget.Fixed(0, filesHead, container.NewBorder(nil, nil, nil, widget.HBox(theme.Space4, f.every, f.nothing), f.summary))
	f.fixed = widget.Fixed(0, fewestFiles*fileHeight, container.NewBorder(head, nil, nil, nil, f.list))
	f.block = container.NewStack(f.fixed)
}

// setHeight gives the list a height, its heading included.
func (f *files) setHeight(height float32) {
	if height == f.fixed.MinSize().Height {
		return
	}
	f.fixed = widget.Fixed(0, height, f.fixed.Objects[0])
	f.block.Objects = []fyne.CanvasObject{f.fixed}
}

// stale reports whether it is time to look again how far the files are.
func (f *files) stale(now time.Time) bool { return !f.loading && !now.Before(f.next) }

// loaded shows the files; ids are new ones for all, or nil if they are as
// many as before.
func (f *files) loaded(all []domain.FileProgress, ids []string) {
	f.all = all
	if ids != nil {
		f.list.SetIDs(ids)
	} else {
		f.list.Refill()
	}
	f.count()
}

// wanted reports whether a file is chosen now.
func (f *files) wanted(i int) bool {
	if want, changed := f.changes[i]; changed {
		return want
	}
	return !f.all[i].Skipped
}

// fixedIn reports whether a file can not be left out any more: it is here.
func (f *files) fixedIn(i int) bool { return f.all[i].State == domain.Done && !f.all[i].Skipped }

// toggle chooses files, or leaves all of them out if they all are chosen.
func (f *files) toggle(ids []string) {
	var at []int
	want := false
	for _, id := range ids {
		if i, err := strconv.Atoi(id); err == nil && i < len(f.all) && !f.fixedIn(i) {
			at = append(at, i)
			want = want || !f.wanted(i)
		}
	}
	f.choose(at, want)
}

// choose chooses files or leaves them out.
func (f *files) choose(at []int, want bool) {
	for _, i := range at {
		switch {
		case f.fixedIn(i):
		case want == !f.all[i].Skipped:
			delete(f.changes, i)
		default:
			f.changes[i] = want
		}
	}
	f.list.Refill()
	f.count()
	f.changed()
}

func (f *files) indexes() []int {
	at := make([]int, len(f.all))
	for i := range at {
		at[i] = i
	}
	return at
}

// count says how many files are chosen.
func (f *files) count() {
	var size int64
	total, here := 0, 0
	f.chosen = 0
	for i := range f.all {
		if f.all[i].Folder {
			continue
		}
		total++
		if f.wanted(i) {
			f.chosen++
			size += f.all[i].Size
		}
		if f.fixedIn(i) {
			here++
		}
	}
	f.summary.SetText(sizeWords(f.chosen, total, size))
	f.every.SetDisabled(f.chosen == total)
	f.nothing.SetDisabled(f.chosen == here)
}

// numbers returns "0", "1" and so on: the IDs of files.
func numbers(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	return ids
}

// fileColumns are the box, the name, the size, and how much is here.
var fileColumns = widget.Columns{{Width: 20}, {}, {Width: 84, Right: true}, {Width: 48, Right: true}}

// fileView shows a file.
type fileView struct {
	files  *files
	index  int
	object *fyne.Container
	box    *widget.Check
	here   *widget.Icon
	name   *widget.Text
	size   *widget.Text
	done   *widget.Text
}

func newFile(f *files) *fileView {
	v := &fileView{
		files: f,
		box:   widget.NewCheck(), here: widget.NewIcon("check", theme.Done),
		name: widget.NewCell(widget.Middle, fyne.TextAlignLeading, theme.Text),
		size: widget.NewCell(widget.End, fyne.TextAlignTrailing, theme.SecondText),
		done: widget.NewCell(widget.End, fyne.TextAlignTrailing, theme.SecondText),
	}
	v.box.OnTapped = func() { f.toggle([]string{strconv.Itoa(v.index)}) }
	v.object = container.New(fileColumns, container.NewStack(v.box, v.here), v.name, v.size, v.done)
	return v
}

// Object returns what shows the file.
func (v *fileView) Object() fyne.CanvasObject { return v.object }

func (v *fileView) show(i int) {
	v.index = i
	file := &v.files.all[i]
	fixed := v.files.fixedIn(i)
	widget.SetVisible(v.box, !fixed)
	widget.SetVisible(v.here, fixed)
	v.box.Set(v.files.wanted(i))
	ink := theme.Text
	if !v.files.wanted(i) {
		ink = theme.SecondText
	}
	v.name.Set(format.Name(within(file.Target)), ink)
	size, done := format.Size(file.Size), ""
	if file.Folder {
		size = ""
	}
	if !fixed && file.Done > 0 {
		done = format.Percent(file.Done, file.Size)
	}
	v.size.SetText(size)
	v.done.SetText(done)
}

// within returns a file's path in the folder that is downloaded.
func within(target string) string {
	if _, below, ok := strings.Cut(target, "/"); ok {
		return below
	}
	return target
}
