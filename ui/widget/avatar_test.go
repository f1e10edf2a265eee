package widget

import (
	"image/color"
	"math"
	"testing"
)

// The cells of an avatar can be told from its ground, as the Web Content
// Accessibility Guidelines ask of what is not read.
func TestCellsOfAvatarsAreSeen(t *testing.T) {
	luminance := func(c color.Color) float64 {
		r, g, b, _ := c.RGBA()
		channel := func(v uint32) float64 {
			if f := float64(v) / 0xFFFF; f > 0.04045 {
				return math.Pow((f+0.055)/1.055, 2.4)
			}
			return float64(v) / 0xFFFF / 12.92
		}
		return 0.2126*channel(r) + 0.7152*channel(g) + 0.0722*channel(b)
	}
	for _, ground := range avatarColors {
		img := quilt{color: ground, cells: 1}.draw() // the cell in the corner alone
		lit, dark := luminance(img.At(10, 10)), luminance(img.At(36, 36))
		if got := (lit + 0.05) / (dark + 0.05); got < 4.5 {
			t.Errorf("the cells on %06X have a contrast of %.2f, want at least 4.5", ground, got)
		}
	}
}
