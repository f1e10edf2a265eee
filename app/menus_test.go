package app_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTransfersByTheirMenu does what the page of transfers offers beyond pausing,
// with the real program and by the keyboard: an order, a choice of files,
// checking again, and deleting what was downloaded.
func TestTransfersByTheirMenu(t *testing.T) {
	mira, ana, _ := tellers(t)
	introduce(t, mira.copyOfPotluck)
	introduce(t, ana.copyOfPotluck)
	mira.open(t)
	ana.open(t)
	for _, p := range []*teller{mira, ana} {
		eventually(p.ctx, t, p.name+" runs", func() bool { return p.command(p.ctx, "--data", p.data, "status").Run() == nil })
		if meet(p.ctx, p.copyOfPotluck, 1, time.Now()) == 0 {
			t.Fatal("Ana and Mira never met")
		}
	}
	holiday, film := filepath.Join(mira.screen.Home, "Holiday"), filepath.Join(mira.screen.Home, "film.mp4")
	writeFiles(t, map[string]int{
		filepath.Join(holiday, "a.jpg"): 3 << 20, filepath.Join(holiday, "b.jpg"): 3 << 20, filepath.Join(holiday, "c.jpg"): 3 << 20,
		film: 12 << 20,
	})
	mira.run(mira.ctx, t, "limit", "--up", "200 kB/s") // all of this is over before b.jpg is here
	mira.run(mira.ctx, t, "share", holiday, film)
	name := peerName(t, mira)
	ana.run(ana.ctx, t, "limit", "--at-once", "1")
	ana.begin(t, name+":film.mp4")
	ana.begin(t, name+":Holiday")

	ana.activate(t)
	ana.keys(t, "ctrl+4", "home", "down") // the film runs, Holiday waits for its turn
	ana.chooses(t, "Run first")
	eventually(ana.ctx, t, "Holiday runs before the film", func() bool {
		return ana.state(t, "Holiday").State == "running" && ana.state(t, "film.mp4").State == "queued"
	})

	// Without its second file.
	ana.keys(t, "home", "enter")
	time.Sleep(time.Second)
	ana.picture(t, "menu-details.png")
	ana.unticks(t, 1)
	eventually(ana.ctx, t, "b.jpg is left out", func() bool { return ana.state(t, "Holiday").Size == 6<<20 })

	mira.run(mira.ctx, t, "limit", "--up", "none")
	got := filepath.Join(ana.downloads, "Holiday")
	eventually(ana.ctx, t, "both are here", func() bool {
		return ana.state(t, "Holiday").State == "done" && ana.state(t, "film.mp4").State == "done"
	})
	if _, err := os.Stat(filepath.Join(got, "b.jpg")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was left out is here: %v", err)
	}
	ana.picture(t, "menu-done.png") // by then the rows stand in their order
	ana.keys(t, "home")             // the film ended last
	ana.chooses(t, "Check again")
	eventually(ana.ctx, t, "the film is as it was", func() bool {
		return strings.Contains(string(ana.run(ana.ctx, t, "--json", "transfers")), "All of it is as it was")
	})
	ana.deletes(t, filepath.Join(ana.downloads, "film.mp4"))
	mira.quit(t)
	ana.quit(t)
}

// peerName returns how somebody is named without doubt.
func peerName(t *testing.T, other *teller) string {
	t.Helper()
	type person struct {
		ID string `json:"peer_id"`
	}
	return ask[person](other.ctx, t, other.copyOfPotluck, "status").ID
}

// begin begins a download and does not wait for its end.
func (p *teller) begin(t *testing.T, what string) {
	t.Helper()
	path := what[strings.LastIndexByte(what, ':')+1:]
	cmd := p.command(p.ctx, "--data", p.data, "get", what)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	eventually(p.ctx, t, path+" is in the list", func() bool { return p.state(t, path).ID != "" })
}

// downTo is how often the arrow leads down to a line of a row's menu.
// In Potluck's menus lines between groups do not count.
var downTo = map[string]int{"Run first": 3, "Check again": 4, "Delete the files too…": 6}

// chooses chooses a line of the menu of the row that is selected.
func (p *teller) chooses(t *testing.T, line string) {
	t.Helper()
	p.keys(t, "shift+f10")
	p.picture(t, "menu-"+strings.ReplaceAll(strings.TrimSuffix(line, "…"), " ", "-")+".png")
	for range downTo[line] {
		p.keys(t, "down")
	}
	p.keys(t, "enter")
}

// unticks takes the tick from a file of the details that are open, and applies
// that.
func (p *teller) unticks(t *testing.T, file int) {
	t.Helper()
	p.keys(t, "home")
	for range file {
		p.keys(t, "down")
	}
	p.keys(t, "space")
	p.picture(t, "menu-unticked.png")
	p.keys(t, "tab", "tab", "tab", "enter") // All, None, Apply
}

// deletes deletes what the selected download made, which is asked about first.
func (p *teller) deletes(t *testing.T, path string) {
	t.Helper()
	p.chooses(t, "Delete the files too…")
	p.picture(t, "menu-delete.png")
	p.keys(t, "escape")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("Escape does not keep the file: %v", err)
	}
	p.chooses(t, "Delete the files too…")
	p.keys(t, "shift+tab", "enter") // Cancel has the keyboard
	eventually(p.ctx, t, "file and row are gone", func() bool {
		_, err := os.Stat(path)
		return errors.Is(err, fs.ErrNotExist) && p.state(t, filepath.Base(path)).ID == ""
	})
	if p.state(t, "Holiday").State != "done" {
		t.Error("another download went with it")
	}
}
