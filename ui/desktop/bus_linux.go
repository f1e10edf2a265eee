package desktop

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/godbus/dbus/v5"
)

// answerTimeout is how long a service of the desktop may take to answer.
const answerTimeout = 5 * time.Second

// errNoBus means that there is no session bus to ask.
var errNoBus = errors.New("this session has no bus")

// sessionBus connects to the bus of this session until ctx ends. It starts
// none where there is none, as the module would, for nobody would end it.
func sessionBus(ctx context.Context) (*dbus.Conn, error) {
	address := os.Getenv("DBUS_SESSION_BUS_ADDRESS")
	if address == "" || address == "autolaunch:" {
		socket := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "bus")
		if _, err := os.Stat(socket); err != nil || !filepath.IsAbs(socket) {
			return nil, errNoBus
		}
		address = "unix:path=" + dbus.EscapeBusAddressValue(socket)
	}
	return dbus.Connect(address, dbus.WithContext(ctx))
}

// ask calls a method of a service that runs already, and starts none.
func ask(ctx context.Context, bus *dbus.Conn, service, path, method string, args ...any) *dbus.Call {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return bus.Object(service, dbus.ObjectPath(path)).CallWithContext(ctx, method, dbus.FlagNoAutoStart, args...)
}
