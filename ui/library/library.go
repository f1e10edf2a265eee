// Package library is the page of what this user shares.
//
// A View belongs to the UI thread, except for Prepare.
package library

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
	"github.com/potluck-share/potluck/ui/work"
)

// Library is what the window needs of the use case. Its methods may be called
// from any goroutine and may block.
type Library interface {
	// Share offers paths to audience. What could not be shared is named in the
	// report; an error means that nothing was.
	Share(ctx context.Context, paths []string, audience domain.Audience) (domain.ShareReport, error)
	// Unshare stops offering the shares of these names. It deletes no file.
	Unshare(ctx context.Context, names []string) error
	// Restore shares again what Unshare stopped, as it was.
	Restore(ctx context.Context, share domain.Share) error
	// SetAudience changes who sees the share of a name.
	SetAudience(ctx context.Context, name string, audience domain.Audience) error
	// Move says that the share of a name lies at another path now.
	Move(ctx context.Context, name, path string) error
	// Assess tells which of paths should be asked about before sharing them.
	Assess(ctx context.Context, paths []string) []domain.Risk
	// DefaultAudience is who sees what is shared without saying.
	DefaultAudience() domain.Audience
	// Files returns up to limit of what lies in a folder of a share, folders
	// first: from the beginning if after is empty, else from the next of the
	// last call on, which is empty at the end.
	Files(ctx context.Context, share, folder, after string, limit int) (rows []domain.ShareFile, next string, err error)
	// Fetchers tells who fetched from a share, the latest first.
	Fetchers(ctx context.Context, share string) ([]domain.Fetcher, error)
}

// View is the page.
type View struct {
	// OnFile and OnFolder are called to choose what to share.
	OnFile, OnFolder func()
	// OnUnshare is called to stop sharing.
	OnUnshare func(shares []domain.Share)
	// OnReveal is called to show a file or folder in its folder.
	OnReveal func(path string)
	// OnFind is called to choose where a share lies now that is gone.
	OnFind func(share domain.Share)
	// OnError is called with what could not be done.
	OnError func(error)

	run    *work.Runner
	core   Library
	known  map[string]domain.Share // by name
	who    names
	self   domain.PeerID      // of this user, for links
	shares []row              // as sorted
	open   map[string]*branch // what is unfolded, by the rows' IDs
	rows   []*row             // of the list
	byID   map[string]int     // the rows by their IDs
	sort   string
	down   bool
	wanted string // a share to select as soon as it is there

	list     *widget.List
	header   *widget.Header
	share    *widget.Button
	table    *fyne.Container
	empty    fyne.CanvasObject
	reserved *fyne.Container // says that only friends see something here
	body     *fyne.Container
	count    *widget.Text
	object   fyne.CanvasObject
}

// New returns the page, empty.
func New(run *work.Runner, core Library) *View {
	v := &View{run: run, core: core, sort: "name", open: make(map[string]*branch)}
	columns := columns()
	act := actions{unfold: v.unfold, choose: v.choose, find: v.find, remove: func(id string) { v.unshare([]string{id}) }}
	v.list = widget.NewList(rowHeight, func() widget.Cells { return newCells(columns, act) }, v.update)
	v.list.Heading = isNote
	v.list.Label = v.name
	v.list.OnOpen = v.reveal
	v.list.OnMenu = v.menu
	v.list.OnKey = v.key
	v.header = widget.NewHeader(columns, v.sort)
	v.header.OnSort = func(key string, down bool) {
		v.sort, v.down = key, down
		sortRows(v.shares, v.sort, v.down)
		v.flatten()
	}
	v.share = widget.NewMenuButton(words.T("Share files…"), widget.Primary, v.Choose)
	v.table = container.NewBorder(v.header.Container, nil, nil, nil, v.list)
	v.empty = container.NewCenter(widget.NewDashed(widget.NewEmpty(
		words.T("Drop files or folders here. They stay where they are; others can copy them."), "").Container, 526, 204))
	v.body = container.NewStack(v.table, v.empty)
	v.reserved = container.NewStack()
	v.reserved.Hide()
	v.count = widget.NewText("", theme.TextCaption, theme.SecondText)
	hint := widget.NewText(words.T("Drop files anywhere in this window"), theme.TextCaption, theme.SecondText)
	foot := container.NewBorder(nil, nil, v.count, hint)
	v.object = widget.NewPage(widget.NewHeading(words.T("My shares")), []fyne.CanvasObject{v.share}, v.reserved, v.body, foot)
	v.show(nil)
	return v
}

// Object returns the page.
func (v *View) Object() fyne.CanvasObject { return v.object }

