package people

import (
	"maps"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
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
		{ID: "7", Name: "Eve", Entries: 1},
		{ID: "8", Name: "Finn", LastSeen: now.AddDate(0, 0, -1)},
	}, now)
	if want := []string{"1", "2", "2b", "3", "4", headingID, "5", "6", "7", "8"}; !slices.Equal(ids(rows), want) {
		t.Errorf("order %q, want %q", ids(rows), want)
	}
	for i, want := range []string{
		"1 file · 12 B", "214 files · 3.1 GB", "shares nothing yet", "shares nothing yet",
		"Zoë doesn't count you as nearby yet.", "", "away since 14:02 · 80 files", "away", "away · 1 file",
		"away since yesterday",
	} {
		if rows[i].detail != want {
			t.Errorf("%s: %q, want %q", rows[i].id, rows[i].detail, want)
		}
	}
	for i, want := range []bool{true, true, false, false, false, false, true, false, true, false} {
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

func TestSameNamesAreTellable(t *testing.T) {
	for _, c := range []struct {
		peers []domain.Peer
		want  map[domain.PeerID]string
	}{
		{[]domain.Peer{{ID: "aaaax7Kq", Name: "Ana"}, {ID: "bbbbGGGG", Name: "Ben"}}, map[domain.PeerID]string{}},
		{[]domain.Peer{{ID: "aaaax7Kq", Name: "Ana"}, {ID: "bbbbGGGG", Name: "ana"}}, map[domain.PeerID]string{"aaaax7Kq": "· …x7Kq", "bbbbGGGG": "· …GGGG"}},
		{[]domain.Peer{{ID: "aaa1x7Kq", Name: "Ana"}, {ID: "bbb2x7Kq", Name: "Ana"}}, map[domain.PeerID]string{"aaa1x7Kq": "· …1x7Kq", "bbb2x7Kq": "· …2x7Kq"}},
		{[]domain.Peer{{ID: "a", Name: "Ana"}, {ID: "b", Name: "Ana"}}, map[domain.PeerID]string{"a": "· …a", "b": "· …b"}},
	} {
		if got := endingsOf(c.peers); !maps.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.peers, got, c.want)
		}
	}
}

// rowAt returns the list's row of an index, as the pointer meets it.
func rowAt(t *testing.T, v *View, index int) desktop.Mouseable {
	t.Helper()
	for _, o := range test.LaidOutObjects(v.list) {
		row, ok := o.(desktop.Mouseable)
		if !ok {
			continue
		}
		if index == 0 {
			return row
		}
		index--
	}
	t.Fatal("there is no such row")
	return nil
}

func click(row desktop.Mouseable, button desktop.MouseButton, modifiers fyne.KeyModifier) {
	ev := &desktop.MouseEvent{Button: button, Modifier: modifiers}
	row.MouseDown(ev)
	row.MouseUp(ev)
}

func TestDoubleClickEnterAndButtonBrowse(t *testing.T) {
	v := newView(t)
	browsed := ""
	v.OnBrowse = func(id domain.PeerID, _ string) { browsed += string(id) }
	v.Prepare([]domain.Peer{{ID: "1", Name: "Ana", Online: true, Entries: 1}, {ID: "2", Name: "Ben", Online: true, Entries: 1}}, now)()
	click(rowAt(t, v, 0), desktop.MouseButtonPrimary, 0)
	click(rowAt(t, v, 0), desktop.MouseButtonPrimary, 0)
	v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	for _, o := range test.LaidOutObjects(v.list) {
		if b, ok := o.(*widget.Button); ok && b.Visible() {
			test.Tap(b)
		}
	}
	if browsed != "1212" {
		t.Errorf("browsed %q", browsed)
	}
}

// labels returns what the menu on screen offers, and closes it.
func labels(t *testing.T, v *View) string {
	t.Helper()
	c := fyne.CurrentApp().Driver().CanvasForObject(v.list)
	menu, ok := c.Focused().(*fwidget.PopUpMenu)
	if !ok {
		t.Fatal("there is no menu")
	}
	out := ""
	for _, item := range v.menuItems(v.list.Selected()) {
		out += item.Label + "|"
	}
	menu.Dismiss()
	return out
}

