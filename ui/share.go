package ui

import (
	"context"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/desktop"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/library"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
)

// share offers paths to the default audience, after a question about those
// that are a risk.
func (w *window) share(paths []string) {
	if len(paths) == 0 {
		return
	}
	w.run.Go(func(ctx context.Context) func() {
		select { // what is dropped while the core comes up waits for it
		case <-w.started:
		case <-ctx.Done():
			return nil
		}
		audience := w.core.Library.DefaultAudience()
		risks := w.core.Library.Assess(ctx, paths)
		if len(risks) == 0 {
			return w.shareNow(ctx, paths, audience)
		}
		return func() { w.askToShare(paths, audience, risks) }
	})
}

// askToShare asks about the first risk; the others are named with it.
func (w *window) askToShare(paths []string, audience domain.Audience, risks []domain.Risk) {
	question, meaning := library.RiskWords(risks[0], audience)
	for _, r := range risks[1:] {
		also, its := library.RiskWords(r, audience)
		meaning += "\n" + strings.TrimSuffix(also, "?") + ": " + its
	}
	widget.ShowSheet(w.win.Canvas(), question,
		widget.NewParagraph(meaning, theme.SecondText, fyne.TextAlignLeading).RichText,
		"Cancel", nil, widget.NewButton("Share", "", widget.Plain, func() {
			w.run.Go(func(ctx context.Context) func() { return w.shareNow(ctx, paths, audience) })
		}))
}

// shareNow shares, off the UI thread, and returns what is to be said.
func (w *window) shareNow(ctx context.Context, paths []string, audience domain.Audience) func() {
	report, err := w.core.Library.Share(ctx, paths, audience)
	if ctx.Err() != nil {
		return nil
	}
	return func() {
		if err != nil && len(report.Problems) == 0 {
			w.problem(err)
			return
		}
		if words := library.ProblemWords(report); words != "" {
			w.notices.add("share", "warning", theme.Error, words)
		}
		if len(report.Shared) == 0 {
			if len(report.Already) > 0 {
				w.show(pageShares)
				w.library.Select(report.Already[0].Name)
			}
			return
		}
		names := make([]string, len(report.Shared))
		for i, s := range report.Shared {
			names[i] = s.Name
		}
		w.showToast(library.SharedWords(report.Shared, audience), func() {
			w.run.Go(func(ctx context.Context) func() { return w.said(w.core.Library.Unshare(ctx, names)) })
		})
	}
}

// unshare stops sharing, and offers to take that back.
func (w *window) unshare(shares []domain.Share) {
	names := make([]string, len(shares))
	for i, s := range shares {
		names[i] = s.Name
	}
	words := format.Number(len(shares), "share is", "shares are") + " no longer shared."
	if len(shares) == 1 {
		words = shares[0].Name + " is no longer shared."
	}
	w.run.Go(func(ctx context.Context) func() {
		if err := w.core.Library.Unshare(ctx, names); err != nil {
			return w.said(err)
		}
		return func() {
			w.showToast(words, func() {
				w.run.Go(func(ctx context.Context) func() { return w.shareAgain(ctx, shares) })
			})
		}
	})
}

// shareAgain shares what was shared before, with whom it was, off the UI
// thread.
func (w *window) shareAgain(ctx context.Context, shares []domain.Share) func() {
	for _, s := range shares {
		if _, err := w.core.Library.Share(ctx, []string{s.Path}, s.Audience); err != nil {
			return w.said(err)
		}
	}
	return nil
}

// said returns what shows an error, or nil for none.
func (w *window) said(err error) func() {
	if err == nil {
		return nil
	}
	return func() { w.problem(err) }
}

// chooseFile lets the user choose a file to share.
func (w *window) chooseFile() {
	d := dialog.NewFileOpen(func(file fyne.URIReadCloser, err error) {
		w.chooser = nil
		if err != nil {
			w.problem(err)
			return
		}
		if file == nil {
			return
		}
		_ = file.Close() // only its path is wanted
		w.share([]string{file.URI().Path()})
	}, w.win)
	d.SetTitleText("Share a file")
	d.SetConfirmText("Share")
	w.showChooser(d)
}

// chooseFolder lets the user choose a folder to share.
func (w *window) chooseFolder() {
	w.folder("Share a folder", "Share", func(path string) { w.share([]string{path}) })
}

// pickFolder lets the user choose a folder.
func (w *window) pickFolder(chosen func(path string)) {
	w.folder("Choose a folder", "Choose", chosen)
}

func (w *window) folder(title, confirm string, chosen func(path string)) {
	d := dialog.NewFolderOpen(func(folder fyne.ListableURI, err error) {
		w.chooser = nil
		switch {
		case err != nil:
			w.problem(err)
		case folder != nil:
			chosen(folder.Path())
		}
	}, w.win)
	d.SetTitleText(title)
	d.SetConfirmText(confirm)
	w.showChooser(d)
}

// showChooser shows a file dialog and remembers it, because it does not take
// Escape itself.
func (w *window) showChooser(d *dialog.FileDialog) {
	d.Show() // it has no size to change before
	size := w.win.Canvas().Size()
	d.Resize(fyne.NewSize(min(size.Width-2*theme.Space32, 860), min(size.Height-2*theme.Space32, 620)))
	w.chooser = d
}

// open opens what was downloaded from somebody, after a question if it is a
// program.
func (w *window) open(path, from string) {
	w.run.Go(func(ctx context.Context) func() {
		if !desktop.IsProgram(path) {
			return w.said(desktop.Open(ctx, path))
		}
		return func() { w.askToOpen(path, from) }
	})
}

func (w *window) askToOpen(path, from string) {
	question := "This is a program."
	if from != "" {
		question = "This is a program from " + from + "."
	}
	widget.ShowSheet(w.win.Canvas(), question,
		widget.NewParagraph("Open "+filepath.Base(path)+" only if you expected it.", theme.SecondText, fyne.TextAlignLeading).RichText,
		"Cancel", nil, widget.NewButton("Open", "", widget.Plain, func() {
			w.run.Go(func(ctx context.Context) func() { return w.said(desktop.Open(ctx, path)) })
		}))
}

// reveal shows a file in its folder.
func (w *window) reveal(path string) {
	w.run.Go(func(ctx context.Context) func() { return w.said(desktop.Reveal(ctx, path)) })
}

func (w *window) browsePerson(id domain.PeerID, name string) {
	w.browse.Person(id, name)
	w.show(pageBrowse)
}
