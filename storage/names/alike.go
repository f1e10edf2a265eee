package names

import "golang.org/x/text/unicode/norm"

// Alike returns the key under which two nicknames are one for a reader: it
// ignores case, how letters are composed, compatible forms such as full-width
// letters, spaces at the ends and doubled, and all that Nickname takes out. It
// is "" for a name without anything to read, and for comparing only.
func Alike(name string) string {
	return Fold(Nickname(norm.NFKC.String(Nickname(name))))
}
