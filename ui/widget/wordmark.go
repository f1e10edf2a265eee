package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
)

// Wordmark is the program's name, drawn.
type Wordmark struct {
	fwidget.BaseWidget
	image *canvas.Image
}

// NewWordmark returns the name as the sidebar shows it.
func NewWordmark() *Wordmark {
	w := &Wordmark{}
	w.ExtendBaseWidget(w)
	return w
}

// CreateRenderer is called by Fyne.
func (w *Wordmark) CreateRenderer() fyne.WidgetRenderer {
	w.image = canvas.NewImageFromResource(theme.Wordmark(theme.Text))
	w.image.FillMode = canvas.ImageFillContain
	return &wordmarkRenderer{w}
}

type wordmarkRenderer struct{ mark *Wordmark }

// Destroy is called by Fyne.
func (r *wordmarkRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *wordmarkRenderer) MinSize() fyne.Size { return fyne.NewSize(96, 27) }

// Objects is called by Fyne.
func (r *wordmarkRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.mark.image} }

// Layout is called by Fyne.
func (r *wordmarkRenderer) Layout(size fyne.Size) { r.mark.image.Resize(size) }

// Refresh is called by Fyne.
func (r *wordmarkRenderer) Refresh() {
	r.mark.image.Resource = theme.Wordmark(theme.Text)
	r.mark.image.Refresh()
}
