package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/desktop"
	"github.com/potluck-share/potluck/app/lab"
	"github.com/potluck-share/potluck/app/programs"
)

// looks are the ways of showing the window of which pictures are made. The
// first ones show everything, the others what may not fit.
var looks = []look{
	{name: "light", theme: "light", width: 1120, height: 780, scale: 1},
	{name: "dark", theme: "dark", width: 1120, height: 780, scale: 1},
	{name: "small", theme: "light", width: 900, height: 600, scale: 1},
	{name: "double", theme: "light", width: 900, height: 600, scale: 2},
	{name: "german", theme: "light", language: "de", width: 900, height: 600, scale: 1},
	{name: "german-dark", theme: "dark", language: "de", width: 1120, height: 780, scale: 1},
}

// look is one way of showing the window; sizes are in the toolkit's units.
type look struct {
	name, theme, language string
	width, height, scale  int
}

// TestScreenshots makes pictures of every page, for people to look at:
// POTLUCK_SCREENSHOTS says which looks, with commas between them, or "all".
// They are taken of the real program among real others.
func TestScreenshots(t *testing.T) {
	wanted := os.Getenv("POTLUCK_SCREENSHOTS")
	if wanted == "" {
		t.Skip("skipped: it tests nothing, it makes pictures: make screenshots")
	}
	bin := programs.Window(t)
	names := []string{"Mira", "Ana", "Ben", "Cleo", "Dora", longName}
	network := lab.New(t, names...)
	screen := desktop.Start(t, 2300, 1400)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	p := &photographer{party: make(map[string]*copyOfPotluck), files: t.TempDir(), home: shortHome(t)}
	p.teller = &teller{hand: hand{t: t, ctx: ctx, screen: screen}}
	for _, name := range names {
		p.party[name] = newCopy(t, name, func(ctx context.Context, args ...string) *exec.Cmd {
			cmd := network.Host(name).Command(ctx, bin, args...)
			cmd.Env = append(screen.Command(ctx, bin).Env, "HOME="+p.home)
			if p.look.scale > 1 {
				cmd.Env = append(cmd.Env, fmt.Sprintf("FYNE_SCALE=%d", p.look.scale))
			}
			return cmd
		})
	}
	p.copyOfPotluck = p.party["Mira"]
	p.downloads = filepath.Join(p.home, "Downloads", "Potluck")
	p.gather(t)
	for _, look := range looks {
		if wanted == "all" || strings.Contains(","+wanted+",", ","+look.name+",") {
			p.look = look
			t.Run(look.name, p.tour)
		}
	}
}

// shortHome is a home folder whose path can be shown.
func shortHome(t *testing.T) string {
	t.Helper()
	home, err := os.MkdirTemp("", "mira")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	return home
}

// longName is of somebody whose name needs room.
const longName = "Wilhelmina van den Heuvel-Oosterhuis"

// photographer goes through the window and takes pictures of it.
type photographer struct {
	*teller
	party map[string]*copyOfPotluck
	files string // where everybody's files lie
	home  string // the home folder that programs see
	look  look
}

// gather starts everybody but Mira, who share what they have.
func (p *photographer) gather(t *testing.T) {
	writeParty(t, p.files)
	var began sync.WaitGroup
	for name, other := range p.party {
		if name != "Mira" {
			serve(t, other, other.command(p.ctx, "--data", other.data, "--downloads", other.downloads, "--name", name, "--json", "serve"), &began)
		}
	}
	began.Wait()
	for name, other := range p.party {
		entries, err := os.ReadDir(filepath.Join(p.files, name))
		if errors.Is(err, os.ErrNotExist) || name == "Mira" {
			continue
		}
		for _, entry := range entries {
			other.run(p.ctx, t, "share", filepath.Join(p.files, name, entry.Name()))
		}
	}

	p.settings(t, look{theme: "light", width: 1120, height: 780, scale: 1}, true)
	p.open(t)
	defer p.end(t)
	eventually(p.ctx, t, "Mira runs", func() bool { return p.command(p.ctx, "--data", p.data, "status").Run() == nil })
	if meet(p.ctx, p.copyOfPotluck, len(p.party)-1, time.Now()) == 0 {
		t.Fatal("they never met")
	}
	p.move(t)
}

