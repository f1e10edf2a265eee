package widget

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
)

// row is one row of a List. It takes presses itself and is not Tappable: that
// would hold every click back until it cannot become a double click.
type row struct {
	fwidget.BaseWidget
	list    *List
	index   int
	id      string
	cells   Cells
	content fyne.CanvasObject // the cells' object
	hovered bool

	back *canvas.Rectangle
	bar  *canvas.Rectangle
	ring *canvas.Rectangle
}

var (
	_ desktop.Mouseable      = (*row)(nil)
	_ desktop.Hoverable      = (*row)(nil)
	_ fyne.SecondaryTappable = (*row)(nil)
)

func newRow(list *List, cells Cells) *row {
	r := &row{list: list, index: -1, cells: cells, content: cells.Object()}
	r.back = &canvas.Rectangle{CornerRadius: theme.RadiusRow}
	r.bar = &canvas.Rectangle{CornerRadius: theme.SelectionBar / 2}
	r.ring = &canvas.Rectangle{CornerRadius: theme.RadiusRow, StrokeWidth: theme.FocusRing}
	r.ExtendBaseWidget(r)
	return r
}

// set makes it the row of an index and ID.
func (r *row) set(index int, id string) {
	r.index, r.id = index, id
	r.paint()
}

// paint shows selection, hover and cursor.
func (r *row) paint() {
	selected := r.list.sel.Has(r.id)
	fill := color.Color(color.Transparent)
	switch {
	case selected:
		fill = theme.Color(theme.Selected)
	case r.hovered && !r.list.heading(r.id):
		fill = theme.Color(theme.Hover)
	}
	ring := r.list.focused && r.list.byKeys && r.index == r.list.at
	if r.back.FillColor == fill && r.bar.Visible() == selected && r.ring.Visible() == ring && r.bar.FillColor == theme.Color(theme.Primary) {
		return
	}
	r.back.FillColor = fill
	r.bar.FillColor = theme.Color(theme.Primary)
	r.bar.Hidden = !selected
	r.ring.FillColor = color.Transparent
	r.ring.StrokeColor = theme.Color(theme.Primary)
	r.ring.Hidden = !ring
	r.back.Refresh()
	r.bar.Refresh()
	r.ring.Refresh()
}

// MouseDown is called by Fyne.
func (r *row) MouseDown(ev *desktop.MouseEvent) { r.list.press(r.id, ev.Button, ev.Modifier) }

// MouseUp is called by Fyne.
func (r *row) MouseUp(ev *desktop.MouseEvent) {
	if ev.Button == desktop.MouseButtonPrimary {
		r.list.release(r.id)
	}
}

// TappedSecondary is called by Fyne.
func (r *row) TappedSecondary(ev *fyne.PointEvent) { r.list.menu(r.id, ev.AbsolutePosition) }

// MouseIn is called by Fyne.
func (r *row) MouseIn(*desktop.MouseEvent) {
	r.hovered = true
	r.list.hover(1)
	r.paint()
}

// MouseMoved is called by Fyne.
func (r *row) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is called by Fyne.
func (r *row) MouseOut() {
	r.hovered = false
	r.list.hover(-1)
	r.paint()
}

// CreateRenderer is called by Fyne.
func (r *row) CreateRenderer() fyne.WidgetRenderer {
	r.paint()
	return &rowRenderer{r}
}

type rowRenderer struct{ row *row }

// Destroy is called by Fyne.
func (r *rowRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *rowRenderer) MinSize() fyne.Size { return fyne.NewSize(0, r.row.list.height) }

// Objects is called by Fyne.
func (r *rowRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.row.back, r.row.bar, r.row.content, r.row.ring}
}

// Layout is called by Fyne.
func (r *rowRenderer) Layout(size fyne.Size) {
	r.row.back.Resize(size)
	r.row.ring.Resize(size)
	r.row.bar.Move(fyne.NewPos(0, theme.RadiusRow))
	r.row.bar.Resize(fyne.NewSize(theme.SelectionBar, size.Height-2*theme.RadiusRow))
	r.row.content.Move(fyne.NewPos(theme.Space12, 0))
	r.row.content.Resize(fyne.NewSize(size.Width-2*theme.Space12, size.Height))
}

// Refresh is called by Fyne.
func (r *rowRenderer) Refresh() {
	r.row.back.FillColor = nil // paint anew: the theme may have changed
	r.row.paint()
	r.row.content.Refresh()
}
