// Package transfers is the page of downloads and uploads.
//
// A View belongs to the UI thread, except for Prepare.
package transfers

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
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
	// First lets downloads run before all others, Later after them.
	First(ctx context.Context, ids []string) error
	Later(ctx context.Context, ids []string) error
	// Files returns the files of a download, in the order in which Choose
	// counts them.
	Files(id string) ([]domain.FileProgress, error)
	// Choose leaves files out of a download, or takes them into it again, by
	// their index.
	Choose(ctx context.Context, id string, wanted map[int]bool) error
	// Providers returns whom a download comes from, and who else has it.
	Providers(id string) ([]domain.TransferProvider, error)
	// GetAgain gets what a download that has ended asked for as it is now, in
	// its place.
	GetAgain(ctx context.Context, id string) (newID string, err error)
	// CheckAgain looks whether the files of downloads that are done are as they
	// were. It returns at once.
	CheckAgain(ctx context.Context, ids []string) error
	// Missing has the downloads looked at that lie at a path where nothing was
	// found.
	Missing(ctx context.Context, path string) error
	// Clear removes what has ended from the list, Remove some of it.
	Clear(ctx context.Context) error
	Remove(ctx context.Context, ids []string) error
	// DeleteFiles is Remove that deletes the files too, but for those that are
	// not as they were downloaded; left is how many these are.
	DeleteFiles(ctx context.Context, ids []string) (left int, err error)
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
	// OnFolder is called to have the user choose a folder.
	OnFolder func(chosen func(path string))
	// OnError is called with what could not be done.
	OnError func(err error)
	// OnToast is called with what was done and how to take it back.
	OnToast func(text string, undo func())

	run       *work.Runner
	transfers Transfers
	now       func() time.Time
	all       []*row          // of all transfers, in order
	known     map[string]*row // the same by their IDs
	rows      []*row          // of those that are shown
	ids       []string        // of rows
	filter    Filter
	hidden    bool                            // another page is on screen
	before    atomic.Pointer[map[string]*row] // what Prepare made last
	total     history
	each      map[string]*history // of what moved lately, by ID
	details   *details            // nil if none are shown

	list    *widget.List
	empty   *widget.Empty
	choices [4]*widget.Button
	pause   *widget.Button
	clear   *widget.Button
	foot    *foot
	object  fyne.CanvasObject
}

// New returns the page, empty.
func New(run *work.Runner, transfers Transfers) *View {
	v := &View{run: run, transfers: transfers, now: time.Now, each: make(map[string]*history)}
	v.before.Store(new(map[string]*row))
	v.list = widget.NewList(rowHeight, newRow, func(i int, cells widget.Cells) { cells.(*rowView).show(v, v.rows[i]) })
	v.list.OnOpen = v.open
	v.list.OnMenu = v.menu
	v.list.OnKey = v.key
	v.list.OnHover = func(over bool) {
		if !over {
			v.show() // the order was kept meanwhile
		}
	}
	v.empty = widget.NewEmpty("", "")
	for i, name := range []string{words.T("All"), words.T("Down"), words.T("Up"), words.T("Done")} {
		v.choices[i] = widget.NewButton(name, "", widget.Choice, func() { v.SetFilter(Filter(i)) })
	}
	v.pause = widget.NewButton(words.T("Pause all"), "", widget.Plain, v.toggleAll)
	v.clear = widget.NewButton(words.T("Clear done"), "", widget.Plain, func() {
		v.do(func(ctx context.Context) error { return v.transfers.Clear(ctx) })
	})
	v.foot = newFoot()
	heading := widget.HBox(theme.Space4, widget.NewBold(words.T("Transfers"), theme.TextHeading, theme.Text),
		widget.Fixed(theme.Space8, 0, container.NewWithoutLayout()),
		v.choices[0], v.choices[1], v.choices[2], v.choices[3])
	v.object = widget.NewPage(heading, []fyne.CanvasObject{v.pause, v.clear}, nil,
		container.NewStack(v.list, v.empty.Container), v.foot.object)
	v.SetFilter(All)
	return v
}

// Object returns the page.
func (v *View) Object() fyne.CanvasObject { return v.object }

// List returns what takes the keyboard.
func (v *View) List() *widget.List { return v.list }

// Files returns the rows of the details that are open; nil if none are.
func (v *View) Files() *widget.List {
	if v.details == nil {
		return nil
	}
	return v.details.list
}

// SetShown says whether the page is on screen. Off screen it only takes in
// what it is told: each change would have the window painted.
func (v *View) SetShown(shown bool) {
	if v.hidden == shown {
		v.hidden = !shown
		v.show()
	}
}

// SetFree tells how many bytes may still be written where downloads go; -1 is
// not known.
func (v *View) SetFree(bytes int64) { v.foot.setFree(bytes) }

