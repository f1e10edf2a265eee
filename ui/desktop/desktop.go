// Package desktop is what Potluck asks of the desktop that it runs on: to open
// files with other programs and show them in the file manager, to tell of files
// that are dragged, to stay awake, to start Potluck at login and let its links
// open it, and what kind of desktop it is.
//
// Everything may be called from any goroutine, and knows nothing of the window;
// opening returns once the desktop has been asked. What may take longer says so.
package desktop

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
)

// Open opens a file or folder with the program that the desktop has for it.
// What IsProgram tells of must be asked about first.
func Open(ctx context.Context, path string) error {
	if err := exists(path); err != nil {
		return err
	}
	switch runtime.GOOS {
	case "windows":
		return start(ctx, "rundll32", "url.dll,FileProtocolHandler", path)
	case "darwin":
		return start(ctx, "open", path)
	default:
		return start(ctx, "xdg-open", path)
	}
}

// Reveal shows a file in its folder, selected where the desktop can.
func Reveal(ctx context.Context, path string) error {
	if err := exists(path); err != nil {
		return err
	}
	switch runtime.GOOS {
	case "windows":
		return start(ctx, "explorer", "/select,"+path)
	case "darwin":
		return start(ctx, "open", "-R", path)
	default:
		return start(ctx, "xdg-open", filepath.Dir(path))
	}
}

// exists tells a moved file in words. Its path is absolute, so it cannot be
// taken for an option by what is started.
func exists(path string) error {
	if !filepath.IsAbs(path) {
		return domain.Fault(domain.ErrUsage, "\"%s\" is not an absolute path", path)
	}
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return domain.Fault(domain.ErrNotFound, "%s is not there any more", filepath.Base(path))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", domain.Fault(domain.ErrUnreadable, "cannot reach %s", filepath.Base(path)), err)
	}
	return nil
}

// start runs a helper that outlives the call: what it opens must not end with
// the window's context.
func start(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), name, args...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w: %w", domain.Fault(nil, "cannot start %s", name), err)
	}
	go func() { _ = cmd.Wait() }() // only to take its exit status
	return nil
}

// programs are the extensions of what runs when it is opened, and of shortcuts
// to such.
var programs = map[string]bool{}

func init() {
	for _, extension := range strings.Fields(
		"appimage app apk bat bin cmd com command cpl csh deb desktop dll dmg elf exe flatpak flatpakref gadget hta " +
			"inf inx ipa jar jnlp js jse ksh lnk msc msi msix msp out pif pkg pl ps1 psm1 py pyw rb reg rgs rpm run scpt " +
			"scr sct sh shb shs snap terminal tool u3p url vb vbe vbs vbscript webloc workflow ws wsf wsh xpi",
	) {
		programs["."+extension] = true
	}
}

// IsProgram reports whether opening the file would run it or follow a
// shortcut: by its extension, by its mode, or by how it begins.
func IsProgram(path string) bool {
	if programs[strings.ToLower(filepath.Ext(strings.TrimRight(path, ". ")))] {
		return true
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o111 != 0 {
		return true
	}
	f, err := os.Open(path) //nolint:gosec // a file of this user, opened to look at its beginning
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // only read
	var head [4]byte
	n, err := f.Read(head[:])
	if err != nil {
		return false
	}
	begin := string(head[:n])
	return strings.HasPrefix(begin, "#!") || strings.HasPrefix(begin, "MZ") || begin == "\x7fELF" ||
		begin == "\xcf\xfa\xed\xfe" || begin == "\xca\xfe\xba\xbe"
}
