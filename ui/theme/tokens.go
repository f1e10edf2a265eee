// Package theme holds the tokens of Potluck's look, colours, spaces, sizes and
// icons, and the Fyne theme made of them.
//
// Tokens are constants and may be read anywhere. Colors and icons ask the
// running app for its light or dark variant and belong to the UI thread.
package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	ftheme "fyne.io/fyne/v2/theme"
)

// The spaces between and inside things. Pages keep a margin of Space16.
const (
	Space4  float32 = 4
	Space8  float32 = 8
	Space12 float32 = 12
	Space16 float32 = 16
	Space24 float32 = 24
	Space32 float32 = 32
)

// The sizes of text. Section and Heading are bold.
const (
	TextCaption float32 = 12
	TextBody    float32 = 14
	TextSection float32 = 16
	TextHeading float32 = 20
)

// The corner radii.
const (
	RadiusRow    float32 = 6
	RadiusButton float32 = 8
	RadiusSheet  float32 = 12
)

// The heights and widths that pages share.
const (
	SidebarWidth   float32 = 196
	HeadingHeight  float32 = 56
	ControlHeight  float32 = 36
	IconSize       float32 = 20
	ProgressHeight float32 = 4
	SelectionBar   float32 = 3
	FocusRing      float32 = 2
	MinWidth       float32 = 900
	MinHeight      float32 = 600
)

// The roles of colour.
const (
	Ground        = ftheme.ColorNameBackground
	Surface       = ftheme.ColorNameInputBackground
	Sidebar       = fyne.ThemeColorName("sidebar")
	Hover         = ftheme.ColorNameHover
	Selected      = fyne.ThemeColorName("selected")
	Text          = ftheme.ColorNameForeground
	SecondText    = ftheme.ColorNamePlaceHolder
	Primary       = ftheme.ColorNamePrimary
	TextOnPrimary = ftheme.ColorNameForegroundOnPrimary
	Upload        = fyne.ThemeColorName("upload")
	Waiting       = ftheme.ColorNameWarning
	Error         = ftheme.ColorNameError
	Done          = ftheme.ColorNameSuccess
	InputBorder   = ftheme.ColorNameInputBorder
	SheetShadow   = fyne.ThemeColorName("sheetShadow") // Fyne's own is fainter: its scrollers show it too
	Line          = ftheme.ColorNameSeparator
	Tray          = fyne.ThemeColorName("tray") // of the icon on a panel, which may be light or dark whatever the window is
)

// pair is one role's colour in light and in dark.
type pair struct{ light, dark uint32 }

// table is every colour of the window. A test computes the contrasts.
var table = map[fyne.ThemeColorName]pair{
	Ground:        {0xFAF8F4, 0x1B1A18},
	Surface:       {0xFFFFFF, 0x242320},
	Sidebar:       {0xF1EEE7, 0x161513},
	Hover:         {0xECE8DF, 0x2E2C28},
	Selected:      {0xD5EBE4, 0x1A3E37},
	Text:          {0x23211D, 0xF4F1EA},
	SecondText:    {0x5F5A50, 0xB5AFA2},
	Primary:       {0x0B6B5D, 0x5CC9B4},
	TextOnPrimary: {0xFFFFFF, 0x06251F},
	Upload:        {0x9A4A12, 0xF0A36B},
	Waiting:       {0x8A5300, 0xF0B350},
	Error:         {0xB3261E, 0xFF9088},
	Done:          {0x2B6E1F, 0x8CCF7E},
	InputBorder:   {0x827C70, 0x8A8478},
	Line:          {0xE0DBD0, 0x37342F},
	Tray:          {0x807A6F, 0x807A6F},
}

// alias gives the colours that Fyne's own widgets ask for a role of ours.
var alias = map[fyne.ThemeColorName]fyne.ThemeColorName{
	ftheme.ColorNameButton:              Hover,
	ftheme.ColorNameDisabledButton:      Hover,
	ftheme.ColorNameDisabled:            SecondText,
	ftheme.ColorNameHyperlink:           Primary,
	ftheme.ColorNameHeaderBackground:    Sidebar,
	ftheme.ColorNameMenuBackground:      Hover,
	ftheme.ColorNameOverlayBackground:   Surface,
	ftheme.ColorNamePressed:             Selected,
	ftheme.ColorNameSelection:           Selected,
	ftheme.ColorNameScrollBar:           InputBorder,
	ftheme.ColorNameForegroundOnError:   TextOnPrimary,
	ftheme.ColorNameForegroundOnSuccess: TextOnPrimary,
	ftheme.ColorNameForegroundOnWarning: TextOnPrimary,
}

func (p pair) of(variant fyne.ThemeVariant) color.NRGBA {
	v := p.dark
	if variant == ftheme.VariantLight {
		v = p.light
	}
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xFF}
}