// Running returns how many downloads and uploads run, or will when it is their
// turn. What waits for somebody who is away does not.
func (v *View) Running() (downloads, uploads int) {
	for _, r := range v.all {
		switch {
		case r.transfer.State != domain.Running && r.transfer.State != domain.Queued:
		case upwards(&r.transfer):
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
	rows := rowsOf(transfers, now, *v.before.Load())
	known := make(map[string]*row, len(rows))
	for _, r := range rows {
		known[r.id] = r
	}
	v.before.Store(&known)
	return func() {
		v.all, v.known = rows, known
		v.record(now)
		v.show()
	}
}

// Moving reports whether Tick is to be called each second: something moves, or
// did a moment ago.
func (v *View) Moving() bool { return v.total.alive(v.now()) }

// Tick lets the graphs go on while there is no news.
func (v *View) Tick(now time.Time) {
	v.record(now)
	v.graphs(now)
}

// record keeps what moves at this moment for the graphs.
func (v *View) record(now time.Time) {
	var down, up float64
	for _, r := range v.all {
		t := &r.transfer
		var mine [2]float64
		if upwards(t) {
			mine[1] = t.Rate
			up += t.Rate
		} else {
			mine[0] = t.Rate
			down += t.Rate
		}
		h := v.each[t.ID]
		if h == nil && t.Rate >= 1 {
			h = &history{}
			v.each[t.ID] = h
		}
		if h != nil {
			h.tell(now, mine[0], mine[1])
		}
	}
	v.total.tell(now, down, up)
	for id, h := range v.each {
		if _, ok := v.known[id]; !ok || now.Sub(h.moved) > widget.GraphSeconds*time.Second {
			delete(v.each, id)
		}
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

// show brings the page up to date.
func (v *View) show() {
	if v.hidden {
		return
	}
	v.rows = v.arranged()
	ids := make([]string, len(v.rows))
	for i := range v.rows {
		ids[i] = v.rows[i].id
	}
	if slices.Equal(ids, v.ids) {
		v.list.Refill()
	} else {
		v.ids = ids
		v.list.SetIDs(ids)
	}
	v.heading()
	v.graphs(v.now())
	if v.details != nil {
		v.details.show()
	}
	widget.SetVisible(v.list, len(v.rows) > 0)
	if len(v.rows) == 0 {
		v.empty.Set(v.filter.nothing(len(v.all) > 0), "")
	}
	widget.SetVisible(v.empty.Container, len(v.rows) == 0)
}

// arranged returns the rows that are to be shown. While the pointer is over
// them they stay where they are, so that a click meets what it was meant for.
func (v *View) arranged() []*row {
	rows := make([]*row, 0, len(v.all))
	for _, r := range v.all {
		if v.filter.has(&r.transfer) {
			rows = append(rows, r)
		}
	}
	if !v.list.Hovered() {
		return rows
	}
	place := make(map[string]int, len(v.ids))
	for i, id := range v.ids {
		place[id] = i
	}
	slices.SortStableFunc(rows, func(a, b *row) int {
		at, was := place[a.id]
		other, also := place[b.id]
		switch {
		case was && also:
			return cmp.Compare(at, other)
		case was:
			return -1
		case also:
			return 1
		default:
			return 0
		}
	})
	return rows
}

// heading says what the buttons above the rows do.
func (v *View) heading() {
	pause, resume := len(v.every(pausing)) > 0, len(v.every(resuming)) > 0
	name := words.T("Pause all")
	if !pause && resume {
		name = words.T("Resume all")
	}
	if name != v.pause.Text() {
		v.pause.Set(name, "")
		v.object.Refresh() // it has another width
	}
	v.pause.SetDisabled(!pause && !resume)
	v.clear.SetDisabled(!slices.ContainsFunc(v.all, func(r *row) bool { return r.transfer.State.Ended() }))
}

// graphs shows what moved in the last minute.
func (v *View) graphs(now time.Time) {
	if v.hidden {
		return
	}
	v.foot.setRates(float64(v.total.rateDown), float64(v.total.rateUp))
	v.foot.setGraph(&v.total, v.total.alive(now))
	if v.details != nil {
		v.details.showGraph(now)
	}
}

// toggleAll pauses everything; if nothing is left to pause, it resumes it.
func (v *View) toggleAll() {
	if ids := v.every(pausing); len(ids) > 0 {
		v.act(pausing, ids)
		return
	}
	v.act(resuming, v.every(resuming))
}

// has reports whether the filter shows a transfer.
func (f Filter) has(t *domain.Transfer) bool {
	switch f {
	case Down:
		return !upwards(t)
	case Up:
		return upwards(t)
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
		return words.T("Nothing moving. Browse what others share.")
	case f == Down:
		return words.T("You are getting nothing.")
	case f == Up:
		return words.T("Nobody is getting anything from you.")
	default:
		return words.T("Nothing is done yet.")
	}
}

// open opens what is finished, and shows the details of what is not.
func (v *View) open(id string) {
	if len(v.able([]string{id}, opening)) > 0 {
		v.act(opening, []string{id})
		return
	}
	v.act(telling, []string{id})
}

func (v *View) key(ev *fyne.KeyEvent) bool {
	switch ev.Name {
	case fyne.KeySpace:
		v.toggle(v.list.Selected())
	case fyne.KeyDelete:
		v.drop(v.list.Selected())
	default:
		return false
	}
	return true
}
