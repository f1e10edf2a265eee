package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
)

// Icon shows one of our icons in a colour of the theme.
type Icon struct {
	fwidget.BaseWidget
	name  string
	color fyne.ThemeColorName
	side  float32
	image *canvas.Image
}

// NewIcon returns an icon of the usual size.
func NewIcon(name string, color fyne.ThemeColorName) *Icon {
	i := &Icon{name: name, color: color, side: theme.IconSize}
	i.ExtendBaseWidget(i)
	return i
}

// Sized sets the length of the icon's sides and returns it.
func (i *Icon) Sized(side float32) *Icon {
	i.side = side
	return i
}

// Set changes icon and colour.
func (i *Icon) Set(name string, color fyne.ThemeColorName) {
	if name == i.name && color == i.color {
		return
	}
	i.name, i.color = name, color
	i.Refresh()
}

// CreateRenderer is called by Fyne.
func (i *Icon) CreateRenderer() fyne.WidgetRenderer {
	i.image = canvas.NewImageFromResource(theme.Icon(i.name, i.color))
	i.image.FillMode = canvas.ImageFillContain
	i.image.SetMinSize(fyne.NewSquareSize(i.side))
	return &iconRenderer{i}
}

type iconRenderer struct{ icon *Icon }

// Destroy is called by Fyne.
func (r *iconRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *iconRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(r.icon.side) }

// Objects is called by Fyne.
func (r *iconRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.icon.image} }

// Layout is called by Fyne.
func (r *iconRenderer) Layout(size fyne.Size) {
	side := fyne.NewSquareSize(r.icon.side)
	r.icon.image.Move(fyne.NewPos((size.Width-side.Width)/2, (size.Height-side.Height)/2))
	r.icon.image.Resize(side)
}

// Refresh is called by Fyne.
func (r *iconRenderer) Refresh() {
	r.icon.image.Resource = theme.Icon(r.icon.name, r.icon.color)
	r.icon.image.Refresh()
}
