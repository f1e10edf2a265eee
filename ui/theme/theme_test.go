package theme

import (
	"image/color"
	"math"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	ftheme "fyne.io/fyne/v2/theme"

	"github.com/potluck-share/potluck/assets"
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

func TestContrastOnEveryBackground(t *testing.T) {
	backgrounds := []fyne.ThemeColorName{Ground, Surface, Sidebar, Hover, Selected}
	// The lowest that each role may have: 4.5 for text, 3 for what is not
	// read, such as a border.
	lowest := map[fyne.ThemeColorName]float64{
		Text: 10, SecondText: 4.5, Primary: 4.5, Upload: 4.5, Waiting: 4.5, Error: 4.5, Done: 4.5, InputBorder: 3,
	}
	for variant, name := range map[fyne.ThemeVariant]string{ftheme.VariantLight: "light", ftheme.VariantDark: "dark"} {
		for role, least := range lowest {
			for _, ground := range backgrounds {
				if got := contrast(table[role].of(variant), table[ground].of(variant)); got < least {
					t.Errorf("%s: %s on %s has a contrast of %.2f, want at least %.1f", name, role, ground, got, least)
				}
			}
		}
		if got := contrast(table[TextOnPrimary].of(variant), table[Primary].of(variant)); got < 4.5 {
			t.Errorf("%s: text on primary has a contrast of %.2f", name, got)
		}
	}
}

func TestContrastFormula(t *testing.T) {
	black, white := color.NRGBA{A: 255}, color.NRGBA{R: 255, G: 255, B: 255, A: 255}
	if got := contrast(black, white); math.Abs(got-21) > 0.01 {
		t.Errorf("black on white is %.2f, want 21", got)
	}
}

func TestEveryColourOfFyneIsAnswered(t *testing.T) {
	test.NewTempApp(t)
	for _, name := range []fyne.ThemeColorName{
		ftheme.ColorNameBackground, ftheme.ColorNameButton, ftheme.ColorNameDisabled, ftheme.ColorNameFocus,
		ftheme.ColorNameShadow, ftheme.ColorNameMenuBackground, ftheme.ColorNameScrollBar, Sidebar, Selected, Upload,
	} {
		light := Theme{}.Color(name, ftheme.VariantLight)
		dark := Theme{}.Color(name, ftheme.VariantDark)
		if light == nil || dark == nil || light == dark {
			t.Errorf("%s: light %v, dark %v", name, light, dark)
		}
	}
}

func TestIconsFollowTheTheme(t *testing.T) {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(Theme{})
	for _, name := range assets.Icons() {
		light := Icon(name, Primary)
		other := Icon(name, Error)
		if light.Name() == other.Name() || string(light.Content()) == string(other.Content()) {
			t.Errorf("%s looks the same in two colours", name)
		}
	}
}

func TestLinesGrowWithTheScale(t *testing.T) {
	drawing := []byte(`<svg stroke-width="1.75"><path stroke-width="2"/></svg>`)
	if got := string(thicken(drawing, 2)); got != `<svg stroke-width="3.5"><path stroke-width="4"/></svg>` {
		t.Errorf("at twice the scale: %s", got)
	}
	if got := string(thicken(drawing, 1)); got != string(drawing) {
		t.Errorf("at the usual scale: %s", got)
	}
	test.NewTempApp(t)
	if name := Icon("check", Primary).Name(); strings.Contains(name, "@") {
		t.Errorf("without a window it is called %s", name)
	}
}
