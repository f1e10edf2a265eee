package transfers

import (
	"fyne.io/fyne/v2"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/words"
)

// entry is a line of the menu; one without a name is a line between groups.
type entry struct {
	name   string
	action action
	single bool // for one transfer only
}

func entries() []entry {
	return []entry{
		{words.T("Open"), opening, true},
		{words.T("Show in folder"), revealing, true},
		{words.T("Details"), telling, true},
		{},
		{words.T("Pause"), pausing, false},
		{words.T("Resume"), resuming, false},
		{words.T("Run first"), hastening, false},
		{words.T("Run later"), deferring, false},
		{words.T("Choose files…"), choosing, true},
		{words.T("Choose another folder"), moving, true},
		{words.T("Get the new one"), renewing, false},
		{words.T("Try again"), retrying, false},
		{words.T("Check again"), checking, false},
		{},
		{words.T("Cancel"), cancelling, false},
		{words.T("Remove from list"), removing, false},
		{words.T("Delete the files too…"), deleting, false},
	}
}

// menuOf returns the lines of the menu for some transfers: what makes sense
// for at least one of them.
func (v *View) menuOf(ids []string) []*fyne.MenuItem {
	var items []*fyne.MenuItem
	for _, e := range entries() {
		switch {
		case e.name == "":
			if len(items) > 0 && !items[len(items)-1].IsSeparator {
				items = append(items, fyne.NewMenuItemSeparator())
			}
		case e.single && len(ids) != 1:
		case len(v.able(ids, e.action)) > 0:
			items = append(items, fyne.NewMenuItem(e.name, func() { v.act(e.action, ids) }))
		}
	}
	if n := len(items); n > 0 && items[n-1].IsSeparator {
		items = items[:n-1]
	}
	return items
}

func (v *View) menu(at fyne.Position) {
	if items := v.menuOf(v.list.Selected()); len(items) > 0 {
		fwidget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), v.canvas(), at)
	}
}
