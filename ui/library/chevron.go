package library

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
)

// chevron unfolds and folds a row by a click. It is left out of the ring of
// the Tab key: the rows have keys of their own for it.
type chevron struct {
	fwidget.BaseWidget
	icon   *widget.Icon
	open   bool
	tapped func()
}

var (
	_ fyne.Tappable     = (*chevron)(nil)
	_ desktop.Hoverable = (*chevron)(nil)
)

func newChevron(tapped func()) *chevron {
	c := &chevron{icon: widget.NewIcon("chevron-right", theme.SecondText).Sized(16), tapped: tapped}
	c.ExtendBaseWidget(c)
	return c
}

func (c *chevron) set(open bool) {
	c.open = open
	c.paint(theme.SecondText)
}

func (c *chevron) paint(ink fyne.ThemeColorName) {
	name := "chevron-right"
	if c.open {
		name = "chevron-down"
	}
	c.icon.Set(name, ink)
}

// Tapped is called by Fyne.
func (c *chevron) Tapped(*fyne.PointEvent) { c.tapped() }

// MouseIn is called by Fyne.
func (c *chevron) MouseIn(*desktop.MouseEvent) { c.paint(theme.Text) }

// MouseMoved is called by Fyne.
func (c *chevron) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is called by Fyne.
func (c *chevron) MouseOut() { c.paint(theme.SecondText) }

// CreateRenderer is called by Fyne.
func (c *chevron) CreateRenderer() fyne.WidgetRenderer { return fwidget.NewSimpleRenderer(c.icon) }
