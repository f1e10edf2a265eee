//go:build !preview

package ui

import (
	"context"
	"fmt"
	"image"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	qr "github.com/boombuler/barcode/qr"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/widget"
)

const anaID domain.PeerID = "12D3KooWpeer0"

func introduction(state domain.IntroductionState) map[string]domain.Introduction {
	return map[string]domain.Introduction{string(anaID): {
		Peer: anaID, Name: "Ana", Theirs: true, State: state, Words: []string{"fun", "series", "tribe", "require"},
		Reason: domain.Say("%s declined.", "Ana"),
	}}
}

// pressIn presses the button of that text in o, and reports whether there is
// one.
func pressIn(o fyne.CanvasObject, text string) bool {
	for _, in := range test.LaidOutObjects(o) {
		if b, ok := in.(*widget.Button); ok && b.Text() == text {
			test.Tap(b)
			return true
		}
	}
	return false
}

func TestComparingWords(t *testing.T) {
	for button, call := range map[string]string{"They match": "confirm", "They differ": "decline"} {
		w, f := newTestWindow(t)
		w.friends.show(introduction(domain.IntroductionComparing))
		if w.friends.waiting() != 1 || w.win.Canvas().Overlays().Top() != nil {
			t.Fatalf("%d wait; a question comes up by itself: %v", w.friends.waiting(), w.win.Canvas().Overlays().Top())
		}
		if !pressIn(w.notices.box, "Compare words") {
			t.Fatal("no way to compare the words")
		}
		// Escape decides nothing.
		sheet(t, w).Cancel()
		wantCalls(t, f)
		pressIn(w.notices.box, "Compare words")
		if !pressIn(sheet(t, w), button) {
			t.Fatalf("no button %q", button)
		}
		wantCalls(t, f, call+" "+string(anaID))
		w.friends.show(introduction(domain.IntroductionWaiting))
		if w.friends.waiting() != 0 || !pressIn(w.notices.box, "Cancel") {
			t.Error("nothing says that Ana has to confirm")
		}
		w.friends.show(nil)
		if len(w.notices.keys) != 0 {
			t.Errorf("left above the pages: %q", w.notices.keys)
		}
	}
}

// However many want to be friends, the pages stay in sight.
func TestOnlySomeOfThoseWhoAskGetACard(t *testing.T) {
	w, _ := newTestWindow(t)
	all := make(map[string]domain.Introduction)
	for i := range 9 {
		id := domain.PeerID(fmt.Sprint("peer", i))
		all[string(id)] = domain.Introduction{
			Peer: id, Name: "Ben", Theirs: true, State: domain.IntroductionComparing, Words: []string{"a"},
			Begun: time.Unix(int64(9-i), 0),
		}
	}
	w.friends.show(all)
	want := []string{"friend:peer8", "friend:peer7", "friend:peer6", "friends"}
	if !slices.Equal(w.notices.keys, want) || w.friends.waiting() != 9 || w.friends.more != 6 {
		t.Errorf("above the pages are %q, and %d more", w.notices.keys, w.friends.more)
	}
	delete(all, "peer7")
	ended := all["peer8"]
	ended.State, ended.Reason = domain.IntroductionEnded, domain.Say("%s declined.", "Ben")
	all["peer8"] = ended
	w.friends.show(all)
	slices.Sort(w.notices.keys)
	if want := []string{"friend:peer4", "friend:peer5", "friend:peer6", "friends"}; !slices.Equal(w.notices.keys, want) {
		t.Errorf("then there are %q", w.notices.keys)
	}
	w.friends.show(nil)
	if len(w.notices.keys) != 0 {
		t.Errorf("left above the pages: %q", w.notices.keys)
	}
}

// What this user has asked for shows its words at once, and goes when the other
// side ends it.
func TestAskingSomebodyShowsTheWords(t *testing.T) {
	w, f := newTestWindow(t)
	w.people.OnFriend(domain.Peer{ID: anaID, Name: "Ana"})
	wantCalls(t, f, "add "+string(anaID))
	w.friends.show(introduction(domain.IntroductionAsked))
	w.friends.show(introduction(domain.IntroductionComparing))
	sheet(t, w)
	w.friends.show(introduction(domain.IntroductionEnded))
	if w.win.Canvas().Overlays().Top() != nil {
		t.Error("words are shown of what has ended")
	}
	if !pressIn(w.notices.box, "OK") {
		t.Error("nothing says that it has ended")
	}
	wantCalls(t, f, "add "+string(anaID), "decline "+string(anaID))
}

func TestAnInvitationsBearerIsConfirmed(t *testing.T) {
	w, f := newTestWindow(t)
	w.friends.show(introduction(domain.IntroductionInvited))
	if !pressIn(w.notices.box, "Add") {
		t.Fatal("no way to add")
	}
	wantCalls(t, f, "confirm "+string(anaID))
	w.friends.show(introduction(domain.IntroductionDone))
	if len(w.notices.keys) != 0 {
		t.Errorf("left above the pages: %q", w.notices.keys)
	}
}