// move makes transfers of every kind.
func (p *photographer) move(t *testing.T) {
	mine := filepath.Join(p.files, "Mira")
	for _, name := range []string{"Garden plans", "Choir concert.wav", "Reading list.odt", "Bread.txt"} {
		p.run(p.ctx, t, "share", filepath.Join(mine, name))
	}
	p.party["Ana"].run(p.ctx, t, "limit", "--up", "5 MB/s")
	p.party["Ben"].run(p.ctx, t, "limit", "--up", "4 MB/s")
	p.party["Dora"].run(p.ctx, t, "limit", "--up", "300 kB/s")
	p.run(p.ctx, t, "limit", "--up", "2 MB/s")
	p.run(p.ctx, t, "get", "Cleo:Choir", "Ana:Recipes")
	p.begin(t, p.copyOfPotluck, "Dora:Field recordings")
	p.begin(t, p.copyOfPotluck, "Ben:Talk about bees.mp4")
	p.begin(t, p.copyOfPotluck, "Ana:Holiday in Norway")
	p.party["Cleo"].run(p.ctx, t, "get", "Mira:Bread.txt")
	p.begin(t, p.party["Ben"], "Mira:Garden plans")
	eventually(p.ctx, t, "the talk is on its way", func() bool { return p.state(t, "Talk about bees.mp4").Done > 10<<20 })
	p.run(p.ctx, t, "pause", p.state(t, "Talk about bees.mp4").ID)
	p.party["Dora"].run(p.ctx, t, "stop")
	p.party[longName].run(p.ctx, t, "stop")
	if err := os.Remove(filepath.Join(mine, "Choir concert.wav")); err != nil {
		t.Fatal(err)
	}
}

// end ends the program, which would ask first at its window.
func (p *photographer) end(t *testing.T) {
	p.run(p.ctx, t, "stop")
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
}

// begin starts a download that is not waited for.
func (p *photographer) begin(t *testing.T, who *copyOfPotluck, what string) {
	t.Helper()
	cmd := who.command(p.ctx, "--data", who.data, "get", "--wait", "1s", what)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 6) {
		t.Fatalf("%s: get %s: %v\n%s", who.name, what, err, out)
	}
}

