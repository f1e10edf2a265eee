package app_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/desktop"
	"github.com/potluck-share/potluck/app/lab"
	"github.com/potluck-share/potluck/app/programs"
)

// TestWindow is the main job with the real program: files are dragged from
// another program onto the window here, as from a file manager; they are seen
// on another computer and fetched there; and a double click here fetches what
// the other one shares.
func TestWindow(t *testing.T) {
	bin := programs.Window(t)
	network := lab.New(t, "Mira", "Ana")
	screen := desktop.Start(t, 1120, 780)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	on := func(name string) func(ctx context.Context, args ...string) *exec.Cmd {
		return func(ctx context.Context, args ...string) *exec.Cmd {
			cmd := network.Host(name).Command(ctx, bin, args...)
			cmd.Env = append(screen.Command(ctx, bin).Env, "FYNE_THEME=light")
			return cmd
		}
	}
	mira, ana := newCopy(t, "Mira", on("Mira")), newCopy(t, "Ana", on("Ana"))

	introduce(t, mira)
	flags := []string{"--data", mira.data, "--downloads", mira.downloads, "--name", mira.name}
	cmd := mira.command(ctx, flags...)
	said := stderr(t)
	cmd.Stderr = said
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end(t, mira.name, cmd, said)
	window, err := screen.FindWindow(ctx, desktop.Match{PID: cmd.Process.Pid})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the window opened after %v", time.Since(begun).Round(time.Millisecond))
	eventually(ctx, t, "a running Potluck answers", func() bool {
		return mira.command(ctx, "--data", mira.data, "status").Run() == nil
	})

	var ready sync.WaitGroup
	serve(t, ana, ana.command(ctx, "--data", ana.data, "--downloads", ana.downloads, "--name", ana.name, "--json", "serve"), &ready)
	ready.Wait()
	if meet(ctx, ana, 1, time.Now()) == 0 || meet(ctx, mira, 1, time.Now()) == 0 {
		t.Fatal("Ana and Mira never met")
	}

	w := &hand{t: t, ctx: ctx, screen: screen, window: window}
	t.Run("drop", func(t *testing.T) { w.drop(t, mira, ana) })
	t.Run("double click", func(t *testing.T) { w.fetch(t, mira, ana) })
	t.Run("link", func(t *testing.T) { w.link(t, mira, ana, flags) })

	// A second launch on the same data folder raises the window.
	if out, err := mira.command(ctx, flags...).CombinedOutput(); err != nil {
		t.Errorf("a second launch: %v\n%s", err, out)
	}
	if titles, err := screen.Windows(); err != nil || len(titles) != 1 {
		t.Errorf("after a second launch the windows are %q (%v), want one", titles, err)
	}

	ana.run(ctx, t, "stop")
	if err := screen.Close(window); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after its window was closed the program ended with %v", err)
	}
	for _, fault := range []string{"Error in Fyne call thread", "panic", "DATA RACE"} {
		if words := text(t, said); strings.Contains(words, fault) {
			t.Errorf("the program complained:\n%s", words)
		}
	}
}

// hand is the user's at the window.
type hand struct {
	t      *testing.T
	ctx    context.Context
	screen *desktop.Screen
	window desktop.Window
}

// outlined reports whether the window has a line of the light theme's primary
// colour along its edge.
func (w *hand) outlined(t *testing.T) bool {
	t.Helper()
	picture, err := w.screen.Look(w.window)
	if err != nil {
		t.Fatal(err)
	}
	return picture.RGBAAt(0, picture.Bounds().Dy()/2) == teal
}

// The colours of the light theme that are looked for.
var (
	teal     = color.RGBA{0x0b, 0x6b, 0x5d, 0xff} // primary
	green    = color.RGBA{0x2b, 0x6e, 0x1f, 0xff} // done
	selected = color.RGBA{0xd5, 0xeb, 0xe4, 0xff}
	ink      = color.RGBA{0x23, 0x21, 0x1d, 0xff} // text
)

