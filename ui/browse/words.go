package browse

import (
	"context"
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
)

// show brings everything around the rows up to date: where we are, what can be
// done, and why there are no rows.
func (v *View) show() {
	v.crumbs.set(v.path())
	if v.at.peer == "" {
		v.search.SetPlaceHolder("Search everyone's files")
	} else {
		v.search.SetPlaceHolder("Search " + v.at.name + "'s files")
	}
	v.selection()
	v.say()
	if len(v.rows) > 0 {
		v.empty.Hide()
		v.sheet.Show()
		return
	}
	v.sheet.Hide()
	title, hint := v.nothing()
	if v.loading {
		v.empty.Hide()
		generation := v.generation
		v.run.After(patience, func(context.Context) func() {
			return func() {
				if v.loading && generation == v.generation && len(v.rows) == 0 {
					v.explain(v.waiting(), "")
				}
			}
		})
		return
	}
	v.explain(title, hint)
}

func (v *View) explain(title, hint string) {
	v.empty.Actions().Hidden = v.failure == nil || v.loading
	v.empty.Set(title, hint)
	v.empty.Show()
	v.empty.Refresh()
}

// waiting says what an empty page waits for.
func (v *View) waiting() string {
	switch {
	case v.at.query != "":
		return "Searching…"
	case v.at.peer == "":
		return "Looking what is here…"
	default:
		state := v.catalogues[v.at.peer]
		if state.Pulling && state.Total > 0 {
			return fmt.Sprintf("Getting %s's list… %s", v.at.name, format.Percent(int64(state.Known), int64(state.Total)))
		}
		return fmt.Sprintf("Getting %s's list…", v.at.name)
	}
}

// nothing says why there are no rows.
func (v *View) nothing() (title, hint string) {
	switch {
	case v.failure != nil && v.at.peer != "":
		return "Can't show what " + v.at.name + " shares.", format.Sentence(v.failure)
	case v.failure != nil:
		return "Can't show this.", format.Sentence(v.failure)
	case v.at.query != "" && v.at.peer != "":
		return fmt.Sprintf("No “%s” at %s.", clip(v.at.query), v.at.name), ""
	case v.at.query != "":
		return fmt.Sprintf("No “%s” among what others share.", clip(v.at.query)), ""
	case v.catalogues[v.at.peer].Pulling:
		return v.waiting(), ""
	case v.at.peer == "":
		return "Nobody here shares anything yet.", "Drop files into this window to be the first."
	case v.at.folder != "":
		return "This folder is empty.", ""
	default:
		return v.at.name + " shares nothing yet.", ""
	}
}

func clip(text string) string {
	const most = 30
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// say tells above the rows what keeps the list from being whole.
func (v *View) say() {
	state, known := v.catalogues[v.at.peer]
	var notice fyne.CanvasObject
	if len(v.rows) > 0 {
		again := func() fyne.CanvasObject { return widget.NewButton("Try again", "", widget.Plain, v.Reload).Small() }
		switch {
		case v.failure != nil:
			notice = widget.NewNotice("warning", theme.Error, format.Sentence(v.failure), nil, again())
		case !known || v.at.peer == "":
		case state.Pulling && state.Total > state.Known:
			notice = widget.NewNotice("clock", theme.Waiting, v.waiting(), nil)
		case !state.Problem.IsZero():
			notice = widget.NewNotice("warning", theme.Error, v.at.name+"'s list stopped halfway.", nil, again())
		}
	}
	if notice == nil && len(v.notice.Objects) == 0 {
		return
	}
	v.notice.Objects = nil
	if notice != nil {
		v.notice.Objects = []fyne.CanvasObject{notice}
	}
	v.notice.Refresh()
}

// selection brings the button and the count at the foot up to date.
func (v *View) selection() {
	ids := v.list.Selected()
	var bytes int64
	files, here := true, len(ids) == 0
	var away domain.Provider
	for _, id := range ids {
		i, ok := v.byID[id]
		if !ok {
			continue
		}
		r := &v.rows[i]
		bytes += r.result.Size
		files = files && (!r.result.Folder || r.result.Size > 0)
		here = here || r.here
		away, _ = r.provider(v.at.peer)
	}
	text := "Download"
	if len(ids) > 1 {
		text += " " + format.Count(len(ids))
	}
	if !here && away.Name != "" {
		text += " when " + away.Name + " is back"
	}
	v.download.Set(text, "download")
	v.download.SetDisabled(len(ids) == 0)

	var parts []string
	if len(v.rows) > 0 {
		parts = append(parts, v.total())
	}
	if len(ids) > 0 {
		selected := format.Count(len(ids)) + " selected"
		if files {
			selected += ", " + format.Size(bytes)
		}
		parts = append(parts, selected)
	}
	v.count.SetText(strings.Join(parts, " · "))
}

// total counts the rows in words.
func (v *View) total() string {
	folders := v.folders
	files := len(v.rows) - folders
	if v.at.query != "" {
		return format.Count(len(v.rows)) + " found"
	}
	var parts []string
	if folders > 0 {
		parts = append(parts, format.Number(folders, "folder", "folders"))
	}
	if files > 0 {
		parts = append(parts, format.Files(files))
	}
	return strings.Join(parts, ", ")
}

// path is where we are, as links.
func (v *View) path() []crumb {
	everyone := crumb{name: "Everyone", open: v.Everyone}
	if v.at.peer == "" {
		return []crumb{everyone}
	}
	at := v.at
	out := []crumb{everyone, {name: at.name, open: func() { v.Person(at.peer, at.name) }}}
	if at.folder == "" {
		return out
	}
	below := ""
	for _, name := range strings.Split(at.folder, "/") {
		if below != "" {
			below += "/"
		}
		below += name
		folder := below
		out = append(out, crumb{name: name, open: func() { v.visit(place{peer: at.peer, name: at.name, folder: folder}) }})
	}
	return out
}

func (v *View) menu(at fyne.Position) {
	ids := v.list.Selected()
	if len(ids) == 0 {
		return
	}
	items := []*fyne.MenuItem{fyne.NewMenuItem("Download", v.Download)}
	if i, ok := v.byID[ids[0]]; ok && len(ids) == 1 {
		r := &v.rows[i]
		if r.result.Folder {
			items = append([]*fyne.MenuItem{fyne.NewMenuItem("Open", func() { v.open(ids[0]) })}, items...)
		}
		if len(r.result.Providers) > 0 {
			items = append(items, fyne.NewMenuItemSeparator(), fyne.NewMenuItem("Who has it", func() { v.whoHas(r.result) }))
		}
	}
	fwidget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), fyne.CurrentApp().Driver().CanvasForObject(v.list), at)
}

// whoHas names everybody who has an entry.
func (v *View) whoHas(r domain.Result) {
	lines := make([]string, 0, len(r.Providers))
	for _, p := range r.Providers {
		line := p.Name
		if !p.Online {
			line += " (away)"
		}
		lines = append(lines, line)
	}
	widget.ShowSheet(fyne.CurrentApp().Driver().CanvasForObject(v.list), "Who has "+clip(r.Name()),
		widget.NewParagraph(strings.Join(lines, "\n"), theme.Text, fyne.TextAlignLeading).RichText, "Close", nil)
}
