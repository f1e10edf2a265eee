package desktop

import (
	"context"

	"github.com/godbus/dbus/v5"
)

// trayWatcher is the service that knows the icons and who shows them.
const trayWatcher = "org.kde.StatusNotifierWatcher"

func watchTray(ctx context.Context, changed func(bool)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	bus, err := sessionBus(ctx)
	if err != nil {
		changed(false)
		return
	}
	defer closeBus(bus)
	signals := make(chan *dbus.Signal, 16)
	bus.Signal(signals)
	for _, options := range [][]dbus.MatchOption{
		{dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, trayWatcher)},
		{dbus.WithMatchInterface(trayWatcher), dbus.WithMatchMember("StatusNotifierHostRegistered")},
		{dbus.WithMatchInterface(trayWatcher), dbus.WithMatchMember("StatusNotifierHostUnregistered")},
	} {
		if err := bus.AddMatchSignalContext(ctx, options...); err != nil {
			changed(false)
			return
		}
	}
	there := trayShown(ctx, bus)
	changed(there)
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-signals:
			if !ok {
				return // the bus has ended, and the session with it
			}
		}
		if now := trayShown(ctx, bus); now != there && ctx.Err() == nil {
			there = now
			changed(there)
		}
	}
}

// trayShown asks whether somebody shows the icons.
func trayShown(ctx context.Context, bus *dbus.Conn) bool {
	var shown dbus.Variant
	err := ask(ctx, bus, trayWatcher, "/StatusNotifierWatcher", "org.freedesktop.DBus.Properties.Get",
		trayWatcher, "IsStatusNotifierHostRegistered").Store(&shown)
	is, ok := shown.Value().(bool)
	return err == nil && ok && is
}
