package desktop

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/potluck-share/potluck/app/domain"
)

// What the system runs when this user logs in, by name.
const (
	runKey  = `Software\Microsoft\Windows\CurrentVersion\Run`
	runName = "Potluck"
)

func startAtLogin(exe string, args []string) error {
	return setValue(runKey, runName, windows.ComposeCommandLine(append([]string{exe}, args...)))
}

func doNotStartAtLogin() error {
	key, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.SET_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unwritten(err)
	}
	defer func() { _ = key.Close() }() // nothing is kept back
	if err := key.DeleteValue(runName); err != nil && !errors.Is(err, registry.ErrNotExist) {
		return unwritten(err)
	}
	return nil
}

func startsAtLogin() bool {
	key, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	defer func() { _ = key.Close() }() // only read
	_, _, err = key.GetStringValue(runName)
	return err == nil
}

// setValue writes a text into the user's part of the registry; the name ""
// stands for the key's own value.
func setValue(path, name, text string) error {
	key, _, err := registry.CreateKey(registry.CURRENT_USER, path, registry.SET_VALUE)
	if err != nil {
		return unwritten(err)
	}
	defer func() { _ = key.Close() }() // nothing is kept back
	if err := key.SetStringValue(name, text); err != nil {
		return unwritten(err)
	}
	return nil
}

func unwritten(err error) error {
	return fmt.Errorf("%w: %w", domain.Fault(domain.ErrUnwritable, "Windows does not let Potluck change its entries in the registry"), err)
}
