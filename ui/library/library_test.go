package library

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

var (
	everyone = domain.Audience{Kind: domain.Everyone}
	friends  = domain.Audience{Kind: domain.Friends}
	chosen   = domain.Audience{Kind: domain.Chosen, Peers: []domain.PeerID{"ana", "ben"}}
)

// core stands in for the use case, which lives in a room that the window must
// not import.
type core struct {
	Library
	files map[string][]domain.ShareFile // by folder
	asked []string
	who   []domain.Fetcher
	err   error
}

func (c *core) Fetchers(context.Context, string) ([]domain.Fetcher, error) { return c.who, c.err }

func (c *core) SetAudience(_ context.Context, name string, a domain.Audience) error {
	c.asked = append(c.asked, name+" "+a.String())
	return c.err
}

func (c *core) Files(_ context.Context, share, folder, after string, limit int) (rows []domain.ShareFile, next string, err error) {
	c.asked = append(c.asked, fmt.Sprint(share, "|", folder, "|", after, "|", limit))
	at := strings.TrimSuffix(share+"/"+folder, "/")
	all := c.files[at]
	from := slices.IndexFunc(all, func(f domain.ShareFile) bool { return f.Path == after }) + 1
	rows = all[from:min(len(all), from+limit)]
	if from+limit < len(all) {
		next = rows[limit-1].Path
	}
	return rows, next, c.err
}

func file(path string, size int64) domain.ShareFile {
	return domain.ShareFile{Entry: domain.Entry{Path: path, Size: size}}
}

func folder(path string, entries int, size int64) domain.ShareFile {
	return domain.ShareFile{Entry: domain.Entry{Path: path, Folder: true, Size: size}, Entries: entries}
}

func newView(t testing.TB) (*View, *core) {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{})
	c := &core{files: make(map[string][]domain.ShareFile)}
	v := New(work.Inline(), c)
	w := test.NewTempWindow(t, v.Object())
	w.Resize(fyne.NewSize(704, 600))
	return v, c
}

func order(v *View) []string {
	out := make([]string, len(v.rows))
	for i, r := range v.rows {
		out[i] = r.id
	}
	return out
}

func press(v *View, name fyne.KeyName) { v.list.TypedKey(&fyne.KeyEvent{Name: name}) }

// rowAt returns the content of the list's row of an ID, and the row as the
// pointer meets it.
func rowAt(t *testing.T, v *View, id string) (*cells, desktop.Mouseable) {
	t.Helper()
	var row desktop.Mouseable
	for _, o := range test.LaidOutObjects(v.list) {
		if m, ok := o.(desktop.Mouseable); ok {
			row = m
		}
		if box, ok := o.(*fyne.Container); ok {
			if l, ok := box.Layout.(*rowLayout); ok && l.cells.id == id {
				return l.cells, row
			}
		}
	}
	t.Fatalf("%s is not on screen", id)
	return nil, nil
}

func click(row desktop.Mouseable, button desktop.MouseButton) {
	ev := &desktop.MouseEvent{Button: button}
	row.MouseDown(ev)
	row.MouseUp(ev)
}

// menuOnScreen returns the menu that has the keyboard.
func menuOnScreen(t *testing.T, v *View) *fwidget.PopUpMenu {
	t.Helper()
	menu, ok := fyne.CurrentApp().Driver().CanvasForObject(v.list).Focused().(*fwidget.PopUpMenu)
	if !ok {
		t.Fatal("there is no menu")
	}
	return menu
}

func labels(items []*fyne.MenuItem) string {
	out := ""
	for _, item := range items {
		out += item.Label
		if item.Checked {
			out += " ✓"
		}
		if item.Disabled {
			out += " (not now)"
		}
		if item.ChildMenu != nil {
			out += "(" + labels(item.ChildMenu.Items) + ")"
		}
		out += "|"
	}
	return out
}

func TestStatesInWords(t *testing.T) {
	for _, c := range []struct {
		share  domain.Share
		want   string
		broken bool
	}{
		{domain.Share{State: domain.ShareReady, Bytes: 4_200_000}, "4.2 MB", false},
		{domain.Share{State: domain.ShareReady, Folder: true, Entries: 1, Bytes: 5}, "1 file, 5 B", false},
		{domain.Share{State: domain.ShareReading, Read: 40, ToRead: 100}, "Reading 40 %", false},
		{domain.Share{State: domain.ShareReading}, "Reading…", false},
		{domain.Share{State: domain.ShareGone, Problem: domain.Say("x")}, "Gone", true},
		{domain.Share{State: domain.ShareUnreadable}, "Can't be read", true},
		{domain.Share{State: domain.ShareUnreadable, Problem: domain.Say("Can't read %s.", "a")}, "Can't read a.", true},
		{domain.Share{State: domain.ShareReady, Problem: domain.Say("Can't read diary.doc.")}, "Can't read diary.doc.", true},
	} {
		if r := rowOf(c.share, nil); r.state != c.want || r.broken != c.broken {
			t.Errorf("%+v: %q, broken %v", c.share, r.state, r.broken)
		}
	}
}

