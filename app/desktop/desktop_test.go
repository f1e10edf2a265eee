package desktop_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"github.com/potluck-share/potluck/app/desktop"
)

// client is a small window program: a plain teal window that writes down what
// happens to it.
type client struct {
	t      *testing.T
	x      *xgb.Conn
	window xproto.Window
	refuse bool
	atoms  map[string]xproto.Atom
	events chan string
}

func newClient(t *testing.T, s *desktop.Screen, refuse bool) *client {
	t.Helper()
	x, err := xgb.NewConnDisplay(s.Display)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, x: x, refuse: refuse, atoms: make(map[string]xproto.Atom), events: make(chan string, 1000)}
	for _, name := range []string{
		"XdndAware", "XdndEnter", "XdndPosition", "XdndStatus", "XdndDrop", "XdndFinished", "XdndLeave",
		"XdndSelection", "XdndActionCopy", "text/uri-list", "TARGETS", "WM_PROTOCOLS", "WM_DELETE_WINDOW", "image/png",
	} {
		reply, err := xproto.InternAtom(x, false, uint16(len(name)), name).Reply()
		if err != nil {
			t.Fatal(err)
		}
		c.atoms[name] = reply.Atom
	}
	if c.window, err = xproto.NewWindowId(x); err != nil {
		t.Fatal(err)
	}
	root := xproto.Setup(x).DefaultScreen(x).Root
	xproto.CreateWindow(x, 0, c.window, root, 0, 0, 300, 200, 0, xproto.WindowClassInputOutput, xproto.WindowClassCopyFromParent,
		xproto.CwBackPixel|xproto.CwEventMask, []uint32{0x0b6b5d, xproto.EventMaskButtonPress | xproto.EventMaskKeyPress})
	c.set(xproto.AtomWmName, xproto.AtomString, 8, []byte("A plain window"))
	c.set(xproto.AtomWmClass, xproto.AtomString, 8, []byte("plain\x00Plain\x00"))
	c.set(c.atoms["XdndAware"], xproto.AtomAtom, 32, []byte{5, 0, 0, 0})
	closing := c.atoms["WM_DELETE_WINDOW"]
	c.set(c.atoms["WM_PROTOCOLS"], xproto.AtomAtom, 32, []byte{byte(closing), byte(closing >> 8), byte(closing >> 16), byte(closing >> 24)})
	if err := xproto.MapWindowChecked(x, c.window).Check(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run()
	}()
	t.Cleanup(func() {
		x.Close()
		<-done
	})
	return c
}

func (c *client) set(property, kind xproto.Atom, format byte, value []byte) {
	xproto.ChangeProperty(c.x, xproto.PropModeReplace, c.window, property, kind, format, uint32(len(value))/uint32(format/8), value)
}

func (c *client) send(to xproto.Window, kind string, data ...uint32) {
	data = append(data, make([]uint32, 5-len(data))...)
	e := xproto.ClientMessageEvent{Format: 32, Window: to, Type: c.atoms[kind], Data: xproto.ClientMessageDataUnionData32New(data)}
	xproto.SendEvent(c.x, false, to, xproto.EventMaskNoEvent, string(e.Bytes()))
}

// run answers events until the window is closed.
func (c *client) run() {
	defer close(c.events)
	var source xproto.Window
	for {
		e, failure := c.x.WaitForEvent()
		if e == nil && failure == nil {
			return
		}
		switch e := e.(type) {
		case xproto.ButtonPressEvent:
			c.events <- fmt.Sprintf("button %d at %d,%d", e.Detail, e.EventX, e.EventY)
		case xproto.KeyPressEvent:
			c.events <- fmt.Sprintf("key %d state %d", e.Detail, e.State)
		case xproto.SelectionNotifyEvent:
			if e.Property == xproto.AtomNone {
				c.events <- "not to be had"
				continue
			}
			p, err := xproto.GetProperty(c.x, true, c.window, e.Property, xproto.GetPropertyTypeAny, 0, 1<<16).Reply()
			if err != nil {
				c.events <- err.Error()
				continue
			}
			switch e.Target {
			case c.atoms["TARGETS"]:
				c.events <- fmt.Sprintf("%d targets", p.ValueLen)
			default:
				c.events <- string(p.Value)
				c.send(source, "XdndFinished", uint32(c.window), 1, uint32(c.atoms["XdndActionCopy"]))
			}
		case xproto.ClientMessageEvent:
			data := e.Data.Data32
			switch e.Type {
			case c.atoms["XdndEnter"]:
				source = xproto.Window(data[0])
				c.events <- fmt.Sprintf("enter, version %d", data[1]>>24)
			case c.atoms["XdndPosition"]:
				takes := uint32(1)
				if c.refuse {
					takes = 0
				}
				c.send(source, "XdndStatus", uint32(c.window), takes)
			case c.atoms["XdndLeave"]:
				c.events <- "leave"
			case c.atoms["XdndDrop"]:
				for _, kind := range []string{"image/png", "TARGETS", "text/uri-list"} {
					xproto.ConvertSelection(c.x, c.window, c.atoms["XdndSelection"], c.atoms[kind], c.atoms[kind], xproto.Timestamp(data[2]))
				}
			case c.atoms["WM_PROTOCOLS"]:
				c.events <- "close"
				xproto.DestroyWindow(c.x, c.window)
			}
		}
	}
}

// next returns what happened next to the window.
func (c *client) next() string {
	c.t.Helper()
	select {
	case e := <-c.events:
		return e
	case <-time.After(10 * time.Second):
		c.t.Fatal("nothing happened to the window")
		return ""
	}
}

func (c *client) expect(want ...string) {
	c.t.Helper()
	for _, w := range want {
		if got := c.next(); got != w {
			c.t.Fatalf("the window got %q, want %q", got, w)
		}
	}
}

