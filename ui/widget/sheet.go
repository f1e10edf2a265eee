package widget

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
)

// sheetWidth is how wide a sheet is that asks something.
const sheetWidth float32 = 460

// Sheet asks a question, or shows something, above everything else. Escape
// cancels it.
type Sheet struct {
	fwidget.BaseWidget
	canvas   fyne.Canvas
	card     *panel
	shade    *canvas.Rectangle
	buttons  []*Button
	canceled func()
	before   fyne.Focusable
	open     bool
	width    float32
}

var _ fyne.Tappable = (*Sheet)(nil)

// ShowSheet shows title and body with a Cancel button, named cancel, that has
// the focus, and the other buttons before it. Every button closes the sheet
// and then does its work; canceled, which may be nil, is called for Cancel and
// Escape.
func ShowSheet(c fyne.Canvas, title string, body fyne.CanvasObject, cancel string, canceled func(), buttons ...*Button) *Sheet {
	s := &Sheet{canvas: c, canceled: canceled, shade: &canvas.Rectangle{}, width: sheetWidth}
	no := NewButton(cancel, "", Plain, s.Cancel)
	line := HBox(theme.Space8)
	for _, b := range buttons {
		act := b.OnTapped
		b.OnTapped = func() {
			s.close()
			if act != nil {
				act()
			}
		}
		line.Add(b)
	}
	line.Add(no)
	s.buttons = append(append(s.buttons, buttons...), no)
	heading := NewParagraph(title, theme.Text, fyne.TextAlignLeading)
	heading.segment.Style.TextStyle.Bold = true
	heading.segment.Style.SizeName = "subHeadingText"
	content := VBox(theme.Space4, heading.RichText)
	if body != nil {
		content.Add(body)
	}
	content.Add(Inset(container.New(&trailingLayout{}, line), theme.Space16, 8, 0, 8))
	s.card = newPanel(Inset(content, theme.Space16, theme.Space16, theme.Space24, theme.Space16), theme.Surface, theme.Line, theme.RadiusSheet)
	s.card.shadow = true
	s.ExtendBaseWidget(s)

	s.before = c.Focused()
	s.open = true
	c.Overlays().Add(s)
	s.Resize(c.Size())
	c.Focus(no)
	return s
}

// Widen makes the sheet as wide as that, or as the window has room for.
func (s *Sheet) Widen(width float32) {
	s.width = width
	s.Refresh()
}

// Cancel closes the sheet as its Cancel button does.
func (s *Sheet) Cancel() {
	if !s.open {
		return
	}
	s.close()
	if s.canceled != nil {
		s.canceled()
	}
}

func (s *Sheet) close() {
	if !s.open {
		return
	}
	s.open = false
	s.canvas.Overlays().Remove(s)
	if s.before != nil {
		s.canvas.Focus(s.before)
	}
}

// Buttons returns the sheet's buttons; Cancel is the last.
func (s *Sheet) Buttons() []*Button { return s.buttons }

// Tapped swallows clicks beside the buttons, so that they reach nothing below.
func (s *Sheet) Tapped(*fyne.PointEvent) {}

// CreateRenderer is called by Fyne.
func (s *Sheet) CreateRenderer() fyne.WidgetRenderer {
	r := &sheetRenderer{s}
	r.paint()
	return r
}

type sheetRenderer struct{ sheet *Sheet }

// Destroy is called by Fyne.
func (r *sheetRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *sheetRenderer) MinSize() fyne.Size { return r.sheet.card.MinSize() }

// Objects is called by Fyne.
func (r *sheetRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.sheet.shade, r.sheet.card}
}

func (r *sheetRenderer) paint() {
	r.sheet.shade.FillColor = color.NRGBA{A: 0x59}
}

// Layout is called by Fyne.
func (r *sheetRenderer) Layout(size fyne.Size) {
	r.sheet.shade.Resize(size)
	width := min(r.sheet.width, size.Width-2*theme.Space32)
	// A text that wraps only knows its height at its width.
	r.sheet.card.Resize(fyne.NewSize(width, 1))
	height := min(r.sheet.card.MinSize().Height, size.Height-2*theme.Space16)
	r.sheet.card.Resize(fyne.NewSize(width, height))
	r.sheet.card.Move(fyne.NewPos((size.Width-width)/2, max(theme.Space16, (size.Height-height)/3)))
}

// Refresh is called by Fyne.
func (r *sheetRenderer) Refresh() {
	r.paint()
	r.Layout(r.sheet.Size())
	r.sheet.shade.Refresh()
	r.sheet.card.Refresh()
}

// trailingLayout puts one object at the right.
type trailingLayout struct{}

// MinSize is called by Fyne.
func (*trailingLayout) MinSize(objects []fyne.CanvasObject) fyne.Size { return objects[0].MinSize() }

// Layout is called by Fyne.
func (*trailingLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	m := objects[0].MinSize()
	objects[0].Move(fyne.NewPos(size.Width-m.Width, 0))
	objects[0].Resize(m)
}