func TestEmptyThenFilled(t *testing.T) {
	v, _ := newView(t)
	if !v.empty.Visible() || v.table.Visible() {
		t.Error("nothing shared, and no place to drop")
	}
	v.Prepare([]domain.Share{
		{Name: "b", Entries: 214, Bytes: 3_100_000_000, Fetched: 2, Audience: everyone, State: domain.ShareReady},
		{Name: "A", Entries: 1, Bytes: 5, Audience: friends, State: domain.ShareGone},
	}, nil)()
	if v.empty.Visible() || v.count.Text() != "215 files, 3.1 GB" || v.Problems() != 1 {
		t.Errorf("%q with %d problems", v.count.Text(), v.Problems())
	}
	for _, c := range []struct {
		key  string
		down bool
		want []string
	}{
		{"name", false, []string{"A", "b"}},
		{"name", true, []string{"b", "A"}},
		{"audience", false, []string{"b", "A"}},
		{"fetched", false, []string{"b", "A"}},
		{"state", false, []string{"A", "b"}}, // what needs the user comes first
	} {
		v.header.OnSort(c.key, c.down)
		if !slices.Equal(order(v), c.want) {
			t.Errorf("by %s: %v, want %v", c.key, order(v), c.want)
		}
	}
	v.Prepare(nil, nil)()
	if !v.empty.Visible() || v.table.Visible() || v.count.Text() != "" {
		t.Error("nothing is shared any more, and no place to drop")
	}
}

func TestDeleteStopsSharing(t *testing.T) {
	v, c := newView(t)
	c.files["b"] = []domain.ShareFile{file("b/x", 1)}
	var got []string
	v.OnUnshare = func(shares []domain.Share) {
		for _, s := range shares {
			got = append(got, s.Name)
		}
	}
	v.Prepare([]domain.Share{{Name: "a"}, {Name: "b", Folder: true}, {Name: "c"}}, nil)()
	press(v, fyne.KeyDelete)
	v.list.Select("b")
	press(v, fyne.KeyRight)
	v.list.Select("b/x")
	press(v, fyne.KeyDelete) // a file of a share is not a share
	v.list.Select("b")
	press(v, fyne.KeyDelete)
	if !slices.Equal(got, []string{"b"}) {
		t.Errorf("stopped %v", got)
	}
}

func TestSelectWaitsForTheShare(t *testing.T) {
	v, _ := newView(t)
	v.Select("later")
	v.Prepare([]domain.Share{{Name: "a"}}, nil)()
	v.Prepare([]domain.Share{{Name: "a"}, {Name: "later", Path: "/x/later"}}, nil)()
	if got := v.list.Selected(); !slices.Equal(got, []string{"later"}) {
		t.Errorf("selected %v", got)
	}
	if at := v.At([]string{"/x/none", "/x/later"}); len(at) != 1 || at[0].Name != "later" {
		t.Errorf("at its path: %v", at)
	}
}

func TestGoneOffersToFindAndToRemove(t *testing.T) {
	v, _ := newView(t)
	said := ""
	v.OnFind = func(s domain.Share) { said += "find " + s.Name + "|" }
	v.OnUnshare = func(s []domain.Share) { said += "stop " + s[0].Name + "|" }
	v.Prepare([]domain.Share{{Name: "a", State: domain.ShareReady}, {Name: "b", State: domain.ShareGone}, {Name: "c", State: domain.ShareUnreadable}}, nil)()
	if closed, _ := rowAt(t, v, "c"); closed.state.find.Visible() || !closed.state.remove.Visible() {
		t.Error("what cannot be read can be found, or not be removed")
	}
	whole, _ := rowAt(t, v, "a")
	if whole.state.find.Visible() || whole.state.remove.Visible() {
		t.Error("what is there can be found")
	}
	gone, _ := rowAt(t, v, "b")
	test.Tap(gone.state.find)
	test.Tap(gone.state.remove)
	if said != "find b|stop b|" {
		t.Errorf("%q", said)
	}
}

func TestChipOpensTheChoice(t *testing.T) {
	v, c := newView(t)
	v.Prepare([]domain.Share{{Name: "a", Audience: everyone}, {Name: "b", Audience: friends}, {Name: "c", Audience: everyone}}, nil)()
	cells, row := rowAt(t, v, "a")
	if cells.chip.Text() != "Everyone" {
		t.Errorf("the chip says %q", cells.chip.Text())
	}
	test.Tap(cells.chip)
	menu := menuOnScreen(t, v)
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})

	// By the keyboard alone, and for all that are selected.
	click(row, desktop.MouseButtonPrimary)
	v.list.SelectAll()
	canvas := fyne.CurrentApp().Driver().CanvasForObject(v.list)
	canvas.Focus(cells.chip)
	cells.chip.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	menu = menuOnScreen(t, v)
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	want := []string{"a friends", "a everyone", "b everyone", "c everyone"}
	if !slices.Equal(c.asked, want) {
		t.Errorf("asked for %v, want %v", c.asked, want)
	}
}

