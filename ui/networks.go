package ui

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// Networks is on which networks everyone nearby sees what is shared with them.
type Networks interface {
	// Networks returns those that are present, and those that were asked about.
	Networks() []domain.Network
	// Answer says who sees what is shared on one of them.
	Answer(ctx context.Context, id string, answer domain.NetworkAnswer) error
}

// networks is what the window does about the networks that this machine is on.
type networks struct {
	win     *window
	asked   map[string]bool // those with a card
	present []domain.Network
}

func newNetworks(w *window) *networks { return &networks{win: w, asked: make(map[string]bool)} }

// show follows the networks as they are now: about a new one it asks, once.
func (n *networks) show(all map[string]domain.Network) {
	n.present = n.present[:0]
	var friends []string
	var fresh []domain.Network
	for id := range n.asked {
		if all[id].Answer != domain.NetworkUnasked || !all[id].Present {
			delete(n.asked, id)
			n.win.notices.remove("network:" + id)
		}
	}
	for id, one := range all {
		if !one.Present {
			continue
		}
		n.present = append(n.present, one)
		switch {
		case one.Answer == domain.NetworkFriends:
			friends = append(friends, id)
		case one.Answer == domain.NetworkUnasked && !n.asked[id]:
			n.asked[id] = true
			fresh = append(fresh, one)
		}
	}
	for _, one := range fresh {
		n.card(one)
	}
	slices.Sort(friends)
	n.win.library.SetReserved(len(friends) > 0, func() { n.answerAll(friends) })
}

// question asks about a network, by its name where there are several.
func (n *networks) question(one domain.Network) string {
	if one.Name == "" || len(n.present) < 2 {
		return words.T("Show your shares to everyone on this network?")
	}
	return words.T("Show your shares to everyone on this network (%s)?", one.Name)
}

func (n *networks) card(one domain.Network) {
	button := func(text string, look widget.ButtonKind, answer domain.NetworkAnswer) fyne.CanvasObject {
		return widget.NewButton(text, "", look, func() { n.answer(one.ID, answer) }).Small()
	}
	n.win.notices.ask("network:"+one.ID, "visible", theme.Primary, n.question(one),
		button(words.T("Show"), widget.Primary, domain.NetworkShow),
		button(words.T("Friends only"), widget.Plain, domain.NetworkFriends))
	n.win.notify.say(n.question(one))
}

func (n *networks) answer(id string, answer domain.NetworkAnswer) {
	n.win.run.Go(func(ctx context.Context) func() { return n.win.said(n.win.core.Networks.Answer(ctx, id, answer)) })
}

// answerAll shows shares on networks on which friends only saw them, with a way
// back.
func (n *networks) answerAll(ids []string) {
	all := func(answer domain.NetworkAnswer) {
		for _, id := range ids {
			n.answer(id, answer)
		}
	}
	all(domain.NetworkShow)
	n.win.showToast(words.T("Everyone on this network sees your shares now."), func() { all(domain.NetworkFriends) })
}

// list shows all networks that are known and who sees the shares there.
func (n *networks) list() {
	n.win.run.Go(func(context.Context) func() {
		all := n.win.core.Networks.Networks()
		return func() { n.sheet(all) }
	})
}

// mostListed is how many networks the sheet has room for.
const mostListed = 8

func (n *networks) sheet(all []domain.Network) {
	body := widget.VBox(theme.Space8)
	if len(all) == 0 {
		body.Add(widget.NewText(words.T("There is no network."), theme.TextBody, theme.SecondText))
	}
	for _, one := range all[:min(len(all), mostListed)] {
		body.Add(n.row(one))
	}
	widget.ShowSheet(n.win.win.Canvas(), words.T("Who sees your shares on which network"), aligned(body), words.T("Close"), nil)
}

// row shows a network with the two answers.
func (n *networks) row(one domain.Network) fyne.CanvasObject {
	name := one.Name
	if name == "" {
		name = words.T("A network")
	}
	if one.Present {
		name = strings.Join([]string{name, words.T("here now")}, " · ")
	}
	show := widget.NewButton(words.T("Everyone"), "", widget.Choice, nil)
	friends := widget.NewButton(words.T("Friends only"), "", widget.Choice, nil)
	choose := func(answer domain.NetworkAnswer) {
		show.SetChosen(answer == domain.NetworkShow)
		friends.SetChosen(answer != domain.NetworkShow)
	}
	choose(one.Answer)
	show.OnTapped = func() {
		choose(domain.NetworkShow)
		n.answer(one.ID, domain.NetworkShow)
	}
	friends.OnTapped = func() {
		choose(domain.NetworkFriends)
		n.answer(one.ID, domain.NetworkFriends)
	}
	return container.NewBorder(nil, nil, widget.NewText(name, theme.TextBody, theme.Text), widget.HBox(theme.Space4, show, friends))
}
