package desktop

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// system returns the version of Windows. 11 calls itself 10 with a build of at
// least 22000.
func system() string {
	v := windows.RtlGetVersion()
	return fmt.Sprintf("Windows %d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber)
}
