package widget

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
)

func newWindow(t *testing.T, content fyne.CanvasObject) fyne.Window {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{})
	w := test.NewTempWindow(t, content)
	w.Resize(fyne.NewSize(900, 600))
	return w
}

func TestQuilt(t *testing.T) {
	looks := make(map[quilt]bool)
	for i := range 500 {
		id := domain.PeerID(fmt.Sprintf("12D3KooW%d", i))
		q := quiltOf(id)
		if n := q.count(); n < 7 || n > 18 {
			t.Errorf("%s has %d cells", id, n)
		}
		lit := 0
		for column := range 5 {
			for row := range 5 {
				if q.lit(column, row) != q.lit(4-column, row) {
					t.Fatalf("%s is not mirrored", id)
				}
				if q.lit(column, row) {
					lit++
				}
			}
		}
		if lit != q.count() {
			t.Errorf("%s: counted %d cells, lit %d", id, q.count(), lit)
		}
		if q != quiltOf(id) {
			t.Errorf("%s looks different the second time", id)
		}
		looks[q] = true
	}
	if len(looks) < 490 {
		t.Errorf("500 peers share %d looks", len(looks))
	}
}

func TestColumnsGiveTheRestToTheWideOne(t *testing.T) {
	columns := Columns{{Title: "Name"}, {Title: "Kind", Width: 88, From: 600}, {Title: "Size", Width: 84}}
	cells := []fyne.CanvasObject{NewText("", 14, theme.Text), NewText("", 14, theme.Text), NewText("", 14, theme.Text)}
	columns.Layout(cells, fyne.NewSize(500, 32))
	if cells[1].Visible() || cells[0].Size().Width != 500-84-columnGap {
		t.Errorf("at 500: kind shown %v, name %v", cells[1].Visible(), cells[0].Size().Width)
	}
	columns.Layout(cells, fyne.NewSize(700, 32))
	if !cells[1].Visible() || cells[0].Size().Width != 700-84-88-2*columnGap {
		t.Errorf("at 700: kind shown %v, name %v", cells[1].Visible(), cells[0].Size().Width)
	}
	if right := cells[2].Position().X + cells[2].Size().Width; right != 700 {
		t.Errorf("the last column ends at %v", right)
	}
}

func TestHeaderSorts(t *testing.T) {
	h := NewHeader(Columns{{Key: "name", Title: "Name"}, {Title: "Plain", Width: 50}, {Key: "size", Title: "Size", Width: 84, Right: true}}, "name")
	newWindow(t, h.Container)
	got := ""
	h.OnSort = func(key string, down bool) { got = fmt.Sprint(key, down) }
	for _, step := range []struct {
		column int
		want   string
	}{{0, "nametrue"}, {2, "sizefalse"}, {2, "sizetrue"}, {0, "namefalse"}} {
		test.Tap(h.titles[step.column])
		if got != step.want {
			t.Errorf("tapped column %d: %s, want %s", step.column, got, step.want)
		}
	}
	got = ""
	test.Tap(h.titles[1])
	if got != "" {
		t.Error("a column without a key sorts")
	}
	if !h.titles[0].icon.Visible() || h.titles[2].icon.Visible() {
		t.Error("the arrow is not at the sorted column")
	}
}

func TestButton(t *testing.T) {
	taps := 0
	b := NewButton("Share", "plus", Primary, func() { taps++ })
	w := newWindow(t, container.NewCenter(b))
	test.Tap(b)
	w.Canvas().Focus(b)
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	if taps != 3 {
		t.Errorf("%d taps, want 3", taps)
	}
	b.SetDisabled(true)
	test.Tap(b)
	if taps != 3 {
		t.Error("a disabled button acts")
	}
	forwarded := false
	w.Canvas().SetOnTypedKey(func(*fyne.KeyEvent) { forwarded = true })
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if !forwarded {
		t.Error("Escape does not reach the window")
	}
}

