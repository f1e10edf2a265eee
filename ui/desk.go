package ui

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/assets"
	"github.com/potluck-share/potluck/ui/desktop"
	"github.com/potluck-share/potluck/ui/words"
)

// desk is what the settings ask of the desktop. Its methods may be called from
// any goroutine.
type desk struct{ win *window }

// StartAtLogin lets this program start when the user logs in, without opening
// its window where there is a tray.
func (d desk) StartAtLogin(_ context.Context, on bool) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	return desktop.StartAtLogin(on, exe, "--background")
}

// StartsAtLogin reports whether this program starts when the user logs in.
func (desk) StartsAtLogin() bool { return desktop.StartsAtLogin() }

// OpensLinks reports whether links lead to this program.
func (desk) OpensLinks() bool { return desktop.Registered() }

// OpenLinks lets links lead to this program, or not any more.
func (desk) OpenLinks(ctx context.Context, on bool) error {
	if !on {
		return desktop.Unregister(ctx)
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	return desktop.Register(ctx, exe, assets.AppDrawing)
}

// Report describes the program and what it runs on. It names nobody, no file
// and no address, and is in English for whoever is to help.
func (d desk) Report() string {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%-10s %s\n", name, value) }
	line("Potluck", d.win.core.Version)
	line("System", desktop.Describe())
	line("Go", runtime.Version()+", "+runtime.GOOS+"/"+runtime.GOARCH)
	line("Language", words.Language())
	status := d.win.status.Load()
	if status == nil {
		line("State", "not started")
		return b.String()
	}
	network := "none"
	if status.Network {
		network = fmt.Sprintf("there, %d addresses, port %d", len(status.Addresses), status.Port)
	}
	if status.PortTaken != 0 {
		network += fmt.Sprintf(" (another program has %d)", status.PortTaken)
	}
	line("Network", network)
	line("People", fmt.Sprintf("%d around, hidden: %v", status.Peers, status.Hidden))
	line("Shares", fmt.Sprintf("%d with %d files, %s", status.Shares, status.Entries, domain.SizeText(status.Bytes)))
	return b.String()
}

// showLog shows the program's own log in its folder.
func (w *window) showLog() {
	if status := w.status.Load(); status != nil {
		w.reveal(filepath.Join(status.Data, "potluck.log"))
	}
}
