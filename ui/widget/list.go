package widget

import (
	"math"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	fwidget "fyne.io/fyne/v2/widget"
)

// rowGap is the space between rows.
const rowGap float32 = 2

// List shows any number of rows of one height, of which only those on screen
// exist. Rows are known by their IDs; selection, cursor and scroll position
// stay with them when the order changes.
//
// It is not built on Fyne's list, which selects one row by its index, takes
// the rows' clicks for itself and builds a row anew at each refresh.
type List struct {
	fwidget.BaseWidget

	// OnOpen is called for a double click or Enter on a row.
	OnOpen func(id string)
	// OnMenu is called for a right click, Shift+F10 or the Menu key, with the
	// place on the canvas, after the row was selected.
	OnMenu func(at fyne.Position)
	// OnSelect is called when the selection has changed.
	OnSelect func()
	// Heading reports whether a row is a heading between others, which cannot
	// be selected. Nil: none is.
	Heading func(id string) bool
	// OnHover is called when the pointer comes over the rows or leaves them.
	OnHover func(over bool)
	// OnKey is asked first about each key; true means that it was dealt with.
	OnKey func(*fyne.KeyEvent) bool
	// Label returns the name of a row, to which typing its first letters jumps.
	// Nil: letters do nothing.
	Label func(id string) string

	height  float32
	create  func() Cells
	update  func(index int, row Cells)
	ids     []string
	sel     Selection
	at      int // row of the cursor, -1 if nowhere
	focused bool
	byKeys  bool // the focus came or was used by the keyboard: show where it is
	over    int  // rows under the pointer: 0 or 1, 2 for a moment

	scroll  *container.Scroll
	content *fyne.Container
	rows    []*row // row i of the list is rows[i % len(rows)]
	first   int    // rows first to last are on screen
	last    int

	pressedID string
	pressedAt time.Time
	double    bool // the press under way is the second one of a double click
	typing    typing
	now       func() time.Time
	modifiers func() fyne.KeyModifier
}

var _ fyne.Focusable = (*List)(nil)

// Cells is the content of a row. Its object must not take clicks except in
// buttons of its own.
type Cells interface {
	Object() fyne.CanvasObject
}

// NewList returns an empty list. The function create makes the content of a
// row and update fills it.
func NewList(height float32, create func() Cells, update func(index int, row Cells)) *List {
	l := &List{height: height, create: create, update: update, at: -1, last: -1, now: time.Now, modifiers: currentModifiers}
	l.content = container.New(&listLayout{l})
	l.scroll = container.NewVScroll(l.content)
	l.scroll.OnScrolled = func(fyne.Position) { l.show(false) }
	l.ExtendBaseWidget(l)
	return l
}

func currentModifiers() fyne.KeyModifier {
	if d, ok := fyne.CurrentApp().Driver().(desktop.Driver); ok {
		return d.CurrentKeyModifiers()
	}
	return 0
}

// SetIDs says which rows there are, top to bottom, and draws anew those on
// screen. The caller must not change ids afterwards.
func (l *List) SetIDs(ids []string) { l.SetTable(ids, nil) }

// SetTable is SetIDs for a long list without headings, whose rows are not
// searched but found by their places. The caller must change neither.
func (l *List) SetTable(ids []string, places map[string]int) {
	l.ids = ids
	before := l.sel.Len()
	l.sel.places = places
	l.sel.Retain(ids, l.at)
	l.at = l.sel.index(ids, l.sel.cursor)
	if most := max(0, l.fullHeight()-l.scroll.Size().Height); l.scroll.Offset.Y > most {
		l.scroll.Offset.Y = most
	}
	l.scroll.Refresh()
	l.show(true)
	if l.sel.Len() != before {
		l.selected()
	}
}

// Redraw fills the rows on screen anew.
func (l *List) Redraw() { l.show(true) }

// Refill fills the rows on screen anew and, unlike Redraw, has nothing painted
// again but what the rows themselves find changed: it is for rows whose words
// change many times a second.
func (l *List) Refill() {
	for i := l.first; i <= l.last && i < len(l.ids); i++ {
		if r := l.rows[i%len(l.rows)]; r.index == i {
			l.update(i, r.cells)
		}
	}
}

// At returns the row at a place of the canvas; ok is false if there is none.
func (l *List) At(at fyne.Position) (id string, ok bool) {
	origin := fyne.CurrentApp().Driver().AbsolutePositionForObject(l.scroll)
	size := l.scroll.Size()
	x, y := at.X-origin.X, at.Y-origin.Y
	if !l.Visible() || x < 0 || y < 0 || x >= size.Width || y >= size.Height {
		return "", false
	}
	y += l.scroll.Offset.Y
	i := int(y / l.pitch())
	if i >= len(l.ids) || y-float32(i)*l.pitch() >= l.height {
		return "", false
	}
	return l.ids[i], true
}

