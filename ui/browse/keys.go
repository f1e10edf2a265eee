package browse

import (
	"context"
	"path"

	"fyne.io/fyne/v2"
)

// typed searches a moment after the last letter.
func (v *View) typed(query string) {
	v.stopSearch()
	if query != v.at.query {
		v.stopAsking()
	}
	v.stopSearch = v.run.After(typing, func(context.Context) func() {
		return func() {
			if query != v.search.Text || query == v.at.query {
				return
			}
			v.at.query = query
			v.list.Unselect()
			v.list.ScrollToTop()
			v.load(false)
		}
	})
}

func (v *View) searchKey(ev *fyne.KeyEvent) bool {
	switch {
	case ev.Name == fyne.KeyEscape && v.search.Text != "":
		v.search.SetText("")
		return true
	case ev.Name == fyne.KeyDown, ev.Name == fyne.KeyReturn, ev.Name == fyne.KeyEnter:
		v.focusRows()
		return true
	default:
		return false
	}
}

func (v *View) focusRows() {
	if c := canvasOf(v.list); c != nil && v.list.Len() > 0 {
		c.Focus(v.list)
	}
}

func canvasOf(o fyne.CanvasObject) fyne.Canvas { return fyne.CurrentApp().Driver().CanvasForObject(o) }

func (v *View) sortBy(key string, descending bool) {
	v.wish.order = order{key, descending}
	v.arrange()
}

// Escape closes the preview that lies over the rows, and reports whether there
// was one.
func (v *View) Escape() bool { return v.preview.close() }

// Up goes to the folder above.
func (v *View) Up() {
	switch {
	case v.at.query != "":
		v.visit(place{peer: v.at.peer, name: v.at.name, folder: v.at.folder})
	case v.at.folder != "":
		up := path.Dir(v.at.folder)
		if up == "." {
			up = ""
		}
		v.visit(place{peer: v.at.peer, name: v.at.name, folder: up})
	case v.at.peer != "":
		v.visit(place{})
	}
}

func (v *View) key(ev *fyne.KeyEvent) bool {
	switch ev.Name {
	case fyne.KeyBackspace:
		v.Up()
	case fyne.KeySpace:
		v.preview.toggle()
	case fyne.KeyEscape:
		return v.preview.close()
	default:
		return false
	}
	return true
}
