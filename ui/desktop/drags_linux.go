package desktop

import (
	"context"
	"encoding/binary"
	"image"
	"io"
	"log"
	"os"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/shape"
	"github.com/jezek/xgb/xfixes"
	"github.com/jezek/xgb/xproto"
)

// dragEvery is how often the pointer is looked at during a drag of files.
const dragEvery = time.Second / 15

// anyButton are the bits of the pointer's mask for its buttons.
const anyButton = xproto.KeyButMaskButton1 | xproto.KeyButMaskButton2 | xproto.KeyButMaskButton3 |
	xproto.KeyButMaskButton4 | xproto.KeyButMaskButton5

func init() {
	// It writes to standard error whenever there is no file of X authority.
	xgb.Logger = log.New(io.Discard, "", 0)
}

// drags watches one window by a connection of its own.
type drags struct {
	x      *xgb.Conn
	root   xproto.Window
	own    xproto.Window // what the source of a drag answers to
	window xproto.Window // what is watched
	over   func(image.Point, bool)

	selection, targets, files, list xproto.Atom

	source xproto.Window // what is dragged from, 0 while nothing is
	inside bool          // as over was told last
	at     image.Point
}

func watchDrags(ctx context.Context, window uintptr, over func(image.Point, bool)) {
	if window == 0 || os.Getenv("DISPLAY") == "" {
		return
	}
	x, err := xgb.NewConn()
	if err != nil {
		return
	}
	events := make(chan xgb.Event)
	done := make(chan struct{})
	quit := make(chan struct{})
	defer func() {
		close(quit)
		x.Close()
		<-done
	}()
	go func() {
		defer close(done)
		defer close(events)
		for {
			e, failure := x.WaitForEvent()
			if e == nil && failure == nil {
				return // the connection has ended
			}
			if e == nil {
				continue // of a window that is gone
			}
			select {
			case events <- e:
			case <-quit:
				return
			}
		}
	}()
	d := &drags{x: x, window: xproto.Window(window), over: over}
	if err := d.prepare(); err != nil {
		return
	}
	d.run(ctx, events)
}

// prepare asks to be told when a drag begins: whoever drags something has to
// own a selection of a known name, which takes no looking at the pointer.
func (d *drags) prepare() error {
	if err := xfixes.Init(d.x); err != nil {
		return err
	}
	if err := shape.Init(d.x); err != nil {
		return err
	}
	if _, err := xfixes.QueryVersion(d.x, 5, 0).Reply(); err != nil {
		return err
	}
	for name, atom := range map[string]*xproto.Atom{
		"XdndSelection": &d.selection, "TARGETS": &d.targets, "text/uri-list": &d.files, "XdndTypeList": &d.list,
	} {
		reply, err := xproto.InternAtom(d.x, false, uint16(len(name)), name).Reply()
		if err != nil {
			return err
		}
		*atom = reply.Atom
	}
	d.root = xproto.Setup(d.x).DefaultScreen(d.x).Root
	var err error
	if d.own, err = xproto.NewWindowId(d.x); err != nil {
		return err
	}
	err = xproto.CreateWindowChecked(d.x, 0, d.own, d.root, -1, -1, 1, 1, 0,
		xproto.WindowClassInputOnly, xproto.WindowClassCopyFromParent, xproto.CwOverrideRedirect, []uint32{1}).Check()
	if err != nil {
		return err
	}
	return xfixes.SelectSelectionInputChecked(d.x, d.own, d.selection, xfixes.SelectionEventMaskSetSelectionOwner|
		xfixes.SelectionEventMaskSelectionWindowDestroy|xfixes.SelectionEventMaskSelectionClientClose).Check()
}

func (d *drags) run(ctx context.Context, events <-chan xgb.Event) {
	var ticker *time.Ticker
	var tick <-chan time.Time // nil while no files are dragged
	rest := func() {
		if ticker != nil {
			ticker.Stop()
			ticker, tick = nil, nil
		}
		d.tell(d.at, false)
	}
	defer rest()
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			switch e := e.(type) {
			case xfixes.SelectionNotifyEvent:
				rest()
				d.source = e.Owner
				if d.source != 0 {
					xproto.ConvertSelection(d.x, d.own, d.selection, d.targets, d.targets, e.SelectionTimestamp)
				}
			case xproto.SelectionNotifyEvent:
				if tick == nil && d.source != 0 && d.offersFiles(e) {
					ticker = time.NewTicker(dragEvery)
					tick = ticker.C
				}
			}
		case <-tick:
			if !d.look() {
				rest()
				d.source = 0
			}
		}
	}
}