// Place returns where a row is on the canvas.
func (l *List) Place(id string) (fyne.Position, fyne.Size) {
	origin := fyne.CurrentApp().Driver().AbsolutePositionForObject(l.scroll)
	y := float32(slices.Index(l.ids, id))*l.pitch() - l.scroll.Offset.Y
	return origin.AddXY(0, y), fyne.NewSize(l.scroll.Size().Width, l.height)
}

// Len returns the number of rows.
func (l *List) Len() int { return len(l.ids) }

// Cursor returns the row of the keyboard; empty if it is nowhere.
func (l *List) Cursor() string {
	if l.at < 0 {
		return ""
	}
	return l.ids[l.at]
}

// Selected returns the IDs of the selected rows, top to bottom.
func (l *List) Selected() []string { return l.sel.In(l.ids) }

// Select selects one row and brings it into view.
func (l *List) Select(id string) {
	at := l.sel.index(l.ids, id)
	if at < 0 {
		return
	}
	l.sel.Only(id)
	l.moved(at)
}

// SelectAll selects all rows.
func (l *List) SelectAll() {
	l.sel.All(l.selectable())
	l.at = l.sel.index(l.ids, l.sel.cursor)
	l.show(true)
	l.selected()
}

// Unselect selects nothing and takes the cursor away.
func (l *List) Unselect() {
	had := l.sel.Len() > 0
	l.sel = Selection{places: l.sel.places}
	l.at = -1
	l.show(true)
	if had {
		l.selected()
	}
}

// ScrollToTop brings the first row into view.
func (l *List) ScrollToTop() {
	l.scroll.Offset.Y = 0
	l.scroll.Refresh()
	l.show(false)
}

// Hovered reports whether the pointer is over a row.
func (l *List) Hovered() bool { return l.over > 0 }

func (l *List) hover(by int) {
	was := l.Hovered()
	l.over = max(0, l.over+by)
	if was != l.Hovered() && l.OnHover != nil {
		l.OnHover(l.Hovered())
	}
}

func (l *List) heading(id string) bool { return l.Heading != nil && l.Heading(id) }

