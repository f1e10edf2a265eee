package browse

import (
	"fmt"
	"os"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/ui/work"
)

// The page in its states, as markup in testdata. A picture of it that is meant
// to change is taken over from testdata/failed.
func TestMarkup(t *testing.T) {
	t.Setenv("FYNE_SCALE", "1")
	long := time.Date(2020, 3, 1, 9, 0, 0, 0, time.UTC)
	file := func(path string, size int64, ids ...string) domain.Result {
		r := from(path, size, ids...)
		r.Modified = long
		return r
	}
	ana := domain.PeerID("a")
	for name, show := range map[string]func(v *View, s *shelf){
		"empty": func(v *View, s *shelf) {
			s.places[":"] = nil
			v.Everyone()
		},
		"one": func(v *View, s *shelf) {
			s.places["a:"] = []domain.Result{file("Holiday/", 3_100_000_000, "A")}
			v.Person(ana, "Ana")
		},
		"many": func(v *View, s *shelf) {
			s.places["a:"] = []domain.Result{file("img/", 90_000_000, "A"), file("IMG_1.jpg", 4_200_000, "A", "b", "c")}
			for i := range 4 {
				s.places["a:"] = append(s.places["a:"], file(fmt.Sprintf("song %02d.mp3", i), 5_000_000, "A"))
			}
			s.places["a:"][1].Have = true
			v.Person(ana, "Ana")
			v.list.Select(v.ids[1])
			v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
			v.PrepareTransfers([]domain.Transfer{{Kind: domain.Download, Peer: ana, Path: "song 00.mp3", State: domain.Running, Size: 10, Done: 4}})()
		},
		"waiting": func(v *View, s *shelf) {
			s.places["a:"] = []domain.Result{file("Holiday/", 3_100_000_000, "A")}
			v.Person(ana, "Ana")
			v.Changed(map[domain.PeerID]event.CatalogueState{ana: {Peer: ana, Known: 40, Total: 100, Pulling: true}}, nil, nil)
		},
		"broken-off": func(v *View, s *shelf) {
			s.places["a:"] = []domain.Result{file("Holiday/", 3_100_000_000, "A")}
			v.Person(ana, "Ana")
			v.Changed(map[domain.PeerID]event.CatalogueState{ana: {Peer: ana, Known: 40, Total: 100, Problem: domain.Say("%s's list stopped halfway.", "Ana")}}, nil, nil)
		},
		"not-found": func(v *View, s *shelf) {
			s.places["?jazz"] = []domain.Result{file("Jazz.mp3", 1, "b")}
			v.Changed(map[domain.PeerID]event.CatalogueState{"a": {Known: 1}, "b": {Known: 1}, "c": {Known: 1}, "d": {}}, nil, nil)
			v.search.SetText("jazz")
			test.Tap(v.filters.hereNow)
		},
		"away": func(v *View, s *shelf) {
			s.places["b:"] = []domain.Result{file("Films/", 812_000_000, "b"), file("Talk.mp4", 7_000_000, "b")}
			v.Changed(nil, map[domain.PeerID]time.Time{"b": long}, nil)
			v.Person("b", "Ben")
			v.list.Select(v.ids[1])
		},
	} {
		t.Run(name, func(t *testing.T) {
			v, s := newView(t, work.Inline())
			c := canvasOf(v.object)
			v.SetShown(true)
			show(v, s)
			c.Unfocus() // a cursor in the search would blink
			// This driver does not look, as that of a screen does before each
			// frame, whether something has become larger.
			c.Content().Resize(fyne.NewSize(760, 640))
			c.Content().Resize(fyne.NewSize(704, 600))
			test.AssertRendersToMarkup(t, name+".xml", c)
		})
	}
	if _, err := os.Stat("testdata/failed"); err == nil {
		t.Log("what is there now lies in testdata/failed")
	}
}
