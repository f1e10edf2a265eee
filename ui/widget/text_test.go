package widget

import (
	"strings"
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

// TestShortenMeasuresLittle counts the texts that are set to find out how much
// of a long name fits: each row on screen has one.
func TestShortenMeasuresLittle(t *testing.T) {
	name := strings.Repeat("Pictures of the year ", 10) + "1999.jpg"
	for width := float32(20); width < 200; width += 7 {
		set := 0
		// Letters stand a little closer together in a text than alone.
		measure := func(s string) float32 {
			n := wide(s)
			if n > 1 {
				set++
			}
			return n - (n-1)/100
		}
		short := shorten(name, width, true, measure)
		if measure(short) > width || set > 6 {
			t.Errorf("for a width of %v %d texts were set, and %v was found", width, set, wide(short))
		}
	}
}
