package format

import (
	"path"
	"strings"

	"github.com/potluck-share/potluck/ui/words"
)

// kinds holds what a file is called by its extension.
var kinds = func() map[string]string {
	m := make(map[string]string)
	for kind, extensions := range map[string]string{
		Picture:  "jpg jpeg png gif webp heic heif avif bmp tif tiff svg raw cr2 nef arw dng psd xcf",
		Music:    "mp3 flac ogg opus m4a aac wav wma aiff mid",
		Video:    "mp4 mkv mov avi webm m4v wmv mpg mpeg ts flv",
		Document: "pdf doc docx odt rtf txt md tex xls xlsx ods csv ppt pptx odp epub mobi html htm",
		Archive:  "zip tar gz tgz bz2 xz zst 7z rar iso img",
		Program:  "exe msi appimage deb rpm dmg pkg apk jar bat cmd com scr ps1 sh vbs lnk desktop url",
	} {
		for _, extension := range strings.Fields(extensions) {
			m["."+extension] = kind
		}
	}
	return m
}()

// The kinds of file.
const (
	Picture  = "picture"
	Music    = "music"
	Video    = "video"
	Document = "document"
	Archive  = "archive"
	Program  = "program"
	Other    = "other"
)

// KindOf tells what a file is, as its extension says.
func KindOf(name string) string {
	if kind, ok := kinds[strings.ToLower(path.Ext(name))]; ok {
		return kind
	}
	return Other
}

// KindName names a kind for the user.
func KindName(kind string) string {
	switch kind {
	case Picture:
		return words.T("Picture")
	case Music:
		return words.T("Music")
	case Video:
		return words.T("Video")
	case Document:
		return words.T("Document")
	case Archive:
		return words.T("Archive")
	case Program:
		return words.T("Program")
	default:
		return words.T("File")
	}
}
