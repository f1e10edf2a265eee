package names

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// expanded holds the letters that some file systems take for two or three
// others; the single ones are folded by unicode.SimpleFold.
var expanded = strings.NewReplacer(
	"ß", "ss",
	"ﬀ", "ff", "ﬁ", "fi", "ﬂ", "fl", "ﬃ", "ffi", "ﬄ", "ffl", "ﬅ", "st", "ﬆ", "st",
)

// Fold returns the key under which two paths may name the same file on some
// desktop system: it ignores case, Unicode's forms, invisible characters, and
// the dots and spaces at the end of a name. It may call names the same that a
// given system keeps apart, and is for comparing only.
func Fold(path string) string {
	path = strings.Map(foldRune, norm.NFD.String(strings.ToValidUTF8(path, "_")))
	path = norm.NFD.String(expanded.Replace(path))
	if !strings.ContainsAny(path, ". ") {
		return path
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = strings.TrimRight(part, ". ")
	}
	return strings.Join(parts, "/")
}

// foldRune returns the same rune for all that differ in case only, and drops
// those that HFS+ does not look at.
func foldRune(r rune) rune {
	switch {
	case r >= 'A' && r <= 'Z':
		return r + 'a' - 'A'
	case r < 0x80:
		return r
	case r >= '\u200c' && r <= '\u200f', direction(r), r >= '\u206a' && r <= '\u206f', r == '\ufeff':
		return -1
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if least == '\u0345' { // a mark that counts as a case of iota
		return 'ι'
	}
	return unicode.ToLower(least)
}
