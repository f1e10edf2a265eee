//go:build !windows && !darwin

package desktop

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/assets"
)

// ours is the line by which an entry is known that this program wrote.
const ours = "X-Potluck-Own=true"

// entry returns the text of the program's entry with other lines in place of
// those of the same key, and without those keys that are left empty.
func entry(lines map[string]string) string {
	var b strings.Builder
	for line := range strings.Lines(assets.DesktopEntry) {
		key, _, _ := strings.Cut(line, "=")
		value, other := lines[key]
		switch {
		case !other:
			b.WriteString(line)
		case value != "":
			b.WriteString(key + "=" + value + "\n")
		}
		if key == "Exec" {
			// A desktop passes over an entry whose program is gone.
			b.WriteString("TryExec=" + lines["TryExec"] + "\n")
		}
	}
	b.WriteString(ours + "\n")
	return b.String()
}

// command returns the values of Exec and TryExec that run a program with
// arguments and end in the code, which stands for what is opened.
func command(exe string, args []string, code string) map[string]string {
	all := append([]string{exe}, args...)
	if strings.ContainsAny(exe, "%=") {
		// The specification forbids the one in a program's path, and readers of
		// it do not find a program with the other; a shell does.
		all = append([]string{"/bin/sh", "-c", `exec "$0" "$@"`}, all...)
	}
	words := make([]string, len(all))
	for i, word := range all {
		words[i] = execWord(word)
	}
	if code != "" {
		words = append(words, code)
	}
	return map[string]string{"Exec": entryString(strings.Join(words, " ")), "TryExec": entryString(exe)}
}

// plain are the characters beside letters and digits that a word of a command
// may hold without quotes.
const plain = "/._-+,:@"

// execWord quotes one word of a command as the Desktop Entry Specification
// wants it.
func execWord(word string) string {
	special := func(r rune) bool {
		return !strings.ContainsRune(plain, r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	if word != "" && !strings.ContainsFunc(word, special) {
		return word
	}
	return `"` + strings.NewReplacer(`"`, `\"`, "`", "\\`", `$`, `\$`, `\`, `\\`, `%`, `%%`).Replace(word) + `"`
}

// entryString escapes what a value may not hold.
func entryString(value string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(value)
}

// readEntry returns the lines of an entry of ours; none is no error, one of
// somebody else is errForeign.
func readEntry(path string) ([]string, error) {
	b, err := os.ReadFile(path) //nolint:gosec // in the user's own folders
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", domain.Fault(domain.ErrUnreadable, "cannot read %s", path), err)
	}
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	if !slices.Contains(lines, ours) {
		return nil, fmt.Errorf("%w: %w", domain.Fault(nil, "%s is not Potluck's own; move it away, and try again", path), errForeign)
	}
	return lines, nil
}

// errForeign means that somebody else's file has the name of ours.
var errForeign = errors.New("somebody else's file")

// writeEntry puts an entry in the place of ours, if there is one.
func writeEntry(path, text string) error {
	if _, err := readEntry(path); err != nil {
		return err
	}
	return writeFile(path, []byte(text))
}

// removeEntry removes an entry of ours, if there is one, and leaves any other
// alone.
func removeEntry(path string) (removed bool, err error) {
	lines, err := readEntry(path)
	if errors.Is(err, errForeign) || err == nil && lines == nil {
		return false, nil
	}
	if err == nil {
		err = os.Remove(path)
	}
	return err == nil, err
}

// folder returns one of the user's folders: what the variable says, or its
// usual place below the home folder.
func folder(variable string, usual ...string) (string, error) {
	if dir := os.Getenv(variable); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%w: %w", domain.Fault(nil, "nobody says where the home folder is; set HOME"), err)
	}
	return filepath.Join(append([]string{home}, usual...)...), nil
}
