package ui

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/desktop"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/library"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// Offers is giving files to one person, and taking what others give.
type Offers interface {
	// Send offers files and folders to a person; how that goes on is told by events.
	Send(ctx context.Context, to domain.PeerID, paths []string, note string) (id string, err error)
	// Accept takes what somebody offers into a folder, "" for the download
	// folder; Decline does not.
	Accept(ctx context.Context, id, to string) error
	Decline(ctx context.Context, id string) error
}

const (
	// mostOffers is how many cards of offers are shown at once; others follow.
	mostOffers = 3
	// sizing is how long the files that are to be sent are counted.
	sizing = 400 * time.Millisecond
	// mostPicked is how many people the menu of the toast names.
	mostPicked = 20
)

// offers is what the window does about files for one person.
type offers struct {
	win   *window
	asked []question // that wait for this user: of friends first, then the oldest
	shown []question // those with a card
	more  int        // how many others the line below says that wait
	told  map[string]bool
}

// question is an offer that waits for an answer.
type question struct {
	offer     domain.Offer
	friend    bool   // it is of a friend
	looksLike string // the friend whose name its sender bears
}

func (q question) compare(other question) int {
	if q.friend != other.friend {
		if q.friend {
			return -1
		}
		return 1
	}
	return cmp.Or(q.offer.Added.Compare(other.offer.Added), strings.Compare(q.offer.ID, other.offer.ID))
}

// saysAsMuch reports whether the card of the other one says the same.
func (q question) saysAsMuch(other question) bool {
	return q.offer.ID == other.offer.ID && q.offer.PeerName == other.offer.PeerName && q.looksLike == other.looksLike
}

func newOffers(w *window) *offers { return &offers{win: w, told: make(map[string]bool)} }

// waiting is how many offers wait for this user.
func (o *offers) waiting() int { return len(o.asked) }

// show follows the offers as they are now, of people as they are known.
func (o *offers) show(all map[string]domain.Offer, people map[domain.PeerID]domain.Peer) {
	o.asked = nil
	for _, one := range all {
		if one.Incoming && one.State == domain.OfferAsked {
			from := people[one.Peer]
			o.asked = append(o.asked, question{offer: one, friend: from.Friend, looksLike: from.LooksLike})
		}
		if !one.Problem.IsZero() && !o.told[one.ID] {
			o.told[one.ID] = true
			o.win.notices.add("send:"+one.ID, "warning", theme.Error, words.Say(one.Problem))
		}
	}
	slices.SortFunc(o.asked, question.compare)
	now, more := o.asked[:min(mostOffers, len(o.asked))], max(0, len(o.asked)-mostOffers)
	if more == o.more && slices.EqualFunc(now, o.shown, question.saysAsMuch) {
		return
	}
	for _, q := range o.shown {
		o.win.notices.remove("offer:" + q.offer.ID)
	}
	o.win.notices.remove("offers")
	o.shown, o.more = now, more
	for _, q := range now {
		o.card(q)
	}
	if more > 0 {
		var actions []fyne.CanvasObject
		if n := len(o.ofStrangers()); n > 1 {
			actions = append(actions, widget.NewButton(words.T("Decline %s from strangers", words.Count(n)), "", widget.Plain, o.declineStrangers).Small())
		}
		o.win.notices.add("offers", "clock", theme.Waiting, words.N("%s more offers wait for your answer.", more), actions...)
	}
}

// ofStrangers returns the IDs of the offers of people who are no friends.
func (o *offers) ofStrangers() (ids []string) {
	for _, q := range o.asked {
		if !q.friend {
			ids = append(ids, q.offer.ID)
		}
	}
	return ids
}

func (o *offers) declineStrangers() {
	ids := o.ofStrangers()
	o.win.run.Go(func(ctx context.Context) func() {
		var problems []error
		for _, id := range ids {
			problems = append(problems, o.win.core.Offers.Decline(ctx, id))
		}
		return o.win.said(errors.Join(problems...))
	})
}

