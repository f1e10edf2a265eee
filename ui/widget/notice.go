package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/ui/theme"
)

// NewNotice returns a card that says something above a page's rows, with an
// icon in a colour of the theme, ways to act on it and, unless closed is nil,
// a cross that calls it.
func NewNotice(icon string, color fyne.ThemeColorName, text string, closed func(), actions ...fyne.CanvasObject) fyne.CanvasObject {
	right := HBox(theme.Space4, actions...)
	if closed != nil {
		right.Add(NewButton("", "close", Quiet, closed).Small())
	}
	body := NewParagraph(text, theme.Text, fyne.TextAlignLeading)
	line := container.NewBorder(nil, nil,
		Inset(NewIcon(icon, color), 0, theme.Space4, 0, theme.Space4),
		container.NewCenter(right),
		body.RichText)
	return newPanel(Inset(line, 0, theme.Space8, 0, theme.Space8), theme.Surface, theme.Line, theme.RadiusButton)
}

// Action is something that a toast offers to do. Do gets the button, to open a
// menu at.
type Action struct {
	Text string
	Do   func(button fyne.CanvasObject)
}

// NewToast returns a bar that says what was just done, with what can be done
// about it.
func NewToast(text string, closed func(), actions ...Action) fyne.CanvasObject {
	line := HBox(theme.Space4, NewText(text, theme.TextBody, theme.Text))
	for _, a := range actions {
		b := NewButton(a.Text, "", Quiet, nil).Small().inPrimary()
		b.OnTapped = func() { a.Do(b) }
		line.Add(b)
	}
	line.Add(NewButton("", "close", Quiet, closed).Small())
	p := newPanel(Inset(line, theme.Space8, theme.Space8, theme.Space8, theme.Space16), theme.Surface, theme.InputBorder, theme.RadiusButton)
	return p
}

// inPrimary draws a quiet button in the primary colour, as a link.
func (b *Button) inPrimary() *Button {
	b.link = true
	return b
}
