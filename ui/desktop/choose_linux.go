package desktop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// The chooser's place on the bus, as the XDG Desktop Portal documents it
// (org.freedesktop.portal.FileChooser). GNOME, KDE, Xfce and others answer
// there.
const (
	portalService = "org.freedesktop.portal.Desktop"
	portalPath    = "/org/freedesktop/portal/desktop"
	chooserKind   = "org.freedesktop.portal.FileChooser"
	requestKind   = "org.freedesktop.portal.Request"
)

// portalTimeout is how long the portal may take to start.
const portalTimeout = 3 * time.Second

func choose(ctx context.Context, window uintptr, c Choice) (paths []string, ok bool) {
	bus, err := sessionBus(ctx)
	if err != nil {
		return nil, false
	}
	defer func() { _ = bus.Close() }() // which also closes a chooser that is still open
	if !hasChooser(ctx, bus) {
		return nil, false
	}
	// The answer may come before the call returns, so it is listened for first,
	// at the path that the documentation derives from sender and token.
	token := fmt.Sprintf("potluck%d", rand.Uint32()) //nolint:gosec // it only tells requests of one program apart
	sender := strings.ReplaceAll(strings.TrimPrefix(bus.Names()[0], ":"), ".", "_")
	request := dbus.ObjectPath(portalPath + "/request/" + sender + "/" + token)
	err = bus.AddMatchSignalContext(ctx, dbus.WithMatchObjectPath(request),
		dbus.WithMatchInterface(requestKind), dbus.WithMatchMember("Response"))
	if err != nil {
		return nil, false
	}
	signals := make(chan *dbus.Signal, 8)
	bus.Signal(signals)

	parent := ""
	if window != 0 {
		parent = "x11:" + strconv.FormatUint(uint64(window), 16)
	}
	options := map[string]dbus.Variant{
		"handle_token": dbus.MakeVariant(token),
		"accept_label": dbus.MakeVariant(c.Accept),
		"multiple":     dbus.MakeVariant(c.Multiple),
		"directory":    dbus.MakeVariant(c.Folders),
	}
	if c.From != "" {
		options["current_folder"] = dbus.MakeVariant(append([]byte(c.From), 0))
	}
	err = bus.Object(portalService, portalPath).CallWithContext(ctx, chooserKind+".OpenFile", 0, parent, c.Title, options).Err
	if err != nil {
		return nil, false
	}
	for {
		select {
		case <-ctx.Done():
			return nil, true
		case s, open := <-signals:
			if !open {
				return nil, true
			}
			if s.Path == request && s.Name == requestKind+".Response" {
				return pathsOf(s.Body), true
			}
		}
	}
}

// hasChooser reports whether the desktop has a chooser, and starts it if so.
func hasChooser(ctx context.Context, bus *dbus.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, portalTimeout)
	defer cancel()
	var version any
	err := bus.Object(portalService, portalPath).
		CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, chooserKind, "version").Store(&version)
	return err == nil
}

// pathsOf returns the paths in the body of an answer: none if the user chose
// nothing. What is no file of this machine is left out.
func pathsOf(body []any) []string {
	var status uint32
	var results map[string]dbus.Variant
	if dbus.Store(body, &status, &results) != nil || status != 0 {
		return nil
	}
	uris, _ := results["uris"].Value().([]string)
	var paths []string
	for _, text := range uris {
		u, err := url.Parse(text)
		if err == nil && u.Scheme == "file" && (u.Host == "" || u.Host == "localhost") && filepath.IsAbs(u.Path) {
			paths = append(paths, filepath.Clean(u.Path))
		}
	}
	return paths
}
