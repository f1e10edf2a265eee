package library

import (
	"cmp"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
)

// rowHeight is the height of a share's row.
const rowHeight float32 = 36

var columns = widget.Columns{
	{Key: "name", Title: "Name"},
	{Key: "audience", Title: "Who sees it", Width: 112},
	{Key: "files", Title: "Files", Width: 64, Right: true, From: 760},
	{Key: "size", Title: "Size", Width: 72, Right: true},
	{Key: "state", Title: "State", Width: 190},
}

// row is a share, in the words that are shown.
type row struct {
	id       string
	share    domain.Share
	lower    string
	audience string
	files    string
	size     string
	state    string
	icon     string // of the state; empty: none
	tint     fyne.ThemeColorName
	broken   bool
}

func rowsOf(shares []domain.Share) []row {
	rows := make([]row, len(shares))
	for i, s := range shares {
		rows[i] = rowOf(s)
	}
	return rows
}

func rowOf(s domain.Share) row {
	r := row{
		id: s.Name, share: s, lower: strings.ToLower(s.Name),
		audience: AudienceWords(s.Audience), files: format.Count(s.Entries), size: format.Size(s.Bytes),
		icon: "check", tint: theme.Done, state: "Shared",
	}
	switch s.State {
	case domain.ShareReading:
		r.icon, r.tint, r.state = "clock", theme.Waiting, "Reading"
		if s.ToRead > 0 {
			r.state += " " + format.Percent(s.Read, s.ToRead)
		}
		r.state += "…"
	case domain.ShareGone:
		r.icon, r.tint, r.state, r.broken = "warning", theme.Error, "Gone", true
	case domain.ShareUnreadable:
		r.icon, r.tint, r.state, r.broken = "warning", theme.Error, "Can't be read", true
	default:
		if !s.Problem.IsZero() {
			r.icon, r.tint, r.state, r.broken = "warning", theme.Waiting, s.Problem.String(), true
		}
	}
	return r
}

// sortRows sorts by a column; equal ones by name.
func sortRows(rows []row, key string, descending bool) {
	slices.SortStableFunc(rows, func(a, b row) int {
		var order int
		switch key {
		case "audience":
			order = strings.Compare(a.audience, b.audience)
		case "files":
			order = cmp.Compare(a.share.Entries, b.share.Entries)
		case "size":
			order = cmp.Compare(a.share.Bytes, b.share.Bytes)
		case "state":
			order = strings.Compare(a.state, b.state)
		default:
			order = strings.Compare(a.lower, b.lower)
		}
		if descending {
			order = -order
		}
		return cmp.Or(order, strings.Compare(a.id, b.id))
	})
}

// rowView shows a row.
type rowView struct {
	object   *fyne.Container
	kind     *widget.Icon
	name     *widget.Text
	audience *widget.Text
	files    *widget.Text
	size     *widget.Text
	icon     *widget.Icon
	state    *widget.Text
	remove   *widget.Button
	id       string
	unshare  func(id string)
}

func newRow() widget.Cells {
	v := &rowView{
		kind:     widget.NewIcon("file", theme.SecondText),
		name:     widget.NewCell(widget.Middle, fyne.TextAlignLeading, theme.Text),
		audience: widget.NewCell(widget.End, fyne.TextAlignLeading, theme.SecondText),
		files:    widget.NewCell(widget.End, fyne.TextAlignTrailing, theme.SecondText),
		size:     widget.NewCell(widget.End, fyne.TextAlignTrailing, theme.SecondText),
		icon:     widget.NewIcon("check", theme.Done).Sized(16),
		state:    widget.NewCell(widget.End, fyne.TextAlignLeading, theme.SecondText),
	}
	v.remove = widget.NewButton("Remove", "", widget.Plain, func() { v.unshare(v.id) }).Small()
	v.remove.Hide()
	name := container.NewBorder(nil, nil, widget.Inset(v.kind, 0, theme.Space4, 0, 0), nil, v.name)
	state := container.NewBorder(nil, nil, v.icon, container.NewCenter(v.remove), v.state)
	v.object = container.New(columns, name, v.audience, v.files, v.size, state)
	return v
}

// Object returns what shows the row.
func (v *rowView) Object() fyne.CanvasObject { return v.object }

func (v *rowView) show(r *row, unshare func(id string)) {
	v.id, v.unshare = r.id, unshare
	kind := "file"
	if r.share.Folder {
		kind = "folder"
	}
	v.kind.Set(kind, theme.SecondText)
	v.name.SetText(r.id)
	v.audience.SetText(r.audience)
	v.files.SetText(r.files)
	v.size.SetText(r.size)
	v.icon.Set(r.icon, r.tint)
	ink := theme.SecondText
	if r.broken {
		ink = r.tint
	}
	v.state.Set(r.state, ink)
	gone := r.share.State == domain.ShareGone
	if v.remove.Visible() != gone {
		if gone {
			v.remove.Show()
		} else {
			v.remove.Hide()
		}
	}
}
