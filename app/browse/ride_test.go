package browse_test

import (
	"path/filepath"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

// Changes that come with a head need not be pulled, if they lead from what is here
// to what is announced; anything else is.
func TestChangesRideWithTheHead(t *testing.T) {
	people := around{"ana": {ID: "ana", Name: "Ana", Online: true}}
	o := &owners{pages: map[domain.PeerID][]domain.Page{
		"ana": {{Version: version(1), Full: true, Changes: put(file("a", "1"), file("b", "2"))}},
	}, riding: map[string]domain.Page{
		"to 2":       {Version: version(2), Changes: append(put(file("c", "3")), domain.Change{Path: "a"})},
		"1 to 3":     {Version: version(3), Changes: append(put(file("c", "3"), file("e", "5")), domain.Change{Path: "a"}, domain.Change{Path: "b"})},
		"to 9":       {Version: version(9), Changes: put(file("x", "x"))},
		"to 5":       {Version: version(5), Changes: put(file("d", "4"))},
		"another to": {Version: version(7), Changes: put(file("y", "y"))},
	}}
	path := filepath.Join(t.TempDir(), "db")
	b := open(t, path, o, people)
	b.Head(domain.Head{Peer: "ana", Version: version(1), Entries: 2})
	b.settle(t, "ana")
	has := func(when, want string, pulls int) {
		t.Helper()
		b.settle(t, "ana")
		rows, err := b.List(t.Context(), "ana", "")
		if err != nil || paths(rows) != want || o.pulls() != pulls {
			t.Errorf("%s: %q, %v, after %d pulls; want %q after %d", when, paths(rows), err, o.pulls(), want, pulls)
		}
	}
	has("at first", "a b", 1)
	b.Head(domain.Head{Peer: "ana", Version: version(2), Entries: 2, Delta: "to 2", Base: 1})
	has("with a head", "b c", 1)
	b.Head(domain.Head{Peer: "ana", Version: version(3), Entries: 2, Delta: "1 to 3", Base: 1})
	has("from before what is here", "c e", 1)

	// What it leads from is not here, it leads elsewhere, or makes no sense.
	o.pages["ana"] = []domain.Page{{Version: version(4), Full: true, Changes: put(file("pulled", "3"))}}
	b.Head(domain.Head{Peer: "ana", Version: version(4), Delta: "to 9", Base: 3})
	has("another version", "pulled", 2)
	o.pages["ana"] = []domain.Page{{Version: version(5), Full: true, Changes: put(file("again", "3"))}}
	b.Head(domain.Head{Peer: "ana", Version: version(5), Delta: "to 5", Base: 5})
	has("another base", "again", 3)
	o.pages["ana"] = []domain.Page{{Version: version(6), Full: true, Changes: put(file("once more", "3"))}}
	b.Head(domain.Head{Peer: "ana", Version: version(6), Delta: "garbage", Base: 5})
	has("garbage", "once more", 4)

	b.close(t)
	b = open(t, path, o, people)
	has("after a restart", "once more", 4)
}
