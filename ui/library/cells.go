package library

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// rowHeight is the height of a share's row, indent how far each level below it
// is moved in.
const (
	rowHeight float32 = 36
	indent    float32 = 20
)

func columns() widget.Columns {
	return widget.Columns{
		{Key: "name", Title: words.T("Name")},
		{Key: "audience", Title: words.T("Who sees it"), Width: 104},
		{Key: "fetched", Title: words.T("Fetched"), Width: 72},
		{Key: "state", Title: words.T("State"), Width: 236},
	}
}

// actions are what a row's own buttons do, with the row's ID.
type actions struct {
	unfold func(id string)
	choose func(id string, chip fyne.CanvasObject)
	find   func(id string)
	remove func(id string)
}

// cells show a row.
type cells struct {
	object *fyne.Container
	id     string
	row    row
	name   *nameCell
	chip   *widget.Button
	times  *widget.Text // how often it was fetched
	state  *stateCell
}

func newCells(columns widget.Columns, act actions) *cells {
	c := &cells{times: widget.NewCell(widget.End, fyne.TextAlignLeading, theme.SecondText)}
	c.name = newNameCell(func() { act.unfold(c.id) })
	c.chip = widget.NewChip("", func() { act.choose(c.id, c.chip) })
	c.state = newStateCell(func() { act.find(c.id) }, func() { act.remove(c.id) })
	audience := container.New(&chipLayout{}, c.chip)
	c.object = container.New(&rowLayout{columns, c}, c.name.object, audience, c.times, c.state.object)
	return c
}

// Object returns what shows the row.
func (c *cells) Object() fyne.CanvasObject { return c.object }

func (c *cells) show(r *row) {
	relaid := c.row.kind != r.kind || c.row.depth != r.depth || c.row.folder != r.folder
	c.id, c.row = r.id, *r
	c.name.show(r)
	widget.SetVisible(c.chip, r.kind == shareRow)
	c.chip.Set(r.audience, "chevron-down")
	c.times.SetText(r.fetched)
	c.state.show(r)
	if relaid {
		c.object.Layout.Layout(c.object.Objects, c.object.Size())
	}
	c.chip.Resize(c.chip.MinSize())
}

// rowLayout gives a row its columns. Below a share there is nothing to say
// between name and state, so the name has that room too.
type rowLayout struct {
	columns widget.Columns
	cells   *cells
}

// MinSize is called by Fyne.
func (l *rowLayout) MinSize(o []fyne.CanvasObject) fyne.Size { return l.columns.MinSize(o) }

// Layout is called by Fyne.
func (l *rowLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.columns.Layout(o, size)
	if l.cells.row.kind != shareRow {
		last := o[len(o)-2]
		o[0].Resize(fyne.NewSize(last.Position().X+last.Size().Width, size.Height))
	}
}

// chipLayout puts a chip at the left at its own size.
type chipLayout struct{}

// MinSize is called by Fyne.
func (*chipLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

// Layout is called by Fyne.
func (*chipLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	m := o[0].MinSize()
	o[0].Move(fyne.NewPos(0, (size.Height-m.Height)/2))
	o[0].Resize(m)
}

// nameCell shows how deep a row lies, whether it can be unfolded, what it is,
// and its name.
type nameCell struct {
	object  *fyne.Container
	depth   int
	chevron *chevron
	icon    *widget.Icon
	text    *widget.Text
}

func newNameCell(unfold func()) *nameCell {
	n := &nameCell{
		chevron: newChevron(unfold),
		icon:    widget.NewIcon("file", theme.SecondText),
		text:    widget.NewCell(widget.Middle, fyne.TextAlignLeading, theme.Text),
	}
	n.object = container.New(n, n.chevron, n.icon, n.text)
	return n
}

func (n *nameCell) show(r *row) {
	moved := n.depth != r.depth
	n.depth = r.depth
	widget.SetVisible(n.chevron, r.folder)
	n.chevron.set(r.open)
	icon := "file"
	if r.folder {
		icon = "folder"
	}
	n.icon.Set(icon, theme.SecondText)
	widget.SetVisible(n.icon, r.kind != noteRow)
	ink := theme.Text
	if r.kind == noteRow {
		ink = theme.SecondText
	}
	n.text.Set(r.name, ink)
	if moved {
		n.Layout(nil, n.object.Size())
	}
}

// MinSize is called by Fyne.
func (n *nameCell) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(0, rowHeight) }

// Layout is called by Fyne.
func (n *nameCell) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	x := float32(n.depth) * indent
	n.chevron.Move(fyne.NewPos(x-theme.Space4, 0))
	n.chevron.Resize(fyne.NewSize(24, size.Height))
	x += 20
	n.icon.Move(fyne.NewPos(x, (size.Height-theme.IconSize)/2))
	n.icon.Resize(fyne.NewSquareSize(theme.IconSize))
	x += theme.IconSize + theme.Space8
	n.text.Move(fyne.NewPos(x, 0))
	n.text.Resize(fyne.NewSize(max(0, size.Width-x), size.Height))
}
