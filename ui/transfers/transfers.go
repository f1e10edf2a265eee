// Package transfers is the page of downloads and uploads.
//
// A View belongs to the UI thread, except for Prepare.
package transfers

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/work"
)

// Transfers is what the window needs of the use case. Its methods may be
// called from any goroutine and may block.
type Transfers interface {
	// Get begins a download and returns its ID.
	Get(ctx context.Context, req domain.GetRequest) (id string, err error)
	Pause(ctx context.Context, ids []string) error
	Resume(ctx context.Context, ids []string) error
	Cancel(ctx context.Context, ids []string) error
	// Retry begins failed and cancelled transfers again, where they stopped.
	Retry(ctx context.Context, ids []string) error
	// Clear removes what has ended from the list.
	Clear(ctx context.Context) error
}

// Filter says which transfers are shown.
type Filter int

// The filters.
const (
	All Filter = iota
	Down
	Up
	Done
)

// View is the page.
type View struct {
	// OnOpen is called to open a finished file or folder, from being whose it
	// came from.
	OnOpen func(path, from string)
	// OnReveal is called to show it in its folder.
	OnReveal func(path string)
	// OnError is called with what could not be done.
	OnError func(err error)
	// OnToast is called with what was done and how to take it back.
	OnToast func(text string, undo func())

	run       *work.Runner
	transfers Transfers
	all       []row // of all transfers, in order
	rows      []row // of those that are shown
	byID      map[string]int
	filter    Filter

	list    *widget.List
	empty   *widget.Empty
	choices [4]*widget.Button
	pause   *widget.Button
	clear   *widget.Button
	down    *widget.Text
	up      *widget.Text
	rates   *fyne.Container
	body    *fyne.Container
	object  fyne.CanvasObject
}

// New returns the page, empty.
func New(run *work.Runner, transfers Transfers) *View {
	v := &View{run: run, transfers: transfers}
	v.list = widget.NewList(rowHeight, newRow, v.update)
	v.list.OnOpen = v.open
	v.list.OnMenu = v.menu
	v.list.OnKey = v.key
	v.empty = widget.NewEmpty("Nothing moving. Browse what others share.", "")
	v.body = container.NewStack(v.list, v.empty.Container)
	for i, name := range []string{"All", "Down", "Up", "Done"} {
		v.choices[i] = widget.NewButton(name, "", widget.Choice, func() { v.SetFilter(Filter(i)) })
	}
	v.pause = widget.NewButton("Pause all", "", widget.Plain, v.pauseAll)
	v.clear = widget.NewButton("Clear done", "", widget.Plain, func() {
		v.do(func(ctx context.Context) error { return v.transfers.Clear(ctx) })
	})
	v.down = widget.NewText("", theme.TextCaption, theme.SecondText)
	v.up = widget.NewText("", theme.TextCaption, theme.SecondText)
	v.rates = widget.HBox(theme.Space4,
		widget.NewIcon("download", theme.Primary).Sized(16), v.down,
		widget.Fixed(theme.Space8, 0, container.NewWithoutLayout()),
		widget.NewIcon("upload", theme.Upload).Sized(16), v.up)
	heading := widget.HBox(theme.Space4, widget.NewBold("Transfers", theme.TextHeading, theme.Text),
		widget.Fixed(theme.Space16, 0, container.NewWithoutLayout()),
		v.choices[0], v.choices[1], v.choices[2], v.choices[3])
	v.object = widget.NewPage(heading, []fyne.CanvasObject{v.pause, v.clear}, nil, v.body, widget.Fixed(0, 18, v.rates))
	v.SetFilter(All)
	return v
}

// Object returns the page.
func (v *View) Object() fyne.CanvasObject { return v.object }

// List returns what takes the keyboard.
func (v *View) List() *widget.List { return v.list }

// Running returns how many downloads and uploads run or wait for their turn.
func (v *View) Running() (downloads, uploads int) {
	for _, r := range v.all {
		switch {
		case r.transfer.State.Ended() || r.transfer.State == domain.Paused:
		case r.transfer.Kind == domain.Upload:
			uploads++
		default:
			downloads++
		}
	}
	return downloads, uploads
}

// Prepare makes rows of transfers. It may be called from any goroutine; what
// it returns shows them and belongs to the UI thread.
func (v *View) Prepare(transfers []domain.Transfer, now time.Time) (show func()) {
	rows := rowsOf(transfers, now)
	return func() {
		v.all = rows
		v.show()
	}
}

// SetFilter shows a part of the transfers.
func (v *View) SetFilter(filter Filter) {
	v.filter = filter
	for i, b := range v.choices {
		b.SetChosen(Filter(i) == filter)
	}
	v.show()
}

func (v *View) show() {
	v.rows = v.rows[:0:0]
	v.byID = make(map[string]int)
	var down, up float64
	running, done := 0, 0
	for _, r := range v.all {
		t := &r.transfer
		if t.Kind == domain.Upload {
			up += t.Rate
		} else {
			down += t.Rate
		}
		switch {
		case t.State.Ended():
			done++
		case t.State != domain.Paused && t.Kind != domain.Upload:
			running++
		}
		if v.filter.has(t) {
			v.byID[r.id] = len(v.rows)
			v.rows = append(v.rows, r)
		}
	}
	ids := make([]string, len(v.rows))
	for i, r := range v.rows {
		ids[i] = r.id
	}
	v.list.SetIDs(ids)
	v.pause.SetDisabled(running == 0)
	v.clear.SetDisabled(done == 0)
	rate(v.rates, 0, v.down, down)
	rate(v.rates, 3, v.up, up)
	v.rates.Refresh()
	if len(v.rows) > 0 {
		v.empty.Hide()
		v.list.Show()
		return
	}
	v.list.Hide()
	v.empty.Set(v.filter.nothing(len(v.all) > 0), "")
	v.empty.Show()
}

