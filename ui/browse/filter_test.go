package browse

import (
	"context"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/work"
)

func TestFilters(t *testing.T) {
	all := rowsOf([]domain.Result{
		from("z/", 1, "A"), from("y/", 1, "b"), from("a.jpg", 400_000, "A"), from("b.jpg", 2_000_000, "b"),
		from("c.mp3", 4_000_000, "A"), from("d", 1_000_000, "A"), from("e.iso", 5_000_000_000, "A", "b"),
	}, place{}, at)
	for _, c := range []struct {
		filter filter
		query  string
		want   string
	}{
		{filter{}, "", "z y a.jpg b.jpg c.mp3 d e.iso"},
		{filter{kind: format.Picture}, "", "z y a.jpg b.jpg"},
		{filter{kind: format.Picture}, "x", "a.jpg b.jpg"},
		{filter{kind: format.Other}, "x", "d"},
		{filter{kind: folders}, "", "z y"},
		{filter{kind: folders}, "x", "z y"},
		{filter{kind: folders, size: 1}, "x", ""},
		{filter{size: 1}, "", "z y a.jpg"},
		{filter{size: 2}, "x", "b.jpg c.mp3 d"},
		{filter{size: 5}, "x", "e.iso"},
		{filter{hereNow: true}, "", "z a.jpg c.mp3 d e.iso"},
		{filter{kind: format.Picture, size: 2, hereNow: true}, "", "z"},
		{filter{kind: format.Picture, size: 2}, "x", "b.jpg"},
	} {
		var got []string
		for _, r := range c.filter.apply(all, place{query: c.query}) {
			got = append(got, r.name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v with the query %q: %v, want %s", c.filter, c.query, got, c.want)
		}
	}
	for i := range sizes[1:] {
		if i > 0 && sizes[i+1][0] != sizes[i][1] {
			t.Errorf("the sizes %v and %v leave a gap", sizes[i], sizes[i+1])
		}
	}
}

// choose takes an item of a menu, which is checked from then on.
func choose(t *testing.T, menu func() []*fyne.MenuItem, label string) {
	t.Helper()
	for i, item := range menu() {
		if item.Label == label {
			item.Action()
			if !menu()[i].Checked {
				t.Errorf("%q is chosen but not checked", label)
			}
			return
		}
	}
	t.Fatalf("there is no %q among %v", label, labels(menu()))
}

func TestFilterButtonsShowWhatIsSet(t *testing.T) {
	v, s := newView(t, work.Inline())
	v.visit(place{peer: "a", name: "Ana", folder: "Holiday"})
	choose(t, v.kindItems, "Music")
	wantNames(t, v, "img")
	if v.filters.kind.Text() != "Music" || !v.filters.kind.Chosen() || v.filters.size.Chosen() {
		t.Errorf("the button says %q", v.filters.kind.Text())
	}
	if v.count.Text() != "1 of 3 shown" {
		t.Errorf("foot %q", v.count.Text())
	}
	before := len(s.asked)
	test.Tap(v.filters.hereNow)
	if !v.filters.hereNow.Chosen() || !v.wish.filter.hereNow || len(s.asked) != before {
		t.Errorf("chosen %v, set %v, asked %d times more", v.filters.hereNow.Chosen(), v.wish.filter.hereNow, len(s.asked)-before)
	}
	v.ClearFilters()
	wantNames(t, v, "img", "a.jpg", "b.jpg")
	if v.filters.kind.Text() != "Kind" || v.filters.kind.Chosen() || v.filters.hereNow.Chosen() {
		t.Error("the buttons still show a filter")
	}
	if got := labels(v.sizeItems()); !slices.Equal(got, []string{"Any size", "Up to 1 MB", "1 MB to 10 MB", "10 MB to 100 MB", "100 MB to 1 GB", "Over 1 GB"}) {
		t.Errorf("sizes %q", got)
	}
}

func TestFiltersGoWithASearch(t *testing.T) {
	v, s := newView(t, work.Inline())
	v.search.SetText("jpg")
	wantNames(t, v, "b.jpg", "a.jpg")
	before := len(s.asked)
	choose(t, v.kindItems, "Videos")
	if len(s.asked) != before+1 {
		t.Error("a search is not asked anew: more than what is shown may have been found")
	}
	if !v.clear.Visible() || v.retry.Visible() || v.empty.Title() != "No 'jpg' here." {
		t.Errorf("%q, without a way to clear the filters: %v", v.empty.Title(), v.clear.Visible())
	}
	test.Tap(v.clear)
	wantNames(t, v, "b.jpg", "a.jpg")
	choose(t, v.sizeItems, "Over 1 GB")
	v.Person("a", "Ana") // the filter goes along
	wantNames(t, v, "Holiday")
	v.visit(place{peer: "b", name: "Ben", folder: "New"})
	if v.empty.Title() != "Nothing here is like that." || !v.clear.Visible() {
		t.Errorf("%q", v.empty.Title())
	}
}

// later is a runner whose answers wait until they are taken.
func later(t *testing.T) (run *work.Runner, answers chan func()) {
	t.Helper()
	answers = make(chan func(), 16)
	run = work.New(context.Background(), func(f func()) { answers <- f })
	t.Cleanup(run.Close)
	return run, answers
}

func TestOlderOrdersAreDropped(t *testing.T) {
	run, answers := later(t)
	v, _ := newView(t, run)
	v.visit(place{peer: "a", name: "Ana", folder: "Holiday"})
	(<-answers)()
	v.sortBy("size", false)
	slow := <-answers
	v.sortBy("size", true)
	(<-answers)()
	wantNames(t, v, "img", "a.jpg", "b.jpg")
	slow()
	wantNames(t, v, "img", "a.jpg", "b.jpg")
}

func TestAnswerComesInTheLatestOrder(t *testing.T) {
	run, answers := later(t)
	v, _ := newView(t, run)
	v.visit(place{peer: "a", name: "Ana", folder: "Holiday"})
	answer := <-answers
	v.sortBy("name", true) // of nothing, for the moment
	(<-answers)()
	answer()
	(<-answers)()
	wantNames(t, v, "img", "b.jpg", "a.jpg")
}
