package transfers

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// The sizes of the details.
const (
	detailsWidth  float32 = 640
	detailsGraph  float32 = 64
	labelWidth    float32 = 68
	fewestFiles   float32 = 5 // rows of files that there is always room for
	sheetOverhead float32 = 176
)

// details is the sheet about one transfer: how it is doing, from whom, where
// it goes, and which of its files are wanted.
type details struct {
	view     *View
	id       string
	sheet    *widget.Sheet
	sentence *widget.Text
	graph    *widget.Graph
	from     *field
	place    *field
	body     *fyne.Container
	apply    *widget.Button

	files
}

// field is a line of the details: what it is about, and that.
type field struct {
	line  *fyne.Container
	label *widget.Text
	value *widget.Text
}

func newField() *field {
	f := &field{
		label: widget.NewText("", theme.TextCaption, theme.SecondText),
		value: widget.NewText("", theme.TextCaption, theme.Text).Shortened(widget.Middle),
	}
	f.line = container.NewBorder(nil, nil, widget.Fixed(labelWidth, 0, f.label), nil, f.value)
	return f
}

// set shows a value, or hides the line if there is none.
func (f *field) set(label, value string) {
	f.label.SetText(label)
	f.value.SetText(value)
	setVisible(f.line, value != "")
}

// showDetails opens the details of a transfer.
func (v *View) showDetails(id string) {
	t := v.transfer(id)
	d := &details{
		view: v, id: id,
		sentence: widget.NewText("", theme.TextBody, theme.SecondText).Shortened(widget.End),
		graph:    widget.NewGraph(detailsGraph), from: newField(), place: newField(),
	}
	v.details = d
	d.graph.Hide()
	path := newField()
	if !bare(t) {
		path.set(words.T("Path"), t.Path)
	}
	path.line.Hidden = path.value.Text() == "" || !strings.Contains(t.Path, "/")
	top := widget.VBox(theme.Space4, widget.Fixed(0, 22, d.sentence), d.graph, d.from.line, path.line, d.place.line)
	d.build(d.choice)
	d.body = container.NewBorder(top, nil, nil, nil, d.block)
	d.block.Hide()
	d.apply = widget.NewButton(words.T("Apply"), "", widget.Primary, d.choose)
	d.apply.Hide()
	d.sheet = widget.ShowSheet(v.canvas(), Name(t), widget.Inset(d.body, theme.Space4, theme.Space8, 0, theme.Space8),
		words.T("Close"), d.closed, d.apply)
	d.sheet.Widen(detailsWidth)
	d.show()
	d.load()
}

// closed forgets the details.
func (d *details) closed() {
	if d.view.details == d {
		d.view.details = nil
	}
}

// choose asks for the files that are chosen now. The sheet is closed already.
func (d *details) choose() {
	d.closed()
	wanted := d.changes
	if len(wanted) == 0 {
		return
	}
	d.view.do(func(ctx context.Context) error { return d.view.transfers.Choose(ctx, d.id, wanted) })
}

// show brings the details up to date, and closes them when the transfer is
// gone.
func (d *details) show() {
	t := d.view.transfer(d.id)
	if t == nil {
		d.sheet.Cancel()
		return
	}
	now := d.view.now()
	l := lookOf(t, now)
	d.sentence.Set(l.sentence, l.ink)
	shown := [2]bool{d.from.line.Visible(), d.place.line.Visible()}
	if t.Kind == domain.Upload {
		d.from.set(words.T("To"), t.PeerName)
		d.place.set("", "")
	} else {
		d.from.set(words.T("From"), strings.Join(fromOf(t), ", "))
		if t.Final != "" {
			d.place.set(words.T("Lies in"), t.Final)
		} else {
			d.place.set(words.T("Goes to"), t.Folder)
		}
	}
	if shown != [2]bool{d.from.line.Visible(), d.place.line.Visible()} {
		d.sheet.Refresh()
	}
	d.showGraph(now)
	if d.stale(now) && !t.State.Ended() {
		d.load()
	}
}

// showGraph shows what this transfer moved in the last minute.
func (d *details) showGraph(now time.Time) {
	h := d.view.each[d.id]
	alive := h != nil && h.alive(now)
	if alive {
		d.graph.Set(h.down, h.up)
	}
	if d.graph.Visible() != alive {
		setVisible(d.graph, alive)
		d.sheet.Refresh()
	}
}

// load asks for the files and how far they are, off the UI thread.
func (d *details) load() {
	t := d.view.transfer(d.id)
	if d.loading || t == nil || t.Kind == domain.Upload {
		return
	}
	d.loading = true
	known := len(d.all)
	d.view.run.Go(func(context.Context) func() {
		began := time.Now()
		all, err := d.view.transfers.Files(d.id)
		var ids []string
		if len(all) != known {
			ids = numbers(len(all))
		}
		took := time.Since(began)
		return func() {
			d.loading = false
			if err != nil || d.view.details != d {
				return // it ended meanwhile, and the page says so
			}
			d.loaded(all, ids, d.view.now().Add(max(time.Second, 100*took)))
			d.resize()
		}
	})
}

// resize gives the files the room that the window leaves them. A transfer of
// one file has none to choose from.
func (d *details) resize() {
	many := len(d.all) > 1
	if many == d.block.Visible() {
		return
	}
	setVisible(d.block, many)
	if many {
		room := d.view.canvas().Size().Height - sheetOverhead - d.body.MinSize().Height + d.block.MinSize().Height
		d.setHeight(min(max(room, fewestFiles*fileHeight), float32(len(d.all))*(fileHeight+2)+filesHead))
	}
	d.sheet.Refresh()
	if many {
		d.view.canvas().Focus(d.list)
	}
}

// choice is called when other files are chosen than the download has now.
func (d *details) choice() {
	changed := len(d.changes) > 0
	out := d.sheet.Buttons()[1]
	if changed {
		out.Set(words.T("Cancel"), "")
	} else {
		out.Set(words.T("Close"), "")
	}
	d.apply.SetDisabled(d.chosen == 0)
	if d.apply.Visible() != changed {
		setVisible(d.apply, changed)
	}
	d.sheet.Refresh()
}

// sizeWords says how much of a transfer's files is chosen.
func sizeWords(chosen, all int, size int64) string {
	if chosen == all {
		return words.T("%s, %s", format.Files(all), format.Size(size))
	}
	return words.T("%s of %s chosen, %s", format.Count(chosen), format.Files(all), format.Size(size))
}
