//go:build !preview

package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/ui/widget"
)

func offered(n int) map[string]domain.Offer {
	all := make(map[string]domain.Offer)
	for i := range n {
		id := fmt.Sprintf("%032x", i)
		all[id] = domain.Offer{
			ID: id, Incoming: true, Peer: anaID, PeerName: "Ana", Name: "Holiday", Items: 1, Folder: true, Entries: 214, Bytes: 12e8,
			Note: "from the sea", State: domain.OfferAsked, Added: time.Unix(int64(i), 0),
		}
	}
	return all
}

func TestOffersAreCards(t *testing.T) {
	for button, call := range map[string]string{"Accept": "accept %032x ", "Decline": "decline %032x"} {
		w, f := newTestWindow(t)
		w.offers.show(offered(5), map[domain.PeerID]domain.Peer{anaID: {LooksLike: "Anna"}})
		if w.offers.waiting() != 5 || len(w.notices.keys) != 4 || w.win.Canvas().Overlays().Top() != nil {
			t.Fatalf("%d wait, %q are shown", w.offers.waiting(), w.notices.keys)
		}
		var said []string
		for _, o := range test.LaidOutObjects(w.notices.box) {
			if text, ok := o.(*fwidget.RichText); ok {
				said = append(said, text.String())
			}
		}
		want := "Ana wants to give you Holiday with 214 files, 1.2 GB.\nThis looks like Anna, but it's a different computer.\nfrom the sea"
		if len(said) != 4 || said[0] != want || said[3] != "2 more offers wait for your answer." {
			t.Errorf("the cards say %q", said)
		}
		if !pressIn(w.notices.box, button) {
			t.Fatalf("no button %q", button)
		}
		wantCalls(t, f, fmt.Sprintf(call, 0))
		w.offers.show(nil, nil)
		if len(w.notices.keys) != 0 {
			t.Errorf("left above the pages: %q", w.notices.keys)
		}
	}
}

// A friend's offer has a card, however many strangers were quicker.
func TestStrangersOffersKeepNoFriendsFromSight(t *testing.T) {
	w, f := newTestWindow(t)
	all := offered(6)
	id := fmt.Sprintf("%032x", 5) // the latest
	friends := all[id]
	friends.Peer, friends.PeerName = "2", "Ben"
	all[id] = friends
	w.offers.show(all, map[domain.PeerID]domain.Peer{"2": {Friend: true}})
	if got := w.offers.shown[0].offer.ID; got != id {
		t.Errorf("the first card is of %s", got)
	}
	if !pressIn(w.notices.box, "Decline 5 from strangers") {
		t.Fatal("strangers' offers cannot be declined together")
	}
	wantCalls(t, f, "decline "+fmt.Sprintf("%032x", 0), "decline "+fmt.Sprintf("%032x", 1), "decline "+fmt.Sprintf("%032x", 2),
		"decline "+fmt.Sprintf("%032x", 3), "decline "+fmt.Sprintf("%032x", 4))
	// One that becomes a friend comes up, and the warning about a name comes later.
	w.offers.show(all, map[domain.PeerID]domain.Peer{anaID: {Friend: true}, "2": {LooksLike: "Benn"}})
	if q := w.offers.shown[0]; q.offer.Peer != anaID || w.offers.more != 3 {
		t.Errorf("then the first card is of %s, and %d more wait", q.offer.PeerName, w.offers.more)
	}
}