// selectable returns the rows that are no headings.
func (l *List) selectable() []string {
	if l.Heading == nil {
		return l.ids
	}
	ids := make([]string, 0, len(l.ids))
	for _, id := range l.ids {
		if !l.Heading(id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (l *List) selected() {
	if l.OnSelect != nil {
		l.OnSelect()
	}
}

func (l *List) pitch() float32      { return l.height + rowGap }
func (l *List) fullHeight() float32 { return max(0, float32(len(l.ids))*l.pitch()-rowGap) }

// moved follows the cursor to its new row.
func (l *List) moved(at int) {
	l.at = at
	top := float32(at) * l.pitch()
	view := l.scroll.Size().Height
	switch {
	case top < l.scroll.Offset.Y:
		l.scroll.Offset.Y = top
	case top+l.height > l.scroll.Offset.Y+view:
		l.scroll.Offset.Y = max(0, top+l.height-view)
	}
	l.scroll.Refresh()
	l.show(true)
	l.selected()
}

// show gives each row on screen a widget. Rows that had one keep it and, if
// all is false, are not filled again.
func (l *List) show(all bool) {
	size := l.scroll.Size()
	if size.Height <= 0 || size.Width <= 0 {
		return
	}
	for need := int(math.Ceil(float64(size.Height/l.pitch()))) + 1; len(l.rows) < need; {
		l.rows = append(l.rows, newRow(l, l.create()))
		all = true // the rows' places in l.rows have changed
	}
	l.first = max(0, int(l.scroll.Offset.Y/l.pitch()))
	l.last = min(len(l.ids), l.first+len(l.rows)) - 1

	objects := l.content.Objects[:0]
	for i := l.first; i <= l.last; i++ {
		r := l.rows[i%len(l.rows)]
		r.Move(fyne.NewPos(0, float32(i)*l.pitch()))
		r.Resize(fyne.NewSize(size.Width, l.height))
		if all || r.index != i || r.id != l.ids[i] {
			r.set(i, l.ids[i])
			l.update(i, r.cells)
		}
		objects = append(objects, r)
	}
	for i := len(objects); i < len(l.content.Objects); i++ {
		l.content.Objects[i] = nil
	}
	l.content.Objects = objects
	if c := fyne.CurrentApp().Driver().CanvasForObject(l); c != nil {
		c.Refresh(l.content)
	}
}

// FocusGained is called by Fyne.
func (l *List) FocusGained() {
	l.focused, l.byKeys = true, true
	for i := l.first; l.at < 0 && i < len(l.ids); i++ {
		if !l.heading(l.ids[i]) {
			l.at = i
			l.sel.cursor, l.sel.anchor = l.ids[i], l.ids[i]
		}
	}
	l.show(true)
}

// FocusLost is called by Fyne.
func (l *List) FocusLost() {
	l.focused = false
	l.show(true)
}

// TypedKey moves the cursor and acts on the selection.
func (l *List) TypedKey(ev *fyne.KeyEvent) {
	if l.OnKey != nil && l.OnKey(ev) {
		return
	}
	l.byKeys = true
	extend := l.modifiers()&fyne.KeyModifierShift != 0
	page := max(1, int(l.scroll.Size().Height/l.pitch())-1)
	delta := 0
	switch ev.Name {
	case fyne.KeyUp:
		delta = -1
	case fyne.KeyDown:
		delta = 1
	case fyne.KeyPageUp:
		delta = -page
	case fyne.KeyPageDown:
		delta = page
	case fyne.KeyHome:
		delta = -len(l.ids)
	case fyne.KeyEnd:
		delta = len(l.ids)
	case fyne.KeyReturn, fyne.KeyEnter:
		if l.at >= 0 && l.OnOpen != nil {
			l.OnOpen(l.ids[l.at])
		}
		return
	case desktop.KeyMenu:
		l.menuAtCursor()
		return
	case fyne.KeyF10:
		if extend {
			l.menuAtCursor()
			return
		}
		forwardKey(l, ev)
		return
	default:
		forwardKey(l, ev)
		return
	}
	if at := l.sel.Move(l.selectable(), delta, extend); at >= 0 {
		l.moved(l.sel.index(l.ids, l.sel.cursor))
	}
}

func (l *List) menuAtCursor() {
	if l.at < 0 || l.OnMenu == nil {
		return
	}
	l.sel.Keep(l.ids[l.at])
	l.moved(l.at)
	r := l.rows[l.at%len(l.rows)]
	l.OnMenu(fyne.CurrentApp().Driver().AbsolutePositionForObject(r).AddXY(l.height, l.height/2))
}

// press selects on the press of a button, as file managers do.
func (l *List) press(id string, button desktop.MouseButton, modifiers fyne.KeyModifier) {
	l.double = false
	at := l.sel.index(l.ids, id)
	if at < 0 || l.heading(id) {
		return
	}
	switch {
	case button == desktop.MouseButtonSecondary:
		l.sel.Keep(id)
	case button != desktop.MouseButtonPrimary:
		return
	case modifiers&fyne.KeyModifierShift != 0:
		l.sel.Extend(l.selectable(), id)
	case modifiers&fyne.KeyModifierShortcutDefault != 0:
		l.sel.Toggle(id)
	default:
		// Counted here and not by Fyne, which loses the double click on a row
		// that follows a click on another one.
		now := l.now()
		l.double = id == l.pressedID && now.Sub(l.pressedAt) <= doubleClick
		l.pressedID, l.pressedAt = id, now
		if l.double {
			l.pressedID = ""
		}
		l.sel.Only(id)
	}
	if button == desktop.MouseButtonSecondary || modifiers != 0 {
		l.pressedID = ""
	}
	l.at = at // before the focus comes, which else begins at the first row
	if c := fyne.CurrentApp().Driver().CanvasForObject(l); c != nil {
		c.Focus(l)
	}
	l.byKeys = false
	l.show(true)
	l.selected()
}

// doubleClick is the longest time between the presses of a double click.
const doubleClick = 400 * time.Millisecond

func (l *List) release(id string) {
	if l.double && l.OnOpen != nil {
		l.double = false
		l.OnOpen(id)
	}
}

func (l *List) menu(id string, at fyne.Position) {
	// With another menu open, a right click comes without its press.
	if l.heading(id) {
		return
	}
	if row := l.sel.index(l.ids, id); row >= 0 {
		l.sel.Keep(id)
		l.at = row
		l.show(true)
		l.selected()
	}
	if l.OnMenu != nil {
		l.OnMenu(at)
	}
}

// CreateRenderer is called by Fyne.
func (l *List) CreateRenderer() fyne.WidgetRenderer { return &listRenderer{l} }

type listRenderer struct{ list *List }

// Destroy is called by Fyne.
func (r *listRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *listRenderer) MinSize() fyne.Size { return fyne.NewSize(100, r.list.height) }

// Objects is called by Fyne.
func (r *listRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.list.scroll} }

// Layout is called by Fyne.
func (r *listRenderer) Layout(size fyne.Size) {
	r.list.scroll.Resize(size)
	r.list.show(false)
}

// Refresh is called by Fyne.
func (r *listRenderer) Refresh() {
	r.list.scroll.Refresh()
	for _, row := range r.list.rows {
		row.Refresh()
	}
	r.list.show(true)
}

// listLayout gives the scrolled content its height; the rows are placed by
// List.show.
type listLayout struct{ list *List }

// Layout is called by Fyne.
func (l *listLayout) Layout([]fyne.CanvasObject, fyne.Size) {}

// MinSize is called by Fyne.
func (l *listLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, l.list.fullHeight())
}
