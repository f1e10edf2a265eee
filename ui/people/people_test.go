package people

import (
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/work"
)

var now = time.Date(2026, 11, 12, 15, 0, 0, 0, time.UTC)

func newView(t *testing.T) *View {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{})
	v := New(work.Inline())
	w := test.NewTempWindow(t, v.Object())
	w.Resize(fyne.NewSize(704, 600))
	return v
}

func ids(rows []row) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.id
	}
	return out
}

func TestRowsAreSortedAndPutIntoWords(t *testing.T) {
	rows := rowsOf([]domain.Peer{
		{ID: "4", Name: "Zoë", Online: true, FarForThem: true, Entries: 3},
		{ID: "5", Name: "Cleo", LastSeen: now.Add(-58 * time.Minute), Entries: 80},
		{ID: "3", Name: "ben", Online: true},
		{ID: "2", Name: "Ana", Online: true, Entries: 214, Bytes: 3_100_000_000},
		{ID: "1", Name: "Zed", Online: true, Friend: true, Entries: 1, Bytes: 12},
		{ID: "6", Name: "Dan"},
		{ID: "2b", Name: "Ana", Online: true},
	}, now)
	if want := []string{"1", "2", "2b", "3", "4", headingID, "5", "6"}; !slices.Equal(ids(rows), want) {
		t.Errorf("order %q, want %q", ids(rows), want)
	}
	for i, want := range []string{
		"1 file · 12 B", "214 files · 3.1 GB", "shares nothing yet", "shares nothing yet",
		"Zoë doesn't count you as nearby yet.", "", "away since 14:02 · 80 files", "away",
	} {
		if rows[i].detail != want {
			t.Errorf("%s: %q, want %q", rows[i].id, rows[i].detail, want)
		}
	}
	for i, want := range []bool{true, true, false, false, false, false, true, false} {
		if rows[i].browse != want {
			t.Errorf("%s can be browsed: %v", rows[i].id, rows[i].browse)
		}
	}
}

func TestEmptyPageLooksFirst(t *testing.T) {
	v := newView(t)
	if got := v.empty.Title(); got != "Nobody here yet. Open Potluck on another computer on this network." {
		t.Errorf("after looking: %q", got)
	}
	if v.empty.Actions().Hidden {
		t.Error("no way to type an address")
	}
	v.looking = true
	v.words()
	if got := v.empty.Title(); got != "Looking around…" || !v.empty.Actions().Hidden {
		t.Errorf("while looking: %q, actions hidden %v", got, v.empty.Actions().Hidden)
	}
	v.Prepare([]domain.Peer{{ID: "1", Name: "Ana", Online: true}}, now)()
	if v.empty.Visible() || !v.list.Visible() || v.count.Text() != "1 person around" {
		t.Errorf("with somebody there: %q", v.count.Text())
	}
	v.Prepare(nil, now)()
	if !v.empty.Visible() || v.list.Visible() {
		t.Error("rows are left of nobody")
	}
}

func TestOpeningBrowses(t *testing.T) {
	v := newView(t)
	var got []string
	v.OnBrowse = func(id domain.PeerID, name string) { got = append(got, string(id), name) }
	v.Prepare([]domain.Peer{{ID: "1", Name: "Ana", Online: true, Entries: 1}, {ID: "2", Name: "Ben"}}, now)()
	v.list.OnOpen("1")
	v.list.OnOpen(headingID)
	v.list.OnOpen("nobody")
	if want := []string{"1", "Ana"}; !slices.Equal(got, want) {
		t.Errorf("browsed %v, want %v", got, want)
	}
}

func TestRowsKeepTheirPlacesUnderThePointer(t *testing.T) {
	v := newView(t)
	v.Prepare([]domain.Peer{{ID: "b", Name: "Ben", Online: true}, {ID: "c", Name: "Cleo", Online: true}}, now)()
	hoverable := rowUnderPointer(t, v)
	hoverable.MouseIn(&desktop.MouseEvent{})
	v.Prepare([]domain.Peer{
		{ID: "a", Name: "Ana", Online: true},
		{ID: "b", Name: "Ben", Online: true, Entries: 1, Bytes: 1},
		{ID: "c", Name: "Cleo", Online: true},
	}, now)()
	if want := []string{"b", "c", "a"}; !slices.Equal(ids(v.rows), want) {
		t.Errorf("hovered: %v, want %v", ids(v.rows), want)
	}
	if v.rows[0].detail != "1 file · 1 B" {
		t.Errorf("hovered rows are not brought up to date: %q", v.rows[0].detail)
	}
	hoverable.MouseOut()
	if want := []string{"a", "b", "c"}; !slices.Equal(ids(v.rows), want) {
		t.Errorf("afterwards: %v, want %v", ids(v.rows), want)
	}
}

// rowUnderPointer finds the first row of the list.
func rowUnderPointer(t *testing.T, v *View) desktop.Hoverable {
	t.Helper()
	for _, o := range test.LaidOutObjects(v.list) {
		if h, ok := o.(desktop.Hoverable); ok {
			if _, pressed := o.(desktop.Mouseable); pressed {
				return h
			}
		}
	}
	t.Fatal("there is no row")
	return nil
}

func TestManyPeople(t *testing.T) {
	v := newView(t)
	peers := make([]domain.Peer, 1000)
	for i := range peers {
		peers[i] = domain.Peer{ID: domain.PeerID(rune('a' + i)), Name: "Somebody", Online: i%2 == 0}
	}
	v.Prepare(peers, now)()
	if v.list.Len() != 1001 || v.count.Text() != "500 people around" {
		t.Errorf("%d rows, %q", v.list.Len(), v.count.Text())
	}
}
