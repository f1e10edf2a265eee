// Package browse is the page that shows what others share, and searches it.
//
// A View belongs to the UI thread. What takes time, asking the core, sorting,
// filtering and putting rows into words, happens off it.
package browse

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
	"github.com/potluck-share/potluck/ui/work"
)

// Browse is what the page needs of the use case. Its methods may be called
// from any goroutine and may block.
type Browse interface {
	// List returns what lies directly in a folder of peer; the empty folder
	// holds the shares, and the empty peer stands for everyone.
	List(ctx context.Context, peer domain.PeerID, folder string) ([]domain.Result, error)
	// Search returns up to limit entries whose names hold all words, of peer
	// or, if that is empty, of everyone: those that keep, unless it is nil,
	// wants.
	Search(ctx context.Context, words string, peer domain.PeerID, limit int, keep func(domain.Entry) bool) ([]domain.Result, error)
	// Ask asks the people around of whom not all is here, or peer alone, for
	// what has all the words, and returns when they had a moment to answer:
	// whether they told of something that Search did not find before.
	Ask(ctx context.Context, words string, peer domain.PeerID) (news bool, err error)
	// Again gets a person's list once more if it stopped halfway.
	Again(peer domain.PeerID)
	// Where returns the path of a file on this machine that has the content,
	// and "" if there is none.
	Where(content domain.ContentID) string
	// Peek brings the beginning of a file without downloading it. It ends early
	// with its context.
	Peek(ctx context.Context, req domain.PeekRequest) (domain.Peek, error)
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
	// settled is how long a search must have stood before others are asked:
	// they can read the words.
	settled = 500 * time.Millisecond
	// askAgain is how long what they told counts as all that they have.
	askAgain = time.Minute
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
	// OnError is called with what could not be done.
	OnError func(err error)
	// OnFolder is called to choose a folder; it hands the choice to chosen.
	OnFolder func(chosen func(path string))
	// OnOpen is called to open a file of this machine that came from somebody.
	OnOpen func(path, from string)
	// OnReveal is called to show a file or folder of this machine.
	OnReveal func(path string)

	run    *work.Runner
	browse Browse
	get    Getter

	at         place
	wish       wish
	generation int  // counts what was asked for; older answers are dropped
	arranged   int  // counts the orders asked for; older ones are dropped
	loading    bool // the answer for the present place is not here yet
	failure    error
	table
	pending    *table // a newer answer, held back while the pointer is over the rows
	progress   map[target]progress
	catalogues map[domain.PeerID]event.CatalogueState
	away       map[domain.PeerID]time.Time // who is away, and since when
	stopSearch func()
	stopAsk    func()
	asking     bool  // others are, or will be
	asked      place // for what they were asked last
	askedAt    time.Time
	questions  int           // how often they were
	settle     time.Duration // how long a search must have stood before
	rest       time.Duration // how long a row must be selected before its preview is asked for
	shown      bool
	stale      bool // something has changed since the last load
	soon       bool // loaded a moment ago

	columns  widget.Columns
	crumbs   *crumbs
	search   *widget.Entry
	filters  filters
	header   *widget.Header
	list     *widget.List
	sheet    *fyne.Container // header and list
	empty    *widget.Empty
	retry    *widget.Button
	clear    *widget.Button
	notice   *fyne.Container
	said     notice
	preview  *preview
	body     *fyne.Container
	download *widget.Button
	count    *widget.Text
	late     *widget.Text
	more     *widget.Button
	lateLine *fyne.Container
	object   fyne.CanvasObject
}

