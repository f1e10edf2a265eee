package browse

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/work"
)

func TestSortingByColumns(t *testing.T) {
	rows := rowsOf([]domain.Result{
		from("b.txt", 3, "A"), from("A.mp3", 9, "B"), from("z/", 1, "A"), from("c.jpg", 3, "C"),
	}, place{peer: "a"}, at)
	for _, c := range []struct {
		order order
		want  string
	}{
		{order{}, "z A.mp3 b.txt c.jpg"},
		{order{"name", true}, "z c.jpg b.txt A.mp3"},
		{order{"size", false}, "z b.txt c.jpg A.mp3"},
		{order{"size", true}, "z A.mp3 b.txt c.jpg"},
		{order{"kind", false}, "z b.txt A.mp3 c.jpg"},
		{order{"from", true}, "z c.jpg A.mp3 b.txt"},
	} {
		sorted := slices.Clone(rows)
		c.order.apply(sorted, place{peer: "a"})
		var got []string
		for _, r := range sorted {
			got = append(got, r.name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %v, want %s", c.order, got, c.want)
		}
	}
}

func TestRowsInWords(t *testing.T) {
	now := at.Add(26 * time.Hour)
	r := rowOf(from("Holiday/IMG.jpg", 4_200_000, "b", "A", "c"), place{}, now)
	if r.kindWords != "Picture" || r.size != "4.2 MB" || r.modified != "yesterday" || r.from != "Person A +2" || !r.here {
		t.Errorf("%+v", r)
	}
	folder := from("Holiday/", 0, "b")
	folder.Entries = 1204
	r = rowOf(folder, place{}, now)
	if r.kindWords != "Folder" || r.size != "1,204 files" || r.here {
		t.Errorf("%+v", r)
	}
	one, two := rowOf(from("x", 1, "A", "b"), place{}, now), rowOf(from("x", 1, "b", "A"), place{}, now)
	if one.id != two.id {
		t.Error("the same row has another ID when its people come in another order")
	}
}

func TestChangesDoNotMoveRows(t *testing.T) {
	rows := func(ids ...string) []*row {
		out := make([]*row, len(ids))
		for i, id := range ids {
			out[i] = &row{id: id}
		}
		return out
	}
	for _, c := range []struct {
		latest []*row
		want   bool
	}{
		{rows("a", "b"), false},
		{rows("a", "b", "c"), false},
		{rows("x", "a", "b"), true},
		{rows("a"), true},
		{rows("b", "a"), true},
	} {
		if got := moves(rows("a", "b"), c.latest); got != c.want {
			t.Errorf("%v moves rows: %v", c.latest, got)
		}
	}
	v, _ := newView(t, work.Inline())
	v.Person("a", "Ana")
	v.hold(arrange(rowsOf([]domain.Result{from("x", 1, "A"), from("y", 1, "A"), from("z", 1, "A")}, v.at, at), wish{}, v.at))
	if !v.lateLine.Visible() || v.late.Text() != "1 more" {
		t.Errorf("offered %q", v.late.Text())
	}
	test.Tap(v.more)
	wantNames(t, v, "x", "y", "z")
	if v.lateLine.Visible() {
		t.Error("offered twice")
	}
}

func TestSumOfRows(t *testing.T) {
	for _, c := range []struct {
		results []domain.Result
		want    sum
		says    string
	}{
		{nil, sum{sized: true}, "Download"},
		{[]domain.Result{from("a", 3, "A"), from("b", 4, "b")}, sum{bytes: 7, sized: true, owner: severalOwners}, "Download 2"},
		{[]domain.Result{from("a", 3, "b")}, sum{bytes: 3, sized: true, away: true, owner: "Person b"}, "Download when Person b is back"},
		{[]domain.Result{from("a", 3, "b"), from("c/", 0, "b")}, sum{bytes: 3, away: true, owner: "Person b"}, "Download 2 when Person b is back"},
		{[]domain.Result{from("a", 3, "b"), from("c", 0, "c")}, sum{bytes: 3, sized: true, away: true, owner: severalOwners}, "Download 2 when they are back"},
	} {
		got := sumOf(rowsOf(c.results, place{}, at))
		if got != c.want {
			t.Errorf("%+v, want %+v", got, c.want)
		}
		away := ""
		if got.away {
			away = got.owner
		}
		if says := downloadWords(len(c.results), away); says != c.says {
			t.Errorf("the button says %q, want %q", says, c.says)
		}
	}
}

func TestAwaySince(t *testing.T) {
	if got := awaySince("Cleo", time.Time{}); got != "Cleo is away." {
		t.Errorf("%q", got)
	}
	if got := awaySince("Cleo", at.AddDate(-1, 0, 0)); got != "Cleo is away since 12 Nov 2025." {
		t.Errorf("%q", got)
	}
}
