package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
)

// attended is the part of a control that knows whether the pointer is over it
// and whether it has the keyboard, and has it drawn anew when that changes.
type attended struct {
	self             fyne.Widget       // the control whose part it is
	page             *container.Scroll // that the keyboard moves; nil for none
	hovered, focused bool
}

// FocusGained is called by Fyne.
func (a *attended) FocusGained() {
	a.focused = true
	a.self.Refresh()
	if !a.hovered { // what is being clicked must not move away
		reveal(a.self, a.page)
	}
}

// FocusLost is called by Fyne.
func (a *attended) FocusLost() {
	a.focused = false
	a.self.Refresh()
}

// TypedRune is called by Fyne.
func (a *attended) TypedRune(rune) {}

// MouseIn is called by Fyne.
func (a *attended) MouseIn(*desktop.MouseEvent) {
	a.hovered = true
	a.self.Refresh()
}

// MouseMoved is called by Fyne.
func (a *attended) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is called by Fyne.
func (a *attended) MouseOut() {
	a.hovered = false
	a.self.Refresh()
}
