// Package assets holds the bytes that the program carries with it: the icons,
// the translations, and the entry for the menu of a Linux desktop. They are
// read-only; any goroutine may ask for them.
package assets

import (
	"embed"
	"strings"
)

//go:embed icons/*.svg
var icons embed.FS

// Wordmark is the program's name, drawn in currentColor, 128 units wide and 36
// high.
//
//go:embed wordmark.svg
var Wordmark []byte

// Translations holds a folder lang with files named ROOM.LANGUAGE.json. Each
// leads from the English form of a text to that in its language; those of
// English hold only the forms that depend on a number.
//
//go:embed lang/*.json
var Translations embed.FS

// AppIcon is the program's own icon, a PNG of 512 × 512.
//
//go:embed icon.png
var AppIcon []byte

// AppDrawing is the same icon as an SVG.
//
//go:embed icon.svg
var AppDrawing []byte

// SmallDrawing is the icon for where it is shown smaller than 32 pixels: the
// pot alone.
//
//go:embed icon-small.svg
var SmallDrawing []byte

// DesktopEntry is the entry for the menu, whose line Exec names the program
// without a folder. Its own file name is the program's ID with ".desktop".
//
//go:embed io.github.potluck-share.potluck.desktop
var DesktopEntry string

// Icon returns the SVG of the named icon, 20 units square and drawn in
// currentColor, or nil if there is none of that name.
func Icon(name string) []byte {
	data, err := icons.ReadFile("icons/" + name + ".svg")
	if err != nil {
		return nil
	}
	return data
}

// Icons returns the names of all icons.
func Icons() []string {
	entries, err := icons.ReadDir("icons")
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".svg"))
	}
	return names
}
