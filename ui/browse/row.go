package browse

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// rowHeight is the height of a file's row.
const rowHeight float32 = 32

// kindColumn is the place of the kind among the columns.
const kindColumn = 1

// newColumns returns the columns of a page of its own: how wide the table must
// be for the kind to be shown depends on what stands beside it.
func newColumns() widget.Columns {
	return widget.Columns{
		{Key: "name", Title: words.T("Name")},
		{Key: "kind", Title: words.T("Kind"), Width: 88, From: kindFrom},
		{Key: "size", Title: words.T("Size"), Width: 84, Right: true},
		{Key: "modified", Title: words.T("Modified"), Width: 112},
		{Key: "from", Title: words.T("From"), Width: 120},
	}
}

// iconOf returns the icon of a row and its colour: grey while nobody who has it
// is around.
func iconOf(r *row) (name string, color fyne.ThemeColorName) {
	color = theme.Primary
	if !r.here {
		color = theme.SecondText
	}
	switch r.kind {
	case folders, format.Picture, format.Music, format.Video, format.Document, format.Archive, format.Program:
		return r.kind, color
	default:
		return "file", color
	}
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

func newRow(columns widget.Columns) widget.Cells {
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
	icon, tint := iconOf(r)
	v.icon.Set(icon, tint)
	v.name.SetText(r.name)
	v.kind.SetText(r.kindWords)
	v.size.SetText(r.size)
	v.modified.SetText(r.modified)
	v.from.SetText(r.from)

	note, noteInk, check := "", theme.SecondText, false
	switch {
	case p.words != "":
		note, noteInk, check = p.words, p.ink, p.done
	case r.result.Have:
		note, noteInk, check = words.T("you have this"), theme.Done, true
	case r.away:
		note = words.T("away")
	}
	v.note.Set(note, noteInk)
	widget.SetVisible(v.note, note != "")
	widget.SetVisible(v.check, check)
	widget.SetVisible(v.bar, p.bar)
	v.bar.Set(p.fraction, p.ink)
	name := v.object.Objects[0].(*fyne.Container)
	name.Layout.Layout(name.Objects, name.Size())
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