func TestScreen(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := desktop.Start(t, 640, 480)
	c := newClient(t, s, false)
	w, err := s.FindWindow(ctx, desktop.Match{Title: "plain window", Class: "Plain"})
	if err != nil {
		t.Fatal(err)
	}
	if w != c.window {
		t.Fatalf("found window %d, want %d", w, c.window)
	}
	place, err := s.Place(w)
	if err != nil {
		t.Fatal(err)
	}
	if place.Dx() != 300 || place.Dy() != 200 || place.Min.Y == 0 {
		t.Errorf("the window is at %v, want 300 × 200 below a frame's title", place)
	}

	at := place.Min.Add(image.Pt(150, 100))
	if err := s.Click(at.X, at.Y); err != nil {
		t.Fatal(err)
	}
	c.expect("button 1 at 150,100")
	if err := s.DoubleClick(at.X+1, at.Y); err != nil {
		t.Fatal(err)
	}
	c.expect("button 1 at 151,100", "button 1 at 151,100")
	if err := s.RightClick(at.X, at.Y+1); err != nil {
		t.Fatal(err)
	}
	c.expect("button 3 at 150,101")
	if active, err := s.Active(); err != nil || active != w {
		t.Fatalf("the keyboard goes to %d (%v), want %d", active, err, w)
	}
	// The codes of a PC keyboard: 38 is A, 50 Shift, 37 Ctrl, 41 F, 10 is 1.
	if err := s.Type("aA1"); err != nil {
		t.Fatal(err)
	}
	c.expect("key 38 state 0", "key 50 state 0", "key 38 state 1", "key 10 state 0")
	if err := s.Key("ctrl+f"); err != nil {
		t.Fatal(err)
	}
	c.expect("key 37 state 0", "key 41 state 4")
	if err := s.Key("ctrl+nonsense"); err == nil {
		t.Error("a key that is not there was pressed")
	}
	if err := s.Type("日"); err == nil {
		t.Error("a character that is on no key was typed")
	}

	path := filepath.Join(t.TempDir(), "window.png")
	if err := s.ScreenshotOf(w, path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if picture.Bounds() != image.Rect(0, 0, 300, 200) {
		t.Errorf("a picture of %v, want 300 × 200", picture.Bounds())
	}
	if got := color.RGBAModel.Convert(picture.At(10, 10)); got != (color.RGBA{0x0b, 0x6b, 0x5d, 0xff}) {
		t.Errorf("the picture is %v, want teal", got)
	}
	whole, err := s.Look(0)
	if err != nil {
		t.Fatal(err)
	}
	if whole.Bounds() != image.Rect(0, 0, 640, 480) {
		t.Errorf("the screen is %v, want 640 × 480", whole.Bounds())
	}

	if err := s.Resize(ctx, w, 400, 250); err != nil {
		t.Fatal(err)
	}
	if place, err = s.Place(w); err != nil || place.Dx() != 400 || place.Dy() != 250 {
		t.Errorf("after resizing the window is at %v (%v), want 400 × 250", place, err)
	}
	if err := s.Close(w); err != nil {
		t.Fatal(err)
	}
	c.expect("close")
	if err := s.WaitClosed(ctx, w); err != nil {
		t.Error(err)
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := s.FindWindow(short, desktop.Match{Title: "plain"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a closed window is found: %v", err)
	}
}

func TestDrop(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := desktop.Start(t, 640, 480)
	c := newClient(t, s, false)
	w, err := s.FindWindow(ctx, desktop.Match{Title: "A plain window"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Drop(ctx, w, 150, 100, []string{"/tmp/Grüße & Küsse.txt", "/tmp/100 % 日本/#1"}); err != nil {
		t.Fatal(err)
	}
	c.expect("enter, version 5", "not to be had", "2 targets",
		"file:///tmp/Gr%C3%BC%C3%9Fe%20&%20K%C3%BCsse.txt\r\nfile:///tmp/100%20%25%20%E6%97%A5%E6%9C%AC/%231\r\n")

	// Taken back at the last moment.
	d, err := s.Drag(ctx, w, 10, 10, []string{"/tmp/a"})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Move(ctx, 20, 20); err != nil {
		t.Fatal(err)
	}
	if err := d.Leave(); err != nil {
		t.Fatal(err)
	}
	c.expect("enter, version 5", "leave")

	// The pointer is free again.
	place, err := s.Place(w)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Click(place.Min.X+5, place.Min.Y+5); err != nil {
		t.Fatal(err)
	}
	c.expect("button 1 at 5,5")
}

func TestDropRefused(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := desktop.Start(t, 640, 480)
	c := newClient(t, s, true)
	w, err := s.FindWindow(ctx, desktop.Match{Class: "plain"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Drop(ctx, w, 150, 100, []string{"/tmp/a"}); !errors.Is(err, desktop.ErrNotTaken) {
		t.Errorf("dropping on a window that refuses: %v, want %v", err, desktop.ErrNotTaken)
	}
	c.expect("enter, version 5", "leave")
}

func TestCommandHasThePersonsEnvironment(t *testing.T) {
	t.Parallel()
	s := desktop.Start(t, 320, 240)
	out, err := s.Command(t.Context(), "env").Output()
	if err != nil {
		t.Fatal(err)
	}
	env := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, want := range []string{"DISPLAY=" + s.Display, "HOME=" + s.Home} {
		if !slices.Contains(env, want) {
			t.Errorf("the environment has no %s: %q", want, env)
		}
	}
	for _, variable := range env {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "GO") || name == "WAYLAND_DISPLAY" {
			t.Errorf("the environment has %s of whoever runs the tests", variable)
		}
	}
}
