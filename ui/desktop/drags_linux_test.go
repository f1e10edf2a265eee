package desktop_test

import (
	"context"
	"encoding/binary"
	"image"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"

	screens "github.com/potluck-share/potluck/app/desktop"
	"github.com/potluck-share/potluck/ui/desktop"
)

// place is what a watch told once.
type place struct {
	at     image.Point
	inside bool
}

// client is another program on the screen: the window that is watched, or
// what is dragged from.
type client struct {
	t    *testing.T
	x    *xgb.Conn
	root xproto.Window
}

func connect(t *testing.T, s *screens.Screen) *client {
	t.Helper()
	x, err := xgb.NewConnDisplay(s.Display)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	if err := xtest.Init(x); err != nil {
		t.Fatal(err)
	}
	return &client{t: t, x: x, root: xproto.Setup(x).DefaultScreen(x).Root}
}

func (c *client) atom(name string) xproto.Atom {
	c.t.Helper()
	reply, err := xproto.InternAtom(c.x, false, uint16(len(name)), name).Reply()
	if err != nil {
		c.t.Fatal(err)
	}
	return reply.Atom
}

// open shows a window; the window manager lets a bare one be.
func (c *client) open(r image.Rectangle, bare bool) xproto.Window {
	c.t.Helper()
	w, err := xproto.NewWindowId(c.x)
	if err != nil {
		c.t.Fatal(err)
	}
	override := uint32(0)
	if bare {
		override = 1
	}
	err = xproto.CreateWindowChecked(c.x, 0, w, c.root, int16(r.Min.X), int16(r.Min.Y), uint16(r.Dx()), uint16(r.Dy()), 0,
		xproto.WindowClassInputOutput, xproto.WindowClassCopyFromParent, xproto.CwOverrideRedirect, []uint32{override}).Check()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := xproto.MapWindowChecked(c.x, w).Check(); err != nil {
		c.t.Fatal(err)
	}
	return w
}

func (c *client) close(w xproto.Window) {
	c.t.Helper()
	if err := xproto.DestroyWindowChecked(c.x, w).Check(); err != nil {
		c.t.Fatal(err)
	}
}

// atoms sets a property of a window to a list of names.
func (c *client) atoms(w xproto.Window, property xproto.Atom, names ...string) {
	c.t.Helper()
	var b []byte
	for _, name := range names {
		b = binary.NativeEndian.AppendUint32(b, uint32(c.atom(name)))
	}
	err := xproto.ChangePropertyChecked(c.x, xproto.PropModeReplace, w, property, xproto.AtomAtom, 32, uint32(len(names)), b).Check()
	if err != nil {
		c.t.Error(err)
	}
}

// button presses or lets go of the first one.
func (c *client) button(kind byte) {
	c.t.Helper()
	if err := xtest.FakeInputChecked(c.x, kind, 1, xproto.TimeCurrentTime, c.root, 0, 0, 0).Check(); err != nil {
		c.t.Fatal(err)
	}
}

