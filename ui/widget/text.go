package widget

import (
	"path"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
)

// Ellipsis says how a text that does not fit is shortened.
type Ellipsis int

// The ways of shortening.
const (
	Whole  Ellipsis = iota // never: the text asks for its whole width
	End                    // "Holiday pict…"
	Middle                 // "Holiday…042.jpg", for names of files
)

// Text is one line of text, much lighter than Fyne's label.
type Text struct {
	fwidget.BaseWidget
	text     string
	size     float32
	bold     bool
	align    fyne.TextAlign
	ellipsis Ellipsis
	color    fyne.ThemeColorName
	shown    *canvas.Text
}

// NewText returns a text of a size in a colour of the theme, shown whole.
func NewText(text string, size float32, color fyne.ThemeColorName) *Text {
	t := &Text{text: text, size: size, color: color}
	t.shown = &canvas.Text{Text: text, TextSize: size}
	t.ExtendBaseWidget(t)
	return t
}

// NewBold is NewText in bold.
func NewBold(text string, size float32, color fyne.ThemeColorName) *Text {
	t := NewText(text, size, color)
	t.bold = true
	t.shown.TextStyle.Bold = true
	return t
}

// NewCell returns a body text that is shortened to the room it gets.
func NewCell(ellipsis Ellipsis, align fyne.TextAlign, color fyne.ThemeColorName) *Text {
	t := NewText("", theme.TextBody, color)
	t.ellipsis, t.align = ellipsis, align
	return t
}

// Shortened sets how the text gives way and returns it.
func (t *Text) Shortened(ellipsis Ellipsis) *Text {
	t.ellipsis = ellipsis
	return t
}

// Text returns the text, unshortened.
func (t *Text) Text() string { return t.text }

// Set changes text and colour.
func (t *Text) Set(text string, color fyne.ThemeColorName) {
	if text == t.text && color == t.color {
		return
	}
	t.text, t.color = text, color
	t.Refresh()
}

// SetText changes the text.
func (t *Text) SetText(text string) { t.Set(text, t.color) }

// MinSize is the size of the whole text; what may be shortened asks for no
// width.
func (t *Text) MinSize() fyne.Size {
	if t.ellipsis != Whole {
		return fyne.NewSize(0, t.measure("M").Height)
	}
	return t.measure(t.text)
}

// FullWidth is the width of the whole text.
func (t *Text) FullWidth() float32 { return t.measure(t.text).Width }

func (t *Text) measure(text string) fyne.Size {
	return fyne.MeasureText(text, t.size, t.shown.TextStyle)
}

// CreateRenderer is called by Fyne.
func (t *Text) CreateRenderer() fyne.WidgetRenderer {
	t.shown.Color = theme.Color(t.color)
	return &textRenderer{text: t}
}

type textRenderer struct{ text *Text }

// Destroy is called by Fyne.
func (r *textRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *textRenderer) MinSize() fyne.Size { return r.text.MinSize() }

// Objects is called by Fyne.
func (r *textRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.text.shown} }

// Layout is called by Fyne.
func (r *textRenderer) Layout(size fyne.Size) {
	t := r.text
	text := t.text
	if t.ellipsis != Whole {
		text = shorten(t.text, size.Width, t.ellipsis == Middle, func(s string) float32 { return t.measure(s).Width })
	}
	t.shown.Text = text
	t.shown.Alignment = t.align
	height := t.shown.MinSize().Height
	t.shown.Move(fyne.NewPos(0, (size.Height-height)/2))
	t.shown.Resize(fyne.NewSize(size.Width, height))
}

// Refresh is called by Fyne.
func (r *textRenderer) Refresh() {
	r.text.shown.Color = theme.Color(r.text.color)
	r.Layout(r.text.Size())
	r.text.shown.Refresh()
}

// shorten returns text, or as much of it as fits into width with an ellipsis
// at the end or, keeping the extension, in the middle.
func shorten(text string, width float32, middle bool, measure func(string) float32) string {
	if text == "" || width <= 0 || measure(text) <= width {
		return text
	}
	const dots = "…"
	runes := []rune(text)
	tail, room := "", width-measure(dots)
	if middle {
		end := ending(text)
		if left := width - measure(dots+end); left >= measure(string(runes[:1])) {
			tail, room = end, left
		}
	}
	most := len(runes) - utf8.RuneCountInString(tail)
	part := func(n int) string { return string(runes[:n]) + dots + tail }
	n := reach(runes[:most], room, measure)
	if measure(part(n)) > width {
		for n > 0 && measure(part(n)) > width {
			n--
		}
		return part(n)
	}
	for n < most && measure(part(n+1)) <= width {
		n++
	}
	return part(n)
}

// reach returns how many letters, taken one by one, fill width. Pairs of
// letters may stand closer together than that, so that it is off by one or two;
// but the widths of single letters are known already, while each part of a text
// that is measured as a whole has to be set first.
func reach(letters []rune, width float32, measure func(string) float32) int {
	for n, r := range letters {
		if width -= measure(string(r)); width < 0 {
			return n
		}
	}
	return len(letters)
}

// ending is what is kept of a shortened file name: the extension and the three
// letters before it, which often number the files of a series.
func ending(name string) string {
	extension := path.Ext(name)
	if utf8.RuneCountInString(extension) > 8 || extension == name {
		extension = ""
	}
	stem := []rune(name[:len(name)-len(extension)])
	return string(stem[max(0, len(stem)-3):]) + extension
}
