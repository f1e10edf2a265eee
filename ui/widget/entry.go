package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	fwidget "fyne.io/fyne/v2/widget"
)

// Entry is a line to type into, which passes on to the window the shortcuts
// and keys that it has no use for.
type Entry struct {
	fwidget.Entry
	// OnKey is asked first; it returns true for a key that it has dealt with.
	OnKey func(*fyne.KeyEvent) bool
	// OnLeave is called when the focus goes elsewhere.
	OnLeave func()

	page *container.Scroll // that the wheel and the keyboard move; nil for none
}

// NewEntry returns an empty entry.
func NewEntry(placeholder string) *Entry {
	e := &Entry{}
	e.PlaceHolder = placeholder
	e.Wrapping = fyne.TextWrapOff
	e.Scroll = fyne.ScrollHorizontalOnly
	e.ExtendBaseWidget(e)
	return e
}

// FocusGained is called by Fyne.
func (e *Entry) FocusGained() {
	e.Entry.FocusGained()
	reveal(e, e.page)
}

// FocusLost is called by Fyne.
func (e *Entry) FocusLost() {
	e.Entry.FocusLost()
	if e.OnLeave != nil {
		e.OnLeave()
	}
}

// TypedKey is called by Fyne.
func (e *Entry) TypedKey(ev *fyne.KeyEvent) {
	if e.OnKey != nil && e.OnKey(ev) {
		return
	}
	if ev.Name == fyne.KeyEscape || ev.Name == fyne.KeyF1 {
		forwardKey(e, ev)
		return
	}
	e.Entry.TypedKey(ev)
}

// TypedShortcut keeps what edits text and passes on the rest, since Fyne asks
// the window only while nothing that takes shortcuts has the focus.
func (e *Entry) TypedShortcut(s fyne.Shortcut) {
	if custom, ok := s.(*desktop.CustomShortcut); ok && !edits(custom.KeyName) {
		if c, ok := fyne.CurrentApp().Driver().CanvasForObject(e).(fyne.Shortcutable); ok {
			c.TypedShortcut(s)
		}
		return
	}
	e.Entry.TypedShortcut(s)
}

// edits reports whether a key moves or deletes by words or lines when it is
// pressed with a modifier.
func edits(key fyne.KeyName) bool {
	switch key {
	case fyne.KeyLeft, fyne.KeyRight, fyne.KeyUp, fyne.KeyDown, fyne.KeyHome, fyne.KeyEnd, fyne.KeyBackspace, fyne.KeyDelete:
		return true
	default:
		return false
	}
}
