package browse_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

// Whoever is around and has more than what is here is asked; what they say is
// taken for no more than it is.
func TestSearchAsksThoseOfWhomNotAllIsHere(t *testing.T) {
	o := &owners{
		pages:  map[domain.PeerID][]domain.Page{"whole": {{Version: domain.Version{Epoch: 1, Sequence: 1}, Full: true, Changes: put(file("w/jazz 1.ogg", "1"))}}},
		broken: map[domain.PeerID]int{"part": 0, "away": 0, "busy": 0},
		finds: map[domain.PeerID][]domain.Entry{
			"part": {file("p/Jazz 2.ogg", "2"), file("p/rock.ogg", "3"), file("p/jazz as w.ogg", "1")},
			"away": {file("a/jazz.ogg", "4")}, "whole": {file("w/jazz 5.ogg", "5")},
		},
	}
	people := around{
		"whole": {ID: "whole", Name: "Whole", Online: true}, "part": {ID: "part", Name: "Part", Online: true},
		"away": {ID: "away", Name: "Away"}, "busy": {ID: "busy", Name: "Busy", Online: true},
	}
	for _, id := range []domain.PeerID{"part", "away", "busy"} { // their pulls break off
		o.pages[id] = []domain.Page{{Version: domain.Version{Epoch: 1, Sequence: 1}, Full: true}}
	}
	b := open(t, filepath.Join(t.TempDir(), "db"), o, people)
	for id := range people {
		b.Head(domain.Head{Peer: id, Version: domain.Version{Epoch: 1, Sequence: 1}, Entries: 1})
	}
	b.settle(t, "whole")
	rows, err := b.Search(t.Context(), "JAZZ", "", 50, func(e domain.Entry) bool { return e.Path != "nothing" })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		one := r.Path
		for _, p := range r.Providers {
			one += " " + p.Name
		}
		got = append(got, one)
	}
	slices.Sort(got)
	if want := []string{"p/Jazz 2.ogg Part", "w/jazz 1.ogg Whole Part"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	slices.Sort(o.asked)
	if want := []string{"busy[jazz]", "part[jazz]"}; !slices.Equal(o.asked, want) {
		t.Errorf("asked %q, want %q", o.asked, want)
	}
	o.asked = nil
	if _, err := b.Search(t.Context(), "jazz", "whole", 50, nil); err != nil || len(o.asked) > 0 {
		t.Errorf("of one whose list is here, asked %q, %v", o.asked, err)
	}
}
