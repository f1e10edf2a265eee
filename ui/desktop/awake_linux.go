package desktop

import (
	"context"
	"os"

	"github.com/godbus/dbus/v5"
)

// program is the name by which the desktop knows us.
const program = "io.github.potluck-share.potluck"

// keepAwake asks the first service that is there: the session manager of
// GNOME, Cinnamon, MATE and Budgie, the power manager of KDE, Xfce and LXQt,
// else the login manager. All forget what was asked when the connection ends,
// also with a crash.
func keepAwake(reason string) (release func()) {
	ctx, end := context.WithCancel(context.Background())
	if bus, err := sessionBus(ctx); err == nil {
		if bySession(ctx, bus, reason) || byPower(ctx, bus, reason) {
			return func() { closeBus(bus); end() }
		}
		closeBus(bus)
	}
	end()
	return byLogin(reason)
}

// bySession asks a session manager not to suspend; 4 is its flag for that.
func bySession(ctx context.Context, bus *dbus.Conn, reason string) bool {
	return ask(ctx, bus, "org.gnome.SessionManager", "/org/gnome/SessionManager", "org.gnome.SessionManager.Inhibit",
		program, uint32(0), reason, uint32(4)).Err == nil
}

func byPower(ctx context.Context, bus *dbus.Conn, reason string) bool {
	return ask(ctx, bus, "org.freedesktop.PowerManagement", "/org/freedesktop/PowerManagement/Inhibit",
		"org.freedesktop.PowerManagement.Inhibit.Inhibit", program, reason).Err == nil
}

// byLogin asks the login manager, which holds until a descriptor is closed.
// "sleep" would also stand in the way of who closes the lid or asks for it.
func byLogin(reason string) (release func()) {
	nothing := func() {}
	ctx, end := context.WithCancel(context.Background())
	defer end()
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return nothing
	}
	defer closeBus(bus)
	var held dbus.UnixFD
	err = ask(ctx, bus, "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager.Inhibit",
		"idle", "Potluck", reason, "block").Store(&held)
	if err != nil || held < 0 {
		return nothing
	}
	lock := os.NewFile(uintptr(held), "inhibitor")
	return func() { _ = lock.Close() } // nothing is written to it
}

// closeBus closes a connection that everything has been said on.
func closeBus(bus *dbus.Conn) { _ = bus.Close() }
