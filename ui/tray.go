package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/systray"

	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/words"
)

// tray is the icon beside the clock: what moves, and the quickest things to
// do. Without a place for it on the desktop it is not there.
type tray struct {
	win   *window
	app   desktop.App // nil where the toolkit has no tray
	there bool        // the desktop shows it
	menu  *fyne.Menu
	state *fyne.MenuItem
	hide  *fyne.MenuItem
	icon  string
}

func newTray(w *window) *tray {
	t := &tray{win: w}
	t.app, _ = w.app.(desktop.App)
	return t
}

// setThere is told whether the desktop has a place for the icon. One that comes
// after build was due stays empty.
func (t *tray) setThere(there bool) {
	there = there && t.menu != nil
	t.win.settings.SetTray(there)
	if there == t.there {
		return
	}
	t.there = there
	if !there {
		// Whoever closed the window into the tray must get it back.
		t.win.appear()
		return
	}
	t.update()
}

// build makes the icon and its menu. It has to be called before the toolkit's
// loop begins, for what comes later the desktop is never told of.
func (t *tray) build() {
	if t.app == nil {
		return
	}
	t.state = fyne.NewMenuItem(t.stateWords(), nil)
	t.state.Disabled = true
	t.hide = fyne.NewMenuItem(t.win.foot.hideWords(), t.win.foot.toggle)
	quit := fyne.NewMenuItem(words.T("Quit"), t.win.askToQuit)
	quit.IsQuit = true
	t.menu = fyne.NewMenu("Potluck",
		t.state,
		fyne.NewMenuItemSeparator(),
		fyne.NewMenuItem(words.T("Open Potluck"), t.win.raise),
		fyne.NewMenuItem(words.T("Open the downloads"), t.win.openDownloads),
		t.hide,
		fyne.NewMenuItemSeparator(),
		quit,
	)
	t.app.SetSystemTrayMenu(t.menu)
	t.app.SetSystemTrayWindow(t.win.win)
	t.win.win.SetCloseIntercept(t.win.closeWindow) // which the line before has changed
	// And what a click does: the toolkit would show the window and tell nobody.
	systray.SetOnTapped(func() { t.win.do(t.win.raise) })
}

// update brings icon and menu up to date.
func (t *tray) update() {
	if !t.there {
		return
	}
	icon := "tray"
	if down, up := t.win.transfers.Running(); down+up > 0 {
		icon = "tray-busy"
	}
	if icon != t.icon {
		t.icon = icon
		t.app.SetSystemTrayIcon(theme.Icon(icon, theme.Tray))
	}
	state, hide := t.stateWords(), t.win.foot.hideWords()
	if state != t.state.Label || hide != t.hide.Label {
		t.state.Label, t.hide.Label = state, hide
		t.menu.Refresh()
	}
}

// stateWords says what moves.
func (t *tray) stateWords() string {
	down, up := t.win.transfers.Running()
	switch {
	case t.win.foot.hidden && down+up == 0:
		return words.T("Hidden from others")
	case down+up == 0:
		return words.T("Nothing moving")
	case up == 0:
		return words.N("%s downloads", down)
	case down == 0:
		return words.N("%s uploads", up)
	default:
		return words.T("%s, %s", words.N("%s downloads", down), words.N("%s uploads", up))
	}
}
