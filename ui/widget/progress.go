package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
)

// Progress is a flat bar, 4 units high.
type Progress struct {
	fwidget.BaseWidget
	value float64
	color fyne.ThemeColorName
	track *canvas.Rectangle
	bar   *canvas.Rectangle
}

// NewProgress returns an empty bar.
func NewProgress() *Progress {
	p := &Progress{color: theme.Primary}
	p.track = &canvas.Rectangle{CornerRadius: theme.ProgressHeight / 2}
	p.bar = &canvas.Rectangle{CornerRadius: theme.ProgressHeight / 2}
	p.ExtendBaseWidget(p)
	return p
}

// Set shows a value from 0 to 1 in a colour of the theme.
func (p *Progress) Set(value float64, color fyne.ThemeColorName) {
	if value == p.value && color == p.color {
		return
	}
	p.value, p.color = min(max(value, 0), 1), color
	p.Refresh()
}

// Value returns what is shown.
func (p *Progress) Value() float64 { return p.value }

// CreateRenderer is called by Fyne.
func (p *Progress) CreateRenderer() fyne.WidgetRenderer {
	r := &progressRenderer{p}
	r.Refresh()
	return r
}

type progressRenderer struct{ p *Progress }

// Destroy is called by Fyne.
func (r *progressRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *progressRenderer) MinSize() fyne.Size { return fyne.NewSize(40, theme.ProgressHeight) }

// Objects is called by Fyne.
func (r *progressRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.p.track, r.p.bar}
}

// Layout is called by Fyne.
func (r *progressRenderer) Layout(size fyne.Size) {
	y := (size.Height - theme.ProgressHeight) / 2
	r.p.track.Move(fyne.NewPos(0, y))
	r.p.track.Resize(fyne.NewSize(size.Width, theme.ProgressHeight))
	width := size.Width * float32(r.p.value)
	r.p.bar.Hidden = width < 1
	r.p.bar.Move(fyne.NewPos(0, y))
	r.p.bar.Resize(fyne.NewSize(max(width, min(theme.ProgressHeight, size.Width)), theme.ProgressHeight))
}

// Refresh is called by Fyne.
func (r *progressRenderer) Refresh() {
	r.p.track.FillColor = theme.Color(theme.Line)
	r.p.bar.FillColor = theme.Color(r.p.color)
	r.Layout(r.p.Size())
	r.p.track.Refresh()
	r.p.bar.Refresh()
}
