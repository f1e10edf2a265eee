package people

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
)

// rowHeight is the height of a person's row.
const rowHeight float32 = 56

// headingID is the row that says "Away".
const headingID = "\x00away"

// row is a person, in the words that are shown.
type row struct {
	id     string
	peer   domain.Peer
	detail string
	online bool
	browse bool // there is something to browse
}

// rowsOf sorts peers, friends first and then by name, those around before
// those who are away, and puts them into words.
func rowsOf(peers []domain.Peer, now time.Time) []row {
	peers = slices.Clone(peers)
	slices.SortFunc(peers, func(a, b domain.Peer) int {
		return cmp.Or(
			before(a.Online, b.Online),
			before(a.Friend, b.Friend),
			strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)),
			cmp.Compare(a.ID, b.ID),
		)
	})
	rows := make([]row, 0, len(peers)+1)
	for i, p := range peers {
		if !p.Online && (i == 0 || peers[i-1].Online) {
			rows = append(rows, row{id: headingID})
		}
		rows = append(rows, row{
			id: string(p.ID), peer: p, detail: detail(p, now), online: p.Online,
			browse: p.Entries > 0 && !p.FarForThem,
		})
	}
	return rows
}

// before sorts true before false.
func before(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// detail says what a person shares, or why that cannot be seen.
func detail(p domain.Peer, now time.Time) string {
	files := ""
	if p.Entries > 0 {
		files = format.Files(p.Entries)
	}
	switch {
	case !p.Online:
		words := "away"
		if at := format.Day(p.LastSeen, now); at != "" {
			words = "away since " + at
		}
		if files != "" {
			words += " · " + files
		}
		return words
	case p.FarForThem:
		return p.Name + " doesn't count you as nearby yet."
	case files == "":
		return "shares nothing yet"
	default:
		return files + " · " + format.Size(p.Bytes)
	}
}

// steady gives the newest rows the order of those on screen: what was there
// keeps its place, what is new comes last.
func steady(old, latest []row) []row {
	byID := make(map[string]row, len(latest))
	for _, r := range latest {
		byID[r.id] = r
	}
	rows := make([]row, 0, len(latest))
	for _, r := range old {
		if now, ok := byID[r.id]; ok {
			rows = append(rows, now)
			delete(byID, r.id)
		}
	}
	for _, r := range latest {
		if _, left := byID[r.id]; left {
			rows = append(rows, r)
		}
	}
	return rows
}

// rowView shows a row.
type rowView struct {
	object  *fyne.Container
	avatar  *widget.Avatar
	name    *widget.Text
	detail  *widget.Text
	browse  *widget.Button
	heading *widget.Text
	open    func(id string)
	id      string
}

func newRow() widget.Cells {
	v := &rowView{
		avatar:  widget.NewAvatar(),
		name:    widget.NewBold("", theme.TextBody, theme.Text).Shortened(widget.End),
		detail:  widget.NewText("", theme.TextCaption, theme.SecondText).Shortened(widget.End),
		heading: widget.NewBold("Away", theme.TextCaption, theme.SecondText),
	}
	v.browse = widget.NewButton("Browse", "", widget.Plain, func() { v.open(v.id) }).Small()
	v.object = container.New(rowLayout{}, v.avatar, v.name, v.detail, v.browse, v.heading)
	return v
}

// Object returns what shows the row.
func (v *rowView) Object() fyne.CanvasObject { return v.object }

func (v *rowView) show(r *row, open func(id string)) {
	v.id, v.open = r.id, open
	heading := r.id == headingID
	for _, o := range []fyne.CanvasObject{v.avatar, v.name, v.detail} {
		setVisible(o, !heading)
	}
	setVisible(v.heading, heading)
	setVisible(v.browse, !heading && r.browse)
	if heading {
		return
	}
	v.avatar.Set(r.peer.ID, !r.online)
	ink := theme.Text
	if !r.online {
		ink = theme.SecondText
	}
	v.name.Set(r.peer.Name, ink)
	v.detail.SetText(r.detail)
}

func setVisible(o fyne.CanvasObject, visible bool) {
	switch {
	case o.Visible() == visible:
	case visible:
		o.Show()
	default:
		o.Hide()
	}
}

// rowLayout places avatar, name over detail, button, and the heading.
type rowLayout struct{}

// MinSize is called by Fyne.
func (rowLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, rowHeight) }

// Layout is called by Fyne.
func (rowLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	avatar, name, detail, browse, heading := o[0], o[1], o[2], o[3], o[4]
	side := avatar.MinSize().Width
	avatar.Move(fyne.NewPos(0, (size.Height-side)/2))
	avatar.Resize(fyne.NewSquareSize(side))
	button := browse.MinSize()
	browse.Move(fyne.NewPos(size.Width-button.Width, (size.Height-button.Height)/2))
	browse.Resize(button)
	x := side + theme.Space12
	width := size.Width - x - button.Width - theme.Space16
	name.Move(fyne.NewPos(x, 9))
	name.Resize(fyne.NewSize(width, 20))
	detail.Move(fyne.NewPos(x, 30))
	detail.Resize(fyne.NewSize(width, 17))
	heading.Move(fyne.NewPos(0, size.Height-24))
	heading.Resize(fyne.NewSize(size.Width, 20))
}