func TestOfferInWords(t *testing.T) {
	for want, o := range map[string]domain.Offer{
		"Ana wants to give you notes.txt, 5 B.":              {PeerName: "Ana", Name: "notes.txt", Items: 1, Entries: 1, Bytes: 5},
		"Ana wants to give you Holiday with 1 file, 12 MB.":  {PeerName: "Ana", Name: "Holiday", Items: 1, Entries: 1, Folder: true, Bytes: 12e6},
		"Ana wants to give you notes.txt and 2 more, 12 MB.": {PeerName: "Ana", Name: "notes.txt", Items: 3, Entries: 3, Bytes: 12e6},
		"Ana wants to give you Holiday and 2 more with 30 files, 12 MB.": {
			PeerName: "Ana", Name: "Holiday", Items: 3, Entries: 30, Folder: true, Bytes: 12e6,
		},
	} {
		if got := OfferWords(o); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Sending asks first, always, and makes one offer for each person.
func TestSendingAsksFirst(t *testing.T) {
	w, f := newTestWindow(t)
	file := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(file, make([]byte, 4200), 0o600); err != nil {
		t.Fatal(err)
	}
	people := []domain.Peer{{ID: anaID, Name: "Ana", Online: true}, {ID: "2", Name: "Ben"}}
	w.offers.ask(people, []string{file}, nil)
	s := sheet(t, w)
	wantCalls(t, f)
	var entry *widget.Entry
	for _, o := range test.LaidOutObjects(s) {
		if e, ok := o.(*widget.Entry); ok {
			entry = e
		}
	}
	test.Type(entry, "for you")
	if got, want := sendWords([]string{"Ana", "Ben"}, []string{file}, amountOf(t.Context(), []string{file})), "Send notes.txt (4.2 kB) to Ana and Ben?"; got != want {
		t.Errorf("it asks %q, want %q", got, want)
	}
	pressIn(s, "Send")
	wantCalls(t, f, "send "+string(anaID)+" "+file+" for you", "send 2 "+file+" for you")
}

// Files that are let go over a person's row are for that person, elsewhere they
// are shared; where the desktop does not tell the place, too.
func TestWhereFilesAreDropped(t *testing.T) {
	w, f := newTestWindow(t)
	w.win.Resize(fyne.NewSize(900, 600))
	w.people.Prepare([]domain.Peer{{ID: anaID, Name: "Ana", Online: true}}, time.Now())()
	at, size := w.people.Place(anaID)
	middle := at.AddXY(size.Width/2, size.Height/2)
	w.dropped(middle, []string{"/home/mira/x"})
	wantCalls(t, f, "share /home/mira/x with everyone")
	w.native.Store(1) // as under X11
	w.dropped(middle, []string{"/home/mira/y"})
	wantCalls(t, f, "share /home/mira/x with everyone")
	sheet(t, w).Cancel()
	w.dropped(middle.AddXY(0, 2*size.Height), []string{"/home/mira/z"})
	wantCalls(t, f, "share /home/mira/x with everyone", "share /home/mira/z with everyone")
	w.show(pageTransfers)
	w.dropped(middle, []string{"/home/mira/v"})
	wantCalls(t, f, "share /home/mira/x with everyone", "share /home/mira/z with everyone", "share /home/mira/v with everyone")
}

// What was shared by mistake goes to one person instead.
func TestSendInstead(t *testing.T) {
	w, f, q := newTimedWindow(t)
	w.win.Resize(fyne.NewSize(900, 600))
	w.people.Prepare([]domain.Peer{{ID: anaID, Name: "Ana", Online: true}, {ID: "2", Name: "Ben"}}, time.Now())()
	w.share([]string{"/home/mira/Holiday"})
	q.until(t, "it is shared", func() bool { return w.toast.count == 1 })
	test.Tap(toastButton(t, w, "Send instead…"))
	menu, ok := w.win.Canvas().Focused().(*fwidget.PopUpMenu)
	if !ok || len(menu.Items) != 1 {
		t.Fatal("it does not offer the one who is here")
	}
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	q.until(t, "it asks", func() bool { return w.win.Canvas().Overlays().Top() != nil })
	pressIn(sheet(t, w), "Send")
	q.until(t, "it is sent", func() bool {
		calls := strings.Join(f.called(), "|")
		return strings.Contains(calls, "unshare Holiday") && strings.Contains(calls, "send "+string(anaID)+" /home/mira/Holiday")
	})
}

func TestNewOffersAreNews(t *testing.T) {
	w, _ := newTestWindow(t)
	m := newModel()
	var said []string
	w.notify.send = func(_, text string) { said = append(said, text) }
	one := offered(1)
	w.values.Notify = true
	for id, o := range one {
		for range 2 { // the second time it is known
			for _, f := range w.prepare(m, m.apply([]event.Event{{Key: event.Key{Kind: event.Offers.Name(), ID: id}, Value: o}})) {
				f()
			}
		}
	}
	if len(said) != 1 || said[0] != "Ana wants to give you Holiday with 214 files, 1.2 GB." {
		t.Errorf("told: %q", said)
	}
}
