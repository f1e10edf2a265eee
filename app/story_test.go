package app_test

import (
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/desktop"
	"github.com/potluck-share/potluck/app/lab"
	"github.com/potluck-share/potluck/app/programs"
)

// TestStory is the first evening of two people with the real program, each at
// a window of their own on one screen: the sheet of the first launch, a drop,
// the other one sees it, searches, looks at a picture without downloading it,
// downloads, pauses, resumes, shows it in the folder, has the history still
// after a restart, and is given a file by a drop on her row. Ana does all of it
// by the keyboard, but for the last.
func TestStory(t *testing.T) {
	mira, ana, opened := tellers(t)
	mira.open(t)
	ana.open(t)
	for _, one := range []*teller{mira, ana} {
		one.firstLaunch(t)
	}
	if meet(ana.ctx, ana.copyOfPotluck, 1, time.Now()) == 0 || meet(mira.ctx, mira.copyOfPotluck, 1, time.Now()) == 0 {
		t.Fatal("Ana and Mira never met")
	}

	mira.drops(t, ana)
	ana.looks(t)
	ana.fetches(t, mira)
	ana.showsInFolder(t, opened)
	ana.shares(t, mira)
	ana.restarts(t)
	ana.selects(t, mira)
	mira.sends(t, ana)

	for _, one := range []*teller{mira, ana} {
		one.quit(t)
	}
}

// tellers returns two people with a computer each, on one network and one
// screen, and where the desktop keeps what it is asked to open.
func tellers(t *testing.T) (mira, ana *teller, opened string) {
	t.Helper()
	bin := programs.Window(t)
	network := lab.New(t, "Mira", "Ana")
	screen := desktop.Start(t, 2200, 800)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	opened = fileManager(t)
	person := func(name string, left int) *teller {
		p := newCopy(t, name, func(ctx context.Context, args ...string) *exec.Cmd {
			cmd := network.Host(name).Command(ctx, bin, args...)
			cmd.Env = append(screen.Command(ctx, bin).Env, "FYNE_THEME=light")
			for i, variable := range cmd.Env {
				if path, ok := strings.CutPrefix(variable, "PATH="); ok {
					cmd.Env[i] = "PATH=" + filepath.Dir(opened) + ":" + path
				}
			}
			return cmd
		})
		return &teller{hand: hand{t: t, ctx: ctx, screen: screen}, copyOfPotluck: p, left: left}
	}
	return person("Mira", 0), person("Ana", 1100), opened
}

