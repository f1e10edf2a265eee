package desktop

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// Window is a window of a program, by its X11 number.
type Window = xproto.Window

// Match says which window is meant; what is zero does not matter.
type Match struct {
	Title string // part of the title
	Class string // part of the instance or class name
	PID   int    // the process that owns it
}

// FindWindow waits until there is such a window, visible, and returns it.
func (s *Screen) FindWindow(ctx context.Context, m Match) (Window, error) {
	var found Window
	var seen []string
	err := poll(ctx, func() (bool, error) {
		clients, err := s.longs(s.root, "_NET_CLIENT_LIST")
		if err != nil {
			return false, err
		}
		seen = seen[:0]
		for _, c := range clients {
			w := Window(c)
			is, description := s.describe(w)
			seen = append(seen, description)
			if is.Title == "" && is.Class == "" {
				continue // just closed, or not ready
			}
			if strings.Contains(is.Title, m.Title) && strings.Contains(is.Class, m.Class) && (m.PID == 0 || is.PID == m.PID) && s.viewable(w) {
				found = w
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return 0, fmt.Errorf("no window %+v among %q: %w", m, seen, err)
	}
	return found, nil
}

// Windows returns the titles of all windows, the oldest first.
func (s *Screen) Windows() ([]string, error) {
	clients, err := s.longs(s.root, "_NET_CLIENT_LIST")
	titles := make([]string, len(clients))
	for i, c := range clients {
		is, _ := s.describe(Window(c))
		titles[i] = is.Title
	}
	return titles, err
}

// Active returns the window that the keyboard goes to, 0 if there is none.
func (s *Screen) Active() (Window, error) {
	active, err := s.longs(s.root, "_NET_ACTIVE_WINDOW")
	if err != nil || len(active) == 0 {
		return 0, err
	}
	return Window(active[0]), nil
}

// WaitClosed waits until the window is gone from the screen.
func (s *Screen) WaitClosed(ctx context.Context, w Window) error {
	return poll(ctx, func() (bool, error) {
		clients, err := s.longs(s.root, "_NET_CLIENT_LIST")
		return !slices.Contains(clients, uint32(w)), err
	})
}

// Close asks the program to close the window, as the cross in its frame does.
func (s *Screen) Close(w Window) error {
	protocols, err := s.atom("WM_PROTOCOLS")
	if err != nil {
		return err
	}
	closing, err := s.atom("WM_DELETE_WINDOW")
	if err != nil {
		return err
	}
	return tell(s.x, w, protocols, uint32(closing), xproto.TimeCurrentTime)
}

// Resize asks the window manager for another size of the window's inside and
// waits until it stays as it is; the program may not allow the size wished.
func (s *Screen) Resize(ctx context.Context, w Window, width, height int) error {
	return s.configure(ctx, w, xproto.ConfigWindowWidth|xproto.ConfigWindowHeight, uint32(width), uint32(height))
}

// MoveTo asks the window manager for another place of the window and waits
// until it stays as it is.
func (s *Screen) MoveTo(ctx context.Context, w Window, x, y int) error {
	return s.configure(ctx, w, xproto.ConfigWindowX|xproto.ConfigWindowY, uint32(x), uint32(y))
}

func (s *Screen) configure(ctx context.Context, w Window, what uint16, values ...uint32) error {
	if err := xproto.ConfigureWindowChecked(s.x, w, what, values).Check(); err != nil {
		return fmt.Errorf("place or resize window %d: %w", w, err)
	}
	var last image.Rectangle
	steady := 0
	return poll(ctx, func() (bool, error) {
		r, err := s.Place(w)
		if r == last {
			steady++
		} else {
			last, steady = r, 0
		}
		return steady >= 8, err
	})
}

// Place returns where the window's inside lies on the screen.
func (s *Screen) Place(w Window) (image.Rectangle, error) {
	g, err := xproto.GetGeometry(s.x, xproto.Drawable(w)).Reply()
	if err != nil {
		return image.Rectangle{}, fmt.Errorf("size of window %d: %w", w, err)
	}
	at, err := xproto.TranslateCoordinates(s.x, w, s.root, 0, 0).Reply()
	if err != nil {
		return image.Rectangle{}, fmt.Errorf("place of window %d: %w", w, err)
	}
	corner := image.Pt(int(at.DstX), int(at.DstY))
	return image.Rectangle{Min: corner, Max: corner.Add(image.Pt(int(g.Width), int(g.Height)))}, nil
}

// ScreenshotOf writes a picture of a window, without its frame, to a PNG file.
// What covers it or lies outside the screen is as the screen has it.
func (s *Screen) ScreenshotOf(w Window, path string) error {
	picture, err := s.Look(w)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return fmt.Errorf("encode the picture: %w", err)
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// Look returns what a window shows now, for 0 the whole screen.
func (s *Screen) Look(w Window) (*image.RGBA, error) {
	return s.LookAt(w, image.Rect(0, 0, math.MaxInt16, math.MaxInt16))
}

// LookAt is Look for a part of a window: the picture begins with that.
func (s *Screen) LookAt(w Window, part image.Rectangle) (*image.RGBA, error) {
	if w == 0 {
		w = s.root
	}
	screen, err := s.Place(s.root)
	if err != nil {
		return nil, err
	}
	place, err := s.Place(w)
	if err != nil {
		return nil, err
	}
	// Asked of the root, so that menus and whatever else lies above are seen.
	place = part.Add(place.Min).Intersect(place).Intersect(screen)
	if place.Empty() {
		return nil, errors.New("the window lies outside the screen")
	}
	shot, err := xproto.GetImage(s.x, xproto.ImageFormatZPixmap, xproto.Drawable(s.root),
		int16(place.Min.X), int16(place.Min.Y), uint16(place.Dx()), uint16(place.Dy()), 1<<32-1).Reply()
	if err != nil {
		return nil, fmt.Errorf("look at window %d: %w", w, err)
	}
	picture := image.NewRGBA(image.Rect(0, 0, place.Dx(), place.Dy()))
	if len(shot.Data) != len(picture.Pix) {
		return nil, fmt.Errorf("a picture of %d bytes for %v, want 4 for each pixel", len(shot.Data), place)
	}
	for i := 0; i < len(shot.Data); i += 4 {
		picture.Pix[i], picture.Pix[i+1], picture.Pix[i+2], picture.Pix[i+3] = shot.Data[i+2], shot.Data[i+1], shot.Data[i], 0xff
	}
	return picture, nil
}

// describe returns what is known of a window; a window that is gone is empty.
func (s *Screen) describe(w Window) (Match, string) {
	var m Match
	for _, name := range []string{"_NET_WM_NAME", "WM_NAME"} {
		if b, err := s.property(w, name); err == nil && len(b) > 0 {
			m.Title = string(b)
			break
		}
	}
	if b, err := s.property(w, "WM_CLASS"); err == nil {
		m.Class = strings.TrimRight(string(b), "\x00")
	}
	if pid, err := s.longs(w, "_NET_WM_PID"); err == nil && len(pid) == 1 {
		m.PID = int(pid[0])
	}
	return m, fmt.Sprintf("%+v", m)
}

func (s *Screen) viewable(w Window) bool {
	a, err := xproto.GetWindowAttributes(s.x, w).Reply()
	return err == nil && a.MapState == xproto.MapStateViewable
}

// property returns the bytes of a window's property, nil if it has none.
func (s *Screen) property(w Window, name string) ([]byte, error) {
	atom, err := s.atom(name)
	if err != nil {
		return nil, err
	}
	p, err := xproto.GetProperty(s.x, false, w, atom, xproto.GetPropertyTypeAny, 0, 1<<16).Reply()
	if err != nil {
		return nil, fmt.Errorf("property %s of window %d: %w", name, w, err)
	}
	return p.Value, nil
}

// longs returns a property that is a list of 32-bit numbers.
func (s *Screen) longs(w Window, name string) ([]uint32, error) {
	b, err := s.property(w, name)
	var all []uint32
	for ; len(b) >= 4; b = b[4:] {
		all = append(all, binary.LittleEndian.Uint32(b))
	}
	return all, err
}

// atom returns the number of a name.
func (s *Screen) atom(name string) (xproto.Atom, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.atoms[name]; ok {
		return a, nil
	}
	reply, err := xproto.InternAtom(s.x, false, uint16(len(name)), name).Reply()
	if err != nil {
		return 0, fmt.Errorf("atom %s: %w", name, err)
	}
	s.atoms[name] = reply.Atom
	return reply.Atom, nil
}

// tell sends a client message to a window.
func tell(x *xgb.Conn, w Window, kind xproto.Atom, data ...uint32) error {
	data = append(data, make([]uint32, 5-len(data))...)
	message := xproto.ClientMessageEvent{Format: 32, Window: w, Type: kind, Data: xproto.ClientMessageDataUnionData32New(data)}
	return xproto.SendEventChecked(x, false, w, xproto.EventMaskNoEvent, string(message.Bytes())).Check()
}
