package theme

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	ftheme "fyne.io/fyne/v2/theme"
)

// luminance and contrast are those of the Web Content Accessibility
// Guidelines.
func luminance(c color.NRGBA) float64 {
	channel := func(v uint8) float64 {
		f := float64(v) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(c.R) + 0.7152*channel(c.G) + 0.0722*channel(c.B)
}

func contrast(a, b color.NRGBA) float64 {
	la, lb := luminance(a), luminance(b)
	return (math.Max(la, lb) + 0.05) / (math.Min(la, lb) + 0.05)
}

// over is a colour laid over an opaque one.
func over(ink, ground color.NRGBA) color.NRGBA {
	part := func(i, g uint8) uint8 { return uint8((int(i)*int(ink.A) + int(g)*(255-int(ink.A)) + 127) / 255) }
	return color.NRGBA{R: part(ink.R, ground.R), G: part(ink.G, ground.G), B: part(ink.B, ground.B), A: 255}
}

func TestContrastFormula(t *testing.T) {
	black, white := color.NRGBA{A: 255}, color.NRGBA{R: 255, G: 255, B: 255, A: 255}
	if got := contrast(black, white); math.Abs(got-21) > 0.01 {
		t.Errorf("black on white is %.2f, want 21", got)
	}
	if got := over(color.NRGBA{R: 255, G: 255, B: 255, A: 51}, black); got != (color.NRGBA{R: 51, G: 51, B: 51, A: 255}) {
		t.Errorf("a fifth of white over black is %v", got)
	}
}

// The lowest contrasts: of what is read, and of what is seen, such as a border.
const (
	read = 4.5
	seen = 3
)

// inVariants runs a test in light and in dark. The theme's colours are as the
// window has them.
func inVariants(t *testing.T, check func(t *testing.T, of func(fyne.ThemeColorName) color.NRGBA)) {
	t.Helper()
	for variant, name := range map[fyne.ThemeVariant]string{ftheme.VariantLight: "light", ftheme.VariantDark: "dark"} {
		t.Run(name, func(t *testing.T) {
			check(t, func(role fyne.ThemeColorName) color.NRGBA {
				return color.NRGBAModel.Convert(Theme{}.Color(role, variant)).(color.NRGBA)
			})
		})
	}
}

// The text of a disabled button is second text, the selection's bar and the
// ring of the focus are primary.
func TestContrastOnEveryBackground(t *testing.T) {
	backgrounds := []fyne.ThemeColorName{Ground, Surface, Sidebar, Hover, Selected}
	lowest := map[fyne.ThemeColorName]float64{
		Text: 10, SecondText: 5.3, Primary: 5.1, Upload: 5, Waiting: 5, Error: 5.1, Done: 5, InputBorder: 3.1,
		ftheme.ColorNameDisabled: read, ftheme.ColorNameHyperlink: read,
		ftheme.ColorNameScrollBar: seen,
	}
	inVariants(t, func(t *testing.T, of func(fyne.ThemeColorName) color.NRGBA) {
		for role, least := range lowest {
			for _, ground := range backgrounds {
				if got := contrast(of(role), of(ground)); got < least {
					t.Errorf("%s on %s has a contrast of %.2f, want at least %.1f", role, ground, got, least)
				}
			}
		}
	})
}

// The numbers of badges stand on primary and on error.
func TestContrastOnColours(t *testing.T) {
	inVariants(t, func(t *testing.T, of func(fyne.ThemeColorName) color.NRGBA) {
		for text, grounds := range map[fyne.ThemeColorName][]fyne.ThemeColorName{
			TextOnPrimary:                       {Primary, Error, Done, Waiting},
			ftheme.ColorNameForegroundOnError:   {Error},
			ftheme.ColorNameForegroundOnSuccess: {Done},
			ftheme.ColorNameForegroundOnWarning: {Waiting},
		} {
			for _, ground := range grounds {
				if got := contrast(of(text), of(ground)); got < read {
					t.Errorf("%s on %s has a contrast of %.2f, want at least %.1f", text, ground, got, read)
				}
			}
		}
		// The chosen line of a menu, and how it stands out.
		menu := of(ftheme.ColorNameMenuBackground)
		chosen := over(of(ftheme.ColorNameFocus), menu)
		if got := contrast(of(Text), chosen); got < read {
			t.Errorf("the text of a menu's chosen line has a contrast of %.2f, want at least %.1f", got, read)
		}
		if got := contrast(chosen, menu); got < 2.5 {
			t.Errorf("a menu's chosen line stands out by %.2f, want at least 2.5", got)
		}
	})
}

// The icon on a panel is seen whatever the panel's colour is.
func TestContrastOfTheTray(t *testing.T) {
	for name, panel := range map[string]color.NRGBA{
		"white": {R: 255, G: 255, B: 255, A: 255}, "black": {A: 255},
		"light": {R: 0xEF, G: 0xF0, B: 0xF1, A: 255}, "dark": {R: 0x20, G: 0x20, B: 0x20, A: 255},
	} {
		inVariants(t, func(t *testing.T, of func(fyne.ThemeColorName) color.NRGBA) {
			if got := contrast(of(Tray), panel); got < seen {
				t.Errorf("on a %s panel it has a contrast of %.2f, want at least %.1f", name, got, float64(seen))
			}
		})
	}
}

// Whatever role is added to the table must get into one of the tests above, or
// be a background or a decoration.
func TestEveryRoleIsKnown(t *testing.T) {
	known := map[fyne.ThemeColorName]bool{Ground: true, Surface: true, Sidebar: true, Hover: true, Selected: true, Line: true}
	for _, role := range []fyne.ThemeColorName{Text, SecondText, Primary, TextOnPrimary, Upload, Waiting, Error, Done, InputBorder, Tray} {
		known[role] = true
	}
	for role := range table {
		if !known[role] {
			t.Errorf("no contrast of %s is computed", role)
		}
	}
}
