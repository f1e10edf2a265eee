package names

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/potluck-share/potluck/app/domain"
)

// Shareable reports why a file of that name cannot be offered to others: the
// name is not valid UTF-8, or is no single name. The error is
// domain.ErrNotShareable.
func Shareable(name string) error {
	switch {
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: %w", domain.Fault(nil, "the name %s is not valid UTF-8, rename it", strconv.Quote(name)), domain.ErrNotShareable)
	case name == "", name == ".", name == "..", strings.ContainsAny(name, "/\x00"):
		return fmt.Errorf("%w: %w", domain.Fault(nil, "\"%s\" is not the name of a file", name), domain.ErrNotShareable)
	}
	return nil
}

// What a file manager or an office program leaves lying about.
var ignoredNames = []string{".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini"}

// How browsers and download programs name what they have not finished.
var ignoredEndings = []string{
	".part", ".partial", ".filepart", ".crdownload", ".download", ".opdownload",
	".!qb", ".!ut", ".!bt", ".bc!", ".aria2",
}

// Ignored reports whether a file or folder of that name is left out of a
// shared folder: clutter of the desktop, lock files, unfinished downloads,
// Potluck's own among them.
func Ignored(name string) bool {
	if strings.HasPrefix(name, "~$") || own(name) {
		return true
	}
	name = strings.ToLower(name)
	for _, ignored := range ignoredNames {
		if name == ignored {
			return true
		}
	}
	for _, ending := range ignoredEndings {
		if strings.HasSuffix(name, ending) && len(name) > len(ending) {
			return true
		}
	}
	return false
}
