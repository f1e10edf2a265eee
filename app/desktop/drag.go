package desktop

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"net/url"
	"strings"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// ErrNotTaken means that the program does not take files at that place.
var ErrNotTaken = errors.New("the window does not take the files")

// dragVersion is the version of the XDND protocol spoken here, and the lowest
// that a program must speak.
const (
	dragVersion    = 5
	dragVersionMin = 3
)

// dragSteps is in how many steps the pointer moves from the source to the
// target.
const dragSteps = 12

// replyTimeout is how long a program may take to answer a drag. It answers
// between two frames unless its window hangs.
const replyTimeout = 10 * time.Second

// Drag is a drag of files by the XDND protocol, from a source that is another
// client of the screen, as a file manager is. It ends with Drop or Leave.
type Drag struct {
	s      *Screen
	x      *xgb.Conn // of its own, for a source's events are its own
	source Window
	target Window
	uris   string
	pos    image.Point // of the pointer, on the screen
	since  xproto.Timestamp
	over   bool // the target was told that the pointer is over it
	takes  bool // what the target answered last
}

// Drop drags files onto a point of a window, relative to its inside, and lets
// them go. It returns when the program has got the list of files.
func (s *Screen) Drop(ctx context.Context, w Window, x, y int, paths []string) error {
	d, err := s.Drag(ctx, w, x, y, paths)
	if err != nil {
		return err
	}
	return d.Drop(ctx)
}

// Drag drags files over a point of a window, relative to its inside, and holds
// them there.
func (s *Screen) Drag(ctx context.Context, w Window, x, y int, paths []string) (*Drag, error) {
	aware, err := s.longs(w, "XdndAware")
	if err != nil {
		return nil, err
	}
	if len(aware) != 1 || aware[0] < dragVersionMin {
		return nil, fmt.Errorf("window %d speaks XDND %v: %w", w, aware, ErrNotTaken)
	}
	d := &Drag{s: s, target: w, uris: uriList(paths)}
	if d.x, err = xgb.NewConnDisplay(s.Display); err != nil {
		return nil, fmt.Errorf("connect the source of a drag: %w", err)
	}
	if err := d.pickUp(ctx); err != nil {
		d.end()
		return nil, fmt.Errorf("pick the files up: %w", err)
	}
	if err := d.Move(ctx, x, y); err != nil {
		return nil, errors.Join(err, d.Leave())
	}
	return d, nil
}

// pickUp presses the button over the source, which then holds the pointer and
// owns the selection of the drag.
func (d *Drag) pickUp(ctx context.Context) error {
	var err error
	if d.source, err = xproto.NewWindowId(d.x); err != nil {
		return err
	}
	// It cannot be seen, and lies in a corner where it is in nobody's way.
	const size = 8
	err = xproto.CreateWindowChecked(d.x, 0, d.source, d.s.root, 0, 0, size, size, 0,
		xproto.WindowClassInputOnly, xproto.WindowClassCopyFromParent, xproto.CwOverrideRedirect|xproto.CwEventMask,
		[]uint32{1, xproto.EventMaskButtonPress}).Check()
	if err != nil {
		return err
	}
	if err := xproto.MapWindowChecked(d.x, d.source).Check(); err != nil {
		return err
	}
	d.pos = image.Pt(size/2, size/2)
	if err := d.s.Move(d.pos.X, d.pos.Y); err != nil {
		return err
	}
	if err := d.s.fake(xproto.ButtonPress, left, 0, 0); err != nil {
		return err
	}
	err = d.wait(ctx, "the press of the button", func(e xgb.Event) bool {
		press, ok := e.(xproto.ButtonPressEvent)
		if ok {
			d.since = press.Time
		}
		return ok
	})
	if err != nil {
		return err
	}
	grab, err := xproto.GrabPointer(d.x, false, d.source, xproto.EventMaskButtonRelease|xproto.EventMaskPointerMotion,
		xproto.GrabModeAsync, xproto.GrabModeAsync, xproto.WindowNone, xproto.CursorNone, d.since).Reply()
	if err != nil {
		return err
	}
	if grab.Status != xproto.GrabStatusSuccess {
		return fmt.Errorf("the pointer is held by another program (%d)", grab.Status)
	}
	selection, err := d.s.atom("XdndSelection")
	if err != nil {
		return err
	}
	return xproto.SetSelectionOwnerChecked(d.x, d.source, selection, d.since).Check()
}

// Move drags on to a point of the window, in steps, and hears at each what the
// program thinks of it.
func (d *Drag) Move(ctx context.Context, x, y int) error {
	place, err := d.s.Place(d.target)
	if err != nil {
		return err
	}
	from, to := d.pos, place.Min.Add(image.Pt(x, y))
	for i := 1; i <= dragSteps; i++ {
		d.pos = from.Add(to.Sub(from).Mul(i).Div(dragSteps))
		if err := d.s.fake(xproto.MotionNotify, 0, d.pos.X, d.pos.Y); err != nil {
			return err
		}
		if !d.pos.In(place) {
			continue
		}
		if err := d.hover(ctx); err != nil {
			return err
		}
	}
	if !d.over {
		return fmt.Errorf("%v is not over the window, which is at %v", to, place)
	}
	time.Sleep(settle)
	return nil
}

