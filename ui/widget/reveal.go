package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/ui/theme"
)

// reveal scrolls the page, if there is one, so that an object on it is in view
// as a whole.
func reveal(o fyne.CanvasObject, page *container.Scroll) {
	if page == nil {
		return
	}
	driver := fyne.CurrentApp().Driver()
	top := driver.AbsolutePositionForObject(o).Y - driver.AbsolutePositionForObject(page).Y
	above := top - theme.Space16
	below := top + o.Size().Height + theme.Space16 - page.Size().Height
	switch {
	case above < 0:
		page.ScrollToOffset(page.Offset.AddXY(0, above))
	case below > 0:
		page.ScrollToOffset(page.Offset.AddXY(0, below))
	}
}
