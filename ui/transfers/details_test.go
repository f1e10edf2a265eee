package transfers

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
)

// folder is a download of some files: of several, the first is here, half the
// second is, and the last is left out.
func folder(n int) []domain.FileProgress {
	files := make([]domain.FileProgress, n)
	for i := range files {
		files[i] = domain.FileProgress{State: domain.Queued, TransferFile: domain.TransferFile{
			Entry: domain.Entry{Size: 1000}, Target: fmt.Sprintf("Holiday/img/%d.jpg", i),
		}}
	}
	if n == 1 {
		return files
	}
	files[0].State, files[0].Done = domain.Done, 1000
	files[1].State, files[1].Done = domain.Running, 500
	files[n-1].Skipped = true
	return files
}

// openDetails shows the details of the transfer "run" with some files.
func openDetails(t *testing.T, files []domain.FileProgress) (*View, *recorder, *details) {
	t.Helper()
	v, r := newView(t)
	v.now = func() time.Time { return now }
	r.files = map[string][]domain.FileProgress{"run": files}
	v.Prepare(all(), now)()
	v.canvas().Focus(v.list)
	v.list.Select("run")
	v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if v.details == nil {
		t.Fatal("Enter on an unfinished one shows no details")
	}
	return v, r, v.details
}

func key(d *details, name fyne.KeyName) { d.list.TypedKey(&fyne.KeyEvent{Name: name}) }

func TestDetails(t *testing.T) {
	v, _, d := openDetails(t, folder(4))
	if d.sentence.Text() != "1.9 of 3.1 GB · 48 MB/s · 25 s left" || d.from.value.Text() != "Ana" || d.place.line.Visible() {
		t.Errorf("%q from %q", d.sentence.Text(), d.from.value.Text())
	}
	if !d.block.Visible() || v.canvas().Focused() != d.list || v.Files() != d.list {
		t.Error("the files are not at hand")
	}
	if d.summary.Text() != "3 of 4 files chosen, 3.0 kB" {
		t.Errorf("the summary is %q", d.summary.Text())
	}
	for i, want := range []struct {
		name, done      string
		box, here, tick bool
	}{{"img/0.jpg", "", false, true, true}, {"img/1.jpg", "50 %", true, false, true}, {"img/2.jpg", "", true, false, true}, {"img/3.jpg", "", true, false, false}} {
		row := newFile(&d.files)
		row.show(i)
		if row.name.Text() != want.name || row.done.Text() != want.done || row.box.Visible() != want.box || row.here.Visible() != want.here || row.box.On() != want.tick {
			t.Errorf("file %d: %q, %q, box %v, here %v, tick %v", i, row.name.Text(), row.done.Text(), row.box.Visible(), row.here.Visible(), row.box.On())
		}
	}
	d.sheet.Cancel()
	if v.details != nil || v.Files() != nil || v.canvas().Focused() != v.list {
		t.Error("Escape does not lead back to the rows")
	}
}

func TestChoosingFiles(t *testing.T) {
	v, r, d := openDetails(t, folder(4))
	if d.apply.Visible() {
		t.Error("there is nothing to apply yet")
	}
	d.list.SelectAll()
	key(d, fyne.KeySpace) // one was left out: now all are wanted
	if d.chosen != 4 || !d.apply.Visible() || d.apply.Disabled() {
		t.Errorf("%d chosen", d.chosen)
	}
	key(d, fyne.KeySpace) // none, but for the one that is here
	if d.chosen != 1 {
		t.Errorf("%d chosen", d.chosen)
	}
	d.list.Select("3")
	key(d, fyne.KeySpace)
	d.list.Select("2")
	key(d, fyne.KeyReturn)
	row := newFile(&d.files)
	row.show(2)
	test.Tap(row.box)
	if got := fmt.Sprint(d.changes); got != "map[1:false 2:false 3:true]" {
		t.Errorf("chosen: %s", got)
	}
	if d.sheet.Buttons()[1].Text() != "Cancel" {
		t.Errorf("the way out is called %q", d.sheet.Buttons()[1].Text())
	}
	test.Tap(d.apply)
	if want := []string{"choose run,map[1:false 2:false 3:true]"}; !slices.Equal(r.calls, want) || v.details != nil {
		t.Errorf("asked for %q, want %q", r.calls, want)
	}
}

