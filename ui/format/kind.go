package format

import (
	"path"
	"strings"
)

// kinds holds what a file is called by its extension.
var kinds = func() map[string]string {
	m := make(map[string]string)
	for kind, extensions := range map[string]string{
		"Picture":  "jpg jpeg png gif webp heic heif avif bmp tif tiff svg raw cr2 nef arw dng psd xcf",
		"Music":    "mp3 flac ogg opus m4a aac wav wma aiff mid",
		"Video":    "mp4 mkv mov avi webm m4v wmv mpg mpeg ts flv",
		"Document": "pdf doc docx odt rtf txt md tex xls xlsx ods csv ppt pptx odp epub mobi html htm",
		"Archive":  "zip tar gz tgz bz2 xz zst 7z rar iso img",
		"Program":  "exe msi appimage deb rpm dmg pkg apk jar bat cmd com scr ps1 sh vbs lnk desktop url",
	} {
		for _, extension := range strings.Fields(extensions) {
			m["."+extension] = kind
		}
	}
	return m
}()

// Kind names what a file is, as its extension tells: "Picture", "Music",
// "File".
func Kind(name string) string {
	if kind, ok := kinds[strings.ToLower(path.Ext(name))]; ok {
		return kind
	}
	return "File"
}
