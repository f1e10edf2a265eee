package widget

import (
	"testing"

	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/ui/theme"
)

// TestIconDrawsOnce goes back and forth between two icons, as the rows of a list
// do while it is scrolled.
func TestIconDrawsOnce(t *testing.T) {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{Mode: theme.Light})
	icon := NewIcon("file", theme.Text)
	test.NewTempWindow(t, icon)
	file := icon.image
	icon.Set("folder", theme.Text)
	if folder := icon.image; folder == file || folder.Size() != file.Size() || folder.Size().IsZero() {
		t.Fatalf("another icon is the same picture, or one of %v", folder.Size())
	}
	icon.Set("file", theme.Text)
	if icon.image != file {
		t.Error("the first icon was drawn anew")
	}
	app.Settings().SetTheme(theme.Theme{Mode: theme.Dark})
	icon.Refresh()
	if icon.image == file {
		t.Error("in another theme the icon has the colour of the first")
	}
	if objects := test.WidgetRenderer(icon).Objects(); len(objects) != 1 || objects[0] != icon.image {
		t.Errorf("%d pictures are shown", len(objects))
	}
}
