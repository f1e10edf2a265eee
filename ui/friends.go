package ui

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// friends is what the window does about becoming friends, and about people whom
// the user does not want.
type friends struct {
	win *window
	// introductions are those under way, or just ended, and asked is those that
	// the user of this window began: their words are shown at once.
	introductions map[domain.PeerID]domain.Introduction
	asked         map[domain.PeerID]bool
	carded        map[domain.PeerID]bool // introductions with a card
	more          int                    // how many a card says that wait beside them
	comparing     *widget.Sheet          // the open sheet with words, or nil
	of            domain.PeerID          // whose words it shows
	// far are those of whom a card says that they do not count this computer as
	// nearby.
	far map[domain.PeerID]bool
}

// mostFar is how many such cards are shown at once, and mostAsking how many of
// those who want to be friends.
const mostFar, mostAsking = 3, 3

// farLasts is how long they last after the peer has gone.
const farLasts = 2 * time.Minute

func newFriends(w *window) *friends {
	return &friends{
		win: w, introductions: make(map[domain.PeerID]domain.Introduction), asked: make(map[domain.PeerID]bool),
		carded: make(map[domain.PeerID]bool), far: make(map[domain.PeerID]bool),
	}
}

// waiting is how many introductions wait for this user.
func (f *friends) waiting() (n int) {
	for _, i := range f.introductions {
		if i.State == domain.IntroductionComparing || i.State == domain.IntroductionInvited {
			n++
		}
	}
	return n
}

// show follows the introductions as they are now.
func (f *friends) show(all map[string]domain.Introduction) {
	for id := range f.introductions {
		if _, still := all[string(id)]; !still {
			f.gone(id)
		}
	}
	theirs := 0
	for _, i := range inTurn(all) {
		before, known := f.introductions[i.Peer]
		same := known && before.State == i.State && slices.Equal(before.Words, i.Words) && before.Reason == i.Reason
		f.introductions[i.Peer] = i
		if i.Theirs {
			theirs++
		}
		switch {
		case i.Theirs && theirs > mostAsking:
			f.uncard(i.Peer)
		case !same || !f.carded[i.Peer]:
			f.card(i)
		}
	}
	if more := max(0, theirs-mostAsking); more != f.more {
		f.more = more
		f.win.notices.remove("friends")
		if more > 0 {
			f.win.notices.add("friends", "clock", theme.Waiting, words.N("%s more people want to be friends.", more))
		}
	}
}

// inTurn returns the introductions in the order in which they get cards: those
// that have ended last, else the oldest first.
func inTurn(all map[string]domain.Introduction) []domain.Introduction {
	ended := func(i domain.Introduction) int {
		if i.State == domain.IntroductionEnded {
			return 1
		}
		return 0
	}
	return slices.SortedFunc(maps.Values(all), func(a, b domain.Introduction) int {
		return cmp.Or(ended(a)-ended(b), a.Begun.Compare(b.Begun), cmp.Compare(a.Peer, b.Peer))
	})
}

// uncard takes away the card of an introduction for which there is no room.
func (f *friends) uncard(id domain.PeerID) {
	if f.carded[id] {
		delete(f.carded, id)
		f.win.notices.remove(noticeOf(id))
		f.close(id)
	}
}

// showFar says above every page who does not count this computer as nearby: there
// is a way to share all the same. A card that was closed stays so until they do. It
// outlasts a short absence: such people hang up each half minute, and are dialled
// again.
func (f *friends) showFar(peers []domain.Peer) {
	now := make(map[domain.PeerID]bool)
	for _, p := range peers {
		lasts := f.far[p.ID] && !p.Online && time.Since(p.LastSeen) < farLasts
		now[p.ID] = !p.Friend && (p.Online && p.FarForThem || lasts)
	}
	for id := range f.far {
		if !now[id] {
			delete(f.far, id)
			f.win.notices.remove("far:" + string(id))
		}
	}
	for _, p := range peers {
		if !now[p.ID] || f.far[p.ID] || len(f.far) >= mostFar {
			continue
		}
		f.far[p.ID] = true
		f.win.notices.add("far:"+string(p.ID), "people", theme.Waiting, words.T("%s doesn't count you as nearby yet.", p.Name),
			widget.NewButton(words.T("Add as friend"), "", widget.Plain, func() { f.ask(p.ID) }).Small())
	}
}

// gone takes away what is shown of an introduction.
func (f *friends) gone(id domain.PeerID) {
	delete(f.introductions, id)
	delete(f.asked, id)
	delete(f.carded, id)
	f.win.notices.remove(noticeOf(id))
	f.close(id)
}

// close closes the sheet with somebody's words, if it is open.
func (f *friends) close(id domain.PeerID) {
	if f.comparing != nil && f.of == id {
		sheet := f.comparing
		f.comparing = nil
		sheet.Cancel()
	}
}

func noticeOf(id domain.PeerID) string { return "friend:" + string(id) }

