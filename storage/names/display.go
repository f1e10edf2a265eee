package names

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	maxDisplay  = 255 // runes
	keptEnd     = 64  // runes at the end of a name that was cut for display
	maxNickname = 40  // runes
	maxMarks    = 6   // accents on one letter
)

// Display makes a name, or any other short text from a peer, safe to show: no
// control characters or escape sequences, nothing invisible, nothing that
// turns the direction of the text, no towers of accents, in one line. A text
// over 255 characters loses its middle, so that an extension stays in sight.
// It is for showing only, not for finding the file again.
func Display(name string) string {
	if runes := []rune(visible(name)); len(runes) > maxDisplay {
		name = string(runes[:maxDisplay-keptEnd-1]) + "…" + string(runes[len(runes)-keptEnd:])
		return visible(name) // what met at the cut may compose
	}
	return visible(name)
}

func visible(name string) string {
	marks := 0
	name = strings.Map(func(r rune) rune {
		r = DisplayRune(r)
		switch {
		case r < 0:
		case unicode.Is(unicode.M, r):
			if marks++; marks > maxMarks {
				return -1
			}
		default:
			marks = 0
		}
		return r
	}, norm.NFC.String(strings.ToValidUTF8(name, "\ufffd")))
	return norm.NFC.String(name)
}

// DisplayRune returns what to show for a character of a text from a peer: a
// space for what is blank, U+FFFD for what controls, -1 for nothing where
// something is invisible or turns the direction. It knows one character only;
// towers of accents are for Display.
func DisplayRune(r rune) rune {
	switch {
	case unicode.IsSpace(r), r == '\u2800': // the blank Braille pattern
		return ' '
	case unicode.IsControl(r):
		return '\ufffd'
	case unicode.Is(unicode.Cf, r), invisible(r):
		return -1
	case !unicode.IsGraphic(r):
		return '\ufffd'
	}
	return r
}

// invisible reports whether r is a letter or mark that shows as nothing.
func invisible(r rune) bool {
	switch r {
	case '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u3164', '\uffa0':
		return true
	}
	return r >= '\u180b' && r <= '\u180f' || r >= 0xe0000 && r <= 0xe0fff
}

// Nickname makes what a peer calls itself fit to be shown and typed: as
// Display, without ':' and '/', which have a meaning beside a nickname, without
// spaces at the ends or doubled, and at most 40 characters. It is "" if nothing
// to read is left.
func Nickname(name string) string {
	name = strings.Map(func(r rune) rune {
		switch r {
		case ':', '/':
			return ' '
		case '\ufffd':
			return -1
		}
		return r
	}, Display(name))
	// What stood apart may meet now, so it is made visible once more.
	name = strings.Join(strings.Fields(visible(name)), " ")
	if runes := []rune(name); len(runes) > maxNickname {
		name = strings.TrimRight(string(runes[:maxNickname]), " ")
	}
	if !strings.ContainsFunc(name, func(r rune) bool { return r != ' ' && !unicode.Is(unicode.M, r) }) {
		return ""
	}
	return name
}
