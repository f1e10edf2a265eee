package theme

import (
	"bytes"
	"fmt"

	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/assets"
)

// icon is a drawing of ours in a colour of the theme. Its bytes and its name
// follow the running variant, so that Fyne's caches never show a stale one.
type icon struct {
	name  string
	color fyne.ThemeColorName
}

// Icon returns the named icon of package assets, drawn in a colour of the
// theme.
func Icon(name string, color fyne.ThemeColorName) fyne.Resource {
	return icon{name, color}
}

func (i icon) hex() string {
	r, g, b, _ := Color(i.color).RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

// Name tells the icon and its present colour.
func (i icon) Name() string { return i.name + i.hex() + ".svg" }

// Content returns the SVG in its present colour.
func (i icon) Content() []byte {
	drawing := assets.Icon(i.name)
	if i.name == wordmark {
		drawing = assets.Wordmark
	}
	return bytes.ReplaceAll(drawing, []byte("currentColor"), []byte(i.hex()))
}

// wordmark is the name of what is no icon.
const wordmark = "wordmark"

// Wordmark is the program's name, drawn in a colour of the theme, 124 units
// wide and 36 high.
func Wordmark(color fyne.ThemeColorName) fyne.Resource {
	return icon{wordmark, color}
}

// AppIcon is the program's icon.
func AppIcon() fyne.Resource { return fyne.NewStaticResource("icon.png", assets.AppIcon) }
