package preview

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/potluck-share/potluck/storage/names"
)

const (
	mostLines = 200
	mostRunes = 400 // of a line
	mostMarks = 6   // accents on one letter
	tabWidth  = 4
	// mostText is how many bytes are looked at: enough for all lines.
	mostText = 512 << 10
)

// Text returns the first 200 lines of a file of which data is the beginning,
// each of at most 400 characters, safe to show: no control characters or escape
// sequences, nothing invisible, nothing that turns the direction of the text.
// ok is false if it is no text: UTF-8, UTF-16 with its mark, or, if it clearly
// is text, Latin-1 as Windows has it.
func Text(data []byte) (lines string, ok bool) {
	text, ok := plain(data[:min(len(data), mostText)])
	if !ok {
		return "", false
	}
	return lay(text), true
}

// plain returns the characters.
func plain(data []byte) (text string, ok bool) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		text = fromUTF16(data[2:], func(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 })
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		text = fromUTF16(data[2:], func(b []byte) uint16 { return uint16(b[1]) | uint16(b[0])<<8 })
	case bytes.IndexByte(data, 0) >= 0:
		return "", false
	default:
		data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
		whole := data[:len(data)-cut(data)]
		if !utf8.Valid(whole) {
			return fromLatin(data)
		}
		text = string(whole)
	}
	return text, readable(text)
}

// cut returns how many bytes at the end are the beginning of a character.
func cut(data []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(data); n++ {
		tail := data[len(data)-n:]
		if utf8.RuneStart(tail[0]) {
			if tail[0] >= utf8.RuneSelf && !utf8.FullRune(tail) {
				return n
			}
			return 0
		}
	}
	return 0
}

func fromUTF16(data []byte, unit func([]byte) uint16) string {
	units := make([]uint16, 0, len(data)/2)
	for ; len(data) >= 2; data = data[2:] {
		units = append(units, unit(data))
	}
	if n := len(units); n > 0 && utf16.IsSurrogate(rune(units[n-1])) && units[n-1] < 0xdc00 {
		units = units[:n-1] // the other half was cut off
	}
	return string(utf16.Decode(units))
}

// readable reports whether it is text rather than bytes that happen to be
// characters: of each hundred one may be none.
func readable(text string) bool {
	odd, all := 0, 0
	for _, r := range text {
		all++
		switch {
		case r == '\t', r == '\n', r == '\r', r == '\f', r == '\v', r == '\b', r == 0x1b: // terminals write these
		case r == 0:
			return false
		case r == utf8.RuneError, unicode.IsControl(r):
			odd++
		}
	}
	return odd*100 <= all
}

// fromLatin takes bytes as Latin-1 if there is no control character among them
// and most of them are plain ASCII.
func fromLatin(data []byte) (text string, ok bool) {
	high := 0
	for _, c := range data {
		switch {
		case c >= 0x80:
			high++
			if charmap.Windows1252.DecodeByte(c) == utf8.RuneError || unicode.IsControl(charmap.Windows1252.DecodeByte(c)) {
				return "", false
			}
		case c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f', c == 0x7f:
			return "", false
		}
	}
	if high*4 > len(data) {
		return "", false
	}
	var b strings.Builder
	for _, c := range data {
		b.WriteRune(charmap.Windows1252.DecodeByte(c))
	}
	return b.String(), true
}

// lay returns the first lines, cleaned and cut.
func lay(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085", "\n").Replace(text)
	var b strings.Builder
	for n := range mostLines {
		line, rest, more := strings.Cut(text, "\n")
		if n > 0 {
			b.WriteByte('\n')
		}
		layLine(&b, line)
		if text = rest; !more {
			break
		}
	}
	return b.String()
}

// layLine writes one line; the last character of one that was cut is an
// ellipsis.
func layLine(b *strings.Builder, line string) {
	out := make([]rune, 0, min(len(line), mostRunes+tabWidth))
	marks := 0
	for _, r := range line {
		if len(out) > mostRunes {
			break
		}
		if r == '\t' {
			out = append(out, ' ')
			for len(out)%tabWidth != 0 {
				out = append(out, ' ')
			}
			continue
		}
		r = names.DisplayRune(r)
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		if r >= 0 && marks <= mostMarks {
			out = append(out, r)
		}
	}
	if len(out) > mostRunes {
		out = append(out[:mostRunes-1], '…')
	}
	b.WriteString(string(out))
}
