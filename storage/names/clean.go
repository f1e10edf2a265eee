package names

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// maxDepth is how deep a cleaned path may be.
	maxDepth = 128
	// maxPart is the longest name that all desktop systems take, in bytes.
	maxPart = 255
	// maxExtension is the longest ending that counts as an extension, in bytes
	// and with its dot.
	maxExtension = 24
	// ownPrefix begins the names of Potluck's own part files.
	ownPrefix = ".potluck-"
)

// Clean makes a peer's slash-separated relative path safe to write on Linux,
// macOS and Windows: what one of them cannot have in a name becomes '_', names
// that are reserved or look like Potluck's own get a '_' in front, over-long
// ones are cut before their extension. The result is slash-separated, in
// Unicode's form C, never empty, and a valid path in the sense of io/fs.
// Cleaning it again changes nothing.
//
// Two paths may come out the same, and more may collide on disk (see Fold);
// whoever writes must claim names exclusively. The error is
// domain.ErrMalformed for a path that leads upwards or nowhere, and
// domain.ErrTooLarge for one that is too long or too deep.
func Clean(path string) (string, error) {
	if len(path) > domain.MaxPath {
		return "", fmt.Errorf("a path of %d bytes, the most is %d: %w", len(path), domain.MaxPath, domain.ErrTooLarge)
	}
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		switch part {
		case "", ".":
			continue
		case "..":
			return "", fmt.Errorf("the path %q leads out of its folder: %w", path, domain.ErrMalformed)
		}
		if len(parts) == maxDepth {
			return "", fmt.Errorf("a path over %d folders deep: %w", maxDepth, domain.ErrTooLarge)
		}
		parts = append(parts, cleanPart(part))
	}
	if len(parts) == 0 {
		return "", fmt.Errorf("the path %q names nothing: %w", path, domain.ErrMalformed)
	}
	return strings.Join(parts, "/"), nil
}

// cleanPart makes one name safe. It never returns an empty name, "." or "..".
func cleanPart(part string) string {
	if plain(part) {
		return part // as most are
	}
	return scrub(part)
}

// scrub is cleanPart for names that are not plain.
func scrub(part string) string {
	part = compose(strings.Map(cleanRune, compose(part)))
	part = shorten(strings.TrimRight(part, ". "), "")
	switch {
	case part == "":
		return "_"
	case reserved(part), own(part):
		return shorten("_"+part, "")
	}
	return part
}

// plain reports whether a name is so plain that there is nothing to clean, by a
// look at its bytes. It may say no to one that is.
func plain(name string) bool {
	if name == "" || len(name) > maxPart || name[0] == '.' || strings.HasSuffix(name, ".") || reserved(name) {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// compose returns s in Unicode's form C, with '_' for what is not UTF-8.
func compose(s string) string { return norm.NFC.String(strings.ToValidUTF8(s, "_")) }

// cleanRune replaces what some system cannot have in a name, or what makes a
// file manager show the name as another one.
func cleanRune(r rune) rune {
	switch {
	case strings.ContainsRune(`<>:"/\|?*`, r), unicode.IsControl(r), direction(r), r == '\u2028', r == '\u2029':
		return '_'
	}
	return r
}

// direction reports whether r overrides the direction of the text that follows.
func direction(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// reserved reports whether name means a device on Windows, where neither an
// extension nor spaces before it make a difference.
func reserved(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	for _, port := range []string{"COM", "LPT"} {
		number, is := strings.CutPrefix(stem, port)
		if is && utf8.RuneCountInString(number) == 1 && strings.Contains("0123456789¹²³", number) {
			return true
		}
	}
	return false
}

// own reports whether a file system may take name for one of Potluck's part
// files. Some ignore case, some ignore invisible characters.
func own(name string) bool { return strings.HasPrefix(Fold(name), ownPrefix) }

// shorten returns name with tag put before its extension, cut before them to
// fit into maxPart bytes. The tag is ASCII.
func shorten(name, tag string) string {
	stem, ext := splitExtension(name)
	if room := maxPart - len(tag) - len(ext); len(stem) > room {
		for room > 0 && !utf8.RuneStart(stem[room]) {
			room--
		}
		stem = strings.TrimRight(stem[:room], ". ")
	}
	return stem + tag + ext
}

// splitExtension splits off the last extension with its dot, if it looks like
// one. A leading dot begins a hidden file, not an extension.
func splitExtension(name string) (stem, ext string) {
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 || dot == len(name)-1 || len(name)-dot > maxExtension || strings.ContainsRune(name[dot:], ' ') {
		return name, ""
	}
	return name[:dot], name[dot:]
}

// Numbered returns name, or the last part of a path, with a number for telling
// it from others of the same name: "a.txt" and 2 give "a (2).txt". Only the
// last extension stays at the end. An over-long name is cut.
func Numbered(name string, n int) string {
	at := strings.LastIndexByte(name, '/') + 1
	return name[:at] + shorten(name[at:], fmt.Sprintf(" (%d)", n))
}
