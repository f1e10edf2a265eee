package ui

import (
	"context"
	"runtime"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// keys sets up the shortcuts. Entries pass on those that do not edit text, so
// this is the one table of them all.
func (w *window) keys() {
	c := w.win.Canvas()
	c.SetOnTypedKey(w.typed)
	add := func(key fyne.KeyName, act func()) {
		c.AddShortcut(&desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault}, func(fyne.Shortcut) {
			if c.Overlays().Top() == nil && w.usable() {
				act()
			}
		})
	}
	for i, key := range []fyne.KeyName{fyne.Key1, fyne.Key2, fyne.Key3, fyne.Key4} {
		add(key, func() { w.goTo(pageID(i)) })
	}
	add(fyne.KeyComma, func() { w.goTo(pageSettings) })
	add(fyne.KeyF, func() {
		w.browse.SearchEveryone()
		w.show(pageBrowse)
		c.Focus(w.browse.Search())
	})
	add(fyne.KeyO, func() {
		w.show(pageShares)
		// The menu hangs on its button, whose place is known once it is drawn.
		w.run.After(100*time.Millisecond, func(context.Context) func() { return w.library.Choose })
	})
	add(fyne.KeyD, func() {
		if w.page == pageBrowse {
			w.browse.Download()
		}
	})
	c.AddShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyQ, Modifier: fyne.KeyModifierShortcutDefault},
		func(fyne.Shortcut) { w.askToQuit() })
	c.AddShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyW, Modifier: fyne.KeyModifierShortcutDefault},
		func(fyne.Shortcut) { w.closeWindow() })
	c.AddShortcut(&fyne.ShortcutSelectAll{}, func(fyne.Shortcut) {
		list := w.list()
		if c.Overlays().Top() != nil {
			list = w.transfers.Files()
		}
		if list != nil {
			list.SelectAll()
		}
	})
	c.AddShortcut(&fyne.ShortcutUndo{}, func(fyne.Shortcut) { w.toast.takeBack() })
}

// usable reports whether the pages can be used.
func (w *window) usable() bool { return !w.broken && w.welcome == nil }

// goTo goes to a page with the keyboard in its rows.
func (w *window) goTo(id pageID) {
	w.show(id)
	c := w.win.Canvas()
	if list := w.list(); list != nil && list.Len() > 0 {
		c.Focus(list)
		return
	}
	c.Unfocus()
}

// typed gets the keys that nothing with the focus had a use for.
func (w *window) typed(ev *fyne.KeyEvent) {
	c := w.win.Canvas()
	if top := c.Overlays().Top(); top != nil {
		if ev.Name != fyne.KeyEscape {
			return
		}
		if sheet, ok := top.(*widget.Sheet); ok {
			sheet.Cancel()
		} else if w.chooser != nil {
			w.chooser.Hide()
			w.chooser = nil
		}
		return
	}
	if !w.usable() {
		return
	}
	switch ev.Name {
	case fyne.KeyEscape:
		if w.toast.undo != nil {
			w.toast.hide()
			return
		}
		if w.page == pageBrowse && w.browse.Escape() {
			return
		}
		c.Unfocus()
	case fyne.KeyF1:
		w.showKeys()
	case fyne.KeyBackspace:
		if w.page == pageBrowse {
			w.browse.Up()
		}
	case fyne.KeyUp, fyne.KeyDown, fyne.KeyHome, fyne.KeyEnd, fyne.KeyPageUp, fyne.KeyPageDown:
		if list := w.list(); list != nil && c.Focused() == nil && list.Len() > 0 {
			c.Focus(list)
			list.TypedKey(ev)
		}
	}
}

// showKeys lists the keys.
func (w *window) showKeys() {
	command := words.T("Ctrl+")
	if runtime.GOOS == "darwin" {
		command = "⌘"
	}
	left, right := widget.VBox(theme.Space8), widget.VBox(theme.Space8)
	for _, k := range []struct{ key, does string }{
		{words.T("%s1 to %s4", command, command), words.T("People, Browse, My shares, Transfers")},
		{command + ",", words.T("Settings")},
		{command + "F", words.T("Search everyone's files")},
		{command + "O", words.T("Share files")},
		{command + "D", words.T("Download what is selected")},
		{command + "A", words.T("Select all")},
		{command + "Z", words.T("Undo")},
		{words.T("Enter"), words.T("Open")},
		{words.T("Backspace"), words.T("Folder above")},
		{words.T("Space"), words.T("Pause or resume; preview")},
		{words.T("Right, Left"), words.T("Unfold, fold")},
		{"F2", words.T("Rename a person")},
		{words.T("Delete"), words.T("Stop sharing, cancel")},
		{"Shift+F10", words.T("Menu of a row")},
		{command + "W", words.T("Close the window")},
		{command + "Q", words.T("Quit")},
	} {
		left.Add(widget.NewText(k.key, theme.TextBody, theme.SecondText))
		right.Add(widget.NewText(k.does, theme.TextBody, theme.Text))
	}
	table := container.NewBorder(nil, nil, widget.Fixed(136, 0, left), nil, right)
	widget.ShowSheet(w.win.Canvas(), words.T("Keys"), widget.Inset(table, theme.Space4, theme.Space8, 0, theme.Space8), words.T("Close"), nil).Widen(560)
}
