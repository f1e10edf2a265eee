package desktop

import (
	"os"
	"strconv"
	"strings"
)

// system returns what the distribution calls itself.
func system() string {
	for _, path := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		if b, err := os.ReadFile(path); err == nil { //nolint:gosec // one of the two above
			return release(string(b))
		}
	}
	return "Linux"
}

// release reads the name out of an os-release file.
func release(text string) string {
	for line := range strings.Lines(text) {
		name, found := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME=")
		if !found {
			continue
		}
		if plain, err := strconv.Unquote(name); err == nil {
			name = plain
		}
		name = strings.Trim(name, "'")
		if name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
			return name
		}
	}
	return "Linux"
}
