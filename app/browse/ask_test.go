package browse_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

// rowsOf returns what a search finds, as "path names of providers".
func rowsOf(rows []domain.Result) (all []string) {
	for _, r := range rows {
		one := r.Path
		for _, p := range r.Providers {
			one += " " + p.Name
		}
		all = append(all, one)
	}
	slices.Sort(all)
	return all
}

// Whoever is around and has more than what is here is asked; what they say is
// taken for no more than it is, is found from then on, and can be downloaded.
func TestAskAsksThoseOfWhomNotAllIsHere(t *testing.T) {
	o := &owners{
		pages:  map[domain.PeerID][]domain.Page{"whole": {{Version: domain.Version{Epoch: 1, Sequence: 1}, Full: true, Changes: put(file("w/jazz 1.ogg", "1"))}}},
		broken: map[domain.PeerID]int{"part": 0, "away": 0, "busy": 0}, breaks: true,
		finds: map[domain.PeerID][]domain.Entry{
			"part": {file("p/Jazz 2.ogg", "2"), file("p/rock.ogg", "3"), file("p/jazz as w.ogg", "1"), {Path: "p/jazz", Folder: true}},
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
	search := func(want ...string) {
		t.Helper()
		rows, err := b.Search(t.Context(), "JAZZ", "", 50, func(e domain.Entry) bool { return e.Path != "nothing" })
		if err != nil {
			t.Fatal(err)
		}
		if got := rowsOf(rows); !slices.Equal(got, want) {
			t.Errorf("found %q, want %q", got, want)
		}
	}
	search("w/jazz 1.ogg Whole")
	for i, want := range []bool{true, false} {
		if news, err := b.Ask(t.Context(), "JAZZ", ""); err != nil || news != want {
			t.Errorf("asked %d times: news %v, %v", i+1, news, err)
		}
	}
	search("p/Jazz 2.ogg Part", "p/jazz as w.ogg Part Whole")
	slices.Sort(o.asked)
	if want := []string{"busy[jazz]", "busy[jazz]", "part[jazz]", "part[jazz]"}; !slices.Equal(o.asked, want) {
		t.Errorf("asked %q, want %q", o.asked, want)
	}
	if entries, folder, err := b.Below("part", "p/Jazz 2.ogg"); err != nil || folder || len(entries) != 1 || entries[0] != file("p/Jazz 2.ogg", "2") {
		t.Errorf("what was told cannot be downloaded: %v, %v", entries, err)
	}
	if _, _, err := b.Below("part", "p/jazz"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("a folder of which nothing is known: %v", err)
	}
	if who, _ := b.Providers(file("", "2").Content); len(who) != 1 || who[0].Peer != "part" {
		t.Errorf("the providers of what was told: %v", who)
	}
	o.mu.Lock()
	o.finds["part"] = []domain.Entry{file("p/jazz as w.ogg", "1")}
	o.mu.Unlock()
	if news, err := b.Ask(t.Context(), "jazz", "part"); err != nil || !news {
		t.Errorf("asked after one is gone: news %v, %v", news, err)
	}
	search("p/jazz as w.ogg Part Whole")
	o.asked = nil
	if _, err := b.Ask(t.Context(), "jazz", "whole"); err != nil || len(o.asked) > 0 {
		t.Errorf("of one whose list is here, asked %q, %v", o.asked, err)
	}
	if _, err := b.Ask(t.Context(), " ", ""); !errors.Is(err, domain.ErrUsage) {
		t.Errorf("asked for nothing: %v", err)
	}

	// Once all of a list is here, it says what there is.
	o.mu.Lock()
	o.breaks, o.broken = false, nil
	o.pages["part"] = []domain.Page{{Version: domain.Version{Epoch: 1, Sequence: 2}, Full: true}}
	o.mu.Unlock()
	b.Head(domain.Head{Peer: "part", Version: domain.Version{Epoch: 1, Sequence: 2}, Entries: 1})
	b.settle(t, "part")
	search("w/jazz 1.ogg Whole")
}

// crowd answers for everyone near.
type crowd struct {
	words []string
	says  map[domain.PeerID][]domain.Entry
}

func (c *crowd) Ask(_ context.Context, words []string, take func(domain.PeerID, []domain.Entry)) error {
	c.words = append(c.words, words...)
	for id, entries := range c.says {
		take(id, entries)
	}
	return nil
}

// Where there are many, everyone near is asked at once; a few are asked alone.
func TestManyAreAskedAtOnce(t *testing.T) {
	for _, many := range []int{16, 17} {
		o := &owners{pages: map[domain.PeerID][]domain.Page{}, broken: map[domain.PeerID]int{}, breaks: true}
		people := around{"foe": {ID: "foe", Name: "Foe", Online: true, Blocked: true}}
		everyone := &crowd{says: map[domain.PeerID][]domain.Entry{"foe": {file("f/jazz.ogg", "9")}}}
		for i := range many {
			id := domain.PeerID(fmt.Sprintf("peer %02d", i))
			people[id] = domain.Peer{ID: id, Name: string(id), Online: true, Friend: i == 11}
			o.broken[id] = 0
			o.pages[id] = []domain.Page{{Version: domain.Version{Epoch: 1, Sequence: 1}, Full: true}}
			everyone.says[id] = []domain.Entry{file(string(id)+"/jazz.ogg", string(id))}
		}
		b := openWith(t, filepath.Join(t.TempDir(), "db"), o, people, everyone)
		for id := range people {
			b.Head(domain.Head{Peer: id, Version: domain.Version{Epoch: 1, Sequence: 1}, Entries: 1})
		}
		if _, err := b.Ask(t.Context(), "Jazz", ""); err != nil {
			t.Fatal(err)
		}
		rows, err := b.Search(t.Context(), "jazz", "", 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(o.asked, "peer 11[jazz]") || len(o.asked) != 16 {
			t.Errorf("of %d, asked alone: %q", many, o.asked)
		}
		if want := many > 16; slices.Equal(everyone.words, []string{"jazz"}) != want || want && len(rows) != many || !want && len(rows) > 0 {
			t.Errorf("of %d, everyone was asked for %q and %d found", many, everyone.words, len(rows))
		}
		everyone.words = nil
		if _, err := b.Ask(t.Context(), "jazz", "peer 03"); err != nil || len(everyone.words) > 0 {
			t.Errorf("everyone is asked for what one has: %v", err)
		}
	}
}