// card says above every page how an introduction stands, and what to do.
func (f *friends) card(i domain.Introduction) {
	key, name := noticeOf(i.Peer), i.Name
	f.carded[i.Peer] = true
	f.win.notices.remove(key)
	if i.State != domain.IntroductionComparing {
		f.close(i.Peer)
	}
	button := func(text string, do func()) fyne.CanvasObject {
		return widget.NewButton(text, "", widget.Plain, do).Small()
	}
	decline := func() { f.do(f.win.core.People.DeclineFriend, i.Peer) }
	confirm := func() { f.do(f.win.core.People.ConfirmFriend, i.Peer) }
	switch i.State {
	case domain.IntroductionAsked:
		f.win.notices.add(key, "friend", theme.Primary, words.T("Asking %s…", name))
	case domain.IntroductionComparing:
		text, no := words.T("%s wants to be friends.", name), words.T("Not now")
		if !i.Theirs {
			text, no = words.T("Compare the words with %s.", name), words.T("Cancel")
		}
		f.win.notices.add(key, "friend", theme.Primary, text,
			button(words.T("Compare words"), func() { f.compare(i) }), button(no, decline))
		if f.asked[i.Peer] {
			f.compare(i)
		}
	case domain.IntroductionInvited:
		f.win.notices.add(key, "friend", theme.Primary, words.T("%s has your invitation. Add %s as a friend?", name, name),
			button(words.T("Add"), confirm), button(words.T("Decline"), decline))
	case domain.IntroductionWaiting:
		f.win.notices.add(key, "clock", theme.Waiting, words.T("Waiting until %s confirms, too.", name), button(words.T("Cancel"), decline))
	case domain.IntroductionEnded:
		text := words.Say(i.Reason)
		if text == "" {
			text = words.T("%s and you did not become friends.", name)
		}
		f.win.notices.add(key, "warning", theme.Waiting, text, button(words.T("OK"), decline))
	case domain.IntroductionDone: // the mark at the name says it
	}
}

// compare shows the words.
func (f *friends) compare(i domain.Introduction) {
	delete(f.asked, i.Peer)
	f.close(f.of)
	code := widget.NewBold(strings.Join(i.Words, "  "), theme.TextHeading, theme.Text)
	hint := widget.NewParagraph(words.T("Ask %s, face to face or by phone. If the words differ, somebody may be in between.", i.Name),
		theme.SecondText, fyne.TextAlignLeading)
	body := widget.VBox(theme.Space12, container.NewCenter(code), hint.RichText)
	differ := widget.NewButton(words.T("They differ"), "", widget.Plain, func() { f.do(f.win.core.People.DeclineFriend, i.Peer) })
	match := widget.NewButton(words.T("They match"), "", widget.Primary, func() { f.do(f.win.core.People.ConfirmFriend, i.Peer) })
	f.of = i.Peer
	f.comparing = widget.ShowSheet(f.win.win.Canvas(), words.T("Does %s's computer show the same words?", i.Name), body,
		words.T("Later"), func() { f.comparing = nil }, differ, match)
}

// do runs one of the use case's methods and says what went wrong.
func (f *friends) do(what func(context.Context, domain.PeerID) error, id domain.PeerID) {
	f.win.run.Go(func(ctx context.Context) func() {
		return f.win.said(what(ctx, id))
	})
}

// ask begins to become friends with somebody.
func (f *friends) ask(id domain.PeerID) {
	f.asked[id] = true
	if i, open := f.introductions[id]; open && i.State == domain.IntroductionComparing {
		f.compare(i)
		return
	}
	f.do(f.win.core.People.AddFriend, id)
}

// remove ends a friendship, with a way back.
func (f *friends) remove(id domain.PeerID, name string) {
	f.undoable(words.T("%s is no longer a friend.", name), id, f.win.core.People.RemoveFriend, f.win.core.People.RestoreFriend)
}

// block cuts somebody off, with a way back.
func (f *friends) block(id domain.PeerID, name string) {
	f.undoable(words.T("%s is blocked.", name), id, f.win.core.People.Block, f.win.core.People.Unblock)
}

func (f *friends) undoable(said string, id domain.PeerID, do, undo func(context.Context, domain.PeerID) error) {
	f.win.run.Go(func(ctx context.Context) func() {
		if err := do(ctx, id); err != nil {
			return f.win.said(err)
		}
		return func() { f.win.showToast(said, func() { f.do(undo, id) }) }
	})
}

// rename asks what this user calls somebody.
func (f *friends) rename(p domain.Peer) {
	entry := widget.NewEntry(words.T("As they call themselves"))
	claimed := p.Name
	if p.Claimed != "" {
		claimed = p.Claimed
		entry.SetText(p.Name)
	}
	body := widget.VBox(theme.Space8, entry,
		widget.NewText(words.T("Calls itself %s.", claimed), theme.TextCaption, theme.SecondText))
	save := func() {
		given := strings.TrimSpace(entry.Text)
		f.win.run.Go(func(ctx context.Context) func() { return f.win.said(f.win.core.People.Rename(ctx, p.ID, given)) })
	}
	sheet := widget.ShowSheet(f.win.win.Canvas(), words.T("What do you call %s?", claimed), aligned(body), words.T("Cancel"), nil,
		widget.NewButton(words.T("Rename"), "", widget.Primary, save))
	entry.OnSubmitted = func(string) {
		sheet.Cancel()
		save()
	}
	f.win.win.Canvas().Focus(entry)
}