func TestBlockingAndRemovingCanBeUndone(t *testing.T) {
	w, f := newTestWindow(t)
	ana := domain.Peer{ID: anaID, Name: "Ana", Friend: true}
	w.people.OnBlock(ana)
	blocked := toasted(w)
	w.people.OnUnfriend(ana)
	wantCalls(t, f, "block "+string(anaID), "remove "+string(anaID))
	if !blocked || w.toast.count != 2 {
		t.Errorf("%d toasts", w.toast.count)
	}
	f.blocked = []domain.Peer{ana}
	w.people.OnBlocked()
	if !pressIn(sheet(t, w), "Unblock") || f.called()[2] != "unblock "+string(anaID) {
		t.Errorf("calls %q", f.called())
	}
}

func TestRenaming(t *testing.T) {
	w, f := newTestWindow(t)
	w.people.OnRename(domain.Peer{ID: anaID, Name: "Ana"})
	entry := w.win.Canvas().Focused().(*widget.Entry)
	entry.SetText(" Ana from work ")
	entry.OnSubmitted("")
	wantCalls(t, f, "rename "+string(anaID)+" Ana from work")
}

func TestInvitations(t *testing.T) {
	w, f := newTestWindow(t)
	w.people.OnInvite()
	pressIn(sheet(t, w), "Copy link")
	if got := w.app.Clipboard().Content(); !strings.HasPrefix(got, "potluck:invite/") {
		t.Errorf("copied %q", got)
	}
	invite := domain.Link{Kind: domain.LinkInvite, Peer: string(anaID)}
	target := domain.LinkTarget{Link: invite, Name: "Ana", Size: -1, Owner: domain.Peer{ID: anaID, Name: "Ana"}}
	f.link = func(context.Context, string) (domain.LinkTarget, error) { return target, nil }
	w.link("potluck:x")
	if !pressIn(sheet(t, w), "Add as friend") {
		t.Error("no way to take it")
	}
	wantCalls(t, f, "invite", "join "+string(anaID))
	for _, other := range []domain.LinkTarget{{Link: invite, Own: true}, {Link: invite, Owner: domain.Peer{Friend: true}}} {
		target = other
		w.link("potluck:x")
		if w.win.Canvas().Overlays().Top() != nil {
			t.Errorf("asked about %+v", other)
		}
	}
	w.people.OnAdd([]domain.Peer{{ID: anaID, Name: "Ana", Online: true}, {ID: "2", Name: "Ben", Online: true, Friend: true}, {ID: "3", Name: "Cleo"}})
	if pressIn(sheet(t, w), "Ben") || pressIn(sheet(t, w), "Cleo") || !pressIn(sheet(t, w), "Ana") {
		t.Error("others than who is around and no friend can be chosen")
	}
}

// The picture holds the code as it is, with a white border around it.
func TestTheCodeIsDrawn(t *testing.T) {
	const text = "potluck:invite/12D3KooW/token"
	drawn, err := qrCode(text)
	if err != nil {
		t.Fatal(err)
	}
	picture, _, err := image.Decode(strings.NewReader(string(drawn.Content())))
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	side := code.Bounds().Dx()
	if got := picture.Bounds().Dx(); got != side+2*quiet {
		t.Fatalf("%d pixels for %d modules", got, side)
	}
	for y := range side + 2*quiet {
		for x := range side + 2*quiet {
			dark := false
			if at := image.Pt(x-quiet, y-quiet); at.In(code.Bounds()) {
				r, _, _, _ := code.At(at.X, at.Y).RGBA()
				dark = r == 0
			}
			if r, _, _, _ := picture.At(x, y).RGBA(); (r == 0) != dark {
				t.Fatalf("the module at %d, %d", x, y)
			}
		}
	}
}

// Whoever does not count this computer as nearby is told of, three at most, with a
// way out.
func TestWhoDoesNotCountUsAsNear(t *testing.T) {
	w, f := newTestWindow(t)
	far := func(id domain.PeerID) domain.Peer {
		return domain.Peer{ID: id, Name: string(id), Online: true, FarForThem: true}
	}
	peers := []domain.Peer{far("a"), far("b"), far("c"), far("d"), {ID: "e", Online: true}}
	w.friends.showFar(peers)
	if len(w.notices.keys) != mostFar {
		t.Errorf("%q are shown", w.notices.keys)
	}
	if !pressIn(w.notices.box, "Add as friend") {
		t.Fatal("no way out")
	}
	wantCalls(t, f, "add a")
	w.notices.remove("far:b") // as its cross does
	w.friends.showFar(peers)
	if len(w.notices.keys) != mostFar-1 {
		t.Errorf("what was closed is back: %q", w.notices.keys)
	}
	peers[1].Online, peers[1].FarForThem, peers[1].LastSeen = false, false, time.Now()
	w.friends.showFar(peers)
	peers[1] = far("b")
	w.friends.showFar(peers)
	if len(w.notices.keys) != 2 {
		t.Errorf("a card that was closed is back after a short absence: %v", w.notices.keys)
	}
	peers[2].Online, peers[2].FarForThem, peers[2].LastSeen = false, false, time.Now().Add(-farLasts)
	peers[0].FarForThem = false
	w.friends.showFar(peers)
	if len(w.notices.keys) != 1 || len(w.friends.far) != 2 { // "d" has room now
		t.Errorf("left: %q", w.notices.keys)
	}
}
