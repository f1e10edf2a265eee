// Package browse is the page that shows what others share, and searches it.
//
// A View belongs to the UI thread.
package browse

import (
	"context"
	"path"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/work"
)

// Browse is what the page needs of the use case. Its methods may be called
// from any goroutine and may block.
type Browse interface {
	// List returns what lies directly in a folder of peer; the empty folder
	// holds the shares, and the empty peer stands for everyone.
	List(ctx context.Context, peer domain.PeerID, folder string) ([]domain.Result, error)
	// Search returns up to limit entries whose names hold all words, of peer
	// or, if that is empty, of everyone.
	Search(ctx context.Context, words string, peer domain.PeerID, limit int) ([]domain.Result, error)
}

// Getter begins downloads. Its method may be called from any goroutine and may
// block.
type Getter interface {
	Get(ctx context.Context, req domain.GetRequest) (id string, err error)
}

const (
	// typing is how long the page waits for the next letter before it
	// searches.
	typing = 150 * time.Millisecond
	// mostFound is how many results of a search are shown.
	mostFound = 1000
	// patience is how long the page stays empty before it says that it waits.
	patience = 200 * time.Millisecond
	// calm is the shortest time between loads that nobody asked for.
	calm = time.Second
)

// place is what the page shows: a folder of somebody, or of everyone, or what
// is found there.
type place struct {
	peer   domain.PeerID // empty: everyone
	name   string        // the peer's
	folder string
	query  string
}

// View is the page.
type View struct {
	// OnError is called with what could not be begun.
	OnError func(err error)

	run    *work.Runner
	browse Browse
	get    Getter

	at         place
	generation int  // counts what was asked for; older answers are dropped
	loading    bool // the answer for the present place is not here yet
	failure    error
	table
	pending    *table // a newer answer, held back while the pointer is over the rows
	sort       string
	descending bool
	progress   map[target]progress
	catalogues map[domain.PeerID]event.CatalogueState
	stopSearch func()
	shown      bool
	stale      bool // something has changed since the last load
	soon       bool // loaded a moment ago

	crumbs   *crumbs
	search   *widget.Entry
	header   *widget.Header
	list     *widget.List
	sheet    *fyne.Container // header and list
	empty    *widget.Empty
	retry    *widget.Button
	notice   *fyne.Container
	body     *fyne.Container
	download *widget.Button
	count    *widget.Text
	more     *widget.Button
	object   fyne.CanvasObject
}

// New returns the page, showing everyone. Reload fills it.
func New(run *work.Runner, browse Browse, get Getter) *View {
	v := &View{run: run, browse: browse, get: get, stopSearch: func() {}, stale: true}
	v.crumbs = newCrumbs()
	v.search = widget.NewEntry("")
	v.search.SetIcon(theme.Icon("search", theme.SecondText))
	v.search.OnChanged = v.typed
	v.search.OnKey = v.searchKey
	v.header = widget.NewHeader(columns, "")
	v.header.OnSort = v.sortBy
	v.list = widget.NewList(rowHeight, newRow, v.update)
	v.list.OnOpen = v.open
	v.list.OnSelect = v.selection
	v.list.OnMenu = v.menu
	v.list.OnKey = v.key
	v.list.OnHover = func(over bool) {
		if !over && v.pending != nil {
			v.showTable(*v.pending)
		}
	}
	v.sheet = container.NewBorder(v.header.Container, nil, nil, nil, v.list)
	v.retry = widget.NewButton("Try again", "retry", widget.Plain, v.Reload)
	v.empty = widget.NewEmpty("", "", v.retry)
	v.notice = container.NewStack()
	v.body = container.NewStack(v.sheet, v.empty.Container)
	v.download = widget.NewButton("Download", "download", widget.Primary, func() { v.Download() })
	v.count = widget.NewText("", theme.TextCaption, theme.SecondText)
	v.more = widget.NewButton("", "", widget.Quiet, func() { v.showTable(*v.pending) }).Small()
	v.more.Hide()
	foot := widget.Fixed(0, 18, container.NewBorder(nil, nil, v.count, v.more))
	v.object = widget.NewPage(v.crumbs, []fyne.CanvasObject{v.download},
		widget.VBox(theme.Space8, v.search, v.notice), v.body, foot)
	v.show()
	return v
}

