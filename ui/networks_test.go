//go:build !preview

package ui

import (
	"testing"

	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/widget"
)

func onNetwork(answer domain.NetworkAnswer) map[string]domain.Network {
	return map[string]domain.Network{"gateway:1": {ID: "gateway:1", Name: "192.168.3.x", Answer: answer, Present: true}}
}

// A new network is asked about once, by a card and a notification.
func TestANewNetworkIsAskedAbout(t *testing.T) {
	for button, call := range map[string]string{"Show": "network gateway:1 show", "Friends only": "network gateway:1 friends"} {
		w, f := newTestWindow(t)
		w.values.Notify = true
		var said []string
		w.notify.send = func(_, text string) { said = append(said, text) }
		w.places.show(onNetwork(domain.NetworkUnasked))
		w.places.show(onNetwork(domain.NetworkUnasked))
		if len(said) != 1 || said[0] != "Show your shares to everyone on this network?" || len(w.notices.keys) != 1 {
			t.Fatalf("told %q, shown %q", said, w.notices.keys)
		}
		if !pressIn(w.notices.box, button) {
			t.Fatalf("no button %q", button)
		}
		wantCalls(t, f, call)
		w.places.show(onNetwork(domain.NetworkShow))
		if len(w.notices.keys) != 0 {
			t.Errorf("left above the pages: %q", w.notices.keys)
		}
	}
}

// Where only friends see something, My shares says so and changes it.
func TestMySharesSaysWhereOnlyFriendsSee(t *testing.T) {
	w, f := newTestWindow(t)
	w.places.show(onNetwork(domain.NetworkShow))
	if pressIn(w.library.Object(), "Change") {
		t.Error("it can be changed where everyone sees it")
	}
	w.places.show(onNetwork(domain.NetworkFriends))
	if !pressIn(w.library.Object(), "Change") {
		t.Fatal("it cannot be changed")
	}
	wantCalls(t, f, "network gateway:1 show")
	w.places.show(onNetwork(domain.NetworkShow))
	if pressIn(w.library.Object(), "Change") {
		t.Error("it says so still")
	}
}

func TestNetworksAreListed(t *testing.T) {
	w, f := newTestWindow(t)
	w.settings.OnNetworks()
	s := sheet(t, w)
	chosen := 0
	for _, o := range test.LaidOutObjects(s) {
		if b, ok := o.(*widget.Button); ok && b.Text() == "Everyone" {
			test.Tap(b)
			chosen++
		}
	}
	if chosen != 2 {
		t.Errorf("%d networks are listed", chosen)
	}
	wantCalls(t, f, "network gateway:1 show", "network gateway:2 show")
}
