package widget

import "fyne.io/fyne/v2"

// SetVisible shows or hides an object, and leaves it alone if it is so already:
// each change draws the window anew. It belongs to the UI thread.
func SetVisible(o fyne.CanvasObject, visible bool) {
	switch {
	case o.Visible() == visible:
	case visible:
		o.Show()
	default:
		o.Hide()
	}
}
