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

// NewToast returns a bar that says what was just done and takes it back.
func NewToast(text, action string, act, closed func()) fyne.CanvasObject {
	line := HBox(theme.Space12, NewText(text, theme.TextBody, theme.Text))
	if action != "" {
		line.Add(NewButton(action, "", Quiet, act).Small().inPrimary())
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