// card asks about an offer above every page.
func (o *offers) card(q question) {
	one := q.offer
	lines := []string{OfferWords(one)}
	if q.looksLike != "" {
		lines = append(lines, words.T("This looks like %s, but it's a different computer.", q.looksLike))
	}
	if one.Note != "" {
		lines = append(lines, one.Note)
	}
	accept := widget.NewButton(words.T("Accept"), "", widget.Primary, func() { o.accept(one.ID, "") }).Small()
	decline := widget.NewButton(words.T("Decline"), "", widget.Plain, func() { o.decline(one.ID) }).Small()
	var more *widget.Button
	more = widget.NewButton("", "chevron-down", widget.Plain, func() {
		menu := fwidget.NewPopUpMenu(fyne.NewMenu("",
			fyne.NewMenuItem(words.T("Accept to…"), func() {
				o.win.pickFolder(func(folder string) { o.accept(one.ID, folder) })
			}),
			fyne.NewMenuItem(words.T("Block %s", one.PeerName), func() { o.win.friends.block(one.Peer, one.PeerName) }),
		), o.win.win.Canvas())
		at := o.win.app.Driver().AbsolutePositionForObject(more)
		menu.ShowAtPosition(at.AddXY(more.Size().Width-menu.MinSize().Width, more.Size().Height+theme.Space4))
	}).Small()
	o.win.notices.ask("offer:"+one.ID, "download", theme.Primary, strings.Join(lines, "\n"), accept, decline, more)
}

// OfferWords says who wants to give what.
func OfferWords(o domain.Offer) string {
	size := words.Size(o.Bytes)
	switch {
	case o.Items > 1 && o.Entries > o.Items:
		return words.T("%s wants to give you %s and %s more with %s, %s.",
			o.PeerName, format.Name(o.Name), words.Count(o.Items-1), words.N("%s files", o.Entries), size)
	case o.Items > 1:
		return words.T("%s wants to give you %s and %s more, %s.", o.PeerName, format.Name(o.Name), words.Count(o.Items-1), size)
	case o.Folder:
		return words.T("%s wants to give you %s with %s, %s.", o.PeerName, format.Name(o.Name), words.N("%s files", o.Entries), size)
	}
	return words.T("%s wants to give you %s, %s.", o.PeerName, format.Name(o.Name), size)
}

func (o *offers) accept(id, to string) {
	o.win.run.Go(func(ctx context.Context) func() { return o.win.said(o.win.core.Offers.Accept(ctx, id, to)) })
}

func (o *offers) decline(id string) {
	o.win.run.Go(func(ctx context.Context) func() { return o.win.said(o.win.core.Offers.Decline(ctx, id)) })
}

// choose lets the user choose what to send to people.
func (o *offers) choose(to []domain.Peer, folders bool) {
	title := words.T("Send files")
	if folders {
		title = words.T("Send a folder")
	}
	o.win.choose(desktop.Choice{Title: title, Accept: words.T("Choose"), Multiple: true, Folders: folders},
		func(paths []string) { o.ask(to, paths, nil) })
}

// amount is how much is to be sent; known is false if it took too long to count.
type amount struct {
	files int
	bytes int64
	known bool
}

// amountOf counts files for a moment. It is called off the UI thread.
func amountOf(ctx context.Context, paths []string) (a amount) {
	ctx, cancel := context.WithTimeout(ctx, sizing)
	defer cancel()
	for _, path := range paths {
		err := filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil || !d.Type().IsRegular() {
				return nil //nolint:nilerr // what cannot be read is told when it is sent
			}
			if info, err := d.Info(); err == nil {
				a.files++
				a.bytes += info.Size()
			}
			return nil
		})
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return amount{}
		}
	}
	a.known = true
	return a
}

// ask asks whether to send these to people, with a note, and then does; before,
// which may be nil, is done first.
func (o *offers) ask(to []domain.Peer, paths []string, before func()) {
	o.win.run.Go(func(ctx context.Context) func() {
		size := amountOf(ctx, paths)
		risks := o.win.core.Library.Assess(ctx, paths)
		return func() { o.sheet(to, paths, size, risks, before) }
	})
}

