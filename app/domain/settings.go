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
}

// How many downloads may run at once, and how many do if nobody chose.
const (
	MostDownloadsAtOnce  = 100
	UsualDownloadsAtOnce = 3
)
