package desktop

import (
	"context"
	"errors"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// linkKey is what the system knows of links that begin with "potluck:".
const linkKey = `Software\Classes\potluck`

func register(_ context.Context, exe string, _ []byte) error {
	program := windows.EscapeArg(exe)
	return errors.Join(
		setValue(linkKey, "", "URL:Potluck"),
		setValue(linkKey, "URL Protocol", ""),
		setValue(linkKey+`\DefaultIcon`, "", program+",0"),
		setValue(linkKey+`\shell\open\command`, "", program+` "%1"`),
	)
}

func unregister(context.Context) error {
	for _, path := range []string{`\shell\open\command`, `\shell\open`, `\shell`, `\DefaultIcon`, ``} {
		err := registry.DeleteKey(registry.CURRENT_USER, linkKey+path)
		if err != nil && !errors.Is(err, registry.ErrNotExist) {
			return unwritten(err)
		}
	}
	return nil
}

func registered() bool {
	key, err := registry.OpenKey(registry.CURRENT_USER, linkKey+`\shell\open\command`, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	return key.Close() == nil
}
