package domain

// Settings is what the user may choose.
type Settings struct {
	// Name is the nickname: not empty, at most 40 characters, without ':'
	// and '/'.
	Name string
	// Downloads is the absolute path of the download folder.
	Downloads string
	// Audience is who sees what is shared without saying.
	Audience Audience
	// Nearby holds networks in CIDR form whose people count as near by the
	// owner's word.
	Nearby []string
	// UploadLimit and DownloadLimit are in bytes per second; 0: none.
	UploadLimit   int64
	DownloadLimit int64
	// DownloadsAtOnce is how many downloads run at once, up to
	// MostDownloadsAtOnce; 0 stands for UsualDownloadsAtOnce.
	DownloadsAtOnce int
	// UploadsAtOnce is how many people are served at once, UploadsPerPerson how
	// many files larger than a piece each of them gets at once, up to
	// MostUploadsAtOnce; 0: no limit. The others wait in a queue.
	UploadsAtOnce    int
	UploadsPerPerson int
	// SlowFrom and SlowUntil are when the slow hours begin and end, in minutes
	// after midnight, local time; they may go over midnight. Equal: there are
	// none.
	SlowFrom  int
	SlowUntil int
	// SlowUpload and SlowDownload are the limits that hold in the slow hours
	// instead of the others, in bytes per second; 0: none.
	SlowUpload   int64
	SlowDownload int64
	// Skip holds patterns of names, as path.Match has them, of files and
	// folders that are left out of shared folders besides those that always
	// are.
	Skip []string
	// Port is what Potluck listens on from the next start on, TCP and UDP,
	// LeastPort to MostPort; 0 stands for the usual one.
	Port int
	// Theme is ThemeSystem, ThemeLight or ThemeDark; "" stands for the first.
	Theme string
	// Language is one of Languages; "" stands for the system's.
	Language string
	// StartAtLogin is whether Potluck starts when the user logs in.
	StartAtLogin bool
	// KeepRunning is whether Potluck stays in the tray when its window is
	// closed.
	KeepRunning bool
	// Notify is whether the desktop is told of what happens while the window
	// is not looked at.
	Notify bool
	// Introduced is whether the first-launch sheet was answered. Before that
	// nobody is to notice this Potluck.
	Introduced bool
	// Hidden is whether others are not to see this computer.
	Hidden bool
	// Networks are those about which the user has said who sees what is shared
	// there, the latest answer last.
	Networks []Network
}

// How many downloads may run at once, and how many do if nobody chose, and how
// many uploads.
const (
	MostUploadsAtOnce    = 1000
	MostDownloadsAtOnce  = 100
	UsualDownloadsAtOnce = 3
)

// The ports that may be chosen.
const (
	LeastPort = 1024
	MostPort  = 65535
)

// The themes: the system's, or always this one.
const (
	ThemeSystem = "system"
	ThemeLight  = "light"
	ThemeDark   = "dark"
)

// Languages are those that the window speaks.
var Languages = []string{"en", "de"} //nolint:gochecknoglobals // a constant, if there were such slices

// WindowState is what the window remembers of itself.
type WindowState struct {
	// Width and Height are the window's size, in the toolkit's units; 0 is not
	// known.
	Width  float32
	Height float32
	// Page is the name of the page that was shown; "" is not known.
	Page string
}
