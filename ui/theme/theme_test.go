package theme

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	ftheme "fyne.io/fyne/v2/theme"

	"github.com/potluck-share/potluck/assets"
)

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