func TestAudienceThatCannotBeChanged(t *testing.T) {
	v, c := newView(t)
	c.err = errors.New("the disk is full")
	var told error
	v.OnError = func(err error) { told = err }
	v.setAudience([]domain.Share{{Name: "a"}, {Name: "b"}}, friends)
	if !errors.Is(told, c.err) || len(c.asked) != 1 {
		t.Errorf("told %v after %v", told, c.asked)
	}
}

func TestMenus(t *testing.T) {
	v, c := newView(t)
	c.files["a"] = []domain.ShareFile{file("a/x", 1)}
	v.Prepare([]domain.Share{
		{Name: "a", Path: "/home/mira/a", Folder: true, Audience: everyone},
		{Name: "b", Audience: friends},
		{Name: "c", Audience: chosen},
		{Name: "d", State: domain.ShareGone, Audience: everyone},
	}, names{"ana": "Ana", "ben": "Ben"})()
	v.unfold("a")
	sees := "Who sees it(Everyone nearby%s|Friends%s|Chosen people…|)|"
	for _, test := range []struct {
		ids  []string
		want string
	}{
		{[]string{"a"}, fmt.Sprintf(sees, " ✓", "") + "Copy link|Show in folder|Who fetched it||Stop sharing|"},
		{[]string{"a/x"}, "Copy link|Show in folder|"},
		{[]string{"c"}, "Who sees it(Everyone nearby|Friends|Ana and Ben… ✓|)|Copy link|Show in folder|Who fetched it||Stop sharing|"},
		{[]string{"d"}, fmt.Sprintf(sees, " ✓", "") + "Copy link|Find…|Who fetched it||Stop sharing|"},
		{[]string{"a", "b"}, fmt.Sprintf(sees, "", "") + "Copy link||Stop sharing|"},
		{[]string{"a", "d", "a/x"}, fmt.Sprintf(sees, " ✓", "") + "Copy link||Stop sharing|"},
		{[]string{"gone"}, ""},
		{nil, ""},
	} {
		if got := labels(v.menuItems(test.ids)); got != test.want {
			t.Errorf("%v: %q, want %q", test.ids, got, test.want)
		}
	}

	stopped, revealed := 0, ""
	v.OnUnshare = func(s []domain.Share) { stopped += len(s) }
	v.OnReveal = func(path string) { revealed = path }
	_, row := rowAt(t, v, "b")
	click(row, desktop.MouseButtonSecondary)
	row.(fyne.SecondaryTappable).TappedSecondary(&fyne.PointEvent{})
	menu := menuOnScreen(t, v)
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyUp})
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	v.list.Select("a/x")
	press(v, desktop.KeyMenu)
	menu = menuOnScreen(t, v)
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	menu.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if stopped != 1 || revealed != "/home/mira/a/x" {
		t.Errorf("stopped %d, shown %q", stopped, revealed)
	}
}