// New returns the page, showing everyone. Reload fills it.
func New(run *work.Runner, browse Browse, get Getter) *View {
	v := &View{run: run, browse: browse, get: get, stopSearch: func() {}, stopAsk: func() {}, rest: restful, settle: settled, stale: true, columns: newColumns()}
	v.crumbs = newCrumbs()
	v.search = widget.NewEntry("")
	v.search.SetIcon(theme.Icon("search", theme.SecondText))
	v.search.OnChanged = v.typed
	v.search.OnKey = v.searchKey
	v.filters.build(v)
	v.header = widget.NewHeader(v.columns, "")
	v.header.OnSort = v.sortBy
	v.list = widget.NewList(rowHeight, v.newRow, v.update)
	v.list.OnOpen = v.open
	v.list.OnSelect = v.selection
	v.list.OnMenu = v.menu
	v.list.OnKey = v.key
	v.list.OnHover = func(over bool) {
		if !over && v.pending != nil {
			v.showTable(*v.pending)
		}
	}
	v.sheet = container.New(layout.NewBorderLayout(v.header.Container, nil, nil, nil), v.header.Container, v.list)
	v.retry = widget.NewButton(words.T("Try again"), "retry", widget.Plain, v.again)
	v.clear = widget.NewButton(words.T("Clear filters"), "close", widget.Plain, v.ClearFilters)
	v.empty = widget.NewEmpty("", "", v.retry, v.clear)
	v.notice = container.NewStack()
	v.preview = newPreview(v)
	v.body = container.New(&bodyLayout{v}, v.sheet, v.empty.Container, v.preview)
	v.download = widget.NewButton(words.T("Download"), "download", widget.Primary, func() { v.Download() })
	v.count = widget.NewText("", theme.TextCaption, theme.SecondText)
	v.late = widget.NewText("", theme.TextCaption, theme.Text)
	v.more = widget.NewButton(words.T("Show"), "", widget.Plain, func() { v.showTable(*v.pending) }).Small()
	v.lateLine = widget.HBox(theme.Space8, v.late, v.more)
	v.lateLine.Hide()
	foot := widget.Fixed(0, 18, container.NewBorder(nil, nil, v.count, v.lateLine))
	right := widget.Inset(v.filters.object, 0, 0, 0, theme.Space4)
	line := container.NewBorder(nil, nil, nil, right, v.search)
	v.object = widget.NewPage(v.crumbs, []fyne.CanvasObject{v.download},
		widget.VBox(theme.Space8, line, v.notice), v.body, foot)
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

// Person goes to what one person shares, and gets that list again if it stopped
// halfway.
func (v *View) Person(id domain.PeerID, name string) {
	v.askAgain(id)
	v.visit(place{peer: id, name: name})
}

// SearchEveryone goes to the search over everyone, keeping what was typed.
func (v *View) SearchEveryone() {
	if v.at.peer != "" || v.at.folder != "" {
		v.visit(place{query: v.at.query})
	}
}

// visit goes to a place. The filters stay, the order does not.
func (v *View) visit(to place) {
	v.stopSearch()
	v.at = to
	v.table, v.pending = table{}, nil
	v.lateLine.Hide()
	v.header.Clear()
	v.wish.order = order{}
	v.list.SetIDs(nil)
	v.list.Unselect()
	v.list.ScrollToTop()
	v.preview.close()
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

// again asks once more for what is shown, and for what it is made of.
func (v *View) again() {
	v.askAgain(v.at.peer)
	v.load(false)
}

func (v *View) askAgain(id domain.PeerID) {
	if id != "" {
		v.run.Go(func(context.Context) func() {
			v.browse.Again(id)
			return nil
		})
	}
}

// load asks for the present place. A quiet load keeps what is shown until the
// answer is there, and then moves no rows under the pointer.
func (v *View) load(quiet bool) {
	v.generation++
	generation, at, want := v.generation, v.at, v.wish
	if !quiet {
		v.askOthers()
		v.loading = true
		v.failure = nil
		v.show()
	}
	v.run.Go(func(ctx context.Context) func() {
		all, err := v.fetch(ctx, at, want.filter)
		latest := arrange(all, want, at)
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
			switch {
			case want != v.wish: // the user wants another order by now
				v.all = latest.all
				v.arrange()
			case quiet && v.list.Hovered() && moves(v.rows, latest.rows):
				v.hold(latest)
			default:
				v.showTable(latest)
			}
		}
	})
}

// askOthers asks people of whom not all is here, once the search has stood for
// a moment; what they tell comes as late rows do.
func (v *View) askOthers() {
	if v.at == v.asked && (v.asking || time.Since(v.askedAt) < askAgain) {
		return
	}
	v.stopAsking()
	if v.at.query == "" {
		return
	}
	v.asking, v.asked, v.askedAt = true, v.at, time.Now()
	at, questions := v.at, v.questions
	v.stopAsk = v.run.After(v.settle, func(ctx context.Context) func() {
		news, err := v.browse.Ask(ctx, at.query, at.peer)
		return func() {
			if questions != v.questions {
				return // something else is asked for by now
			}
			v.asking = false
			if news && err == nil {
				v.load(true)
			} else {
				v.show()
			}
		}
	})
}

// stopAsking drops a question that was not asked yet, and what comes of one that
// was.
func (v *View) stopAsking() {
	v.stopAsk()
	v.questions++
	v.asking, v.asked = false, place{}
}

// fetch asks for a place and puts the answer into words, off the UI thread.
func (v *View) fetch(ctx context.Context, at place, f filter) ([]*row, error) {
	if at.query == "" {
		results, err := v.browse.List(ctx, at.peer, at.folder)
		return rowsOf(results, at, time.Now()), err
	}
	var keep func(domain.Entry) bool
	if f.kind != "" || f.size != 0 {
		keep = f.fits
	}
	results, err := v.browse.Search(ctx, at.query, at.peer, mostFound, keep)
	return rowsOf(results, at, time.Now()), err
}

// arrange sorts and filters what is here anew, off the UI thread.
func (v *View) arrange() {
	v.arranged++
	generation, arranged, all, at, want := v.generation, v.arranged, v.all, v.at, v.wish
	v.run.Go(func(context.Context) func() {
		latest := arrange(all, want, at)
		return func() {
			if generation == v.generation && arranged == v.arranged {
				v.showTable(latest)
			}
		}
	})
}

// hold keeps newer rows back and offers them.
func (v *View) hold(latest table) {
	v.pending = &latest
	text := words.T("Something has changed")
	if n := len(latest.rows) - len(v.rows); n > 0 {
		text = words.T("%s more", words.Count(n))
	}
	v.late.SetText(text)
	v.lateLine.Show()
	v.lateLine.Refresh()
}

func (v *View) showTable(latest table) {
	v.pending = nil
	v.lateLine.Hide()
	v.table = latest
	v.list.SetTable(latest.ids, latest.byID)
	v.show()
}

// Changed says that the entries known of somebody have changed, or that
// somebody came or went; away tells since when who is away.
func (v *View) Changed(states map[domain.PeerID]event.CatalogueState, away map[domain.PeerID]time.Time, peers []domain.PeerID) {
	v.catalogues, v.away = states, away
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
	switch {
	case shown && v.stale:
		v.stale = false
		v.load(len(v.rows) > 0)
	case shown:
		v.list.Refill()
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
	v.load(true)
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
		if v.shown {
			v.list.Refill()
			v.preview.progressed()
		}
	}
}

func (v *View) newRow() widget.Cells { return newRow(v.columns) }

func (v *View) update(i int, cells widget.Cells) {
	r := v.rows[i]
	cells.(*rowView).show(r, v.progressFor(r))
}
