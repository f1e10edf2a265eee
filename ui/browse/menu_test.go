package browse

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/work"
)

func labels(items []*fyne.MenuItem) (labels []string) {
	for _, item := range items {
		if !item.IsSeparator {
			labels = append(labels, item.Label)
		}
	}
	return labels
}

// act does what an item of the selected rows' menu does.
func act(t *testing.T, v *View, label string) {
	t.Helper()
	for _, item := range v.menuOf(v.chosen()) {
		if item.Label == label {
			item.Action()
			return
		}
	}
	t.Fatalf("no %q among %v", label, labels(v.menuOf(v.chosen())))
}

func pick(t *testing.T, v *View, name string) *row {
	t.Helper()
	for _, r := range v.rows {
		if r.name == name {
			v.list.Select(r.id)
			return r
		}
	}
	t.Fatalf("there is no %s among %v", name, names(v))
	return nil
}

func TestMenu(t *testing.T) {
	v, s := newView(t, work.Inline())
	s.places["a:"][1].Have = true
	v.Person("a", "Ana")
	for name, want := range map[string][]string{
		"Holiday":   {"Open", "Download", "Download to…", "Preview", "Copy link", "Who has it"},
		"readme.md": {"Open", "Download", "Download to…", "Preview", "Copy link", "Who has it", "Show in folder"},
	} {
		pick(t, v, name)
		if got := labels(v.menuOf(v.chosen())); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	v.list.SelectAll()
	if got := labels(v.menuOf(v.chosen())); !slices.Equal(got, []string{"Download 2", "Download to…", "Copy link"}) {
		t.Errorf("both: %v", got)
	}
}

func TestMenuDoes(t *testing.T) {
	v, s := newView(t, work.Inline())
	s.places["a:"][1].Have = true
	v.Person("a", "Ana")

	v.OnFolder = func(chosen func(string)) { chosen("/mnt/stick") }
	v.list.SelectAll()
	act(t, v, "Download to…")
	if len(s.got) != 2 || s.got[0].To != "/mnt/stick" || s.got[1].To != "/mnt/stick" || s.got[0].Path != "Holiday" {
		t.Errorf("asked for %+v", s.got)
	}
	act(t, v, "Copy link")
	readme := v.rows[1].result.Content
	want := "potluck:peer/a/Holiday\npotluck:content/" + readme.String() + "?name=readme.md&size=7"
	if got := fyne.CurrentApp().Clipboard().Content(); got != want {
		t.Errorf("copied %q, want %q", got, want)
	}

	pick(t, v, "readme.md")
	act(t, v, "Who has it")
	sheet, ok := canvasOf(v.list).Overlays().Top().(*widget.Sheet)
	if !ok {
		t.Fatal("nobody is named")
	}
	sheet.Cancel()
	if got := holders(v.rows[1]); !slices.Equal(got, []string{"Person A", "Person b, away"}) {
		t.Errorf("named %q", got)
	}

	var shown, opened string
	v.OnReveal = func(path string) { shown = path }
	v.OnOpen = func(path, from string) { opened = path + " from " + from }
	told := error(nil)
	v.OnError = func(err error) { told = err }
	act(t, v, "Show in folder")
	if told == nil || shown != "" {
		t.Errorf("shown at %q what is nowhere", shown)
	}
	s.here = map[domain.ContentID]string{readme: "/home/mira/readme.md"}
	act(t, v, "Show in folder")
	act(t, v, "Open")
	if shown != "/home/mira/readme.md" || opened != "/home/mira/readme.md from Person A" {
		t.Errorf("shown %q, opened %q", shown, opened)
	}
}

func TestDownloadedFolderIsFoundAgain(t *testing.T) {
	v, _ := newView(t, work.Inline())
	v.Person("a", "Ana")
	v.PrepareTransfers([]domain.Transfer{{Kind: domain.Download, Peer: "a", Path: "Holiday", State: domain.Done, Final: "/home/mira/Holiday"}})()
	shown := ""
	v.OnReveal = func(path string) { shown = path }
	pick(t, v, "Holiday")
	act(t, v, "Show in folder")
	if shown != "/home/mira/Holiday" {
		t.Errorf("shown %q", shown)
	}
}

// TestWhatWasDeletedIsFetchedAgain opens a row whose download is done, and the
// file of it deleted since.
func TestWhatWasDeletedIsFetchedAgain(t *testing.T) {
	v, s := newView(t, work.Inline())
	v.Person("a", "Ana")
	v.PrepareTransfers([]domain.Transfer{{Kind: domain.Download, Peer: "a", Path: "readme.md", State: domain.Done, Final: "/home/mira/readme.md"}})()
	opened := ""
	v.OnOpen = func(path, _ string) { opened = path }
	pick(t, v, "readme.md")
	v.open(v.list.Cursor())
	if opened != "" || len(s.got) != 1 {
		t.Errorf("opened %q, fetched %v", opened, s.got)
	}
}