// drag begins a drag of what can be had in these kinds. A secretive source
// writes them down instead of answering for them.
func (c *client) drag(secretive bool, kinds ...string) {
	c.t.Helper()
	w := c.open(image.Rect(0, 0, 8, 8), true)
	targets := c.atom("TARGETS")
	if secretive {
		c.atoms(w, c.atom("XdndTypeList"), kinds...)
	}
	c.button(xproto.ButtonPress)
	for deadline, claim := time.Now().Add(10*time.Second), 0; ; claim++ {
		// Again and again, for the watch may have only begun to listen.
		if claim%50 == 0 {
			err := xproto.SetSelectionOwnerChecked(c.x, w, c.atom("XdndSelection"), xproto.TimeCurrentTime).Check()
			if err != nil {
				c.t.Fatal(err)
			}
		}
		e, failure := c.x.PollForEvent()
		if failure != nil || time.Now().After(deadline) {
			c.t.Fatalf("nobody asks for the kinds: %v", failure)
		}
		if e == nil {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		r, ok := e.(xproto.SelectionRequestEvent)
		if !ok || r.Target != targets {
			continue
		}
		if secretive {
			r.Property = xproto.AtomNone
		} else {
			c.atoms(r.Requestor, r.Property, kinds...)
		}
		notice := xproto.SelectionNotifyEvent{Time: r.Time, Requestor: r.Requestor, Selection: r.Selection, Target: r.Target, Property: r.Property}
		if err := xproto.SendEventChecked(c.x, false, r.Requestor, xproto.EventMaskNoEvent, string(notice.Bytes())).Check(); err != nil {
			c.t.Fatal(err)
		}
		return
	}
}

// watched is a window on a screen, and what is told of drags over it.
type watched struct {
	*client
	screen *screens.Screen
	window xproto.Window
	corner image.Point
	told   chan place
}

func watch(t *testing.T) *watched {
	t.Helper()
	s := screens.Start(t, 640, 480)
	t.Setenv("DISPLAY", s.Display)
	c := connect(t, s)
	w := &watched{client: c, screen: s, told: make(chan place, 1000)}
	w.window = c.open(image.Rect(0, 0, 300, 200), false)
	c.atoms(w.window, c.atom("WM_PROTOCOLS"), "WM_DELETE_WINDOW")
	xproto.ChangeProperty(c.x, xproto.PropModeReplace, w.window, c.atom("XdndAware"), xproto.AtomAtom, 32, 1, []byte{5, 0, 0, 0})
	xproto.ChangeProperty(c.x, xproto.PropModeReplace, w.window, xproto.AtomWmName, xproto.AtomString, 8, 6, []byte("Target"))
	if _, err := s.FindWindow(t.Context(), screens.Match{Title: "Target"}); err != nil {
		t.Fatal(err)
	}
	// Away from the corner where the sources are.
	if err := xproto.ConfigureWindowChecked(c.x, w.window, xproto.ConfigWindowX|xproto.ConfigWindowY, []uint32{200, 200}).Check(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		r, err := s.Place(w.window)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("the window stays at %v: %v", r, err)
		}
		if w.corner = r.Min; w.corner.Y >= 200 {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		desktop.WatchDrags(ctx, uintptr(w.window), func(at image.Point, inside bool) { w.told <- place{at, inside} })
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return w
}

// move puts the pointer over a point of the window.
func (w *watched) move(x, y int) {
	w.t.Helper()
	if err := w.screen.Move(w.corner.X+x, w.corner.Y+y); err != nil {
		w.t.Fatal(err)
	}
}

// expect waits until that is told; what was told on the way to it is passed
// over, but nothing else may come last.
func (w *watched) expect(want place) {
	w.t.Helper()
	deadline := time.After(10 * time.Second)
	var last place
	for {
		select {
		case last = <-w.told:
			if last == want || !want.inside && !last.inside {
				return
			}
		case <-deadline:
			w.t.Fatalf("told last %v, want %v", last, want)
		}
	}
}

// silent fails if anything is told in three looks at the pointer.
func (w *watched) silent(when string) {
	w.t.Helper()
	select {
	case p := <-w.told:
		w.t.Errorf("%s: told %v", when, p)
	case <-time.After(250 * time.Millisecond):
	}
}

func TestWatchDrags(t *testing.T) {
	w := watch(t)
	source := connect(t, w.screen)

	w.move(10, 10)
	source.drag(false, "TARGETS", "text/plain", "text/uri-list")
	w.expect(place{image.Pt(10, 10), true})
	w.move(100, 50)
	w.expect(place{image.Pt(100, 50), true})
	w.silent("while the pointer rests")
	w.move(-50, -100)
	w.expect(place{})
	w.silent("while the pointer is beside the window")

	// The picture of what is carried hides nothing, another window does.
	w.move(20, 20)
	w.expect(place{image.Pt(20, 20), true})
	carried := source.open(image.Rect(0, 0, 100, 100).Add(w.corner), true)
	w.move(30, 30)
	w.expect(place{image.Pt(30, 30), true})
	source.close(carried)
	other := connect(t, w.screen)
	above := other.open(image.Rect(0, 0, 100, 100).Add(w.corner), true)
	w.expect(place{})
	w.move(150, 30)
	w.expect(place{image.Pt(150, 30), true})
	other.close(above)

	source.button(xproto.ButtonRelease)
	w.expect(place{})
	w.move(160, 30)
	w.silent("after the files were let go")
	source.button(xproto.ButtonPress)
	w.move(170, 30)
	w.silent("while a button is held without a drag")
	source.button(xproto.ButtonRelease)

	text := connect(t, w.screen)
	text.drag(false, "TARGETS", "UTF8_STRING", "text/plain")
	w.move(180, 30)
	w.silent("while text is dragged")
	text.button(xproto.ButtonRelease)
	text.drag(true, "UTF8_STRING", "text/plain")
	w.move(190, 30)
	w.silent("while text is dragged from a program that does not answer")
	text.button(xproto.ButtonRelease)

	quiet := connect(t, w.screen)
	quiet.drag(true, "text/plain", "text/uri-list", "text/x-moz-url", "UTF8_STRING")
	w.expect(place{image.Pt(190, 30), true})
	quiet.x.Close() // a source that ends in the midst of it
	w.expect(place{})
	other.button(xproto.ButtonRelease)
}