// find returns what is of a colour in a part of the window.
func (w *hand) find(t *testing.T, part image.Rectangle, c color.RGBA) (found image.Rectangle) {
	t.Helper()
	seen, err := w.screen.Look(w.window)
	if err != nil {
		t.Fatal(err)
	}
	part = part.Intersect(seen.Bounds())
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if seen.RGBAAt(x, y) == c {
				found = found.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return found
}

// shows reports whether a part of the window has a pixel of a colour.
func (w *hand) shows(t *testing.T, part image.Rectangle, c color.RGBA) bool {
	t.Helper()
	return !w.find(t, part, c).Empty()
}

// drop drags a file and a folder onto the window and has the other one fetch
// them.
func (w *hand) drop(t *testing.T, mira, ana *copyOfPotluck) {
	notes := filepath.Join(w.screen.Home, "Räksmörgås & co 100%.txt")
	holiday := filepath.Join(w.screen.Home, "Holiday #1 Ελλάδα")
	writeFiles(t, map[string]int{
		notes:                                    2500,
		filepath.Join(holiday, "img 1.jpg"):      3 << 20,
		filepath.Join(holiday, "more", "ñ.txt"):  12,
		filepath.Join(holiday, "more", "no.txt"): 0,
	})
	place, err := w.screen.Place(w.window)
	if err != nil {
		t.Fatal(err)
	}
	drag, err := w.screen.Drag(w.ctx, w.window, place.Dx()/2, place.Dy()/2, []string{notes, holiday})
	if err != nil {
		t.Fatal(err)
	}
	eventually(w.ctx, t, "the window says what letting go will do", func() bool { return w.outlined(t) })
	w.picture(t, "window-drag.png")
	if err := drag.Drop(w.ctx); err != nil {
		t.Fatal(err)
	}
	eventually(w.ctx, t, "it says so no more", func() bool { return !w.outlined(t) })
	type share struct {
		Name     string `json:"name"`
		Path     string `json:"path"`
		Audience string `json:"audience"`
		Entries  int    `json:"entries"`
		Bytes    int64  `json:"bytes"`
		State    string `json:"state"`
	}
	want := []share{
		{Name: filepath.Base(holiday), Path: holiday, Audience: "everyone", Entries: 3, Bytes: 3<<20 + 12, State: "shared"},
		{Name: filepath.Base(notes), Path: notes, Audience: "everyone", Entries: 1, Bytes: 2500, State: "shared"},
	}
	var shares []share
	eventually(w.ctx, t, "what was dropped is shared", func() bool {
		shares = ask[[]share](w.ctx, t, mira, "shares")
		slices.SortFunc(shares, func(a, b share) int { return strings.Compare(a.Name, b.Name) })
		return len(shares) == len(want) && !slices.ContainsFunc(shares, func(s share) bool { return s.State != "shared" })
	})
	if !slices.Equal(shares, want) {
		t.Errorf("shared: %+v\nwant: %+v", shares, want)
	}
	w.key(t, "ctrl+3")
	w.picture(t, "window-shares.png")

	eventually(w.ctx, t, "Ana sees what was dropped", func() bool {
		out, err := ana.command(w.ctx, "--data", ana.data, "--json", "browse", "Mira", filepath.Base(holiday)+"/more").Output()
		return err == nil && strings.Contains(string(out), "no.txt") && strings.Contains(string(out), "ñ.txt")
	})
	ana.run(w.ctx, t, "get", "Mira:"+filepath.Base(notes), "Mira:"+filepath.Base(holiday))
	for _, path := range []string{notes, holiday} {
		same(t, filepath.Join(ana.downloads, filepath.Base(path)), path)
	}
}

// fetch opens what the other one shares and double-clicks a file of it.
func (w *hand) fetch(t *testing.T, mira, ana *copyOfPotluck) {
	shared := filepath.Join(t.TempDir(), "Summer party")
	writeFiles(t, map[string]int{
		filepath.Join(shared, "Invitation.pdf"):        180_000,
		filepath.Join(shared, "Photo of us.jpg"):       4_200_000,
		filepath.Join(shared, "Música", "canción.m4a"): 2_000_000,
		filepath.Join(shared, "Recipes.odt"):           35_000,
	})
	ana.run(w.ctx, t, "share", shared)
	eventually(w.ctx, t, "Mira sees what Ana shares", func() bool {
		return mira.command(w.ctx, "--data", mira.data, "browse", "Ana", filepath.Base(shared)).Run() == nil
	})
	w.key(t, "ctrl+1")
	w.picture(t, "window-people.png")
	// A second click that is dealt with late is not one of two.
	repeated := func(what string, x, y int, done func() bool) {
		eventually(w.ctx, t, what, func() bool {
			w.doubleClick(t, x, y)
			for until := time.Now().Add(3 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
				if done() {
					return true
				}
			}
			return false
		})
		time.Sleep(time.Second) // a double click right after another counts as one more
	}
	const firstRow, row = 156, 36
	browse, second := image.Pt(14, 114), image.Rect(228, firstRow+row-10, 500, firstRow+row+10)
	repeated("the first person's files are shown", 400, 90, func() bool { return w.shows(t, image.Rectangle{browse, browse.Add(image.Pt(1, 1))}, selected) })
	w.picture(t, "window-browse.png")
	repeated("the only folder is opened", 400, firstRow, func() bool { return w.shows(t, second, ink) })
	got := filepath.Join(mira.downloads, "Invitation.pdf") // folders come first, so it is the second
	repeated("what was double-clicked is downloaded", 400, firstRow+row, func() bool {
		_, err := os.Stat(got)
		return err == nil
	})
	same(t, got, filepath.Join(shared, "Invitation.pdf"))
	w.picture(t, "window.png")
	w.key(t, "ctrl+4")
	w.picture(t, "window-transfers.png")
}

// link opens a link as a web page would: the window asks, and does nothing
// until it is told to.
func (w *hand) link(t *testing.T, mira, ana *copyOfPotluck, flags []string) {
	poem := filepath.Join(t.TempDir(), "Poem & song.txt")
	writeFiles(t, map[string]int{poem: 5000})
	ana.run(w.ctx, t, "share", poem)
	eventually(w.ctx, t, "Mira sees the poem", func() bool {
		out, err := mira.command(w.ctx, "--data", mira.data, "browse", "Ana").Output()
		return err == nil && strings.Contains(string(out), "Poem")
	})
	id := ask[struct {
		PeerID string `json:"peer_id"`
	}](w.ctx, t, ana, "status").PeerID
	got := filepath.Join(mira.downloads, filepath.Base(poem))
	calm := w.brightness(t)
	open := func() {
		t.Helper()
		if out, err := mira.command(w.ctx, append(flags, "potluck:peer/"+id+"/Poem%20%26%20song.txt")...).CombinedOutput(); err != nil {
			t.Fatalf("opening a link: %v\n%s", err, out)
		}
		eventually(w.ctx, t, "a sheet darkens the window", func() bool { return w.brightness(t) < calm*9/10 })
	}
	open()
	w.picture(t, "window-link.png")
	w.key(t, "escape")
	eventually(w.ctx, t, "the sheet is gone", func() bool { return w.brightness(t) >= calm*95/100 })
	if out := mira.run(w.ctx, t, "transfers"); strings.Contains(string(out), "Poem") {
		t.Errorf("a link began by itself:\n%s", out)
	}
	open()
	w.key(t, "shift+tab") // from Cancel to Download
	w.key(t, "enter")
	eventually(w.ctx, t, "what the link names is downloaded", func() bool {
		_, err := os.Stat(got)
		return err == nil
	})
	same(t, got, poem)
}

// TestWindowWaitsForItsFirstStart opens the window of somebody who never used
// Potluck: until the sheet is answered nobody can notice it.
func TestWindowWaitsForItsFirstStart(t *testing.T) {
	bin := programs.Window(t)
	screen := desktop.Start(t, 1120, 780)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	mira := newCopy(t, "Mira", func(ctx context.Context, args ...string) *exec.Cmd {
		cmd := screen.Command(ctx, bin, args...)
		cmd.Env = append(cmd.Env, "FYNE_THEME=light")
		return cmd
	})
	// No flag answers the sheet.
	flags := []string{"--data", mira.data, "--downloads", mira.downloads, "--name", mira.name, "--listen", "/ip4/127.0.0.1/tcp/0"}
	// The link that it is opened with waits, too.
	cmd := mira.command(ctx, append(flags, "potluck:content/"+strings.Repeat("5a", 32)+"?name=Talk.mp4&size=5")...)
	said := stderr(t)
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end(t, mira.name, cmd, said)
	window, err := screen.FindWindow(ctx, desktop.Match{PID: cmd.Process.Pid})
	if err != nil {
		t.Fatal(err)
	}
	w := &hand{t: t, ctx: ctx, screen: screen, window: window}
	w.picture(t, "window-welcome.png")
	status := func() (string, error) {
		out, err := mira.command(ctx, "--data", mira.data, "status").CombinedOutput()
		return string(out), err
	}
	out, err := status()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.Contains(out, "Potluck waits for its first start in its window") {
		t.Errorf("status before the first start: %v\n%s", err, out)
	}
	if out, err := mira.command(ctx, flags...).CombinedOutput(); err != nil {
		t.Errorf("a second launch before the first start: %v\n%s", err, out)
	}
	for _, name := range []string{"potluck.db", "identity.key"} {
		if _, err := os.Stat(filepath.Join(mira.data, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is there before the first start (%v)", name, err)
		}
	}
	w.key(t, "enter")
	eventually(ctx, t, "Potluck has started", func() bool { _, err := status(); return err == nil })
	kept, err := os.ReadFile(filepath.Join(mira.data, "settings.toml"))
	if err != nil || !strings.Contains(string(kept), "introduced = true") {
		t.Errorf("the answer was not kept (%v):\n%s", err, kept)
	}
	page := w.brightness(t)
	eventually(ctx, t, "the link is asked about", func() bool { return w.brightness(t) < page*9/10 })
	w.picture(t, "window-first-link.png")
	mira.run(ctx, t, "stop")
	if err := cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
}

// introduce makes the data folder of somebody who has answered the sheet of the
// first launch, and whose Potluck ends with its window.
func introduce(t *testing.T, p *copyOfPotluck) {
	t.Helper()
	if err := os.MkdirAll(p.data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.data, "settings.toml"), []byte("introduced = true\nkeep_running = false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// brightness is the mean of the window's pixels, 0 to 255.
func (w *hand) brightness(t *testing.T) int {
	t.Helper()
	seen, err := w.screen.Look(w.window)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for i := 0; i+4 <= len(seen.Pix); i += 4 {
		sum += int(seen.Pix[i+1])
	}
	return sum * 4 / max(1, len(seen.Pix))
}

func (w *hand) key(t *testing.T, combination string) {
	t.Helper()
	if err := w.screen.Key(combination); err != nil {
		t.Fatal(err)
	}
}

// doubleClick clicks twice on a point of the window's inside.
func (w *hand) doubleClick(t *testing.T, x, y int) {
	t.Helper()
	place, err := w.screen.Place(w.window)
	if err == nil {
		err = w.screen.DoubleClick(place.Min.X+x, place.Min.Y+y)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// picture keeps a picture of the window and looks whether there is anything on
// it.
func (w *hand) picture(t *testing.T, name string) {
	t.Helper()
	time.Sleep(700 * time.Millisecond) // the page draws
	eventually(w.ctx, t, "the window shows a page with text", func() bool {
		seen, err := w.screen.Look(w.window)
		if err != nil {
			t.Fatal(err)
		}
		colours := make(map[[4]uint8]bool)
		for i := 0; i+4 <= len(seen.Pix); i += 4 {
			colours[[4]uint8(seen.Pix[i:])] = true
		}
		return len(colours) >= 50 // text has soft edges, so a page has hundreds
	})
	if err := w.screen.ScreenshotOf(w.window, filepath.Join(artefacts(t), name)); err != nil {
		t.Fatal(err)
	}
}

// writeFiles writes files of so many bytes each.
func writeFiles(t *testing.T, files map[string]int) {
	t.Helper()
	for path, size := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, noise(filepath.Base(path), size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// same compares files and folders, names and bytes.
func same(t *testing.T, got, want string) {
	t.Helper()
	gotDigest, err := digestTree(got)
	if err != nil {
		t.Fatal(err)
	}
	wantDigest, err := digestTree(want)
	if err != nil {
		t.Fatal(err)
	}
	if gotDigest != wantDigest {
		t.Errorf("%s is not as %s:\n%s", got, want, differences(gotDigest, wantDigest))
	}
}
