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
	image *canvas.Image            // nil before it is shown for the first time
	drawn map[string]*canvas.Image // all that it has shown, by resource
	scale float32                  // of the canvas when they were drawn
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
	if i.image != nil {
		i.pick()
	}
}

// pick chooses the image to show. The icon of a row changes with each step of
// scrolling, but among few; an image that is given another drawing would read
// and draw it anew.
func (i *Icon) pick() {
	c := fyne.CurrentApp().Driver().CanvasForObject(i)
	if c != nil && c.Scale() != i.scale {
		i.scale = c.Scale()
		clear(i.drawn) // they are too coarse now, or too fine
	}
	resource := theme.Icon(i.name, i.color)
	i.image = i.drawn[resource.Name()]
	if i.image == nil {
		i.image = canvas.NewImageFromResource(resource)
		i.image.FillMode = canvas.ImageFillContain
		i.image.SetMinSize(fyne.NewSquareSize(i.side))
		i.drawn[resource.Name()] = i.image
	}
	i.place(i.Size())
	if c != nil {
		c.Refresh(i)
	}
}

// place puts the image into the middle.
func (i *Icon) place(size fyne.Size) {
	i.image.Move(fyne.NewPos((size.Width-i.side)/2, (size.Height-i.side)/2))
	i.image.Resize(fyne.NewSquareSize(i.side))
}

// CreateRenderer is called by Fyne.
func (i *Icon) CreateRenderer() fyne.WidgetRenderer {
	i.drawn = make(map[string]*canvas.Image)
	i.pick()
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
func (r *iconRenderer) Layout(size fyne.Size) { r.icon.place(size) }

// Refresh is called by Fyne.
func (r *iconRenderer) Refresh() { r.icon.pick() }
