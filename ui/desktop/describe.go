package desktop

import (
	"os"
	"runtime"
	"strings"
)

// describeMost is how long a description may be, in bytes.
const describeMost = 200

// Describe says in a short line what Potluck runs on, for a report: the
// system and its version, the processor, and on Linux the desktop and the kind
// of its session. It names no user, computer or folder.
func Describe() string {
	parts := []string{system(), runtime.GOARCH}
	// Of these only letters, digits and a few marks are taken over, for anyone
	// may have put anything there.
	for _, variable := range []string{"XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE"} {
		value := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" .:_-", r) {
				return r
			}
			return -1
		}, os.Getenv(variable))
		if value = strings.TrimSpace(value); value != "" {
			parts = append(parts, value)
		}
	}
	line := strings.Join(parts, ", ")
	return line[:min(len(line), describeMost)]
}
