package ui

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"fyne.io/fyne/v2"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/desktop"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// foot is the end of the sidebar: whether and as whom others see this
// computer, and the menu to change that.
type foot struct {
	win    *window
	button *widget.Button
	name   string
	hidden bool
}

func newFoot(w *window) *foot {
	f := &foot{win: w}
	f.button = widget.NewButton("", "visible", widget.Quiet, f.menu).InSidebar()
	f.button.Hide()
	return f
}

// setName says as whom others see this computer.
func (f *foot) setName(name string) {
	f.name = name
	f.show()
}

// setHidden says whether others see it.
func (f *foot) setHidden(hidden bool) {
	if f.hidden != hidden {
		f.hidden = hidden
		f.show()
		f.win.tray.update()
	}
}

func (f *foot) show() {
	if f.name == "" {
		f.button.Hide()
		return
	}
	if f.hidden {
		f.button.Set(words.T("Hidden from others"), "hidden")
		f.button.Show()
		return
	}
	const room = theme.SidebarWidth - 2*theme.Space8
	f.button.Set(words.T("Visible as %s", f.name), "visible")
	for runes := []rune(f.name); f.button.MinSize().Width > room && len(runes) > 1; {
		runes = runes[:len(runes)-1]
		f.button.Set(words.T("Visible as %s", string(runes)+"…"), "visible")
	}
	f.button.Show()
}

func (f *foot) menu() {
	menu := fwidget.NewPopUpMenu(fyne.NewMenu("",
		fyne.NewMenuItem(f.hideWords(), f.toggle),
		fyne.NewMenuItem(words.T("My invitation"), f.win.friends.invite),
		fyne.NewMenuItem(words.T("Rename"), f.rename),
	), f.win.win.Canvas())
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(f.button)
	menu.ShowAtPosition(at.SubtractXY(0, menu.MinSize().Height+theme.Space4))
}

// hideWords names what toggle does.
func (f *foot) hideWords() string {
	if f.hidden {
		return words.T("Show me again")
	}
	return words.T("Hide me")
}

// toggle hides this computer from others, or shows it again.
func (f *foot) toggle() {
	hidden := !f.hidden
	f.win.run.Go(func(ctx context.Context) func() {
		err := f.win.core.Program.Hide(ctx, hidden)
		return func() {
			if err != nil {
				f.win.problem(err)
				return
			}
			f.setHidden(hidden)
		}
	})
}

// rename leads to where the name is changed.
func (f *foot) rename() {
	f.win.show(pageSettings)
	f.win.win.Canvas().Focus(f.win.settings.Name())
}

// openDownloads shows what was downloaded in the file manager.
func (w *window) openDownloads() {
	folder := w.values.Downloads
	w.run.Go(func(ctx context.Context) func() {
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			return func() {
				w.raise()
				w.notices.add("problem", "warning", theme.Waiting, words.T("Nothing was downloaded yet."))
			}
		}
		return w.said(desktop.Open(ctx, folder))
	})
}
