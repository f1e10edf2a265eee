package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/storage"

	"github.com/potluck-share/potluck/ui/desktop"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/words"
)

// chooseFile lets the user choose files to share.
func (w *window) chooseFile() {
	w.choose(desktop.Choice{Title: words.T("Share files"), Accept: words.T("Share"), Multiple: true}, w.share)
}

// chooseFolder lets the user choose folders to share.
func (w *window) chooseFolder() {
	w.choose(desktop.Choice{Title: words.T("Share a folder"), Accept: words.T("Share"), Folders: true, Multiple: true}, w.share)
}

// pickFolder lets the user choose a folder.
func (w *window) pickFolder(chosen func(path string)) {
	w.choose(desktop.Choice{Title: words.T("Choose a folder"), Accept: words.T("Choose"), Folders: true},
		func(paths []string) { chosen(paths[0]) })
}

// choose lets the user choose with the chooser that the desktop has, which
// knows his places and takes several at once, or else with the toolkit's. It
// calls chosen unless nothing was chosen.
func (w *window) choose(c desktop.Choice, chosen func(paths []string)) {
	if w.choosing {
		return
	}
	w.choosing = true
	w.run.Go(func(ctx context.Context) func() {
		var paths []string
		asked := false
		if w.portal != nil {
			paths, asked = w.portal(ctx, uintptr(w.native.Load()), c)
		}
		return func() {
			w.choosing = false
			switch {
			case !asked:
				w.chooseHere(c, chosen)
			case len(paths) > 0:
				chosen(paths)
			}
		}
	})
}

// chooseHere lets the user choose one file or folder with the toolkit's
// chooser.
func (w *window) chooseHere(c desktop.Choice, chosen func(paths []string)) {
	taken := func(uri fyne.URI, err error) {
		w.chooser = nil
		switch {
		case err != nil:
			w.problem(err)
		case uri != nil:
			chosen([]string{uri.Path()})
		}
	}
	var d *dialog.FileDialog
	if c.Folders {
		d = dialog.NewFolderOpen(func(folder fyne.ListableURI, err error) { taken(folder, err) }, w.win)
	} else {
		d = dialog.NewFileOpen(func(file fyne.URIReadCloser, err error) {
			if file == nil {
				taken(nil, err)
				return
			}
			_ = file.Close() // only its path is wanted
			taken(file.URI(), err)
		}, w.win)
	}
	d.SetTitleText(c.Title)
	d.SetConfirmText(c.Accept)
	d.SetDismissText(words.T("Cancel"))
	if at, err := storage.ListerForURI(storage.NewFileURI(c.From)); c.From != "" && err == nil {
		d.SetLocation(at)
	}
	d.Show() // it has no size to change before
	size := w.win.Canvas().Size()
	d.Resize(fyne.NewSize(min(size.Width-2*theme.Space32, 860), min(size.Height-2*theme.Space32, 620)))
	w.chooser = d // it does not take Escape itself
}
