// Package library is the page of what this user shares.
//
// A View belongs to the UI thread, except for Prepare.
package library

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
)

// Library is what the window needs of the use case. Its methods may be called
// from any goroutine and may block.
type Library interface {
	// Share offers paths to audience. What could not be shared is named in the
	// report; an error means that nothing was.
	Share(ctx context.Context, paths []string, audience domain.Audience) (domain.ShareReport, error)
	// Unshare stops offering the shares of these names. It deletes no file.
	Unshare(ctx context.Context, names []string) error
	// Assess tells which of paths should be asked about before sharing them.
	Assess(ctx context.Context, paths []string) []domain.Risk
	// DefaultAudience is who sees what is shared without saying.
	DefaultAudience() domain.Audience
}

// View is the page.
type View struct {
	// OnFile and OnFolder are called to choose what to share.
	OnFile, OnFolder func()
	// OnUnshare is called to stop sharing.
	OnUnshare func(shares []domain.Share)
	// OnReveal is called to show a share in its folder.
	OnReveal func(path string)

	rows   []row
	byID   map[string]int
	sort   string
	down   bool
	wanted string // a share to select as soon as it is there

	list   *widget.List
	header *widget.Header
	share  *widget.Button
	table  *fyne.Container
	empty  fyne.CanvasObject
	body   *fyne.Container
	count  *widget.Text
	object fyne.CanvasObject
}

// New returns the page, empty.
func New() *View {
	v := &View{sort: "name"}
	v.list = widget.NewList(rowHeight, newRow, v.update)
	v.list.OnOpen = v.reveal
	v.list.OnMenu = v.menu
	v.list.OnKey = func(ev *fyne.KeyEvent) bool {
		if ev.Name == fyne.KeyDelete {
			v.unshare(v.list.Selected())
			return true
		}
		return false
	}
	v.header = widget.NewHeader(columns, v.sort)
	v.header.OnSort = func(key string, down bool) {
		v.sort, v.down = key, down
		v.show(v.rows)
	}
	v.share = widget.NewMenuButton("Share files…", widget.Primary, v.Choose)
	v.table = container.NewBorder(v.header.Container, nil, nil, nil, v.list)
	v.empty = container.NewCenter(widget.NewDashed(widget.NewEmpty("Drop files or folders here.",
		"They stay where they are; others can copy them.").Container, 526, 204))
	v.body = container.NewStack(v.table, v.empty)
	v.count = widget.NewText("", theme.TextCaption, theme.SecondText)
	hint := widget.NewText("Drop files anywhere in this window", theme.TextCaption, theme.SecondText)
	foot := container.NewBorder(nil, nil, v.count, hint)
	v.object = widget.NewPage(widget.NewHeading("My shares"), []fyne.CanvasObject{v.share}, nil, v.body, foot)
	v.show(nil)
	return v
}

// Object returns the page.
func (v *View) Object() fyne.CanvasObject { return v.object }

// List returns what takes the keyboard.
func (v *View) List() *widget.List { return v.list }

// Problems returns how many shares have a problem.
func (v *View) Problems() int {
	n := 0
	for _, r := range v.rows {
		if r.broken {
			n++
		}
	}
	return n
}

// Choose asks whether a file or a folder is to be shared.
func (v *View) Choose() {
	c := fyne.CurrentApp().Driver().CanvasForObject(v.share)
	if c == nil {
		return
	}
	menu := fwidget.NewPopUpMenu(fyne.NewMenu("",
		fyne.NewMenuItem("A file…", func() { v.OnFile() }),
		fyne.NewMenuItem("A folder…", func() { v.OnFolder() }),
	), c)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(v.share)
	size := v.share.Size()
	menu.ShowAtPosition(at.AddXY(size.Width-menu.MinSize().Width, size.Height+theme.Space4))
}

// Prepare makes rows of shares. It may be called from any goroutine; what it
// returns shows them and belongs to the UI thread.
func (v *View) Prepare(shares []domain.Share) (show func()) {
	rows := rowsOf(shares)
	return func() { v.show(rows) }
}

// Select selects a share by its name, now or when it comes.
func (v *View) Select(name string) {
	if _, ok := v.byID[name]; ok {
		v.list.Select(name)
		return
	}
	v.wanted = name
}

func (v *View) show(rows []row) {
	sortRows(rows, v.sort, v.down)
	v.rows = rows
	ids := make([]string, len(rows))
	v.byID = make(map[string]int, len(rows))
	files, bytes := 0, int64(0)
	for i, r := range rows {
		ids[i] = r.id
		v.byID[r.id] = i
		files += r.share.Entries
		bytes += r.share.Bytes
	}
	v.list.SetIDs(ids)
	if _, ok := v.byID[v.wanted]; ok {
		v.list.Select(v.wanted)
		v.wanted = ""
	}
	v.count.SetText("")
	if len(rows) > 0 {
		v.count.SetText(format.Files(files) + ", " + format.Size(bytes))
		v.empty.Hide()
		v.table.Show()
		return
	}
	v.table.Hide()
	v.empty.Show()
}

func (v *View) shares(ids []string) []domain.Share {
	var shares []domain.Share
	for _, id := range ids {
		if i, ok := v.byID[id]; ok {
			shares = append(shares, v.rows[i].share)
		}
	}
	return shares
}

func (v *View) unshare(ids []string) {
	if shares := v.shares(ids); len(shares) > 0 {
		v.OnUnshare(shares)
	}
}

func (v *View) reveal(id string) {
	if i, ok := v.byID[id]; ok {
		v.OnReveal(v.rows[i].share.Path)
	}
}

func (v *View) menu(at fyne.Position) {
	ids := v.list.Selected()
	if len(ids) == 0 {
		return
	}
	var items []*fyne.MenuItem
	if len(ids) == 1 {
		items = append(items, fyne.NewMenuItem("Show in folder", func() { v.reveal(ids[0]) }), fyne.NewMenuItemSeparator())
	}
	items = append(items, fyne.NewMenuItem("Stop sharing", func() { v.unshare(ids) }))
	fwidget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), fyne.CurrentApp().Driver().CanvasForObject(v.list), at)
}

func (v *View) update(i int, cells widget.Cells) {
	cells.(*rowView).show(&v.rows[i], func(id string) { v.unshare([]string{id}) })
}

// AudienceWords names an audience as the window does.
func AudienceWords(a domain.Audience) string { return format.Upper(whom(a)) }

// SharedWords says what was just shared, with whom.
func SharedWords(shares []domain.Share, a domain.Audience) string {
	var what string
	switch names := len(shares); names {
	case 1:
		what = clip(shares[0].Name) + " is"
	case 2:
		what = clip(shares[0].Name) + " and " + clip(shares[1].Name) + " are"
	default:
		what = clip(shares[0].Name) + " and " + format.Number(names-1, "other is", "others are")
	}
	return what + " now shared with " + whom(a) + "."
}

// clip keeps a name short enough for one line.
func clip(name string) string {
	const most = 40
	runes := []rune(name)
	if len(runes) <= most {
		return name
	}
	return string(runes[:most-1]) + "…"
}