// hover tells the target where the pointer is, and that it has come.
func (d *Drag) hover(ctx context.Context) error {
	if !d.over {
		list, err := d.s.atom("text/uri-list")
		if err != nil {
			return err
		}
		if err := d.say("XdndEnter", dragVersion<<24, uint32(list)); err != nil {
			return err
		}
		d.over = true
	}
	copying, err := d.s.atom("XdndActionCopy")
	if err != nil {
		return err
	}
	at := uint32(d.pos.X)<<16 | uint32(d.pos.Y)
	if err := d.say("XdndPosition", 0, at, uint32(d.since), uint32(copying)); err != nil {
		return err
	}
	answer, err := d.hear(ctx, "XdndStatus")
	if err != nil {
		return err
	}
	d.takes = answer[1]&1 != 0
	return nil
}

// Drop lets the files go and returns when the program has got their list.
func (d *Drag) Drop(ctx context.Context) error {
	if !d.takes {
		return errors.Join(ErrNotTaken, d.Leave())
	}
	defer d.end()
	if err := d.s.fake(xproto.ButtonRelease, left, 0, 0); err != nil {
		return err
	}
	if err := d.say("XdndDrop", 0, uint32(d.since)); err != nil {
		return err
	}
	// Whether it says that it took them is not asked: GLFW says no to a list
	// that it has read.
	_, err := d.hear(ctx, "XdndFinished")
	return err
}

// Leave takes the files away again.
func (d *Drag) Leave() error {
	defer d.end()
	err := d.s.fake(xproto.ButtonRelease, left, 0, 0)
	if d.over {
		err = errors.Join(err, d.say("XdndLeave"))
	}
	return err
}

// end lets go of the pointer and the selection, which end with the connection.
func (d *Drag) end() { d.x.Close() }

// say sends the target a message of the protocol.
func (d *Drag) say(kind string, data ...uint32) error {
	atom, err := d.s.atom(kind)
	if err != nil {
		return err
	}
	if err := tell(d.x, d.target, atom, append([]uint32{uint32(d.source)}, data...)...); err != nil {
		return fmt.Errorf("send %s: %w", kind, err)
	}
	return nil
}

// hear waits for the target's message of that kind and returns its data.
func (d *Drag) hear(ctx context.Context, kind string) (data []uint32, err error) {
	atom, err := d.s.atom(kind)
	if err != nil {
		return nil, err
	}
	err = d.wait(ctx, kind, func(e xgb.Event) bool {
		message, ok := e.(xproto.ClientMessageEvent)
		if !ok || message.Type != atom || message.Format != 32 || message.Data.Data32[0] != uint32(d.target) {
			return false
		}
		data = message.Data.Data32
		return true
	})
	return data, err
}

// wait handles the source's events until one is what is waited for.
func (d *Drag) wait(ctx context.Context, what string, is func(xgb.Event) bool) error {
	ctx, cancel := context.WithTimeout(ctx, replyTimeout)
	defer cancel()
	err := poll(ctx, func() (bool, error) {
		for {
			e, failure := d.x.PollForEvent()
			if failure != nil {
				return false, failure
			}
			if e == nil {
				return false, nil
			}
			if request, ok := e.(xproto.SelectionRequestEvent); ok {
				if err := d.hand(request); err != nil {
					return false, err
				}
				continue
			}
			if is(e) {
				return true, nil
			}
		}
	})
	if err != nil {
		return fmt.Errorf("wait for %s: %w", what, err)
	}
	return nil
}

// hand gives out the list of files, or the kinds in which it can be had.
func (d *Drag) hand(r xproto.SelectionRequestEvent) error {
	targets, err := d.s.atom("TARGETS")
	if err != nil {
		return err
	}
	list, err := d.s.atom("text/uri-list")
	if err != nil {
		return err
	}
	property := r.Property
	if property == xproto.AtomNone {
		property = r.Target // an old program
	}
	switch r.Target {
	case targets:
		kinds := binary.LittleEndian.AppendUint32(nil, uint32(targets))
		kinds = binary.LittleEndian.AppendUint32(kinds, uint32(list))
		err = xproto.ChangePropertyChecked(d.x, xproto.PropModeReplace, r.Requestor, property, xproto.AtomAtom, 32, 2, kinds).Check()
	case list:
		err = xproto.ChangePropertyChecked(d.x, xproto.PropModeReplace, r.Requestor, property, list, 8, uint32(len(d.uris)), []byte(d.uris)).Check()
	default:
		property = xproto.AtomNone // not to be had
	}
	if err != nil {
		return fmt.Errorf("hand the files over: %w", err)
	}
	notice := xproto.SelectionNotifyEvent{Time: r.Time, Requestor: r.Requestor, Selection: r.Selection, Target: r.Target, Property: property}
	return xproto.SendEventChecked(d.x, false, r.Requestor, xproto.EventMaskNoEvent, string(notice.Bytes())).Check()
}

// uriList writes absolute paths as a list of file URIs.
func uriList(paths []string) string {
	var b strings.Builder
	for _, p := range paths {
		u := url.URL{Scheme: "file", Path: p}
		b.WriteString(u.String())
		b.WriteString("\r\n")
	}
	return b.String()
}
