package browse

import (
	"strings"

	"fyne.io/fyne/v2"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// menu opens what can be done with the selected rows.
func (v *View) menu(at fyne.Position) {
	if rows := v.chosen(); len(rows) > 0 {
		fwidget.ShowPopUpMenuAtPosition(fyne.NewMenu("", v.menuOf(rows)...), canvasOf(v.list), at)
	}
}

func (v *View) menuOf(rows []*row) (items []*fyne.MenuItem) {
	add := func(text string, do func()) { items = append(items, fyne.NewMenuItem(text, do)) }
	first := rows[0]
	one := len(rows) == 1
	if one && (first.result.Folder || v.isHere(first)) {
		add(words.T("Open"), func() { v.open(first.id) })
	}
	add(downloadWords(len(rows), ""), v.Download)
	add(words.T("Download to…"), v.downloadTo)
	items = append(items, fyne.NewMenuItemSeparator())
	if one {
		add(words.T("Preview"), v.preview.open)
	}
	add(words.T("Copy link"), func() { copyLinks(rows, v.at) })
	if one && len(first.result.Providers) > 0 {
		add(words.T("Who has it"), func() { v.whoHas(first) })
	}
	if one && v.canReveal(first) {
		add(words.T("Show in folder"), func() { v.reveal(first) })
	}
	return items
}

// canReveal reports whether it is known where a row lies on this machine.
func (v *View) canReveal(r *row) bool {
	return !r.result.Folder && v.isHere(r) || v.progressFor(r).final != ""
}

func (v *View) reveal(r *row) {
	v.onThisMachine(r, v.OnReveal, func() { v.OnError(domain.ErrNotFound) })
}

// whoHas names everybody who has an entry.
func (v *View) whoHas(r *row) {
	widget.ShowSheet(canvasOf(v.list), words.T("Who has %s", clip(r.name)),
		widget.NewParagraph(strings.Join(holders(r), "\n"), theme.Text, fyne.TextAlignLeading).RichText, words.T("Close"), nil)
}

// holders names everybody who has an entry, a line for each.
func holders(r *row) []string {
	lines := make([]string, 0, len(r.result.Providers))
	for _, p := range r.result.Providers {
		name := nameOf(p)
		if !p.Online {
			name = words.T("%s, away", name)
		}
		lines = append(lines, name)
	}
	return lines
}

// copyLinks puts the rows' links into the clipboard, a line for each.
func copyLinks(rows []*row, at place) {
	links := make([]string, len(rows))
	for i, r := range rows {
		links[i] = linkTo(r, at)
	}
	fyne.CurrentApp().Clipboard().SetContent(strings.Join(links, "\n"))
}

// linkTo returns the link to a row: to a file's content, whoever has it, and to
// a folder with its owner.
func linkTo(r *row, at place) string {
	if !r.result.Folder {
		return domain.Link{Kind: domain.LinkContent, Content: r.result.Content, Name: r.name, Size: r.result.Size}.String()
	}
	request := r.request(at, "")
	return domain.Link{Kind: domain.LinkPeer, Peer: string(request.Peer), Path: request.Path}.String()
}