// Object returns the page.
func (v *View) Object() fyne.CanvasObject { return v.object }

// List returns what takes the keyboard.
func (v *View) List() *widget.List { return v.list }

// Search returns the line to search with.
func (v *View) Search() fyne.Focusable { return v.search }

// Everyone goes to what everyone shares.
func (v *View) Everyone() { v.visit(place{}) }

// Person goes to what one person shares.
func (v *View) Person(id domain.PeerID, name string) { v.visit(place{peer: id, name: name}) }

// SearchEveryone goes to the search over everyone, keeping what was typed.
func (v *View) SearchEveryone() {
	if v.at.peer != "" || v.at.folder != "" {
		v.visit(place{query: v.at.query})
	}
}

// visit goes to a place.
func (v *View) visit(to place) {
	v.stopSearch()
	v.at = to
	v.table, v.pending = table{}, nil
	v.header.Clear()
	v.sort, v.descending = "", false
	v.list.SetIDs(nil)
	v.list.Unselect()
	v.list.ScrollToTop()
	if v.search.Text != to.query {
		changed := v.search.OnChanged
		v.search.OnChanged = nil
		v.search.SetText(to.query)
		v.search.OnChanged = changed
	}
	v.load(false)
}

// Reload asks again for what is shown.
func (v *View) Reload() { v.load(false) }

// load asks for the present place. A quiet load keeps what is shown until the
// answer is there, and then moves no rows under the pointer.
func (v *View) load(quiet bool) {
	v.generation++
	generation, at, order := v.generation, v.at, ordering{v.sort, v.descending}
	if !quiet {
		v.loading = true
		v.failure = nil
		v.show()
	}
	v.run.Go(func(ctx context.Context) func() {
		var results []domain.Result
		var err error
		if at.query != "" {
			results, err = v.browse.Search(ctx, at.query, at.peer, mostFound)
		} else {
			results, err = v.browse.List(ctx, at.peer, at.folder)
		}
		rows := rowsOf(results, at, time.Now())
		order.apply(rows, at)
		latest := tableOf(rows)
		return func() {
			if generation != v.generation {
				return // something else was asked for meanwhile
			}
			v.loading = false
			v.failure = err
			if err != nil && quiet && len(v.rows) > 0 {
				v.failure = nil // what was here is better than a complaint
				return
			}
			if quiet && v.list.Hovered() && moves(v.rows, rows) {
				v.hold(latest)
				return
			}
			v.showTable(latest)
		}
	})
}

// hold keeps newer rows back and offers them.
func (v *View) hold(latest table) {
	v.pending = &latest
	text := "Show what has changed"
	if n := len(latest.rows) - len(v.rows); n > 0 {
		text = count(n) + " more. Show"
	}
	v.more.Set(text, "")
	v.more.Show()
}

func (v *View) showTable(latest table) {
	v.pending = nil
	v.more.Hide()
	v.table = latest
	v.list.SetIDs(latest.ids)
	v.show()
}

// Changed says that the entries known of somebody have changed.
func (v *View) Changed(states map[domain.PeerID]event.CatalogueState, peers []domain.PeerID) {
	v.catalogues = states
	concerns := false
	for _, id := range peers {
		if v.at.peer == "" || v.at.peer == id {
			concerns = true
		}
	}
	if concerns {
		v.refreshSoon()
	}
	v.show()
}

// SetShown says whether the page is on screen. While it is not, changes wait.
func (v *View) SetShown(shown bool) {
	v.shown = shown
	if shown && v.stale {
		v.stale = false
		v.load(len(v.rows) > 0)
	}
}

// refreshSoon loads quietly, once for all changes within a while: a list that
// is being pulled changes many times a second.
func (v *View) refreshSoon() {
	if !v.shown || v.soon {
		v.stale = true
		return
	}
	v.soon, v.stale = true, false
	v.load(len(v.rows) > 0)
	v.run.After(calm, func(context.Context) func() {
		return func() {
			v.soon = false
			if v.stale {
				v.refreshSoon()
			}
		}
	})
}

