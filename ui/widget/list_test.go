package widget

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/ui/theme"
)

// cell is the simplest content of a row.
type cell struct{ text *Text }

func (c *cell) Object() fyne.CanvasObject { return c.text }

// newTestList shows a list of ids, ten rows high, in a window.
func newTestList(t testing.TB, ids []string) (*List, fyne.Window) {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{})
	l := NewList(32, func() Cells { return &cell{NewCell(End, fyne.TextAlignLeading, theme.Text)} }, nil)
	l.update = func(i int, c Cells) { c.(*cell).text.SetText(l.ids[i]) }
	l.modifiers = func() fyne.KeyModifier { return 0 }
	w := test.NewTempWindow(t, l)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(300, 340))
	l.SetIDs(ids)
	return l, w
}

func numbered(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("row %06d", i)
	}
	return ids
}

// shown returns the texts of the rows on screen, top to bottom.
func shown(l *List) []string {
	var texts []string
	for _, o := range l.content.Objects {
		texts = append(texts, o.(*row).cells.(*cell).text.Text())
	}
	return texts
}

// at returns the widget of a row on screen.
func at(t *testing.T, l *List, id string) *row {
	t.Helper()
	for _, o := range l.content.Objects {
		if r := o.(*row); r.id == id {
			return r
		}
	}
	t.Fatalf("%s is not on screen, only %v", id, shown(l))
	return nil
}

func press(t *testing.T, l *List, id string, modifiers fyne.KeyModifier) {
	t.Helper()
	r := at(t, l, id)
	r.MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary, Modifier: modifiers})
	r.MouseUp(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary, Modifier: modifiers})
}

func wantSelected(t *testing.T, l *List, want ...string) {
	t.Helper()
	if got := l.Selected(); !slices.Equal(got, want) {
		t.Errorf("selected %v, want %v", got, want)
	}
}

func TestListShowsOnlyWhatIsOnScreen(t *testing.T) {
	l, _ := newTestList(t, numbered(100_000))
	if n := len(l.content.Objects); n < 10 || n > 12 {
		t.Errorf("%d rows exist for 10 on screen", n)
	}
	l.scroll.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -50_000*l.pitch())})
	got := shown(l)
	if got[0] != "row 050000" || !slices.IsSorted(got) {
		t.Errorf("scrolled half way, there is %v", got)
	}
	l.scroll.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -100_000*l.pitch())})
	got = shown(l)
	if got[len(got)-1] != "row 099999" {
		t.Errorf("at the end there is %v", got)
	}
	l.SetIDs(numbered(3))
	if got := shown(l); len(got) != 3 || got[0] != "row 000000" {
		t.Errorf("of three rows %v are shown", got)
	}
	l.SetIDs(nil)
	if got := shown(l); len(got) != 0 {
		t.Errorf("of no rows %v are shown", got)
	}
}

func TestListPresses(t *testing.T) {
	l, w := newTestList(t, letters)
	press(t, l, "b", 0)
	wantSelected(t, l, "b")
	press(t, l, "d", fyne.KeyModifierShift)
	wantSelected(t, l, "b", "c", "d")
	press(t, l, "a", fyne.KeyModifierShortcutDefault)
	wantSelected(t, l, "a", "b", "c", "d")
	if w.Canvas().Focused() != l {
		t.Error("a press does not bring the keyboard")
	}
	at(t, l, "e").MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonTertiary})
	wantSelected(t, l, "a", "b", "c", "d")

	menus := 0
	l.OnMenu = func(fyne.Position) { menus++ }
	right := at(t, l, "c")
	right.MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonSecondary})
	right.TappedSecondary(&fyne.PointEvent{})
	wantSelected(t, l, "a", "b", "c", "d")
	at(t, l, "e").TappedSecondary(&fyne.PointEvent{}) // another menu is open: no press comes
	wantSelected(t, l, "e")
	if menus != 2 {
		t.Errorf("%d menus", menus)
	}
}

func TestListDoubleClick(t *testing.T) {
	l, _ := newTestList(t, letters)
	now := time.Now()
	l.now = func() time.Time { return now }
	var opened []string
	l.OnOpen = func(id string) { opened = append(opened, id) }

	press(t, l, "a", 0)
	press(t, l, "b", 0) // another row: no double click, but the first half of one
	press(t, l, "b", 0)
	press(t, l, "b", 0) // the third press is not a second double click
	now = now.Add(time.Minute)
	press(t, l, "c", 0)
	now = now.Add(time.Second) // too slow
	press(t, l, "c", 0)
	press(t, l, "d", fyne.KeyModifierShortcutDefault)
	press(t, l, "d", fyne.KeyModifierShortcutDefault)
	if want := []string{"b"}; !slices.Equal(opened, want) {
		t.Errorf("opened %v, want %v", opened, want)
	}
}

