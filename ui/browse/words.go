package browse

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// show brings everything around the rows up to date: where we are, what can be
// done, and why there are no rows.
func (v *View) show() {
	v.crumbs.set(v.path())
	if v.at.peer == "" {
		v.search.SetPlaceHolder(words.T("Search everyone's files"))
	} else {
		v.search.SetPlaceHolder(words.T("Search %s's files", clip(v.at.name)))
	}
	v.selection()
	v.say()
	if len(v.rows) > 0 {
		v.empty.Hide()
		widget.SetVisible(v.sheet, true)
		v.roomForPreview()
		return
	}
	v.sheet.Hide()
	v.roomForPreview()
	if v.loading {
		v.empty.Hide()
		generation := v.generation
		v.run.After(patience, func(context.Context) func() {
			return func() {
				if v.loading && generation == v.generation && len(v.rows) == 0 {
					v.explain(v.waiting(), "", false)
				}
			}
		})
		return
	}
	v.explain(v.nothing())
}

// explain says why there are no rows, and offers to try again.
func (v *View) explain(title, hint string, again bool) {
	filtered := v.wish.filter != (filter{}) && !again && !v.loading
	v.retry.Hidden, v.clear.Hidden = !again, !filtered
	v.empty.Actions().Hidden = !again && !filtered
	v.empty.Set(title, hint)
	v.empty.Show()
	v.empty.Refresh()
}

// waiting says what an empty page waits for.
func (v *View) waiting() string {
	switch {
	case v.at.query != "":
		return words.T("Searching…")
	case v.at.peer == "":
		return words.T("Looking what is here…")
	default:
		state := v.catalogues[v.at.peer]
		if state.Pulling && state.Total > 0 {
			return words.T("Getting %s's list… %s", clip(v.at.name), format.Percent(int64(state.Known), int64(state.Total)))
		}
		return words.T("Getting %s's list…", clip(v.at.name))
	}
}

// nothing says why there are no rows, and whether trying again may help.
func (v *View) nothing() (title, hint string, again bool) {
	name, query := clip(v.at.name), clip(v.at.query)
	state, known := v.catalogues[v.at.peer]
	since, away := v.away[v.at.peer]
	switch {
	case v.failure != nil && v.at.peer != "":
		return words.T("Can't show what %s shares.", name), format.Sentence(v.failure), true
	case v.failure != nil:
		return words.T("Can't show this."), format.Sentence(v.failure), true
	case v.at.peer != "" && state.Pulling:
		return v.waiting(), "", false
	case v.at.query != "" && v.asking:
		return v.waiting(), "", false
	case v.at.query != "" && v.at.peer != "":
		return words.T("No '%[2]s' among %[1]s's files.", name, query), "", false
	case v.at.query != "" && v.people() > 0:
		return words.N("No '%[2]s' among %[1]s people.", v.people(), query), "", false
	case v.at.query != "":
		return words.T("No '%s' here.", query), "", false
	case len(v.all) > 0:
		return words.T("Nothing here is like that."), "", false
	case v.at.peer == "":
		return words.T("Nobody here shares anything yet."), words.T("Drop files into this window to be the first."), false
	case v.at.folder != "":
		return words.T("This folder is empty."), "", false
	case away && (!known || state.Known == 0):
		return awaySince(name, since), words.T("What %s shares is shown when %s is back.", name, name), false
	case !state.Problem.IsZero():
		return words.Say(state.Problem), "", true
	default:
		return words.T("%s shares nothing yet.", name), "", false
	}
}

// awaySince says that somebody is away, and since when if that is known.
func awaySince(name string, since time.Time) string {
	if since.IsZero() {
		return words.T("%s is away.", clip(name))
	}
	return words.T("%s is away since %s.", clip(name), words.Time(since, time.Now()))
}

// people counts those whose lists are searched.
func (v *View) people() int {
	n := 0
	for _, state := range v.catalogues {
		if state.Known > 0 {
			n++
		}
	}
	return n
}

func clip(text string) string { return clipTo(30, text) }

func clipTo(most int, text string) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// notice is what is said above the rows.
type notice struct {
	icon  string
	color fyne.ThemeColorName
	text  string
	again bool // with a way to try again
}

