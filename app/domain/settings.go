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
}
