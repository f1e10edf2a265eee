package desktop

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

// trayWatcher is the service that knows the icons beside the clock.
const trayWatcher = "org.kde.StatusNotifierWatcher"

// Tray is the place for icons beside the clock, as a desktop has one.
type Tray struct {
	bus   *dbus.Conn
	icons chan string // the names on the bus of those who have brought an icon
}

// OpenTray makes the place for icons, until the test ends.
func (s *Screen) OpenTray(t testing.TB) *Tray {
	t.Helper()
	bus, err := dbus.Connect(s.bus)
	if err != nil {
		t.Fatalf("desktop: %v", err)
	}
	t.Cleanup(func() { _ = bus.Close() })
	tray := &Tray{bus: bus, icons: make(chan string, 16)}
	if err := bus.Export(register{tray}, "/StatusNotifierWatcher", trayWatcher); err != nil {
		t.Fatalf("desktop: %v", err)
	}
	if _, err := prop.Export(bus, "/StatusNotifierWatcher", prop.Map{trayWatcher: {
		"IsStatusNotifierHostRegistered": {Value: true, Emit: prop.EmitTrue},
	}}); err != nil {
		t.Fatalf("desktop: %v", err)
	}
	if _, err := bus.RequestName(trayWatcher, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatalf("desktop: %v", err)
	}
	return tray
}

// register is what programs call on the bus.
type register struct{ tray *Tray }

// RegisterStatusNotifierItem takes an icon.
func (r register) RegisterStatusNotifierItem(_ string, sender dbus.Sender) *dbus.Error {
	r.tray.icons <- string(sender)
	return nil
}

// Icon is what a program shows in the tray.
type Icon struct {
	bus  *dbus.Conn
	name string
}

// Icon waits until a program brings one.
func (t *Tray) Icon(ctx context.Context) (*Icon, error) {
	select {
	case name := <-t.icons:
		return &Icon{t.bus, name}, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("no icon came: %w", ctx.Err())
	}
}

// Click clicks the icon.
func (i *Icon) Click(ctx context.Context) error {
	return i.bus.Object(i.name, "/StatusNotifierItem").
		CallWithContext(ctx, "org.kde.StatusNotifierItem.Activate", 0, int32(0), int32(0)).Err
}

// Choose opens the icon's menu and chooses an item of it.
func (i *Icon) Choose(ctx context.Context, label string) error {
	path, err := i.bus.Object(i.name, "/StatusNotifierItem").GetProperty("org.kde.StatusNotifierItem.Menu")
	if err != nil {
		return err
	}
	at, _ := path.Value().(dbus.ObjectPath)
	menu := i.bus.Object(i.name, at)
	var revision uint32
	var root struct {
		ID       int32
		Values   map[string]dbus.Variant
		Children []dbus.Variant
	}
	err = menu.CallWithContext(ctx, "com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root)
	if err != nil {
		return err
	}
	// Nobody chooses faster; and the toolkit tells of its menu once more a moment
	// after it was first read, of which it complains if it was closed meanwhile.
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
	}
	for _, child := range root.Children {
		item := root
		if parts, ok := child.Value().([]any); !ok || dbus.Store(parts, &item.ID, &item.Values, &item.Children) != nil {
			return fmt.Errorf("the menu holds %v", child)
		}
		if item.Values["label"].Value() == label {
			return menu.CallWithContext(ctx, "com.canonical.dbusmenu.Event", 0, item.ID, "clicked", dbus.MakeVariant(0), uint32(0)).Err
		}
	}
	return fmt.Errorf("the menu of the icon has no %q", label)
}