// add asks whom to become friends with.
func (f *friends) add(around []domain.Peer) {
	const most = 6
	var sheet *widget.Sheet
	body := widget.VBox(theme.Space8)
	var strangers []domain.Peer
	for _, p := range around {
		if p.Online && !p.Friend {
			strangers = append(strangers, p)
		}
	}
	for _, p := range strangers[:min(most, len(strangers))] {
		body.Add(container.NewHBox(widget.NewButton(p.Name, "friend", widget.Plain, func() {
			sheet.Cancel()
			f.ask(p.ID)
		})))
	}
	switch {
	case len(strangers) == 0:
		body.Add(widget.NewText(words.T("Nobody else is here at the moment."), theme.TextBody, theme.SecondText))
	case len(strangers) > most:
		body.Add(widget.NewText(words.T("Others by their menu in the list."), theme.TextCaption, theme.SecondText))
	}
	pasted := widget.NewEntry(words.T("Or paste an invitation"))
	body.Add(pasted)
	open := func() {
		if text := strings.TrimSpace(pasted.Text); text != "" {
			f.win.link(text)
		}
	}
	sheet = widget.ShowSheet(f.win.win.Canvas(), words.T("Add a friend"), aligned(body), words.T("Cancel"), nil,
		widget.NewButton(words.T("My invitation"), "", widget.Plain, f.invite),
		widget.NewButton(words.T("Open it"), "", widget.Plain, open))
	pasted.OnSubmitted = func(string) {
		sheet.Cancel()
		open()
	}
}

// aligned brings what is no text of its own under a sheet's title.
func aligned(body fyne.CanvasObject) fyne.CanvasObject {
	return widget.Inset(body, theme.Space8, theme.Space8, 0, theme.Space8)
}

// invite makes an invitation and shows it.
func (f *friends) invite() {
	f.win.run.Go(func(ctx context.Context) func() {
		invitation, err := f.win.core.People.Invite(ctx)
		if err != nil {
			return f.win.said(err)
		}
		code, err := qrCode(invitation.Link)
		if err != nil {
			code = nil // the link alone will do
		}
		return func() { f.showInvitation(invitation, code) }
	})
}

// qrSide is how large the code is shown.
const qrSide float32 = 232

func (f *friends) showInvitation(invitation domain.Invitation, code fyne.Resource) {
	body := widget.VBox(theme.Space12)
	if code != nil {
		picture := canvas.NewImageFromResource(code)
		picture.FillMode = canvas.ImageFillContain
		picture.ScaleMode = canvas.ImageScalePixels
		picture.SetMinSize(fyne.NewSquareSize(qrSide))
		body.Add(container.NewCenter(picture))
	}
	body.Add(widget.NewParagraph(words.T("It works once, until %s. Whoever has it can ask to be your friend.",
		words.Time(invitation.Expires, time.Now())), theme.SecondText, fyne.TextAlignCenter).RichText)
	copied := widget.NewButton(words.T("Copy link"), "copy", widget.Primary, func() {
		f.win.app.Clipboard().SetContent(invitation.Link)
	})
	widget.ShowSheet(f.win.win.Canvas(), words.T("My invitation"), body, words.T("Close"), nil, copied)
}

// invited asks whether to take an invitation that somebody opened here.
func (f *friends) invited(target domain.LinkTarget) {
	name := target.Name
	switch {
	case target.Own:
		f.win.notices.add("problem", "warning", theme.Waiting, words.T("That's your own invitation. Send it to somebody."))
		return
	case target.Owner.Friend:
		f.win.notices.add("problem", "friend", theme.Primary, words.T("%s is your friend already.", name))
		return
	}
	hint := widget.NewParagraph(words.T("%s has to confirm it, too. Friends see what you share with friends.", name),
		theme.SecondText, fyne.TextAlignLeading)
	join := widget.NewButton(words.T("Add as friend"), "", widget.Primary, func() {
		f.win.run.Go(func(ctx context.Context) func() {
			_, err := f.win.core.People.Join(ctx, target.Link)
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return f.win.said(err)
		})
	})
	widget.ShowSheet(f.win.win.Canvas(), words.T("Become friends with %s?", name), hint.RichText, words.T("Cancel"), nil, join)
}

// blocked shows who is blocked, to be let in again.
func (f *friends) blocked() {
	var sheet *widget.Sheet
	body := widget.VBox(theme.Space8)
	for _, p := range f.win.core.People.Blocked() {
		body.Add(container.NewBorder(nil, nil, widget.NewText(p.Name, theme.TextBody, theme.Text),
			widget.NewButton(words.T("Unblock"), "", widget.Plain, func() {
				sheet.Cancel()
				f.do(f.win.core.People.Unblock, p.ID)
			}).Small()))
	}
	sheet = widget.ShowSheet(f.win.win.Canvas(), words.T("Blocked people"), aligned(body), words.T("Close"), nil)
}