// fileManager stands in for the desktop's: it keeps what it is asked to open
// in a file, whose path it returns.
func fileManager(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	opened := filepath.Join(folder, "opened")
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >>'" + opened + "'\n"
	if err := os.WriteFile(filepath.Join(folder, "xdg-open"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return opened
}

// teller is somebody in the story: a program, its window, and who sits there.
type teller struct {
	hand
	*copyOfPotluck
	cmd  *exec.Cmd
	said *os.File
	left int // where on the screen the window stands
}

// open starts the program and finds its window.
func (p *teller) open(t *testing.T) {
	t.Helper()
	p.cmd = p.command(p.ctx, "--data", p.data, "--downloads", p.downloads)
	p.said = stderr(t)
	p.cmd.Stderr = p.said
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end(t, p.name, p.cmd, p.said)
	var err error
	if p.window, err = p.screen.FindWindow(p.ctx, desktop.Match{PID: p.cmd.Process.Pid}); err != nil {
		t.Fatal(err)
	}
	if err := p.screen.MoveTo(p.ctx, p.window, p.left, 20); err != nil {
		t.Fatal(err)
	}
}

// activate gives the window the keyboard, by a click beside everything.
func (p *teller) activate(t *testing.T) {
	t.Helper()
	place, err := p.screen.Place(p.window)
	if err == nil {
		err = p.screen.Click(place.Min.X+90, place.Max.Y-150)
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(p.ctx, t, p.name+"'s window has the keyboard", func() bool {
		active, err := p.screen.Active()
		return err == nil && active == p.window
	})
}

func (p *teller) types(t *testing.T, text string) {
	t.Helper()
	if err := p.screen.Type(text); err != nil {
		t.Fatal(err)
	}
}

// keys presses keys one after the other.
func (p *teller) keys(t *testing.T, combinations ...string) {
	t.Helper()
	for _, combination := range combinations {
		p.key(t, combination)
		time.Sleep(150 * time.Millisecond) // as fast as a person
	}
}

// firstLaunch answers the sheet. Before that nobody runs here.
func (p *teller) firstLaunch(t *testing.T) {
	t.Helper()
	p.picture(t, "story-welcome-"+p.name+".png")
	if err := p.command(p.ctx, "--data", p.data, "status").Run(); err == nil {
		t.Errorf("%s runs before the sheet is answered", p.name)
	}
	p.activate(t)
	p.keys(t, "tab", "ctrl+a") // a click beside everything took the keyboard away
	p.types(t, p.name)
	p.keys(t, "enter")
	eventually(p.ctx, t, p.name+" runs after Start", func() bool {
		out, err := p.command(p.ctx, "--data", p.data, "status").Output()
		return err == nil && strings.Contains(string(out), p.name)
	})
}

// poppy is the colour of the picture that Mira shares.
var poppy = color.RGBA{0xD8, 0x30, 0x20, 0xFF}

// count returns how many pixels of a part of the window are of about a colour.
func (p *teller) count(t *testing.T, part image.Rectangle, c color.RGBA) int {
	t.Helper()
	seen, err := p.screen.Look(p.window)
	if err != nil {
		t.Fatal(err)
	}
	near := func(a, b uint8) bool { return max(a, b)-min(a, b) < 12 }
	n := 0
	part = part.Intersect(seen.Bounds())
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			at := seen.RGBAAt(x, y)
			if near(at.R, c.R) && near(at.G, c.G) && near(at.B, c.B) {
				n++
			}
		}
	}
	return n
}

// everywhere is more than the whole window.
var everywhere = image.Rect(0, 0, 4000, 4000)

const bigFile = 24 << 20

// drops drags a folder onto the window, which says what will happen; the other
// one sees it.
func (p *teller) drops(t *testing.T, other *teller) {
	folder := filepath.Join(p.screen.Home, "Summer party")
	writeFiles(t, map[string]int{
		filepath.Join(folder, "film.mp4"):  bigFile,
		filepath.Join(folder, "notes.txt"): 0,
		filepath.Join(folder, "one.pdf"):   4000, filepath.Join(folder, "two.pdf"): 5000, filepath.Join(folder, "three.pdf"): 6000,
		filepath.Join(folder, "four.pdf"): 7000, filepath.Join(folder, "five.pdf"): 8000,
	})
	writePicture(t, filepath.Join(folder, "poppy.png"))
	place, err := p.screen.Place(p.window)
	if err != nil {
		t.Fatal(err)
	}
	edge := image.Rect(0, 0, 2, place.Dy())
	before := p.count(t, edge, teal)
	drag, err := p.screen.Drag(p.ctx, p.window, place.Dx()/2, place.Dy()/2, []string{folder})
	if err != nil {
		t.Fatal(err)
	}
	eventually(p.ctx, t, "the window's edge lights up under the drag", func() bool {
		return p.count(t, edge, teal) > before+place.Dy()
	})
	p.picture(t, "story-drag.png")
	if err := drag.Drop(p.ctx); err != nil {
		t.Fatal(err)
	}
	eventually(p.ctx, t, "the edge is dark again after the drop", func() bool { return p.count(t, edge, teal) == before })
	p.picture(t, "story-dropped.png")
	eventually(p.ctx, t, other.name+" sees what was dropped", func() bool {
		out, err := other.command(p.ctx, "--data", other.data, "--json", "browse", p.name, "Summer party").Output()
		return err == nil && strings.Count(string(out), "\n") == 8
	})
}

// writePicture writes an image of one colour.
func writePicture(t *testing.T, path string) {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			img.SetRGBA(x, y, poppy)
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// moves are the transfers that the story asks for.
type move struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Path  string `json:"path"`
	State string `json:"state"`
	Done  int64  `json:"done"`
	Size  int64  `json:"size"`
}

// state returns the state of the download of a path.
func (p *teller) state(t *testing.T, path string) move {
	t.Helper()
	for _, m := range ask[[]move](p.ctx, t, p.copyOfPotluck, "transfers") {
		if m.Kind == "download" && strings.HasSuffix(m.Path, path) {
			return m
		}
	}
	return move{}
}

// search searches everyone and goes to the first row.
func (p *teller) search(t *testing.T, words string) {
	t.Helper()
	p.keys(t, "ctrl+f", "ctrl+a")
	p.types(t, words)
	time.Sleep(time.Second) // it searches a moment after the last letter
	eventually(p.ctx, t, "the first row found is selected", func() bool {
		p.keys(t, "down", "home")
		return p.shows(t, image.Rect(216, 146, 900, 166), selected)
	})
}

// looks searches for a picture and looks at it: it is shown and not
// downloaded.
func (p *teller) looks(t *testing.T) {
	p.activate(t)
	p.search(t, "poppy")
	p.keys(t, "space")
	eventually(p.ctx, t, "the picture is shown", func() bool { return p.count(t, everywhere, poppy) > 5000 })
	p.picture(t, "story-preview.png")
	p.keys(t, "escape")
	if all := ask[[]move](p.ctx, t, p.copyOfPotluck, "transfers"); len(all) != 0 {
		t.Errorf("a look became a download: %+v", all)
	}
}

// fetches downloads the film, pauses it in the midst, and goes on.
func (p *teller) fetches(t *testing.T, from *teller) {
	from.run(p.ctx, t, "limit", "--up", "2 MB/s")
	p.search(t, "film")
	p.keys(t, "ctrl+d")
	eventually(p.ctx, t, "the film is on its way", func() bool {
		m := p.state(t, "film.mp4")
		return m.State == "running" && m.Done > 0
	})
	p.keys(t, "ctrl+4", "home", "space")
	eventually(p.ctx, t, "Space pauses it", func() bool { return p.state(t, "film.mp4").State == "paused" })
	p.picture(t, "story-paused.png")
	p.keys(t, "space")
	eventually(p.ctx, t, "Space goes on with it", func() bool {
		state := p.state(t, "film.mp4").State
		return state == "running" || state == "done"
	})
	from.run(p.ctx, t, "limit", "--up", "none")
	eventually(p.ctx, t, "the film is here", func() bool { return p.state(t, "film.mp4").State == "done" })
	same(t, filepath.Join(p.downloads, "film.mp4"), filepath.Join(p.screen.Home, "Summer party", "film.mp4"))
}

// showsInFolder asks for the film's folder by the row's menu.
func (p *teller) showsInFolder(t *testing.T, opened string) {
	p.keys(t, "ctrl+4", "home", "shift+f10", "down", "down", "enter") // Open, Show in folder
	eventually(p.ctx, t, "the file manager is asked for the folder", func() bool {
		asked, err := os.ReadFile(opened)
		return err == nil && slices.Contains(strings.Split(string(asked), "\n"), p.downloads)
	})
}

// shares shares a file by the keyboard, with the chooser of a desktop that has
// none of its own; the other one sees it.
func (p *teller) shares(t *testing.T, other *teller) {
	writeFiles(t, map[string]int{filepath.Join(p.screen.Home, "Zucchini.odt"): 3000})
	p.keys(t, "ctrl+o")
	time.Sleep(time.Second)     // the menu hangs on its button
	p.keys(t, "down", "enter")  // A file…
	time.Sleep(3 * time.Second) // it looks through the folder
	// From the places to the files, of which this is the last.
	p.keys(t, "tab", "tab", "right", "right", "right", "right", "right", "right", "space")
	p.picture(t, "story-choose.png")
	p.keys(t, "shift+tab", "shift+tab", "space") // back over the places to Share
	eventually(p.ctx, t, other.name+" sees what was chosen", func() bool {
		out, err := other.command(p.ctx, "--data", other.data, "browse", p.name).Output()
		return err == nil && strings.Contains(string(out), "Zucchini.odt")
	})
}

// restarts quits and starts again: the page and its history are still there.
func (p *teller) restarts(t *testing.T) {
	p.keys(t, "ctrl+4")
	p.picture(t, "story-done.png")
	p.quit(t)
	p.open(t)
	eventually(p.ctx, t, "it runs again", func() bool { return p.command(p.ctx, "--data", p.data, "status").Run() == nil })
	if m := p.state(t, "film.mp4"); m.State != "done" || m.Size != bigFile {
		t.Errorf("after a restart the film is %+v", m)
	}
	eventually(p.ctx, t, "the window opens with the transfers that are done", func() bool {
		return p.count(t, image.Rect(196, 56, 260, 300), green) > 10
	})
	p.picture(t, "story-restarted.png")
}

// selects clicks on rows with Shift and Ctrl, and downloads what is selected
// then.
func (p *teller) selects(t *testing.T, from *teller) {
	eventually(p.ctx, t, "both see each other after the restart", func() bool {
		return p.command(p.ctx, "--data", p.data, "browse", from.name, "Summer party").Run() == nil
	})
	p.activate(t)
	p.search(t, ".pdf")
	place, err := p.screen.Place(p.window)
	if err != nil {
		t.Fatal(err)
	}
	const firstRow, row = 156, 34
	click := func(n int, held string) {
		t.Helper()
		at := image.Pt(place.Min.X+400, place.Min.Y+firstRow+n*row)
		if err := p.screen.ClickWith(held, at.X, at.Y); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond) // no double click
	}
	click(0, "")
	click(2, "shift") // 0 to 2
	click(4, "ctrl")  // and 4
	click(1, "ctrl")  // but not 1
	p.picture(t, "story-selected.png")
	p.keys(t, "ctrl+d")
	eventually(p.ctx, t, "what is selected is downloaded", func() bool {
		got, err := filepath.Glob(filepath.Join(p.downloads, "*.pdf"))
		return err == nil && len(got) == 3
	})
}

// quit ends the program by the keyboard.
func (p *teller) quit(t *testing.T) {
	t.Helper()
	p.activate(t)
	p.keys(t, "ctrl+q")
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%s ended with %v", p.name, err)
	}
	for _, fault := range []string{"Error in Fyne call thread", "panic", "DATA RACE"} {
		if words := text(t, p.said); strings.Contains(words, fault) {
			t.Errorf("%s complained:\n%s", p.name, words)
		}
	}
}