func TestListKeys(t *testing.T) {
	l, w := newTestList(t, numbered(50))
	w.Canvas().Focus(l)
	key := func(name fyne.KeyName) { l.TypedKey(&fyne.KeyEvent{Name: name}) }
	key(fyne.KeyDown)
	wantSelected(t, l, "row 000001")
	key(fyne.KeyEnd)
	wantSelected(t, l, "row 000049")
	if got := shown(l); got[len(got)-1] != "row 000049" {
		t.Errorf("End shows %v", got)
	}
	key(fyne.KeyHome)
	l.modifiers = func() fyne.KeyModifier { return fyne.KeyModifierShift }
	key(fyne.KeyDown)
	key(fyne.KeyDown)
	wantSelected(t, l, "row 000000", "row 000001", "row 000002")

	opened := ""
	l.OnOpen = func(id string) { opened = id }
	key(fyne.KeyReturn)
	if opened != "row 000002" {
		t.Errorf("Enter opened %q", opened)
	}
	menu := false
	l.OnMenu = func(fyne.Position) { menu = true }
	key(fyne.KeyF10)
	if !menu {
		t.Error("Shift+F10 shows no menu")
	}
	forwarded := fyne.KeyName("")
	w.Canvas().SetOnTypedKey(func(ev *fyne.KeyEvent) { forwarded = ev.Name })
	key(fyne.KeyEscape)
	if forwarded != fyne.KeyEscape {
		t.Error("Escape does not reach the window")
	}
}

func TestListKeepsSelectionOverChanges(t *testing.T) {
	l, _ := newTestList(t, letters)
	changed := 0
	press(t, l, "d", 0)
	l.OnSelect = func() { changed++ }
	l.SetIDs([]string{"x", "d", "a"})
	wantSelected(t, l, "d")
	if !at(t, l, "d").bar.Visible() || at(t, l, "x").bar.Visible() {
		t.Error("the mark stayed with the place and not with the row")
	}
	if changed != 0 {
		t.Error("the same selection was told as another one")
	}
	l.SetIDs([]string{"x", "a"})
	wantSelected(t, l)
	if changed != 1 {
		t.Errorf("a lost row was told %d times", changed)
	}
}

func TestListHeadings(t *testing.T) {
	l, w := newTestList(t, []string{"a", "#", "b"})
	l.Heading = func(id string) bool { return strings.HasPrefix(id, "#") }
	press(t, l, "#", 0)
	wantSelected(t, l)
	w.Canvas().Focus(l)
	l.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	wantSelected(t, l, "b")
	l.SelectAll()
	wantSelected(t, l, "a", "b")
}

func TestListHover(t *testing.T) {
	l, _ := newTestList(t, letters)
	var told []bool
	l.OnHover = func(over bool) { told = append(told, over) }
	at(t, l, "a").MouseIn(&desktop.MouseEvent{})
	at(t, l, "a").MouseOut()
	if !slices.Equal(told, []bool{true, false}) || l.Hovered() {
		t.Errorf("told %v", told)
	}
}

// BenchmarkScroll moves through 100,000 rows, a screenful at a time.
func BenchmarkScroll(b *testing.B) {
	l, _ := newTestList(b, numbered(100_000))
	most := l.fullHeight() - l.scroll.Size().Height
	b.ResetTimer()
	for i := range b.N {
		l.scroll.Offset.Y = float32(i*340%int(most) + i%7)
		l.show(false)
	}
}

// BenchmarkReplace swaps in 100,000 other rows.
func BenchmarkReplace(b *testing.B) {
	one, other := numbered(100_000), numbered(100_000)
	slices.Reverse(other)
	l, _ := newTestList(b, one)
	l.Select(one[500])
	b.ResetTimer()
	for i := range b.N {
		if i%2 == 0 {
			l.SetIDs(other)
		} else {
			l.SetIDs(one)
		}
	}
}

func TestHeaderByKeyboard(t *testing.T) {
	test.NewTempApp(t)
	h := NewHeader(Columns{{Key: "a", Title: "A"}, {Title: "not sorted", Width: 50}, {Key: "b", Title: "B", Width: 50, Right: true}}, "")
	var sorted []string
	h.OnSort = func(key string, descending bool) { sorted = append(sorted, fmt.Sprint(key, descending)) }
	w := test.NewTempWindow(t, h.Container)
	w.Resize(fyne.NewSize(400, 60))
	c := w.Canvas()
	c.Focus(h.titles[0])
	press := func(key fyne.KeyName) { c.Focused().TypedKey(&fyne.KeyEvent{Name: key}) }
	press(fyne.KeySpace)
	press(fyne.KeyReturn)
	press(fyne.KeyLeft) // there is none
	press(fyne.KeyRight)
	press(fyne.KeySpace)
	if !slices.Equal(sorted, []string{"afalse", "atrue", "bfalse"}) {
		t.Errorf("sorted by %v", sorted)
	}
	if h.titles[0].ring.Visible() || !h.titles[2].ring.Visible() {
		t.Error("it is not to be seen where the keyboard is")
	}
	test.Tap(h.titles[2])
	if c.Focused() == h.titles[2] {
		t.Error("a click keeps the keyboard in the titles")
	}
}
