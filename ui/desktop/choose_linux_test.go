package desktop_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"github.com/potluck-share/potluck/ui/desktop"
)

// chooser stands in for the desktop's portal.
type chooser struct {
	bus *dbus.Conn

	mu      sync.Mutex // guards what was asked
	parent  string
	title   string
	options map[string]dbus.Variant
	answer  []any // of the signal; nil: the user takes his time
	asking  chan struct{}
}

// OpenFile is called over the bus.
func (c *chooser) OpenFile(sender dbus.Sender, parent, title string, options map[string]dbus.Variant) (dbus.ObjectPath, *dbus.Error) {
	c.mu.Lock()
	c.parent, c.title, c.options = parent, title, options
	c.mu.Unlock()
	close(c.asking)
	token, _ := options["handle_token"].Value().(string)
	name := strings.ReplaceAll(strings.TrimPrefix(string(sender), ":"), ".", "_")
	request := dbus.ObjectPath("/org/freedesktop/portal/desktop/request/" + name + "/" + token)
	if c.answer != nil { // at once, before the call has returned
		if err := c.bus.Emit(request, "org.freedesktop.portal.Request.Response", c.answer...); err != nil {
			return "", dbus.MakeFailedError(err)
		}
	}
	return request, nil
}

func newChooser(t *testing.T, answer []any) *chooser {
	t.Helper()
	address := startBus(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
	c := &chooser{answer: answer, asking: make(chan struct{})}
	const path = "/org/freedesktop/portal/desktop"
	c.bus = serve(t, address, "org.freedesktop.portal.Desktop", path, "org.freedesktop.portal.FileChooser", c)
	_, err := prop.Export(c.bus, path, prop.Map{"org.freedesktop.portal.FileChooser": {"version": {Value: uint32(3)}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheDesktopsChooser(t *testing.T) {
	for name, one := range map[string]struct {
		answer []any
		want   []string
	}{
		"two files": {
			[]any{uint32(0), map[string]dbus.Variant{"uris": dbus.MakeVariant([]string{"file:///home/mira/a+b%20%C3%A4.txt", "file:///x/../y"})}},
			[]string{"/home/mira/a+b ä.txt", "/y"},
		},
		"cancelled":           {[]any{uint32(1), map[string]dbus.Variant{}}, nil},
		"nothing of a file":   {[]any{uint32(0), map[string]dbus.Variant{"uris": dbus.MakeVariant([]string{"https://x/y", "file://host/z", "file:z", "%"})}}, nil},
		"no list":             {[]any{uint32(0), map[string]dbus.Variant{"uris": dbus.MakeVariant(3)}}, nil},
		"something else":      {[]any{"what"}, nil},
		"without any results": {[]any{uint32(0), map[string]dbus.Variant{}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChooser(t, one.answer)
			paths, ok := desktop.Choose(t.Context(), 0x1234, desktop.Choice{Title: "Share files", Accept: "Share", Multiple: true, From: "/home"})
			if !ok || !slices.Equal(paths, one.want) {
				t.Errorf("chosen %q, %v; want %q", paths, ok, one.want)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.parent != "x11:1234" || c.title != "Share files" || c.options["accept_label"].Value() != "Share" ||
				c.options["multiple"].Value() != true || c.options["directory"].Value() != false || string(c.options["current_folder"].Value().([]byte)) != "/home\x00" {
				t.Errorf("asked %q, %q, %v", c.parent, c.title, c.options)
			}
		})
	}
}

func TestNoChooser(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", startBus(t))
	if paths, ok := desktop.Choose(t.Context(), 0, desktop.Choice{}); ok || paths != nil {
		t.Errorf("without a portal: %q, %v", paths, ok)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	if _, ok := desktop.Choose(t.Context(), 0, desktop.Choice{}); ok {
		t.Error("without a bus something is asked")
	}
}

func TestTheChooserEndsWithTheWindow(t *testing.T) {
	c := newChooser(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-c.asking
		time.Sleep(500 * time.Millisecond) // until the call has returned
		cancel()
	}()
	if paths, ok := desktop.Choose(ctx, 0, desktop.Choice{}); !ok || paths != nil {
		t.Errorf("cut short: %q, %v", paths, ok)
	}
}
