// Package preview makes small pictures and short texts of the first bytes of
// files, for a look at them before they are downloaded. The bytes are a
// stranger's: nothing is allocated for what they merely claim, and what comes
// out is safe to show.
//
// All functions may be called from any goroutine. Image may take up to
// mostMemory and a second or two for the largest pictures, so it is to be called
// off the window's goroutine, for one picture at a time.
package preview

import (
	"path"
	"strings"
)

// Kind is what a file can be shown as.
type Kind uint8

// The kinds of preview.
const (
	KindNone  Kind = iota // nothing can be shown
	KindText              // for Text
	KindImage             // for Image
)

const (
	// textBytes is how much is fetched of a text.
	textBytes = 64 << 10
	// wholeImage is up to which size a picture is fetched as a whole.
	wholeImage = 12 << 20
	// thumbnailBytes is how much is fetched of larger ones that may have a
	// small picture at the beginning.
	thumbnailBytes = 1 << 20
)

// kinds holds what can be shown by its extension, or by its whole name where
// there is none.
var kinds = func() map[string]Kind {
	m := make(map[string]Kind)
	for kind, names := range map[Kind]string{
		KindImage: ".jpg .jpeg .jpe .jfif .png .gif .webp .bmp .tif .tiff",
		KindText: ".txt .text .md .markdown .rst .org .tex .bib .log .csv .tsv .json .jsonl .xml .yaml .yml .toml " +
			".ini .cfg .conf .properties .env .diff .patch .srt .vtt .sub .cue .m3u .m3u8 .nfo .sfv .md5 .sha256 " +
			".html .htm .css .scss .js .mjs .ts .tsx .jsx .vue .php .go .mod .sum .py .rb .rs .c .h .cc .cpp .hpp .cs " +
			".java .kt .swift .scala .lua .pl .r .jl .hs .ml .ex .erl .clj .lisp .el .vim .sql .sh .bash .zsh .fish " +
			".ps1 .bat .cmd .proto .graphql .tf .cmake .gradle .ics .vcf .eml .asc .pem .pub .gpx .geojson .kml " +
			"readme license licence copying authors changelog notes todo makefile dockerfile",
	} {
		for _, name := range strings.Fields(names) {
			m[name] = kind
		}
	}
	return m
}()

// Plan tells what a file of that name and size, in bytes, can be shown as, and
// how many bytes from its beginning are needed for that.
func Plan(name string, size int64) (kind Kind, most int64) {
	name = strings.ToLower(path.Base(name))
	end := path.Ext(name)
	if end == "" {
		end = name
	}
	kind = kinds[end]
	switch {
	case kind == KindText && size >= 0:
		return KindText, textBytes
	case kind == KindImage && size > 0 && size <= wholeImage:
		return KindImage, size
	case kind == KindImage && size > 0 && strings.HasPrefix(end, ".j"):
		return KindImage, thumbnailBytes
	default:
		return KindNone, 0
	}
}
