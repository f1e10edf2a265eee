// Package people is the page that says who is around, and who was.
//
// A View belongs to the UI thread, except for Prepare.
package people

import (
	"context"
	"fmt"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/work"
)

// People is what the window needs of the use case. Its methods may be called
// from any goroutine and may block.
type People interface {
	// Connect dials a typed address and returns who answered there.
	Connect(ctx context.Context, address string) (domain.Peer, error)
}

// lookingFor is how long an empty page says that it is still looking.
const lookingFor = 3 * time.Second

// View is the page.
type View struct {
	// OnBrowse is called to see what somebody shares.
	OnBrowse func(peer domain.PeerID, name string)
	// OnAddress is called to connect to somebody who was not found.
	OnAddress func()

	run     *work.Runner
	rows    []row
	byID    map[string]int
	pending []row // the latest order, held back while the pointer is over the rows
	looking bool

	list   *widget.List
	empty  *widget.Empty
	body   *fyne.Container
	object fyne.CanvasObject
	count  *widget.Text
}

// New returns the page, empty.
func New(run *work.Runner) *View {
	v := &View{run: run, looking: true}
	v.list = widget.NewList(rowHeight, newRow, v.update)
	v.list.Heading = func(id string) bool { return id == headingID }
	v.list.OnOpen = v.open
	v.list.OnMenu = v.menu
	v.list.OnHover = func(over bool) {
		if !over && v.pending != nil {
			v.show(v.pending)
		}
	}
	v.empty = widget.NewEmpty("", "",
		widget.NewButton("Type an address…", "", widget.Plain, func() { v.OnAddress() }))
	v.body = container.NewStack(v.list, v.empty.Container)
	v.count = widget.NewText("", theme.TextCaption, theme.SecondText)
	v.object = widget.NewPage(widget.NewHeading("People"), nil, nil, v.body, v.count)
	v.show(nil)
	run.After(lookingFor, func(context.Context) func() {
		return func() {
			v.looking = false
			v.words()
		}
	})
	return v
}

// Object returns the page.
func (v *View) Object() fyne.CanvasObject { return v.object }

// List returns what takes the keyboard.
func (v *View) List() *widget.List { return v.list }

// Prepare makes rows of peers. It may be called from any goroutine; what it
// returns shows them and belongs to the UI thread.
func (v *View) Prepare(peers []domain.Peer, now time.Time) (show func()) {
	rows := rowsOf(peers, now)
	return func() {
		if v.list.Hovered() && len(v.rows) > 0 {
			// What the pointer is about to press must not move away.
			v.pending = rows
			rows = steady(v.rows, rows)
		} else {
			v.pending = nil
		}
		v.set(rows)
	}
}

func (v *View) show(rows []row) {
	v.pending = nil
	v.set(rows)
}

func (v *View) set(rows []row) {
	v.rows = rows
	ids := make([]string, len(rows))
	v.byID = make(map[string]int, len(rows))
	around := 0
	for i, r := range rows {
		ids[i] = r.id
		v.byID[r.id] = i
		if r.online {
			around++
		}
	}
	v.list.SetIDs(ids)
	text := ""
	switch {
	case around == 1:
		text = "1 person around"
	case around > 1:
		text = fmt.Sprintf("%d people around", around)
	}
	v.count.SetText(text)
	v.words()
}

// words says why there are no rows, if there are none.
func (v *View) words() {
	if len(v.rows) > 0 {
		v.empty.Hide()
		v.list.Show()
		return
	}
	v.list.Hide()
	if v.looking {
		v.empty.Set("Looking around…", "")
	} else {
		v.empty.Set("Nobody here yet. Open Potluck on another computer on this network.", "")
	}
	v.empty.Actions().Hidden = v.looking
	v.empty.Show()
	v.empty.Refresh()
}

func (v *View) open(id string) {
	if i, ok := v.byID[id]; ok && id != headingID {
		v.OnBrowse(v.rows[i].peer.ID, v.rows[i].peer.Name)
	}
}

func (v *View) menu(at fyne.Position) {
	selected := v.list.Selected()
	if len(selected) != 1 {
		return
	}
	id := selected[0]
	c := fyne.CurrentApp().Driver().CanvasForObject(v.list)
	fwidget.ShowPopUpMenuAtPosition(fyne.NewMenu("",
		fyne.NewMenuItem("Browse", func() { v.open(id) }),
		fyne.NewMenuItemSeparator(),
		fyne.NewMenuItem("Copy ID", func() { fyne.CurrentApp().Clipboard().SetContent(id) }),
	), c, at)
}

func (v *View) update(i int, cells widget.Cells) {
	cells.(*rowView).show(&v.rows[i], v.open)
}
