package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	ftheme "fyne.io/fyne/v2/theme"
)

// Mode says which variant of the look is shown.
type Mode string

// The modes. Any other one follows the desktop, as System does.
const (
	System Mode = "system"
	Light  Mode = "light"
	Dark   Mode = "dark"
)

// Theme is Potluck's look for Fyne. Its zero value is ready, and light or dark
// as the desktop is.
type Theme struct{ Mode Mode }

var _ fyne.Theme = Theme{}

// Color returns the colour of a role in the theme's mode, or else in variant.
func (t Theme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	switch t.Mode {
	case Light:
		variant = ftheme.VariantLight
	case Dark:
		variant = ftheme.VariantDark
	}
	if name == ftheme.ColorNameFocus {
		// Fyne blends it over what has the focus, such as a line of a menu,
		// whose text must still be read.
		c := table[Primary].of(variant)
		c.A = 0x78
		if variant == ftheme.VariantLight {
			c.A = 0xA8
		}
		return c
	}
	if name == ftheme.ColorNameShadow || name == SheetShadow {
		c := color.NRGBA{R: 0x23, G: 0x21, B: 0x1D, A: 0x24}
		if variant == ftheme.VariantDark {
			c = color.NRGBA{A: 0x5C}
		}
		if name == SheetShadow {
			c.A *= 2
		}
		return c
	}
	if name == ftheme.ColorNameScrollBarBackground {
		return color.Transparent
	}
	if to, ok := alias[name]; ok {
		name = to
	}
	if p, ok := table[name]; ok {
		return p.of(variant)
	}
	return ftheme.DefaultTheme().Color(name, variant)
}

// Font returns Fyne's regular or bold face. There is no italic and no
// monospace: each style parses every face anew, which costs megabytes.
func (Theme) Font(style fyne.TextStyle) fyne.Resource {
	if style.Symbol {
		return ftheme.DefaultTheme().Font(fyne.TextStyle{Symbol: true})
	}
	return ftheme.DefaultTheme().Font(fyne.TextStyle{Bold: style.Bold})
}

// Icon returns Fyne's own icons, for Fyne's own widgets.
func (Theme) Icon(name fyne.ThemeIconName) fyne.Resource {
	return ftheme.DefaultTheme().Icon(name)
}

// Size returns the size of a role in Fyne units.
func (Theme) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case ftheme.SizeNameText:
		return TextBody
	case ftheme.SizeNameCaptionText:
		return TextCaption
	case ftheme.SizeNameSubHeadingText:
		return TextSection
	case ftheme.SizeNameHeadingText:
		return TextHeading
	case ftheme.SizeNamePadding:
		return Space4
	case ftheme.SizeNameInnerPadding:
		return Space8
	case ftheme.SizeNameInlineIcon:
		return IconSize
	case ftheme.SizeNameInputRadius, ftheme.SizeNameButtonRadius, ftheme.SizeNameMenuRadius, ftheme.SizeNamePopupRadius:
		return RadiusButton
	case ftheme.SizeNameSelectionRadius:
		return RadiusRow
	case ftheme.SizeNameDialogRadius, ftheme.SizeNameCardRadius:
		return RadiusSheet
	case ftheme.SizeNameModalBlurRadius:
		return 0
	case ftheme.SizeNameScrollBar:
		return 10
	}
	return ftheme.DefaultTheme().Size(name)
}

// Color returns the colour of a role as the running app shows it.
func Color(name fyne.ThemeColorName) color.Color {
	settings := fyne.CurrentApp().Settings()
	t, _ := settings.Theme().(Theme)
	return t.Color(name, settings.ThemeVariant())
}
