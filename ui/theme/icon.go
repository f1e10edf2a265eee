package theme

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"

	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/assets"
)

// icon is a drawing of ours in a colour of the theme. Its bytes and its name
// follow the running variant and the screen's scale, so that Fyne's caches
// never show a stale one.
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

// Name tells the icon, its present colour and, unless it is 1, the scale.
func (i icon) Name() string {
	if s := scale(); s != 1 {
		return fmt.Sprintf("%s%s@%g.svg", i.name, i.hex(), s)
	}
	return i.name + i.hex() + ".svg"
}

// Content returns the SVG in its present colour.
func (i icon) Content() []byte {
	drawing := assets.Icon(i.name)
	if i.name == wordmark {
		drawing = assets.Wordmark
	}
	return thicken(bytes.ReplaceAll(drawing, []byte("currentColor"), []byte(i.hex())), scale())
}

var strokeWidth = regexp.MustCompile(`stroke-width="[0-9.]+"`)

// thicken makes the lines of a drawing thicker for a scale: what draws them
// takes their width for pixels, however large the drawing becomes.
func thicken(drawing []byte, scale float32) []byte {
	if scale == 1 {
		return drawing
	}
	return strokeWidth.ReplaceAllFunc(drawing, func(found []byte) []byte {
		width, _ := strconv.ParseFloat(string(bytes.Split(found, []byte(`"`))[1]), 32) // digits, as it was found
		return fmt.Appendf(nil, `stroke-width="%g"`, float32(width)*scale)
	})
}

// scale is how many pixels make a unit on the window's screen.
func scale() float32 {
	for _, w := range fyne.CurrentApp().Driver().AllWindows() {
		if s := w.Canvas().Scale(); s > 0 {
			return s
		}
	}
	return 1
}

// wordmark is the name of what is no icon.
const wordmark = "wordmark"

// Wordmark is the program's name, drawn in a colour of the theme, 128 units
// wide and 36 high.
func Wordmark(color fyne.ThemeColorName) fyne.Resource {
	return icon{wordmark, color}
}

// AppIcon is the program's icon.
func AppIcon() fyne.Resource { return fyne.NewStaticResource("icon.png", assets.AppIcon) }

// SmallIcon is the program's icon for where it is smaller than 32 units.
func SmallIcon() fyne.Resource { return fyne.NewStaticResource("icon-small.svg", assets.SmallDrawing) }
