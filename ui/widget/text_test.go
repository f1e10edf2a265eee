package widget

import (
	"testing"
	"unicode/utf8"
)

// wide measures every letter as one unit.
func wide(s string) float32 { return float32(utf8.RuneCountInString(s)) }

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		text   string
		width  float32
		middle bool
		want   string
	}{
		{"short", 5, false, "short"},
		{"Holiday pictures", 10, false, "Holiday p…"},
		{"Holiday pictures 042.jpg", 14, true, "Holida…042.jpg"},
		{"archive.tar.gz", 10, true, "arc…tar.gz"},
		{"no extension at all", 10, true, "no ext…all"},
		{"a.jpg", 3, true, "a.…"},
		{"naïve ёлка.txt", 11, true, "naï…лка.txt"},
		{"日本語のとても長い名前.jpg", 10, true, "日本…い名前.jpg"},
		{".hidden-and-very-long", 8, true, ".hid…ong"},
		{"anything", 0, false, "anything"},
		{"", 5, true, ""},
		{"much", 1, false, "…"},
	} {
		got := shorten(c.text, c.width, c.middle, wide)
		if got != c.want {
			t.Errorf("shorten(%q, %v, %v) = %q, want %q", c.text, c.width, c.middle, got, c.want)
		}
		if !utf8.ValidString(got) {
			t.Errorf("shorten(%q) broke a letter", c.text)
		}
	}
}
