package ui

import (
	"context"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// link asks what to do with a link, which may come from any web page: nothing
// begins by itself.
func (w *window) link(text string) {
	w.run.Go(func(ctx context.Context) func() {
		select { // what comes while the core comes up waits for it
		case <-w.started:
		case <-ctx.Done():
			return nil
		}
		target, err := w.core.Program.Link(ctx, text)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return func() { w.problem(err) }
		default:
			return func() { w.askAbout(target) }
		}
	})
}

// askAbout asks what to do with what a link names.
func (w *window) askAbout(target domain.LinkTarget) {
	if target.Link.Kind == domain.LinkInvite {
		w.friends.invited(target)
		return
	}
	question, facts := linkWords(target)
	var body fyne.CanvasObject
	if facts != "" {
		body = widget.NewParagraph(facts, theme.SecondText, fyne.TextAlignLeading).RichText
	}
	var does *widget.Button
	switch {
	case target.Here != "":
		does = widget.NewButton(words.T("Show in folder"), "", widget.Plain, func() { w.reveal(target.Here) })
	case target.Link.Kind == domain.LinkPeer && target.Link.Path == "":
		does = widget.NewButton(words.T("Open"), "", widget.Plain, func() { w.browsePerson(target.Owner.ID, target.Owner.Name) })
	default:
		does = widget.NewButton(words.T("Download"), "", widget.Plain, func() { w.getLink(target) })
	}
	widget.ShowSheet(w.win.Canvas(), question, body, words.T("Cancel"), nil, does)
}

// linkWords makes the question about what a link names, and what is known of
// it.
func linkWords(target domain.LinkTarget) (question, facts string) {
	name := target.Name
	if name == "" {
		name = words.T("an unnamed file")
	}
	var known []string
	if target.Folder && target.Files > 0 {
		known = append(known, format.Files(target.Files))
	}
	if target.Size >= 0 && (!target.Folder || target.Files > 0) {
		known = append(known, format.Size(target.Size))
	}
	facts = strings.Join(known, " · ")
	owner := target.Owner.Name
	switch {
	case target.Here != "":
		return words.T("You already have %s.", name), filepath.Dir(target.Here)
	case target.Link.Kind == domain.LinkPeer && target.Link.Path == "":
		return words.T("Open what %s shares?", owner), facts
	case owner == "" && len(target.Providers) > 0:
		owner = target.Providers[0].Name
	case owner == "":
		return words.T("Download %s?", name), strings.TrimSpace(facts + "\n" + words.T("Nobody who has this is here."))
	}
	if !target.Providers[0].Online {
		facts = strings.TrimSpace(facts + "\n" + words.T("It begins when %s is back.", owner))
	}
	return words.T("Download %s from %s?", name, owner), facts
}

// getLink begins the download of what a link names.
func (w *window) getLink(target domain.LinkTarget) {
	request := domain.GetRequest{Content: target.Link.Content}
	if target.Link.Kind == domain.LinkPeer {
		request = domain.GetRequest{Peer: target.Owner.ID, Path: target.Link.Path}
	}
	w.show(pageTransfers)
	w.run.Go(func(ctx context.Context) func() {
		_, err := w.core.Transfers.Get(ctx, request)
		return w.said(err)
	})
}