func (o *offers) sheet(to []domain.Peer, paths []string, size amount, risks []domain.Risk, before func()) {
	names := make([]string, len(to))
	for i, p := range to {
		names[i] = p.Name
	}
	body := widget.VBox(theme.Space8)
	if len(risks) > 0 {
		_, lines := library.RisksWords(risks, domain.Audience{Kind: domain.Chosen})
		body.Add(widget.NewParagraph(strings.Join(lines, "\n"), theme.Error, fyne.TextAlignLeading).RichText)
	}
	if len(to) == 1 && to[0].LooksLike != "" {
		body.Add(widget.NewParagraph(words.T("This looks like %s, but it's a different computer.", to[0].LooksLike), theme.Waiting, fyne.TextAlignLeading).RichText)
	}
	note := widget.NewEntry(words.T("A note, if you like"))
	body.Add(note)
	hint := words.T("Nobody else sees it.")
	if len(to) == 1 && !to[0].Online {
		hint = words.T("%s is away and gets it when back.", to[0].Name)
	}
	body.Add(widget.NewText(hint, theme.TextCaption, theme.SecondText))
	send := func() {
		if before != nil {
			before()
		}
		o.send(to, paths, strings.TrimSpace(note.Text))
	}
	sheet := widget.ShowSheet(o.win.win.Canvas(), sendWords(names, paths, size), aligned(body), words.T("Cancel"), nil,
		widget.NewButton(words.T("Send"), "", widget.Primary, send))
	note.OnSubmitted = func(string) {
		sheet.Cancel()
		send()
	}
	o.win.win.Canvas().Focus(note)
}

// sendWords asks whether to send files to people.
func sendWords(to []string, paths []string, size amount) string {
	what := format.Name(filepath.Base(paths[0]))
	if len(paths) > 1 {
		what = words.N("%s items", len(paths))
	}
	if !size.known {
		return words.T("Send %s to %s?", what, format.Names(to))
	}
	return words.T("Send %s (%s) to %s?", what, words.Size(size.bytes), format.Names(to))
}

// send makes one offer to each of these people.
func (o *offers) send(to []domain.Peer, paths []string, note string) {
	o.win.run.Go(func(ctx context.Context) func() {
		var problems []error
		for _, p := range to {
			_, err := o.win.core.Offers.Send(ctx, p.ID, paths, note)
			problems = append(problems, err)
		}
		if err := errors.Join(problems...); err != nil {
			return o.win.said(err)
		}
		return func() { o.win.show(pageTransfers) }
	})
}

// instead lets the user choose, above a button of the toast, to whom alone to
// send what was just shared.
func (o *offers) instead(shares []domain.Share, button fyne.CanvasObject) {
	var items []*fyne.MenuItem
	for _, p := range o.win.people.Around() {
		if len(items) == mostPicked {
			break
		}
		items = append(items, fyne.NewMenuItem(p.Name, func() {
			paths := make([]string, len(shares))
			for i, s := range shares {
				paths[i] = s.Path
			}
			o.ask([]domain.Peer{p}, paths, func() { o.win.stop(shares, nil) })
		}))
	}
	if len(items) == 0 {
		nobody := fyne.NewMenuItem(words.T("Nobody else is here at the moment."), nil)
		nobody.Disabled = true
		items = append(items, nobody)
	}
	menu := fwidget.NewPopUpMenu(fyne.NewMenu("", items...), o.win.win.Canvas())
	menu.ShowAtPosition(o.win.app.Driver().AbsolutePositionForObject(button).AddXY(0, -menu.MinSize().Height-theme.Space12))
}

// dropped takes files that were let go over the window: over a person they are
// for that person, else they are shared. Where the desktop does not tell the
// place they are shared, too.
func (w *window) dropped(at fyne.Position, paths []string) {
	if p, ok := w.target(at); ok {
		w.offers.ask([]domain.Peer{p}, paths, nil)
		return
	}
	w.share(paths)
}

// target returns the person over whose row a place of the window is.
func (w *window) target(at fyne.Position) (p domain.Peer, ok bool) {
	// Wayland, and the drags of other desktops, tell where the pointer was
	// before the drag.
	if w.native.Load() == 0 || w.page != pagePeople || w.welcome != nil || w.win.Canvas().Overlays().Top() != nil {
		return domain.Peer{}, false
	}
	return w.people.At(at)
}