func TestNothingChosenCannotBeApplied(t *testing.T) {
	files := folder(4)
	files[0].State = domain.Queued
	_, r, d := openDetails(t, files)
	test.Tap(d.nothing)
	if d.chosen != 0 || !d.apply.Disabled() || !d.nothing.Disabled() {
		t.Errorf("%d chosen", d.chosen)
	}
	test.Tap(d.every)
	if d.chosen != 4 || d.apply.Disabled() {
		t.Errorf("%d chosen", d.chosen)
	}
	d.sheet.Cancel()
	if len(r.calls) != 0 {
		t.Errorf("closing applies: %q", r.calls)
	}
}

func TestDetailsFollowTheTransfer(t *testing.T) {
	v, r, d := openDetails(t, folder(4))
	at := now.Add(2 * time.Second)
	v.now = func() time.Time { return at }
	r.files["run"] = folder(4)
	r.files["run"][1].Done = 750
	key(d, fyne.KeySpace)
	list := all()
	list[0].Rate = 20e6
	v.Prepare(list, at)()
	row := newFile(&d.files)
	row.show(1)
	if row.done.Text() != "75 %" || len(d.changes) != 0 && d.all[0].State != domain.Done {
		t.Errorf("the second file is at %q", row.done.Text())
	}
	// The last look is at how it ended.
	r.files["run"] = folder(4)
	r.files["run"][1].State, r.files["run"][1].Done = domain.Done, 1000
	list[0].State = domain.Done
	v.Prepare(list, at)()
	if row.show(1); !row.here.Visible() {
		t.Error("a file that is here is still at " + row.done.Text())
	}
	if !d.graph.Visible() || d.graph.Label() != "50 MB/s" {
		t.Errorf("the graph's edge is %q", d.graph.Label())
	}
	v.Prepare(nil, at)()
	if v.details != nil || v.canvas().Overlays().Top() != nil {
		t.Error("the details of a transfer stay that is gone")
	}
}

func TestDetailsOfOneFileHaveNoList(t *testing.T) {
	v, r := newView(t)
	v.Prepare(all(), now)()
	r.files = map[string][]domain.FileProgress{"wait": folder(1)}
	for id, from := range map[string]string{"wait": "Cleo", "up": "Ben"} {
		v.act(telling, []string{id})
		if v.details.block.Visible() || v.details.from.value.Text() != from {
			t.Errorf("%s: files %v, with %q", id, v.details.block.Visible(), v.details.from.value.Text())
		}
		v.details.sheet.Cancel()
	}
}

// A hundred thousand files are a list like any other.
func TestManyFiles(t *testing.T) {
	_, _, d := openDetails(t, folder(100_000))
	if d.list.Len() != 100_000 {
		t.Fatalf("%d files", d.list.Len())
	}
	if m := d.sheet.MinSize(); m.Height > 600-2*16 {
		t.Errorf("the sheet needs %v", m)
	}
	best := time.Hour
	for range 3 { // this process may have to wait for the machine
		began := time.Now()
		d.list.SelectAll()
		key(d, fyne.KeySpace)
		best = min(best, time.Since(began))
	}
	if best > time.Second {
		t.Errorf("choosing all of them took %v", best)
	}
	if len(d.changes) != 1 {
		t.Errorf("%d changes", len(d.changes))
	}
}

func TestProvidersAreNamed(t *testing.T) {
	v, r, d := openDetails(t, folder(4))
	r.providers = []domain.TransferProvider{
		{Name: "Ana", Online: true, Serving: true, Rate: 32e6, Done: 9},
		{Name: "Ben", Online: true, Serving: true},
		{Name: "Cleo", Online: true},
		{Name: "Dan", Done: 5},
		{Name: "", Online: true},
	}
	at := now.Add(2 * time.Second)
	v.now = func() time.Time { return at }
	v.Prepare(all(), at)()
	if d.from.value.Text() != "Ana at 32 MB/s, Ben" || d.others.value.Text() != "Cleo" || d.away.value.Text() != "Dan" || !d.away.line.Visible() {
		t.Errorf("from %q, also %q, away %q", d.from.value.Text(), d.others.value.Text(), d.away.value.Text())
	}
	d.providers = []domain.TransferProvider{{Name: "Ana", Online: true}}
	if fields := d.fields(&domain.Transfer{PeerName: "Ana", State: domain.Paused}); fields[0].value != "Ana" || fields[1].value != "" {
		t.Errorf("from %q, also %q", fields[0].value, fields[1].value)
	}
	if from, _, _ := providerWords(r.providers[3:]); from != "Dan" {
		t.Errorf("it came from %q", from)
	}
	if m := d.sheet.MinSize(); m.Height > 600-2*16 {
		t.Errorf("the sheet needs %v", m)
	}
}
