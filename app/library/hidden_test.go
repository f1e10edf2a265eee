package library_test

import (
	"errors"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/library"
)

// given lets everybody have everything.
type given struct{}

func (given) Allows(domain.Asker, domain.ContentID) bool { return true }

// TestHiddenAnswersLikeNothing asks one who hides as those who may see a share,
// and as one whom something else gives the right.
func TestHiddenAnswersLikeNothing(t *testing.T) {
	k := newKitchen(t)
	k.rights = []library.Right{given{}}
	k.restart()
	k.write("note.txt", "soup")
	k.share(everyone, "note.txt")
	id := k.content("note.txt")
	before := k.Head(near)
	same(t, "entries before", before.Entries, 1)

	k.hidden.Store(true)
	for _, asker := range []domain.Asker{near, friend, far} {
		same(t, "head", k.Head(asker), domain.Head{})
		if _, err := k.Page(t.Context(), asker, domain.Version{}, ""); !errors.Is(err, domain.ErrRefused) {
			t.Errorf("a page for %s: %v", asker.Peer, err)
		}
		if k.Allowed(asker, id) {
			t.Errorf("%s may have what one who hides shares", asker.Peer)
		}
		if _, err := k.Open(t.Context(), asker, id); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("%s opens what one who hides shares: %v", asker.Peer, err)
		}
	}
	source, err := k.Local(t.Context(), id)
	must(t, err)
	must(t, source.Close())

	k.hidden.Store(false)
	same(t, "head when shown again", k.Head(near), before)
	same(t, "allowed when shown again", k.Allowed(near, id), true)
}