// settings writes how the window is to look.
func (p *photographer) settings(t *testing.T, l look, introduced bool) {
	t.Helper()
	if err := os.MkdirAll(p.data, 0o700); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`name = "Mira"
audience = "everyone"
theme = %q
language = %q
keep_running = false
introduced = %t
downloads_at_once = 4
upload_limit = "2 MB/s"
[window]
width = %d.0
height = %d.0
page = "people"
`, l.theme, l.language, introduced, l.width, l.height)
	if err := os.WriteFile(filepath.Join(p.data, "settings.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tour takes the pictures of one look.
func (p *photographer) tour(t *testing.T) {
	p.t = t
	p.welcome(t)
	p.settings(t, p.look, true)
	p.open(t)
	defer p.end(t)
	eventually(p.ctx, t, "Mira runs", func() bool { return p.command(p.ctx, "--data", p.data, "status").Run() == nil })
	if meet(p.ctx, p.copyOfPotluck, len(p.party)-3, time.Now()) == 0 {
		t.Fatal("they did not meet again")
	}
	p.activate(t)
	for _, page := range []func(*testing.T){p.people, p.browse, p.shares, p.transfers, p.settingsPage, p.above} {
		page(t)
	}
}

// take takes a picture, with the pointer out of the way.
func (p *photographer) take(t *testing.T, name string) {
	t.Helper()
	place, err := p.screen.Place(p.window)
	if err == nil {
		err = p.screen.Move(place.Min.X+90*p.look.scale, place.Max.Y-150*p.look.scale)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.keep(t, name)
}

// keep takes a picture as it is.
func (p *photographer) keep(t *testing.T, name string) {
	t.Helper()
	time.Sleep(700 * time.Millisecond) // the page draws
	seen, err := p.screen.Look(p.window)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(artefacts(t), "screenshots")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	writePNG(t, filepath.Join(folder, p.look.name+"-"+name+".png"), seen)
}

// calm makes a picture smaller: the colours that hardly occur in it, those of
// soft edges and photographs, lose what nobody sees.
func calm(picture *image.RGBA) {
	const rare, drop, half = 40, 0x07, 0x04
	often := make(map[[4]uint8]int)
	for i := 0; i+4 <= len(picture.Pix); i += 4 {
		often[[4]uint8(picture.Pix[i:])]++
	}
	for i := 0; i+4 <= len(picture.Pix); i += 4 {
		if often[[4]uint8(picture.Pix[i:])] >= rare {
			continue
		}
		for channel := range 3 {
			picture.Pix[i+channel] = picture.Pix[i+channel]&^drop | half
		}
	}
}

// writePNG writes a picture as small as it gets.
func writePNG(t *testing.T, path string, picture *image.RGBA) {
	t.Helper()
	calm(picture)
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// welcome opens the window of somebody new.
func (p *photographer) welcome(t *testing.T) {
	known := p.data
	defer func() { p.data = known }()
	p.data = filepath.Join(t.TempDir(), "data")
	p.settings(t, p.look, false)
	p.cmd = p.command(p.ctx, "--data", p.data)
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
	p.take(t, "welcome")
	p.quit(t)
}

func (p *photographer) people(t *testing.T) {
	p.keys(t, "ctrl+1", "home")
	p.take(t, "people")
	p.keys(t, "shift+f10")
	p.take(t, "people-menu")
	p.keys(t, "escape")
}

func (p *photographer) browse(t *testing.T) {
	p.keys(t, "ctrl+2")
	p.take(t, "browse-everyone")
	p.keys(t, "ctrl+1", "home", "enter")
	p.take(t, "browse-person")
	p.keys(t, "home", "down", "down", "enter") // Holiday in Norway
	time.Sleep(time.Second)
	p.keys(t, "home", "down", "down", "down", "down", "down", "shift+down", "shift+down")
	p.take(t, "browse-folder")
	p.keys(t, "shift+f10")
	p.take(t, "browse-menu")
	p.keys(t, "escape", "home", "down", "down", "down", "down", "down", "down") // Fjord at noon.jpg
	if p.look.scale == 1 && p.look.width > 1000 {
		p.resize(t, 1300, p.look.height)
		time.Sleep(2 * time.Second) // it fetches the picture
		p.take(t, "browse-preview")
		p.resize(t, p.look.width, p.look.height)
	}
	p.keys(t, "space")
	time.Sleep(2 * time.Second)
	p.take(t, "browse-look")
	p.keys(t, "escape")
	p.search(t, "nor")
	p.take(t, "browse-search")
	p.keys(t, "ctrl+f", "ctrl+a")
	p.types(t, "jazz")
	time.Sleep(time.Second)
	p.take(t, "browse-nothing")
	p.keys(t, "escape", "escape")
}

func (p *photographer) resize(t *testing.T, width, height int) {
	t.Helper()
	if err := p.screen.Resize(p.ctx, p.window, width*p.look.scale, height*p.look.scale); err != nil {
		t.Fatal(err)
	}
}

func (p *photographer) shares(t *testing.T) {
	reading := filepath.Join(p.files, "Mira", "Archive of the reading group")
	sharing := p.command(p.ctx, "--data", p.data, "share", reading)
	if err := sharing.Start(); err != nil {
		t.Fatal(err)
	}
	p.party["Ana"].run(p.ctx, t, "limit", "--up", "8 MB/s")
	p.keys(t, "ctrl+3")
	p.types(t, "garden")
	p.keys(t, "right")
	time.Sleep(1500 * time.Millisecond)
	p.take(t, "shares")
	p.keys(t, "shift+f10", "down", "down")
	p.take(t, "shares-menu")
	p.keys(t, "escape")
	p.run(p.ctx, t, "unshare", reading)
	_ = sharing.Wait() // it says that the sharing was ended
}

func (p *photographer) transfers(t *testing.T) {
	p.keys(t, "ctrl+4", "home")
	p.party["Ana"].run(p.ctx, t, "limit", "--up", "6 MB/s")
	time.Sleep(3 * time.Second) // the graph grows
	p.take(t, "transfers")
	p.keys(t, "shift+f10")
	p.take(t, "transfers-menu")
	p.keys(t, "escape", "enter")
	time.Sleep(3 * time.Second)
	p.take(t, "transfers-details")
	p.keys(t, "escape")
}

func (p *photographer) settingsPage(t *testing.T) {
	p.keys(t, "ctrl+,")
	p.take(t, "settings")
	place, err := p.screen.Place(p.window)
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []struct {
		name  string
		steps int
	}{{"settings-middle", 24}, {"settings-end", 72}} {
		if err := p.screen.Scroll(place.Min.X+place.Dx()/2, place.Min.Y+place.Dy()/2, end.steps); err != nil {
			t.Fatal(err)
		}
		p.take(t, end.name)
	}
}

// above takes pictures of what comes above the pages.
func (p *photographer) above(t *testing.T) {
	p.keys(t, "ctrl+1", "f1")
	p.take(t, "keys")
	p.keys(t, "escape", "ctrl+4", "ctrl+q")
	p.take(t, "question")
	p.keys(t, "escape", "ctrl+1")

	place, err := p.screen.Place(p.window)
	if err != nil {
		t.Fatal(err)
	}
	book := filepath.Join(p.files, "Mira", "Cookbook")
	drag, err := p.screen.Drag(p.ctx, p.window, place.Dx()/2, place.Dy()/2, []string{book})
	if err != nil {
		t.Fatal(err)
	}
	p.keep(t, "drag")
	if err := drag.Drop(p.ctx); err != nil {
		t.Fatal(err)
	}
	p.take(t, "toast")
	p.run(p.ctx, t, "unshare", book)
}
