package desktop

import (
	"context"
	"path/filepath"
	"runtime"

	"github.com/potluck-share/potluck/app/domain"
)

// CanRegister says whether Register does anything here. macOS knows a program
// and its links from the bundle that it lies in, and asks nobody.
const CanRegister = runtime.GOOS != "darwin"

// Register makes the program known to this user's desktop: "potluck:" links
// open it, and on Linux the menu shows it with the icon, an SVG. exe is an
// absolute path; registering again renews what is there. It may take a few
// seconds. Where CanRegister is false it does nothing.
func Register(ctx context.Context, exe string, icon []byte) error {
	if !filepath.IsAbs(exe) {
		return domain.Fault(domain.ErrUsage, "\"%s\" is not an absolute path", exe)
	}
	return register(ctx, exe, icon)
}

// Registered reports whether the desktop knows the program, by Register or,
// on Linux, because it was installed for everybody.
func Registered() bool { return registered() }

// Unregister undoes what Register did; what was installed for everybody stays.
func Unregister(ctx context.Context) error { return unregister(ctx) }