// offersFiles reads in which kinds the source can give what is dragged. One
// that does not answer, as programs with Qt, has written them down.
func (d *drags) offersFiles(e xproto.SelectionNotifyEvent) bool {
	from, property := d.own, e.Property
	if property == xproto.AtomNone {
		from, property = d.source, d.list
	}
	const most = 1 << 10 // more kinds than any source has, in units of 4 bytes
	p, err := xproto.GetProperty(d.x, from == d.own, from, property, xproto.AtomAtom, 0, most).Reply()
	if err != nil || p.Format != 32 {
		return false
	}
	for b := p.Value; len(b) >= 4; b = b[4:] {
		if xproto.Atom(binary.NativeEndian.Uint32(b)) == d.files {
			return true
		}
	}
	return false
}

// look tells where the pointer is, and returns false when the drag is over:
// no button is held any more.
func (d *drags) look() bool {
	p, err := xproto.QueryPointer(d.x, d.root).Reply()
	if err != nil || p.Mask&anyButton == 0 {
		return false
	}
	at, inside := d.place(p)
	d.tell(at, inside)
	return true
}

// tell calls over where something has changed.
func (d *drags) tell(at image.Point, inside bool) {
	if inside == d.inside && (!inside || at == d.at) {
		return
	}
	d.at, d.inside = at, inside
	d.over(at, inside)
}

// place returns where the pointer is in the window, and whether it is over it
// with nothing between.
func (d *drags) place(p *xproto.QueryPointerReply) (at image.Point, inside bool) {
	t, err := xproto.TranslateCoordinates(d.x, d.root, d.window, p.RootX, p.RootY).Reply()
	if err != nil {
		return at, false
	}
	at = image.Pt(int(t.DstX), int(t.DstY))
	g, err := xproto.GetGeometry(d.x, xproto.Drawable(d.window)).Reply()
	if err != nil || !at.In(image.Rect(0, 0, int(g.Width), int(g.Height))) {
		return at, false
	}
	top := p.Child
	if d.carried(top) {
		top = d.below(image.Pt(int(p.RootX), int(p.RootY)))
	}
	return at, top != 0 && top == d.frame()
}

// frame returns the window that the window manager has put around ours, or
// ours if it has none.
func (d *drags) frame() xproto.Window {
	for w := d.window; ; {
		tree, err := xproto.QueryTree(d.x, w).Reply()
		if err != nil {
			return 0
		}
		if tree.Parent == d.root || tree.Parent == 0 {
			return w
		}
		w = tree.Parent
	}
}

// carried reports whether a window is the picture that a source moves along
// under the pointer.
func (d *drags) carried(w xproto.Window) bool {
	client := ^xproto.Window(xproto.Setup(d.x).ResourceIdMask)
	if w == 0 || w&client != d.source&client {
		return false
	}
	a, err := xproto.GetWindowAttributes(d.x, w).Reply()
	return err == nil && a.OverrideRedirect
}

// below returns the window at a point of the screen below what is carried.
func (d *drags) below(at image.Point) xproto.Window {
	tree, err := xproto.QueryTree(d.x, d.root).Reply()
	if err != nil {
		return 0
	}
	for i := len(tree.Children) - 1; i >= 0; i-- { // the highest comes last
		if w := tree.Children[i]; d.covers(w, at) && !d.carried(w) {
			return w
		}
	}
	return 0
}

// covers reports whether a window takes the pointer at a point of the screen.
func (d *drags) covers(w xproto.Window, at image.Point) bool {
	a, err := xproto.GetWindowAttributes(d.x, w).Reply()
	if err != nil || a.MapState != xproto.MapStateViewable {
		return false
	}
	g, err := xproto.GetGeometry(d.x, xproto.Drawable(w)).Reply()
	if err != nil {
		return false
	}
	input, err := shape.GetRectangles(d.x, w, shape.SkInput).Reply()
	if err != nil {
		return false
	}
	border := int(g.BorderWidth)
	in := at.Sub(image.Pt(int(g.X)+border, int(g.Y)+border))
	for _, r := range input.Rectangles {
		if in.In(image.Rect(int(r.X), int(r.Y), int(r.X)+int(r.Width), int(r.Y)+int(r.Height))) {
			return true
		}
	}
	return false
}
