package library

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
)

func holiday(entries int) domain.Share {
	return domain.Share{Name: "Holiday", Path: "/home/mira/Holiday", Folder: true, Audience: everyone, Entries: entries, State: domain.ShareReady}
}

func wantRows(t *testing.T, v *View, want ...string) {
	t.Helper()
	if got := order(v); !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
}

func TestFoldersUnfold(t *testing.T) {
	v, c := newView(t)
	c.files["Holiday"] = []domain.ShareFile{folder("Holiday/img", 1, 1), file("Holiday/a.jpg", 4_200_000)}
	c.files["Holiday/img"] = []domain.ShareFile{file("Holiday/img/b.jpg", 1)}
	v.Prepare([]domain.Share{holiday(2), {Name: "notes.txt", State: domain.ShareReady}}, nil)()

	// By the pointer.
	cells, _ := rowAt(t, v, "Holiday")
	test.Tap(cells.name.chevron)
	wantRows(t, v, "Holiday", "Holiday/img", "Holiday/a.jpg", "notes.txt")
	if file, _ := rowAt(t, v, "Holiday/a.jpg"); file.state.line.Text() != "4.2 MB" || file.chip.Visible() || file.name.depth != 1 {
		t.Errorf("a file shows %q, its chip %v, depth %d", file.state.line.Text(), file.chip.Visible(), file.name.depth)
	}
	if plain, _ := rowAt(t, v, "notes.txt"); plain.name.chevron.Visible() {
		t.Error("a file can be unfolded")
	}
	cells, _ = rowAt(t, v, "Holiday")
	test.Tap(cells.name.chevron)
	wantRows(t, v, "Holiday", "notes.txt")

	// By the keyboard.
	v.list.Select("Holiday")
	press(v, fyne.KeyRight)
	press(v, fyne.KeyDown)
	press(v, fyne.KeyRight)
	wantRows(t, v, "Holiday", "Holiday/img", "Holiday/img/b.jpg", "Holiday/a.jpg", "notes.txt")
	press(v, fyne.KeyDown)
	press(v, fyne.KeyRight) // a file
	press(v, fyne.KeyLeft)
	if got := v.list.Selected(); !slices.Equal(got, []string{"Holiday/img"}) {
		t.Errorf("up from a file: %v", got)
	}
	press(v, fyne.KeyLeft)
	wantRows(t, v, "Holiday", "Holiday/img", "Holiday/a.jpg", "notes.txt")
	press(v, fyne.KeyRight)
	v.list.Select("Holiday")
	press(v, fyne.KeyLeft)
	wantRows(t, v, "Holiday", "notes.txt")
	press(v, fyne.KeyRight) // what was unfolded inside is folded again
	wantRows(t, v, "Holiday", "Holiday/img", "Holiday/a.jpg", "notes.txt")

	shown := ""
	v.OnReveal = func(path string) { shown += path + "|" }
	_, row := rowAt(t, v, "Holiday/a.jpg")
	click(row, desktop.MouseButtonPrimary)
	click(row, desktop.MouseButtonPrimary)
	v.list.Select("Holiday")
	press(v, fyne.KeyReturn)
	if shown != "/home/mira/Holiday/a.jpg|/home/mira/Holiday|" {
		t.Errorf("shown %q", shown)
	}
}

func TestFilesInWords(t *testing.T) {
	for _, c := range []struct {
		file   domain.ShareFile
		want   string
		broken bool
	}{
		{file("a", 4_200_000), "4.2 MB", false},
		{folder("a", 12, 90_000_000), "12 files, 90 MB", false},
		{folder("a", -1, -1), "", false},
		{domain.ShareFile{Entry: domain.Entry{Path: "a"}, Problem: domain.Say("Can't read %s.", "a")}, "Can't read a.", true},
	} {
		if r := fileRowOf(c.file, "a", 1); r.state != c.want || r.broken != c.broken {
			t.Errorf("%+v: %q, broken %v", c.file, r.state, r.broken)
		}
	}
}

func TestNothingInAFolder(t *testing.T) {
	v, _ := newView(t)
	v.Prepare([]domain.Share{holiday(0)}, nil)()
	v.unfold("Holiday")
	wantRows(t, v, "Holiday", "Holiday"+noteMark)
	if note, _ := rowAt(t, v, "Holiday"+noteMark); note.name.text.Text() != "Nothing in it" {
		t.Errorf("it says %q", note.name.text.Text())
	}
	v.list.SelectAll()
	if got := v.list.Selected(); !slices.Equal(got, []string{"Holiday"}) {
		t.Errorf("a note is selected: %q", got)
	}
}

func TestUnfoldedFollowsTheShare(t *testing.T) {
	v, c := newView(t)
	c.files["Holiday"] = []domain.ShareFile{file("Holiday/a", 1)}
	v.Prepare([]domain.Share{holiday(1)}, nil)()
	v.unfold("Holiday")
	c.files["Holiday"] = []domain.ShareFile{file("Holiday/a", 1), file("Holiday/b", 1)}
	asked := len(c.asked)
	v.Prepare([]domain.Share{holiday(1)}, nil)()
	if len(c.asked) != asked {
		t.Error("asked although nothing has changed")
	}
	v.Prepare([]domain.Share{holiday(2)}, nil)()
	wantRows(t, v, "Holiday", "Holiday/a", "Holiday/b")
	v.Prepare(nil, nil)()
	v.Prepare([]domain.Share{holiday(2)}, nil)()
	wantRows(t, v, "Holiday") // it is another share

	c.err = errors.New("the disk is broken")
	var told error
	v.OnError = func(err error) { told = err }
	v.unfold("Holiday")
	wantRows(t, v, "Holiday")
	if !errors.Is(told, c.err) {
		t.Errorf("told %v", told)
	}
}

// TestLargeFolder unfolds 100,000 files: what is on screen comes at once, the
// rest as it is scrolled to.
func TestLargeFolder(t *testing.T) {
	v, c := newView(t)
	all := make([]domain.ShareFile, 100_000)
	for i := range all {
		all[i] = file(fmt.Sprintf("Holiday/%06d.jpg", i), int64(i))
	}
	c.files["Holiday"] = all
	v.Prepare([]domain.Share{holiday(len(all)), {Name: "notes.txt"}}, nil)()
	v.unfold("Holiday")
	if len(v.rows) != pageSize+3 { // the shares, and that more is coming
		t.Fatalf("%d rows at first", len(v.rows))
	}
	here := pageSize
	for _, page := range []int{pageSize, pageSize, 3 * pageSize / 2} {
		press(v, fyne.KeyEnd)
		v.list.Select(fmt.Sprintf("Holiday/%06d.jpg", here-1))
		if here += page; len(v.rows) != here+3 {
			t.Fatalf("%d rows, want %d", len(v.rows), here+3)
		}
	}
	for i, r := range v.rows[1 : here+1] {
		if r.id != all[i].Path {
			t.Fatalf("row %d is %s", i, r.id)
		}
	}
	// All of them, as after much scrolling: what the UI thread does is short.
	b := v.open["Holiday"]
	for b.next != "" {
		v.loadMore(b)
		if len(b.rows) > 20*pageSize {
			v.load(b, b.next, len(all))
		}
	}
	best := time.Hour
	for range 3 { // this process may have to wait for the machine
		began := time.Now()
		v.flatten()
		best = min(best, time.Since(began))
	}
	if best > slowdown*100*time.Millisecond {
		t.Errorf("putting the rows together took %v", best)
	}
	if len(v.rows) != len(all)+2 {
		t.Errorf("%d rows in the end", len(v.rows))
	}
}
