package desktop

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
)

// label names our agent among those of the user.
const label = "io.github.potluck-share.potluck"

func agent() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%w: %w", domain.Fault(nil, "nobody says where the home folder is; set HOME"), err)
	}
	return filepath.Join(home, "Library", "LaunchAgents", label+".plist"), nil
}

func startAtLogin(exe string, args []string) error {
	path, err := agent()
	if err != nil {
		return err
	}
	var words strings.Builder
	for _, word := range append([]string{exe}, args...) {
		words.WriteString("<string>")
		if err := xml.EscapeText(&words, []byte(word)); err != nil {
			return err
		}
		words.WriteString("</string>")
	}
	return writeFile(path, []byte(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>Label</key><string>`+label+`</string>
<key>ProgramArguments</key><array>`+words.String()+`</array>
<key>RunAtLoad</key><true/>
<key>LimitLoadToSessionType</key><string>Aqua</string>
</dict></plist>
`))
}

func doNotStartAtLogin() error {
	path, err := agent()
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func startsAtLogin() bool {
	path, err := agent()
	if err != nil {
		return false
	}
	_, err = os.Stat(path)
	return err == nil
}