// PrepareTransfers finds the progress of downloads. It may be called from any
// goroutine; what it returns shows it in the rows they belong to and belongs
// to the UI thread.
func (v *View) PrepareTransfers(transfers []domain.Transfer) (show func()) {
	latest := progressOf(transfers)
	return func() {
		if len(latest) == 0 && len(v.progress) == 0 {
			return
		}
		v.progress = latest
		v.list.Redraw()
	}
}

// typed searches a moment after the last letter.
func (v *View) typed(query string) {
	v.stopSearch()
	v.stopSearch = v.run.After(typing, func(context.Context) func() {
		return func() {
			if query != v.search.Text || query == v.at.query {
				return
			}
			v.at.query = query
			v.list.Unselect()
			v.list.ScrollToTop()
			v.load(false)
		}
	})
}

func (v *View) searchKey(ev *fyne.KeyEvent) bool {
	switch {
	case ev.Name == fyne.KeyEscape && v.search.Text != "":
		v.search.SetText("")
		return true
	case ev.Name == fyne.KeyDown, ev.Name == fyne.KeyReturn, ev.Name == fyne.KeyEnter:
		if c := fyne.CurrentApp().Driver().CanvasForObject(v.list); c != nil && v.list.Len() > 0 {
			c.Focus(v.list)
		}
		return true
	default:
		return false
	}
}

func (v *View) sortBy(key string, descending bool) {
	v.sort, v.descending = key, descending
	rows := append([]row(nil), v.rows...)
	at := v.at
	generation := v.generation
	v.run.Go(func(context.Context) func() {
		ordering{key, descending}.apply(rows, at)
		sorted := tableOf(rows)
		return func() {
			if generation == v.generation {
				v.showTable(sorted)
			}
		}
	})
}

// Up goes to the folder above.
func (v *View) Up() {
	switch {
	case v.at.query != "":
		v.visit(place{peer: v.at.peer, name: v.at.name, folder: v.at.folder})
	case v.at.folder != "":
		up := path.Dir(v.at.folder)
		if up == "." {
			up = ""
		}
		v.visit(place{peer: v.at.peer, name: v.at.name, folder: up})
	case v.at.peer != "":
		v.visit(place{})
	}
}

func (v *View) open(id string) {
	i, ok := v.byID[id]
	if !ok {
		return
	}
	r := &v.rows[i]
	if !r.result.Folder {
		v.begin([]string{id})
		return
	}
	to := place{peer: v.at.peer, name: v.at.name, folder: r.result.Path}
	if p, ok := r.provider(v.at.peer); ok {
		to = place{peer: p.Peer, name: p.Name, folder: p.Path}
	}
	v.visit(to)
}

// Download gets what is selected.
func (v *View) Download() { v.begin(v.list.Selected()) }

// begin gets the rows of these IDs. The page stays; the rows gain progress.
func (v *View) begin(ids []string) {
	var requests []domain.GetRequest
	for _, id := range ids {
		i, ok := v.byID[id]
		if !ok {
			continue
		}
		r := &v.rows[i]
		request := domain.GetRequest{Peer: v.at.peer, Path: r.result.Path}
		if p, ok := r.provider(v.at.peer); ok {
			request.Peer, request.Path = p.Peer, p.Path
		}
		if request.Peer == "" {
			request = domain.GetRequest{Content: r.result.Content}
		}
		requests = append(requests, request)
	}
	if len(requests) == 0 {
		return
	}
	v.run.Go(func(ctx context.Context) func() {
		var failed error
		for _, request := range requests {
			if _, err := v.get.Get(ctx, request); err != nil && failed == nil {
				failed = err
			}
		}
		if failed != nil && ctx.Err() == nil {
			return func() { v.OnError(failed) }
		}
		return nil
	})
}

func (v *View) key(ev *fyne.KeyEvent) bool {
	if ev.Name == fyne.KeyBackspace {
		v.Up()
		return true
	}
	return false
}

func (v *View) update(i int, cells widget.Cells) {
	r := &v.rows[i]
	cells.(*rowView).show(r, v.progressFor(r))
}