func TestSheet(t *testing.T) {
	entry := NewEntry("")
	w := newWindow(t, entry)
	c := w.Canvas()
	c.Focus(entry)
	canceled, done := 0, 0
	ask := func() *Sheet {
		return ShowSheet(c, "Share your whole home folder?", nil, "Cancel", func() { canceled++ },
			NewButton("Share", "", Plain, func() { done++ }))
	}
	s := ask()
	if c.Overlays().Top() != s {
		t.Fatal("the sheet is not on top")
	}
	if c.Focused() != s.Buttons()[1] {
		t.Error("the focus is not on Cancel")
	}
	s.Cancel()
	s.Cancel()
	if canceled != 1 || c.Overlays().Top() != nil {
		t.Errorf("canceled %d times, on top %v", canceled, c.Overlays().Top())
	}
	if c.Focused() != entry {
		t.Error("the focus did not come back")
	}
	s = ask()
	test.Tap(s.Buttons()[0])
	if done != 1 || canceled != 1 || c.Overlays().Top() != nil {
		t.Errorf("done %d, canceled %d, on top %v", done, canceled, c.Overlays().Top())
	}
}

func TestEntryKeepsWhatEdits(t *testing.T) {
	e := NewEntry("")
	w := newWindow(t, e)
	w.Canvas().Focus(e)
	e.SetText("hello")
	e.TypedShortcut(&fyne.ShortcutSelectAll{})
	if e.SelectedText() != "hello" {
		t.Errorf("select all chose %q", e.SelectedText())
	}
	forwarded := fyne.KeyName("")
	w.Canvas().SetOnTypedKey(func(ev *fyne.KeyEvent) { forwarded = ev.Name })
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if forwarded != fyne.KeyEscape {
		t.Error("Escape does not reach the window")
	}
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyBackspace})
	if e.Text != "" {
		t.Errorf("Backspace left %q", e.Text)
	}
	left := false
	e.OnLeave = func() { left = true }
	w.Canvas().Unfocus()
	if !left {
		t.Error("leaving was not told")
	}
}

func TestNavItem(t *testing.T) {
	opened := 0
	n := NewNavItem("People", "people", func() { opened++ })
	newWindow(t, n)
	test.Tap(n)
	n.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if opened != 2 {
		t.Errorf("opened %d times", opened)
	}
	n.SetBadge(3, false)
	n.SetChosen(true)
	if n.Badge() != 3 || !n.Chosen() {
		t.Error("badge or choice lost")
	}
}

func TestALongNameLeavesTheBadgeItsRoom(t *testing.T) {
	for name, bold := range map[string]bool{"People": true, "Übertragungen und mehr": false} {
		n := NewNavItem(name, "transfers", nil)
		newWindow(t, n)
		n.Resize(fyne.NewSize(180, navHeight))
		n.SetBadge(12, false)
		n.SetChosen(true)
		r := test.WidgetRenderer(n).(*navRenderer)
		if r.text.TextStyle.Bold != bold {
			t.Errorf("%s is bold: %v", name, !bold)
		}
	}
}

func TestTheRingOfAFilledButtonStandsOff(t *testing.T) {
	for kind, want := range map[ButtonKind]float32{Primary: -3, Plain: 0} {
		b := NewButton("Start", "", kind, nil)
		newWindow(t, b)
		b.Resize(fyne.NewSize(80, 36))
		b.FocusGained()
		if r := test.WidgetRenderer(b).(*buttonRenderer); !r.ring.Visible() || r.ring.Position().X != want || r.ring.Size().Width != 80-2*want {
			t.Errorf("kind %d: the ring is at %v, %v wide", kind, r.ring.Position(), r.ring.Size().Width)
		}
	}
}

func TestTextOnlyAsksForRoomItCannotDoWithout(t *testing.T) {
	newWindow(t, NewText("", 14, theme.Text))
	long := "a rather long text that would widen the window"
	if w := NewText(long, 14, theme.Text).Shortened(End).MinSize().Width; w != 0 {
		t.Errorf("a text that gives way asks for %v", w)
	}
	if w := NewText(long, 14, theme.Text).MinSize().Width; w < 100 {
		t.Errorf("a whole text asks for %v only", w)
	}
}

func TestProgressStaysInBounds(t *testing.T) {
	p := NewProgress()
	newWindow(t, p)
	for value, want := range map[float64]float64{-1: 0, 0.5: 0.5, 7: 1} {
		p.Set(value, theme.Primary)
		if p.Value() != want {
			t.Errorf("Set(%v) shows %v", value, p.Value())
		}
	}
}

func TestEmptyShowsHintOnlyWhenThereIsOne(t *testing.T) {
	e := NewEmpty("Nothing", "")
	newWindow(t, e.Container)
	if e.hintBox.Visible() {
		t.Error("an empty hint takes room")
	}
	e.Set("Nothing", "Do this.")
	if !e.hintBox.Visible() || !e.hint.Visible() {
		t.Error("the hint is not shown")
	}
}
