package ui

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/desktop"
	"github.com/potluck-share/potluck/ui/library"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// soon is how long sharing may take before the toast tells of it although not
// all is read yet.
const soon = 700 * time.Millisecond

// share offers paths to the default audience, after a question about those
// that are a risk. What is shared already stays as it is and is shown.
func (w *window) share(paths []string) {
	already := w.library.At(paths)
	paths = slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		return slices.ContainsFunc(already, func(s domain.Share) bool { return s.Path == path })
	})
	if len(already) > 0 {
		w.show(pageShares)
		w.library.Select(already[0].Name)
	}
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
			return func() { w.shareNow(paths, audience) }
		}
		return func() { w.askToShare(paths, audience, risks) }
	})
}

// askToShare asks about risky paths.
func (w *window) askToShare(paths []string, audience domain.Audience, risks []domain.Risk) {
	var question, meaning string
	if len(risks) == 1 {
		question, meaning = library.RiskWords(risks[0], audience)
	} else {
		var lines []string
		question, lines = library.RisksWords(risks, audience)
		meaning = strings.Join(lines, "\n")
	}
	widget.ShowSheet(w.win.Canvas(), question,
		widget.NewParagraph(meaning, theme.SecondText, fyne.TextAlignLeading).RichText,
		words.T("Cancel"), nil, widget.NewButton(words.T("Share"), "", widget.Plain, func() { w.shareNow(paths, audience) }))
}

// shareNow shares and says so: as soon as all is read, or a little later while
// it is being read.
func (w *window) shareNow(paths []string, audience domain.Audience) {
	for _, path := range paths {
		delete(w.stopped, path)
	}
	said := false
	say := func(shares []domain.Share) {
		if !said && len(shares) > 0 {
			said = true
			w.sayShared(shares, audience)
		}
	}
	w.run.After(soon, func(context.Context) func() {
		return func() { say(w.library.At(paths)) }
	})
	w.run.Go(func(ctx context.Context) func() {
		report, err := w.core.Library.Share(ctx, paths, audience)
		if ctx.Err() != nil {
			return nil
		}
		return func() {
			report.Problems = slices.DeleteFunc(report.Problems, func(p domain.Problem) bool { return w.stopped[p.Path] })
			if err != nil && len(report.Problems) == 0 {
				w.problem(err)
				return
			}
			if text := library.ProblemWords(report); text != "" {
				w.notices.add("share", "warning", theme.Error, text)
			}
			say(report.Shared)
			if len(report.Shared) == 0 && len(report.Already) > 0 {
				w.show(pageShares)
				w.library.Select(report.Already[0].Name)
			}
		}
	})
}

// sayShared says what was shared with whom, and offers to share it with others
// or not at all.
func (w *window) sayShared(shares []domain.Share, audience domain.Audience) {
	w.showToast(library.SharedWords(shares, audience), func() {
		w.stop(shares, nil)
	}, widget.Action{Text: words.T("Change"), Do: func(button fyne.CanvasObject) { w.changeShared(shares, audience, button) }},
		widget.Action{Text: words.T("Send instead…"), Do: func(button fyne.CanvasObject) { w.offers.instead(shares, button) }})
}

// changeShared lets the user choose, above a button of the toast, who sees what
// was just shared.
func (w *window) changeShared(shares []domain.Share, audience domain.Audience, button fyne.CanvasObject) {
	for i := range shares {
		shares[i].Audience = audience
	}
	items := w.library.AudienceItems(shares, func(a domain.Audience) {
		w.run.Go(func(ctx context.Context) func() {
			for _, s := range shares {
				if err := w.core.Library.SetAudience(ctx, s.Name, a); err != nil {
					return w.said(err)
				}
			}
			return func() { w.sayShared(shares, a) }
		})
	})
	menu := fwidget.NewPopUpMenu(fyne.NewMenu("", items...), w.win.Canvas())
	menu.ShowAtPosition(w.app.Driver().AbsolutePositionForObject(button).AddXY(0, -menu.MinSize().Height-theme.Space12))
}

// stop stops sharing, which ends a reading that is under way, and then does
// something.
func (w *window) stop(shares []domain.Share, then func()) {
	names := make([]string, len(shares))
	for i, s := range shares {
		names[i] = s.Name
		w.stopped[s.Path] = true
	}
	w.run.Go(func(ctx context.Context) func() {
		if err := w.core.Library.Unshare(ctx, names); err != nil {
			return w.said(err)
		}
		return then
	})
}

// unshare stops sharing, and offers to take that back.
func (w *window) unshare(shares []domain.Share) {
	w.stop(shares, func() {
		w.showToast(library.UnsharedWords(shares), func() {
			w.run.Go(func(ctx context.Context) func() { return w.shareAgain(ctx, shares) })
		})
	})
}

// shareAgain shares what was shared before, as it was, off the UI thread.
func (w *window) shareAgain(ctx context.Context, shares []domain.Share) func() {
	var problems []error
	for _, s := range shares {
		problems = append(problems, w.core.Library.Restore(ctx, s))
	}
	return w.said(errors.Join(problems...))
}

// find lets the user choose where a share lies now that is gone.
func (w *window) find(share domain.Share) {
	w.run.Go(func(context.Context) func() {
		from := nearest(share.Path)
		return func() {
			w.choose(desktop.Choice{
				Title: words.T("Where is %s now?", share.Name), Accept: words.T("Choose"),
				Folders: share.Folder, From: from,
			}, func(paths []string) {
				w.run.Go(func(ctx context.Context) func() { return w.said(w.core.Library.Move(ctx, share.Name, paths[0])) })
			})
		}
	})
}

// nearest returns the folder that is there of those above a path that may be
// gone. A drive on the network may take long to answer.
func nearest(path string) string {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() || dir == filepath.Dir(dir) {
			return dir
		}
	}
}

// said returns what shows an error, or nil for none.
func (w *window) said(err error) func() {
	if err == nil {
		return nil
	}
	return func() { w.problem(err) }
}

// open opens what was downloaded from somebody, after a question if it is a
// program.
func (w *window) open(path, from string) {
	w.run.Go(func(ctx context.Context) func() {
		if !desktop.IsProgram(path) {
			return w.opened(path, desktop.Open(ctx, path))
		}
		return func() { w.askToOpen(path, from) }
	})
}

func (w *window) askToOpen(path, from string) {
	question := words.T("This is a program.")
	if from != "" {
		question = words.T("This is a program from %s.", from)
	}
	widget.ShowSheet(w.win.Canvas(), question,
		widget.NewParagraph(words.T("Open %s only if you expected it.", filepath.Base(path)), theme.SecondText, fyne.TextAlignLeading).RichText,
		words.T("Cancel"), nil, widget.NewButton(words.T("Open"), "", widget.Plain, func() {
			w.run.Go(func(ctx context.Context) func() { return w.opened(path, desktop.Open(ctx, path)) })
		}))
}

// opened returns what shows why a path could not be opened, or nil if it could.
// A download that is not there is told to say so, too.
func (w *window) opened(path string, err error) func() {
	if !errors.Is(err, domain.ErrNotFound) {
		return w.said(err)
	}
	return func() {
		w.problem(err)
		w.transfers.Missing(path)
	}
}

// reveal shows a file in its folder.
func (w *window) reveal(path string) {
	w.run.Go(func(ctx context.Context) func() { return w.opened(path, desktop.Reveal(ctx, path)) })
}

func (w *window) browsePerson(id domain.PeerID, name string) {
	w.browse.Person(id, name)
	w.show(pageBrowse)
	w.win.Canvas().Focus(w.browse.List())
}