func TestWhoFetchedIt(t *testing.T) {
	v, c := newView(t)
	v.Prepare([]domain.Share{{Name: "a", Fetched: 2}, {Name: "b"}}, names{"ana": "Ana B."})()
	screen := fyne.CurrentApp().Driver().CanvasForObject(v.list)
	open := func() string {
		t.Helper()
		v.showFetchers("a")
		s, ok := screen.Overlays().Top().(*widget.Sheet)
		if !ok {
			t.Fatal("nothing is shown")
		}
		text := test.RenderObjectToMarkup(s)
		s.Cancel()
		return text
	}
	if text := open(); !strings.Contains(text, "Nobody has fetched it yet.") || !strings.Contains(text, "Who fetched a") {
		t.Error("it does not say that nobody has fetched it")
	}
	now := time.Now()
	c.who = []domain.Fetcher{
		{Peer: "ana", Name: "Ana", At: now, Files: 3, Bytes: 40_000_000},
		{Peer: "ben", Name: "Ben", At: now.AddDate(0, 0, -1), Files: 1, Bytes: 5},
		{Peer: "eve", At: now.AddDate(0, 0, -1), Files: 1},
	}
	text := open()
	for _, want := range []string{"Ana B.", "3 files, 40 MB", ">Ben<", "1 file, 5 B", ">yesterday<", ">Somebody<"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	c.err = domain.ErrNotFound
	var told error
	v.OnError = func(err error) { told = err }
	v.showFetchers("a")
	if !errors.Is(told, c.err) || screen.Overlays().Top() != nil {
		t.Errorf("told %v", told)
	}
	if got := rowOf(domain.Share{Fetched: 1}, nil).fetched + rowOf(domain.Share{}, nil).fetched; got != "1 time–" {
		t.Errorf("fetched %q", got)
	}
}

func TestLinks(t *testing.T) {
	v, c := newView(t)
	v.SetSelf("12D3KooWme")
	photo, note := domain.ContentID{1}, domain.ContentID{2}
	c.files["Holiday"] = []domain.ShareFile{folder("Holiday/img", 1, 1), {Entry: domain.Entry{Path: "Holiday/a.jpg", Size: 7, Content: photo}}}
	c.files["notes.txt"] = []domain.ShareFile{{Entry: domain.Entry{Path: "notes.txt", Size: 3, Content: note}}}
	c.files["new.txt"] = []domain.ShareFile{file("new.txt", 0)} // not read yet
	v.Prepare([]domain.Share{holiday(1), {Name: "notes.txt"}, {Name: "new.txt"}}, nil)()
	v.unfold("Holiday")
	peer := func(path string) domain.Link {
		return domain.Link{Kind: domain.LinkPeer, Peer: "12D3KooWme", Path: path}
	}
	for id, want := range map[string]domain.Link{
		"Holiday":       peer("Holiday"),
		"Holiday/img":   peer("Holiday/img"),
		"Holiday/a.jpg": {Kind: domain.LinkContent, Content: photo, Name: "a.jpg", Size: 7},
		"notes.txt":     {Kind: domain.LinkContent, Content: note, Name: "notes.txt", Size: 3},
		"new.txt":       peer("new.txt"),
	} {
		v.copyLinks([]string{id})
		if got := fyne.CurrentApp().Clipboard().Content(); got != want.String() {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	v.copyLinks([]string{"Holiday", "gone", "new.txt"})
	if got, want := fyne.CurrentApp().Clipboard().Content(), peer("Holiday").String()+"\n"+peer("new.txt").String(); got != want {
		t.Errorf("several: %q, want %q", got, want)
	}
}

func TestMarkup(t *testing.T) {
	holiday := domain.Share{Name: "Holiday", Folder: true, Fetched: 12, Audience: friends, Entries: 214, Bytes: 3_100_000_000, State: domain.ShareReady}
	for name, shares := range map[string][]domain.Share{
		"empty": nil,
		"one":   {holiday},
		"many":  {holiday, {Name: "notes.txt", Audience: everyone, Entries: 1, Bytes: 4200}, {Name: "slides", Folder: true, Audience: chosen}},
		"problem": {
			{Name: "Talk.mp4", Audience: everyone, State: domain.ShareGone, Problem: domain.Say("Talk.mp4 has moved.")},
			{Name: "Papers", Folder: true, Audience: everyone, Entries: 12, State: domain.ShareReady, Problem: domain.Say("Can't read %s; the other %s are shared.", "diary.doc", 12)},
		},
		"reading": {{Name: "notes.txt", Audience: everyone, State: domain.ShareReading, Read: 40, ToRead: 100}},
	} {
		v, c := newView(t)
		c.files["Holiday"] = []domain.ShareFile{folder("Holiday/img", 12, 90_000_000), file("Holiday/IMG_1.jpg", 4_200_000)}
		v.Prepare(shares, nil)()
		if name == "many" {
			v.unfold("Holiday")
		}
		test.AssertObjectRendersToMarkup(t, name+".xml", v.Object())
	}
}

// Of those who are known, and those who were chosen, some are chosen.
func TestChoosingPeople(t *testing.T) {
	v, _ := newView(t)
	v.SetNames(map[domain.PeerID]string{"1": "Ana", "2": "ben", "3": "Cleo"})
	var got []domain.Audience
	v.choosePeople(domain.Audience{Kind: domain.Chosen, Peers: []domain.PeerID{"2", "9"}}, func(a domain.Audience) { got = append(got, a) })
	sheet := fyne.CurrentApp().Driver().CanvasForObject(v.object).Overlays().Top().(*widget.Sheet)
	var switches []*widget.Switch
	for _, o := range test.LaidOutObjects(sheet) {
		if s, ok := o.(*widget.Switch); ok {
			switches = append(switches, s)
		}
	}
	if len(switches) != 4 || switches[0].On() || !switches[1].On() || switches[2].On() || !switches[3].On() {
		t.Fatalf("%d switches", len(switches))
	}
	test.Tap(switches[0])
	test.Tap(switches[1])
	sheet.Buttons()[0].OnTapped()
	if len(got) != 1 || got[0].String() != "1,9" {
		t.Errorf("chosen %v", got)
	}
}
