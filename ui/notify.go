package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/transfers"
	"github.com/potluck-share/potluck/ui/words"
)

// together is how long news wait for others, so that the end of many downloads
// is told once.
const together = 2 * time.Second

// notifier tells the desktop what has happened while the window is not looked
// at.
type notifier struct {
	win     *window
	looked  bool // the window has the focus
	pending []domain.Transfer
	send    func(title, text string) // tells the desktop; may block
}

func newNotifier(w *window) *notifier {
	n := &notifier{win: w}
	n.send = func(title, text string) { w.app.SendNotification(fyne.NewNotification(title, text)) }
	return n
}

// tells reports whether the change of a transfer is news: a download that came
// to its end, or one that cannot go on without the user.
func tells(before, after domain.Transfer) bool {
	if after.Kind == domain.Upload || after.Kind == domain.Offering || before.State == after.State {
		return false
	}
	return after.State == domain.Done || after.State == domain.Failed || after.State == domain.Waiting && transfers.NeedsUser(&after)
}

// add takes news.
func (n *notifier) add(news []domain.Transfer) {
	if len(news) == 0 || n.looked || !n.win.values.Notify {
		return
	}
	first := len(n.pending) == 0
	n.pending = append(n.pending, news...)
	if first {
		n.win.run.After(together, func(context.Context) func() { return n.tell })
	}
}

// offered tells of what others want to give.
func (n *notifier) offered(offers []domain.Offer) {
	if len(offers) == 0 || n.looked || !n.win.values.Notify {
		return
	}
	text := OfferWords(offers[0])
	if len(offers) > 1 {
		text = words.N("%s people want to give you something", len(offers))
	}
	n.say(text)
}

// say tells the desktop something at once.
func (n *notifier) say(text string) {
	if n.looked || !n.win.values.Notify {
		return
	}
	n.win.run.Go(func(context.Context) func() {
		n.send("Potluck", text)
		return nil
	})
}

// tell sends what has come together.
func (n *notifier) tell() {
	news := n.pending
	n.pending = nil
	if len(news) == 0 || n.looked {
		return
	}
	title, text := newsWords(news)
	n.win.run.Go(func(context.Context) func() {
		n.send(title, text)
		return nil
	})
}

// newsWords puts news into words: what needs the user first.
func newsWords(news []domain.Transfer) (title, text string) {
	var done, stuck []domain.Transfer
	for _, t := range news {
		if t.State == domain.Done {
			done = append(done, t)
		} else {
			stuck = append(stuck, t)
		}
	}
	switch {
	case len(stuck) == 1:
		return words.T("%s does not go on", transfers.Name(&stuck[0])), words.Say(stuck[0].Reason)
	case len(stuck) > 1:
		return words.N("%s downloads do not go on", len(stuck)), words.Say(stuck[0].Reason)
	case len(done) == 1 && done[0].PeerName != "":
		return words.T("%s is here", transfers.Name(&done[0])), words.T("%s from %s", words.Size(done[0].Size), done[0].PeerName)
	case len(done) == 1:
		return words.T("%s is here", transfers.Name(&done[0])), words.Size(done[0].Size)
	default:
		var size int64
		for _, t := range done {
			size += t.Size
		}
		return words.N("%s downloads are here", len(done)), words.Size(size)
	}
}
