package library_test

import (
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

// TestWithheldSeeNothingMove asks as somebody near on a network where only
// friends are to see what is shared.
func TestWithheldSeeNothingMove(t *testing.T) {
	k := newKitchen(t)
	k.write("note.txt", "soup")
	k.share(everyone, "note.txt")
	id := k.content("note.txt")
	held := domain.Asker{Peer: "held", Near: true, Network: "cafe", Withheld: true}
	public := k.Head(near).Version
	first := k.Head(held)
	if first.Entries != 0 || first.Bytes != 0 || first.Epoch == public.Epoch {
		t.Errorf("it is told %+v, in public it is %+v", first, public)
	}
	k.write("more.txt", "salad")
	k.share(everyone, "more.txt")
	same(t, "head after a change", k.Head(held), first)
	for _, since := range []domain.Version{{}, public, {Epoch: public.Epoch, Sequence: 1}} {
		page, err := k.Page(t.Context(), held, since, "")
		must(t, err)
		if len(page.Changes) > 0 || page.Version != first.Version {
			t.Errorf("since %v it is told %+v", since, page)
		}
	}
	same(t, "allowed", k.Allowed(held, id), false)
	heldFriend := held
	heldFriend.Peer, heldFriend.Friend = "friend", true
	same(t, "a friend's entries", k.Head(heldFriend).Entries, 2)
	same(t, "allowed for a friend", k.Allowed(heldFriend, id), true)

	// The user says that everyone may see it.
	shown := held
	shown.Withheld = false
	now := k.Head(shown)
	if now.Entries != 2 || now.Epoch != first.Epoch || now.Sequence <= first.Sequence {
		t.Errorf("shown, it is told %+v, was told %+v", now, first)
	}
	page, err := k.Page(t.Context(), shown, first.Version, "")
	must(t, err)
	same(t, "entries shown", len(page.Changes), 2)
}
