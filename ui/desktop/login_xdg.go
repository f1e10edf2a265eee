//go:build !windows && !darwin

package desktop

import (
	"path/filepath"
	"slices"
)

func loginEntry() (string, error) {
	config, err := folder("XDG_CONFIG_HOME", ".config")
	return filepath.Join(config, "autostart", "potluck.desktop"), err
}

func startAtLogin(exe string, args []string) error {
	path, err := loginEntry()
	if err != nil {
		return err
	}
	lines := command(exe, args, "")
	lines["MimeType"] = "" // links are for the entry in the menu
	return writeEntry(path, entry(lines))
}

func doNotStartAtLogin() error {
	path, err := loginEntry()
	if err != nil {
		return err
	}
	_, err = removeEntry(path)
	return err
}

func startsAtLogin() bool {
	path, err := loginEntry()
	if err != nil {
		return false
	}
	lines, err := readEntry(path)
	off := slices.Contains(lines, "Hidden=true") || slices.Contains(lines, "X-GNOME-Autostart-enabled=false")
	return err == nil && lines != nil && !off
}
