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
	others   *field // who has it and is here
	away     *field // who has it and is not
	place    *field
	body     *fyne.Container
	apply    *widget.Button

	providers []domain.TransferProvider
	state     domain.TransferState // when the files were looked at last
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

// set shows a value, or hides the line if there is none. It reports whether
// the lines take another room now.
func (f *field) set(label, value string) (moved bool) {
	f.label.SetText(label)
	f.value.SetText(value)
	moved = f.line.Visible() != (value != "")
	widget.SetVisible(f.line, value != "")
	return moved
}

// showDetails opens the details of a transfer.
func (v *View) showDetails(id string) {
	t := v.transfer(id)
	d := &details{
		view: v, id: id,
		sentence: widget.NewText("", theme.TextBody, theme.SecondText).Shortened(widget.End),
		graph:    widget.NewGraph(detailsGraph),
		from:     newField(), others: newField(), away: newField(), place: newField(),
	}
	v.details = d
	d.graph.Hide()
	path := newField()
	if !bare(t) {
		path.set(words.T("Path"), format.Name(t.Path))
	}
	path.line.Hidden = path.value.Text() == "" || !strings.Contains(t.Path, "/")
	top := widget.VBox(theme.Space4, widget.Fixed(0, 22, d.sentence), d.graph, d.from.line, d.others.line, d.away.line, path.line, d.place.line)
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
	moved := false
	for _, f := range d.fields(t) {
		moved = f.field.set(f.label, f.value) || moved
	}
	if moved {
		d.fit()
	}
	d.showGraph(now)
	// What has ended changes no more, once that was looked at.
	if d.stale(now) && !t.State.Ended() || d.state != t.State {
		d.load()
	}
}

// labelled is what a field is to show.
type labelled struct {
	field        *field
	label, value string
}

// fields says with whom a transfer is, and where it goes.
func (d *details) fields(t *domain.Transfer) []labelled {
	if t.Kind == domain.Upload {
		return []labelled{{d.from, words.T("To"), t.PeerName}, {d.others, "", ""}, {d.away, "", ""}, {d.place, "", ""}}
	}
	from, others, away := providerWords(d.providers)
	if from == "" {
		from = strings.Join(fromOf(t), ", ")
	}
	if others == from {
		others = "" // who will send it and is here need not be named twice
	}
	place := labelled{d.place, words.T("Goes to"), t.Folder}
	if t.Final != "" {
		place = labelled{d.place, words.T("Lies in"), t.Final}
	}
	if t.State == domain.Done {
		others, away = "", "" // nobody is waited for
	}
	return []labelled{{d.from, words.T("From"), from}, {d.others, words.T("Also here"), others}, {d.away, words.T("Away"), away}, place}
}

// providerWords names whom a download comes from, with how fast, or else who
// brought it; who else has it and is here; and who has it and is away.
func providerWords(providers []domain.TransferProvider) (from, others, away string) {
	var serving, brought, here, gone []string
	for _, p := range providers {
		rate := format.Rate(p.Rate)
		switch {
		case p.Name == "":
		case p.Serving && rate != "":
			serving = append(serving, words.T("%s at %s", p.Name, rate))
		case p.Serving:
			serving = append(serving, p.Name)
		case p.Done > 0 && p.Online:
			brought, here = append(brought, p.Name), append(here, p.Name)
		case p.Done > 0:
			brought, gone = append(brought, p.Name), append(gone, p.Name)
		case p.Online:
			here = append(here, p.Name)
		default:
			gone = append(gone, p.Name)
		}
	}
	if len(serving) == 0 {
		return list(brought), list(here), list(gone)
	}
	return list(serving), list(here), list(gone)
}

// showGraph shows what this transfer moved in the last minute.
func (d *details) showGraph(now time.Time) {
	h := d.view.each[d.id]
	alive := h != nil && h.alive(now)
	if alive {
		d.graph.Set(h.down, h.up)
	}
	if d.graph.Visible() != alive {
		widget.SetVisible(d.graph, alive)
		d.fit()
	}
}

// load asks for the files and how far they are, off the UI thread.
func (d *details) load() {
	t := d.view.transfer(d.id)
	if d.loading || t == nil || t.Kind == domain.Upload {
		return
	}
	d.loading, d.state = true, t.State
	known := len(d.all)
	d.view.run.Go(func(context.Context) func() {
		began := time.Now()
		all, err := d.view.transfers.Files(d.id)
		providers, noProviders := d.view.transfers.Providers(d.id)
		var ids []string
		if len(all) != known {
			ids = numbers(len(all))
		}
		took := time.Since(began)
		return func() {
			d.loading = false
			d.next = d.view.now().Add(max(time.Second, 100*took))
			if err != nil || noProviders != nil || d.view.details != d {
				return // it ended meanwhile, and the page says so
			}
			d.providers = providers
			d.loaded(all, ids)
			d.appear()
			d.show()
		}
	})
}

// appear shows the files when they are there. A transfer of one file has none
// to choose from.
func (d *details) appear() {
	if many := len(d.all) > 1; many != d.block.Visible() {
		widget.SetVisible(d.block, many)
		d.fit()
		if many {
			d.view.canvas().Focus(d.list)
		}
	}
}

// fit gives the files the room that the window and the lines above leave them.
func (d *details) fit() {
	if d.block.Visible() {
		above := d.body.MinSize().Height - d.block.MinSize().Height
		room := d.view.canvas().Size().Height - sheetOverhead - above
		d.setHeight(min(max(room, filesHead+fewestFiles*fileHeight), filesHead+float32(len(d.all))*(fileHeight+2)))
	}
	d.sheet.Refresh()
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
		widget.SetVisible(d.apply, changed)
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
