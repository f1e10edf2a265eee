package settings

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
)

// field is a labelled line to type into, with a line underneath for a hint or
// for what is wrong with the value.
type field struct {
	label   string
	hint    string
	entry   *widget.Entry
	under   *widget.Text
	onLeave func()
	typing  bool
}

func newField(label, hint string) *field {
	f := &field{label: label, hint: hint, entry: widget.NewEntry("")}
	f.under = widget.NewText(hint, theme.TextCaption, theme.SecondText).Shortened(widget.End)
	f.entry.OnLeave = func() {
		f.typing = false
		f.leave()
	}
	f.entry.OnSubmitted = func(string) { f.leave() }
	f.entry.OnChanged = func(string) { f.typing = true }
	return f
}

func (f *field) leave() {
	if f.onLeave != nil {
		f.onLeave()
	}
}

// set shows a value unless another one is being typed or explained.
func (f *field) set(value string) {
	if f.typing || f.under.Text() != f.hint {
		return
	}
	f.entry.SetText(value)
	f.typing = false
}

// explain says what is wrong, or nothing if that is empty.
func (f *field) explain(problem string) {
	if problem == "" {
		f.say(f.hint, theme.SecondText)
		return
	}
	f.say(problem, theme.Error)
}

func (f *field) say(text string, color fyne.ThemeColorName) { f.under.Set(text, color) }

// object puts the field together, with a button beside it or nil.
func (f *field) object(button fyne.CanvasObject) fyne.CanvasObject {
	line := fyne.CanvasObject(f.entry)
	if button != nil {
		line = container.NewBorder(nil, nil, nil, widget.Inset(button, 0, 0, 0, theme.Space8), f.entry)
	}
	return widget.VBox(theme.Space4, widget.NewText(f.label, theme.TextBody, theme.Text), line, widget.Fixed(0, 18, f.under))
}

// section puts a title above objects.
func section(title string, objects ...fyne.CanvasObject) fyne.CanvasObject {
	box := widget.VBox(theme.Space12, widget.NewBold(title, theme.TextSection, theme.Text))
	for _, o := range objects {
		box.Add(o)
	}
	return box
}

// columnLayout keeps a column from getting wider than can be read.
type columnLayout struct{}

// MinSize is called by Fyne.
func (columnLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(320, objects[0].MinSize().Height)
}

// Layout is called by Fyne.
func (columnLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(fyne.NewSize(min(size.Width, columnWidth), size.Height))
}