// List returns what takes the keyboard.
func (v *View) List() *widget.List { return v.list }

// SetReserved says whether, on this network, only friends see what is shared;
// change is called to change that.
func (v *View) SetReserved(reserved bool, change func()) {
	v.reserved.Objects = nil
	if reserved {
		v.reserved.Objects = []fyne.CanvasObject{widget.NewNotice("hidden", theme.Waiting,
			words.T("On this network only friends see your shares."), nil,
			widget.NewButton(words.T("Change"), "", widget.Plain, change).Small())}
	}
	widget.SetVisible(v.reserved, reserved)
	v.object.Refresh()
}

// Problems returns how many shares have a problem.
func (v *View) Problems() int {
	n := 0
	for _, r := range v.shares {
		if r.broken {
			n++
		}
	}
	return n
}

// Prepare makes rows of shares; names are those of the people that are known.
// It may be called from any goroutine; what it returns shows them and belongs
// to the UI thread.
func (v *View) Prepare(shares []domain.Share, names map[domain.PeerID]string) (show func()) {
	rows := rowsOf(shares, names)
	return func() {
		v.who = names
		v.show(rows)
	}
}

// SetNames says what the people are called who may be chosen to see something.
func (v *View) SetNames(names map[domain.PeerID]string) { v.who = names }

// Select selects a share by its name, now or when it comes.
func (v *View) Select(name string) {
	v.wanted = name
	v.selectWanted()
}

// SetSelf says under which ID this user is known.
func (v *View) SetSelf(id domain.PeerID) { v.self = id }

// At returns the shares that lie at some of the paths.
func (v *View) At(paths []string) []domain.Share {
	var shares []domain.Share
	for _, path := range paths {
		for _, r := range v.shares {
			if r.share.Path == path {
				shares = append(shares, *r.share)
			}
		}
	}
	return shares
}

func (v *View) show(rows []row) {
	sortRows(rows, v.sort, v.down)
	before := v.known
	v.known = make(map[string]domain.Share, len(rows))
	files, bytes := 0, int64(0)
	for _, r := range rows {
		v.known[r.id] = *r.share
		files += r.share.Entries
		bytes += r.share.Bytes
	}
	v.shares = rows
	v.reloadChanged(before, v.known)
	v.flatten()
	v.selectWanted()
	v.count.SetText("")
	if len(rows) > 0 {
		v.count.SetText(words.T("%s, %s", words.N("%s files", files), words.Size(bytes)))
		v.empty.Hide()
		v.table.Show()
		return
	}
	v.table.Hide()
	v.empty.Show()
}

func (v *View) selectWanted() {
	if v.row(v.wanted) != nil {
		v.list.Select(v.wanted)
		v.wanted = ""
	}
}

// row returns a row of the list, nil if it is gone.
func (v *View) row(id string) *row {
	if i, ok := v.byID[id]; ok {
		return v.rows[i]
	}
	return nil
}

// name returns what a row is called, for the keyboard to jump to.
func (v *View) name(id string) string {
	if r := v.row(id); r != nil {
		return r.name
	}
	return ""
}

// chosen returns the shares among rows.
func (v *View) chosen(ids []string) []domain.Share {
	var shares []domain.Share
	for _, id := range ids {
		if r := v.row(id); r != nil && r.kind == shareRow {
			shares = append(shares, *r.share)
		}
	}
	return shares
}

func (v *View) unshare(ids []string) {
	if shares := v.chosen(ids); len(shares) > 0 {
		v.OnUnshare(shares)
	}
}

func (v *View) find(id string) {
	if shares := v.chosen([]string{id}); len(shares) > 0 {
		v.OnFind(shares[0])
	}
}

func (v *View) reveal(id string) {
	if r := v.row(id); r != nil && r.kind != noteRow {
		v.OnReveal(v.place(r))
	}
}

// key stops sharing, unfolds, folds, and goes up to the folder.
func (v *View) key(ev *fyne.KeyEvent) bool {
	id := v.list.Cursor()
	r := v.row(id)
	switch ev.Name {
	case fyne.KeyDelete:
		v.unshare(v.list.Selected())
	case fyne.KeyRight:
		if r != nil && r.folder && !r.open {
			v.unfold(id)
		}
	case fyne.KeyLeft:
		switch {
		case r != nil && r.open:
			v.unfold(id)
		case r != nil && parent(id) != "":
			v.list.Select(parent(id))
		}
	default:
		return false
	}
	return true
}

func (v *View) update(i int, c widget.Cells) {
	r := v.rows[i]
	c.(*cells).show(r)
	if r.more != nil {
		v.loadMore(r.more)
	}
}
