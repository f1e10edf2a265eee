// Package widget holds the pieces that the window's pages are made of: a light
// text cell, buttons, a list with a selection of its own, cards, sheets,
// toasts.
//
// Everything here belongs to the UI thread.
package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
)

// forwardKey hands a key that a focused widget has no use for to the window,
// which otherwise only gets keys while nothing is focused.
func forwardKey(o fyne.CanvasObject, ev *fyne.KeyEvent) {
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if c == nil {
		return
	}
	if f := c.OnTypedKey(); f != nil {
		f(ev)
	}
}

// Inset puts empty space around an object.
func Inset(o fyne.CanvasObject, top, right, bottom, left float32) *fyne.Container {
	return container.New(layout.NewCustomPaddedLayout(top, bottom, left, right), o)
}

// HBox puts objects in a row with gap between them, each centred vertically
// at its own height.
func HBox(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&lineLayout{gap: gap}, objects...)
}

// VBox puts objects below each other with gap between them.
func VBox(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedVBoxLayout(gap), objects...)
}

// Fixed gives an object a size of its own. A zero side is left to the object.
func Fixed(width, height float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(&fixedLayout{width, height}, o)
}

// Wrapped gives a text that wraps a width of its own. It knows its height only
// when it has one.
func Wrapped(width float32, text *Paragraph) *fyne.Container {
	return container.New(wrapLayout{width}, text.RichText)
}

type wrapLayout struct{ width float32 }

// MinSize is called by Fyne.
func (w wrapLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	if objects[0].Size().Width != w.width {
		objects[0].Resize(fyne.NewSize(w.width, objects[0].MinSize().Height))
	}
	return fyne.NewSize(w.width, objects[0].MinSize().Height)
}

// Layout is called by Fyne.
func (w wrapLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.NewPos((size.Width-w.width)/2, 0))
	objects[0].Resize(fyne.NewSize(w.width, size.Height))
}

type fixedLayout struct{ width, height float32 }

// MinSize is called by Fyne.
func (f *fixedLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := objects[0].MinSize()
	if f.width > 0 {
		size.Width = f.width
	}
	if f.height > 0 {
		size.Height = f.height
	}
	return size
}

// Layout is called by Fyne.
func (f *fixedLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.NewPos(0, 0))
	objects[0].Resize(size)
}

type lineLayout struct{ gap float32 }

// MinSize is called by Fyne.
func (l *lineLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	first := true
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if !first {
			size.Width += l.gap
		}
		first = false
		size.Width += m.Width
		size.Height = max(size.Height, m.Height)
	}
	return size
}

// Layout is called by Fyne.
func (l *lineLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	var x float32
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		o.Move(fyne.NewPos(x, (size.Height-m.Height)/2))
		o.Resize(m)
		x += m.Width + l.gap
	}
}