func TestMenuByMouseAndKeyboard(t *testing.T) {
	v := newView(t)
	v.Prepare([]domain.Peer{{ID: "1", Name: "Ana", Online: true}, {ID: "2", Name: "Ben", Online: true}}, now)()
	row := rowAt(t, v, 1)
	click(row, desktop.MouseButtonSecondary, 0)
	row.(fyne.SecondaryTappable).TappedSecondary(&fyne.PointEvent{})
	if got := labels(t, v); got != "Browse|Send files…|Send a folder…||Add as friend|Rename…|Block|Check-up||Copy ID|" {
		t.Errorf("by mouse: %q", got)
	}
	v.list.TypedKey(&fyne.KeyEvent{Name: desktop.KeyMenu})
	menu := fyne.CurrentApp().Driver().CanvasForObject(v.list).Focused().(*fwidget.PopUpMenu)
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyUp}) // the last one
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if got := fyne.CurrentApp().Clipboard().Content(); got != "2" {
		t.Errorf("copied %q", got)
	}
	v.list.SelectAll()
	v.list.TypedKey(&fyne.KeyEvent{Name: desktop.KeyMenu})
	if got := labels(t, v); got != "Send files…|Send a folder…||Copy IDs|" {
		t.Errorf("for several: %q", got)
	}
	v.menuItems(v.list.Selected())[3].Action()
	if got := fyne.CurrentApp().Clipboard().Content(); got != "1\n2" {
		t.Errorf("copied %q", got)
	}
	var to []domain.Peer
	v.OnSend = func(all []domain.Peer, folders bool) {
		if to = all; !folders {
			t.Error("files are sent, not a folder")
		}
	}
	v.menuItems(v.list.Selected())[1].Action()
	if len(to) != 2 || to[0].Name != "Ana" || to[1].Name != "Ben" {
		t.Errorf("they are sent to %v", to)
	}
}

func TestWhatAFriendSendsMayBeAcceptedUnasked(t *testing.T) {
	v := newView(t)
	v.Prepare([]domain.Peer{{ID: "1", Name: "Ana", Online: true, Friend: true, AcceptUpTo: 5e8}}, now)()
	v.list.Select("1")
	var items []*fyne.MenuItem
	for _, i := range v.menuItems([]string{"1"}) {
		if i.Label == "Accept unasked" {
			items = i.ChildMenu.Items
		}
	}
	var got []string
	for _, i := range items {
		if i.Checked {
			i.Label += " *"
		}
		got = append(got, i.Label)
	}
	want := []string{"Nothing, ask me", "Up to 100 MB", "Up to 1.0 GB", "Up to 10 GB", "Up to 100 GB", "Up to 500 MB *"}
	if !slices.Equal(got, want) {
		t.Fatalf("the menu has %q, want %q", got, want)
	}
	var bytes int64
	v.OnAcceptUpTo = func(_ domain.Peer, n int64) { bytes = n }
	items[2].Action()
	if bytes != 1e9 {
		t.Errorf("%d bytes were chosen", bytes)
	}
}

func TestThePersonAtAPlace(t *testing.T) {
	v := newView(t)
	v.Prepare([]domain.Peer{{ID: "1", Name: "Ana", Online: true}, {ID: "2", Name: "Ben"}}, now)()
	at, size := v.Place("2")
	if p, ok := v.At(at.AddXY(size.Width/2, size.Height/2)); !ok || p.Name != "Ben" {
		t.Errorf("there is %q, %v", p.Name, ok)
	}
	heading := at.AddXY(10, -20)
	for _, nowhere := range []fyne.Position{heading, at.AddXY(10, size.Height+1), at.AddXY(-5, 10), {}} {
		if p, ok := v.At(nowhere); ok {
			t.Errorf("at %v is %q", nowhere, p.Name)
		}
	}
}

func TestLettersJumpToAName(t *testing.T) {
	v := newView(t)
	v.Prepare([]domain.Peer{
		{ID: "1", Name: "Ana", Online: true}, {ID: "2", Name: "Ben", Online: true}, {ID: "3", Name: "Bert", Online: true}, {ID: "4", Name: "away"},
	}, now)()
	for _, c := range []struct{ typed, want string }{{"b", "2"}, {"er", "3"}, {"x", "3"}} {
		for _, r := range c.typed {
			v.list.TypedRune(r)
		}
		if got := v.list.Selected(); !slices.Equal(got, []string{c.want}) {
			t.Errorf("after %q: %v, want %s", c.typed, got, c.want)
		}
	}
}

func TestMarkup(t *testing.T) {
	for name, peers := range map[string][]domain.Peer{
		"empty": nil,
		"one":   {{ID: "12D3KooWana1", Name: "Ana", Online: true, Entries: 214, Bytes: 3_100_000_000}},
		"many": {
			{ID: "12D3KooWana1", Name: "Ana", Online: true, Friend: true, Entries: 214, Bytes: 3_100_000_000},
			{ID: "12D3KooWana2", Name: "Ana", Online: true},
			{ID: "12D3KooWzoe1", Name: "Zoe", Online: true, FarForThem: true, Entries: 3},
			{ID: "12D3KooWcleo", Name: "Cleo", LastSeen: now.Add(-58 * time.Minute), Friend: true, Entries: 80},
		},
	} {
		v := newView(t)
		v.Prepare(peers, now)()
		test.AssertObjectRendersToMarkup(t, name+".xml", v.Object())
	}
}