// say tells above the rows what keeps the list from being whole.
func (v *View) say() {
	state, known := v.catalogues[v.at.peer]
	since, away := v.away[v.at.peer]
	var now notice
	switch {
	case len(v.rows) == 0:
	case v.failure != nil:
		now = notice{"warning", theme.Error, format.Sentence(v.failure), true}
	case v.at.peer == "":
	case away:
		now = notice{"clock", theme.SecondText, words.T("%s This is what was shared then.", awaySince(v.at.name, since)), false}
	case !known:
	case state.Pulling && state.Total > state.Known:
		now = notice{"clock", theme.Waiting, v.waiting(), false}
	case !state.Problem.IsZero():
		now = notice{"warning", theme.Error, words.Say(state.Problem), true}
	}
	if now == v.said {
		return
	}
	v.said = now
	v.notice.Objects = nil
	if now.text != "" {
		var again []fyne.CanvasObject
		if now.again {
			again = append(again, widget.NewButton(words.T("Try again"), "", widget.Plain, v.again).Small())
		}
		v.notice.Objects = []fyne.CanvasObject{widget.NewNotice(now.icon, now.color, now.text, nil, again...)}
	}
	v.notice.Refresh()
}

// selection brings the button, the count at the foot and the preview up to
// date.
func (v *View) selection() {
	rows := v.chosen()
	total := v.sum
	if len(rows) != len(v.rows) {
		total = sumOf(rows)
	}
	away := ""
	if total.away {
		away = total.owner
	}
	v.download.Set(downloadWords(len(rows), away), "download")
	v.download.SetDisabled(len(rows) == 0)

	text := ""
	if len(v.rows) > 0 {
		text = v.total()
	}
	switch {
	case len(rows) == 0:
	case total.sized:
		text = words.T("%s · %s selected, %s", text, words.Count(len(rows)), words.Size(total.bytes))
	default:
		text = words.T("%s · %s selected", text, words.Count(len(rows)))
	}
	v.count.SetText(text)
	v.preview.show(rows, total.bytes)
}

// downloadWords says what the button does for n rows; away is the name of who
// has them, severalOwners if those are several people, and empty if somebody is around.
func downloadWords(n int, away string) string {
	switch {
	case away == severalOwners:
		return words.T("Download %s when they are back", words.Count(n))
	case away != "" && n > 1:
		return words.T("Download %s when %s is back", words.Count(n), clipTo(20, away))
	case away != "":
		return words.T("Download when %s is back", clipTo(20, away))
	case n > 1:
		return words.T("Download %s", words.Count(n))
	default:
		return words.T("Download")
	}
}

// total counts the rows in words.
func (v *View) total() string {
	files := len(v.rows) - v.folders
	switch {
	case v.at.query != "" && len(v.all) == mostFound:
		return words.T("The first %s found", words.Count(len(v.rows)))
	case v.at.query != "":
		return words.T("%s found", words.Count(len(v.rows)))
	case len(v.rows) < len(v.all):
		return words.T("%s of %s shown", words.Count(len(v.rows)), words.Count(len(v.all)))
	}
	var parts []string
	if v.folders > 0 {
		parts = append(parts, words.N("%s folders", v.folders))
	}
	if files > 0 {
		parts = append(parts, format.Files(files))
	}
	return strings.Join(parts, ", ")
}

// path is where we are, as links. A search looks into all that a person
// shares, so it stands above the folders.
func (v *View) path() []crumb {
	everyone := crumb{name: words.T("Everyone"), open: v.Everyone}
	if v.at.peer == "" {
		return []crumb{everyone}
	}
	at := v.at
	out := []crumb{everyone, {name: at.name, open: func() { v.Person(at.peer, at.name) }}}
	if at.folder == "" || at.query != "" {
		return out
	}
	below := ""
	for _, name := range strings.Split(at.folder, "/") {
		if below != "" {
			below += "/"
		}
		below += name
		folder := below
		out = append(out, crumb{name: format.Name(name), open: func() { v.visit(place{peer: at.peer, name: at.name, folder: folder}) }})
	}
	return out
}

// nameOf returns a person's name, or what stands in for a name that is not known.
func nameOf(p domain.Provider) string {
	if p.Name == "" {
		return words.T("Somebody")
	}
	return p.Name
}
