//go:build !windows && !darwin

package desktop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// The program's entry and icon have its ID as their name.
const (
	entryName = "io.github.potluck-share.potluck.desktop"
	iconName  = "io.github.potluck-share.potluck.svg"
)

// toolTimeout is how long a tool of the desktop may take.
const toolTimeout = 20 * time.Second

// menuPlaces returns where this user's entry and icon lie.
func menuPlaces() (entry, icon string, err error) {
	data, err := folder("XDG_DATA_HOME", ".local", "share")
	return filepath.Join(data, "applications", entryName), filepath.Join(data, "icons", "hicolor", "scalable", "apps", iconName), err
}

func register(ctx context.Context, exe string, icon []byte) error {
	entryPath, iconPath, err := menuPlaces()
	if err != nil {
		return err
	}
	if err := writeEntry(entryPath, entry(command(exe, nil, "%u"))); err != nil {
		return err
	}
	if err := writeFile(iconPath, icon); err != nil {
		return err
	}
	return errors.Join(
		tool(ctx, "update-desktop-database", "-q", filepath.Dir(entryPath)),
		tool(ctx, "xdg-mime", "default", entryName, "x-scheme-handler/potluck"),
	)
}

func unregister(ctx context.Context) error {
	entryPath, iconPath, err := menuPlaces()
	if err != nil {
		return err
	}
	removed, err := removeEntry(entryPath)
	if err != nil || !removed {
		return err
	}
	if err := os.Remove(iconPath); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return tool(ctx, "update-desktop-database", "-q", filepath.Dir(entryPath))
}

func registered() bool {
	own, _, err := menuPlaces()
	if err != nil {
		return false
	}
	if lines, err := readEntry(own); err == nil && lines != nil {
		return true
	}
	shared := os.Getenv("XDG_DATA_DIRS")
	if shared == "" {
		shared = "/usr/local/share:/usr/share"
	}
	for _, dir := range filepath.SplitList(shared) {
		if _, err := os.Stat(filepath.Join(dir, "applications", entryName)); err == nil {
			return true
		}
	}
	return false
}

// tool runs a tool of the desktop where there is one; without it the desktop
// finds out by itself, or not at all.
func tool(ctx context.Context, name string, args ...string) error {
	if _, err := exec.LookPath(name); err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, toolTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %w: %s", domain.Fault(nil, "links may not open Potluck, for %s does not work", name), err, bytes.TrimSpace(out))
	}
	return nil
}
