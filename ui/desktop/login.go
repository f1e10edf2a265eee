package desktop

import (
	"path/filepath"

	"github.com/potluck-share/potluck/app/domain"
)

// StartAtLogin lets the desktop start a program with these arguments whenever
// this user logs in, or no longer. exe is an absolute path; switching it on
// again renews it. The error says what to do; a file of somebody else in the
// place of ours is one, and stays.
func StartAtLogin(on bool, exe string, args ...string) error {
	if !on {
		return doNotStartAtLogin()
	}
	if !filepath.IsAbs(exe) {
		return domain.Fault(domain.ErrUsage, "\"%s\" is not an absolute path", exe)
	}
	return startAtLogin(exe, args)
}

// StartsAtLogin reports whether StartAtLogin is on, and the user has not
// switched it off in the settings of the desktop.
func StartsAtLogin() bool { return startsAtLogin() }