// rate shows the icon at an index of box and its text, or neither for no rate.
func rate(box *fyne.Container, at int, text *widget.Text, rate float64) {
	words := format.Rate(rate)
	text.SetText(words)
	box.Objects[at].(*widget.Icon).Hidden = words == ""
	text.Hidden = words == ""
}

// has reports whether the filter shows a transfer.
func (f Filter) has(t *domain.Transfer) bool {
	switch f {
	case Down:
		return t.Kind != domain.Upload
	case Up:
		return t.Kind == domain.Upload
	case Done:
		return t.State.Ended()
	default:
		return true
	}
}

// nothing says that there is nothing to show; others tells that another filter
// would show something.
func (f Filter) nothing(others bool) string {
	switch {
	case !others:
		return "Nothing moving. Browse what others share."
	case f == Down:
		return "You are getting nothing."
	case f == Up:
		return "Nobody is getting anything from you."
	default:
		return "Nothing is done yet."
	}
}

// do calls the use case and shows what went wrong.
func (v *View) do(task func(ctx context.Context) error) {
	v.run.Go(func(ctx context.Context) func() {
		if err := task(ctx); err != nil && ctx.Err() == nil {
			return func() { v.OnError(err) }
		}
		return nil
	})
}

func (v *View) pauseAll() {
	var ids []string
	for _, r := range v.all {
		if r.can(pausing) {
			ids = append(ids, r.id)
		}
	}
	v.do(func(ctx context.Context) error { return v.transfers.Pause(ctx, ids) })
}

// toggle pauses what runs; if nothing does, it goes on with what is paused.
func (v *View) toggle(ids []string) {
	pause, resume := v.able(ids, pausing), v.able(ids, resuming)
	switch {
	case len(pause) > 0:
		v.do(func(ctx context.Context) error { return v.transfers.Pause(ctx, pause) })
	case len(resume) > 0:
		v.do(func(ctx context.Context) error { return v.transfers.Resume(ctx, resume) })
	}
}

func (v *View) cancel(ids []string) {
	ids = v.able(ids, cancelling)
	if len(ids) == 0 {
		return
	}
	text := format.Number(len(ids), "transfer is", "transfers are") + " cancelled."
	if len(ids) == 1 {
		text = v.rows[v.byID[ids[0]]].name + " is cancelled."
	}
	v.run.Go(func(ctx context.Context) func() {
		err := v.transfers.Cancel(ctx, ids)
		return func() {
			if err != nil {
				v.OnError(err)
				return
			}
			v.OnToast(text, func() {
				v.do(func(ctx context.Context) error { return v.transfers.Retry(ctx, ids) })
			})
		}
	})
}

func (v *View) retry(ids []string) {
	ids = v.able(ids, retrying)
	if len(ids) > 0 {
		v.do(func(ctx context.Context) error { return v.transfers.Retry(ctx, ids) })
	}
}

// able returns those of the IDs that an action makes sense for.
func (v *View) able(ids []string, a action) []string {
	var out []string
	for _, id := range ids {
		if i, ok := v.byID[id]; ok && v.rows[i].can(a) {
			out = append(out, id)
		}
	}
	return out
}

func (v *View) open(id string) {
	if i, ok := v.byID[id]; ok && v.rows[i].can(opening) {
		t := &v.rows[i].transfer
		v.OnOpen(t.Final, t.PeerName)
	}
}

func (v *View) reveal(id string) {
	if i, ok := v.byID[id]; ok && v.rows[i].can(opening) {
		v.OnReveal(v.rows[i].transfer.Final)
	}
}

func (v *View) key(ev *fyne.KeyEvent) bool {
	switch ev.Name {
	case fyne.KeySpace:
		v.toggle(v.list.Selected())
	case fyne.KeyDelete:
		v.cancel(v.list.Selected())
	default:
		return false
	}
	return true
}

func (v *View) menu(at fyne.Position) {
	ids := v.list.Selected()
	var items []*fyne.MenuItem
	add := func(name string, a action, do func([]string)) {
		if able := v.able(ids, a); len(able) > 0 {
			items = append(items, fyne.NewMenuItem(name, func() { do(able) }))
		}
	}
	if len(ids) == 1 {
		add("Open", opening, func(ids []string) { v.open(ids[0]) })
		add("Show in folder", opening, func(ids []string) { v.reveal(ids[0]) })
	}
	add("Pause", pausing, v.toggle)
	add("Resume", resuming, v.toggle)
	add("Try again", retrying, v.retry)
	add("Cancel", cancelling, v.cancel)
	if len(items) == 0 {
		return
	}
	fwidget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), fyne.CurrentApp().Driver().CanvasForObject(v.list), at)
}

func (v *View) update(i int, cells widget.Cells) {
	cells.(*rowView).show(v, &v.rows[i])
}
