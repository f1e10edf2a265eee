package preview_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/potluck-share/potluck/ui/preview"
)

// in16 writes a text as UTF-16 with its mark.
func in16(text string, little bool) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
		if little {
			out = append(out, byte(u), byte(u>>8))
		} else {
			out = append(out, byte(u>>8), byte(u))
		}
	}
	return out
}

func TestText(t *testing.T) {
	long := strings.Repeat("é", 401)
	for name, c := range map[string]struct{ data, want string }{
		"nothing":               {"", ""},
		"one line":              {"hello", "hello"},
		"several":               {"a\nb\r\nc\rd\u2028e\n", "a\nb\nc\nd\ne\n"},
		"mark":                  {"\ufeffhello", "hello"},
		"cut character":         {"Grüße 日本"[:len("Grüße 日本")-1], "Grüße 日"},
		"UTF-16":                {string(in16("Grüße 🎉\n日本", true)), "Grüße 🎉\n日本"},
		"UTF-16, the other way": {string(in16("Grüße", false)), "Grüße"},
		"UTF-16, cut":           {string(in16("Grüße 🎉", true)[:2+2*7+1]), "Grüße "},
		"Latin-1":               {"Gr\xfc\xdfe und viele \x84Zitate\x93", "Grüße und viele „Zitate“"},
		"tabs":                  {"a\tb\n\tc", "a   b\n    c"},
		"direction":             {"safe\u202etxt.exe \u2066x\u2069", "safetxt.exe x"},
		"invisible":             {"a\u200bb\u00adc\U000e0041d\u3164e", "abcde"},
		"escapes":               {strings.Repeat("x", 9) + "\x1b[31mred", "xxxxxxxxx\ufffd[31mred"},
		"towers":                {"e" + strings.Repeat("\u0301", 50), "e" + strings.Repeat("\u0301", 6)},
		"400 characters":        {long[2:], long[2:]},
		"a long line":           {long + "\nnext", strings.Repeat("é", 399) + "…\nnext"},
		"many lines":            {strings.Repeat("x\n", 300), strings.TrimSuffix(strings.Repeat("x\n", 200), "\n")},
	} {
		if got, ok := preview.Text([]byte(c.data)); !ok || got != c.want {
			t.Errorf("%s: %q, %v, want %q", name, got, ok, c.want)
		}
	}
}

func TestWhatIsNoText(t *testing.T) {
	all := samples(t)
	for name, data := range map[string][]byte{
		"jpeg": all["a.jpg"], "png": all["a.png"], "gif": all["a.gif"], "webp": all["lossy.webp"], "tiff": all["a.tif"],
		"pdf":             []byte("%PDF-1.7\n%\xb5\xb5\xb5\xb5\n1 0 obj\n<</Length 3>>\nstream\nx\x9c\x01\x81\x8d\x1f\x02\n"),
		"zero":            []byte("text\x00text"),
		"controls":        []byte("\x01\x02\x03\x04\x05\x06"),
		"controls within": []byte("Gr\xfc\xdfe \x01 und so weiter"),
		"mostly high":     []byte("\xfc\xdf\xe4\xf6abc"),
		"halves":          []byte("\xff\xfe\x00\xd8\x00\xd8\x00\xd8\x00\xd8"),
	} {
		if got, ok := preview.Text(data); ok {
			t.Errorf("%s is taken as a text: %q", name, got)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{
		"", "hello\nworld", "\xff\xfeh\x00i\x00", "\xfe\xff\x00h", "Gr\xfc\xdfe", "a\u202eb\tc\u200d", "\x1b[2J", "\xef\xbb\xbfx", "日本"[:5],
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, ok := preview.Text(data)
		if !ok {
			if text != "" {
				t.Errorf("no text, but %q", text)
			}
			return
		}
		if !utf8.ValidString(text) {
			t.Errorf("%q is not UTF-8", text)
		}
		lines := strings.Split(text, "\n")
		if len(lines) > 200 {
			t.Errorf("%d lines", len(lines))
		}
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); n > 400 {
				t.Errorf("a line of %d characters", n)
			}
			for _, r := range line {
				if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || !unicode.IsGraphic(r) {
					t.Errorf("%U is shown in %q", r, line)
				}
			}
		}
	})
}

func TestPlan(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		name string
		size int64
		kind preview.Kind
		most int64
	}{
		{"notes.txt", 5, preview.KindText, 64 << 10},
		{"big.LOG", 1 << 40, preview.KindText, 64 << 10},
		{"empty.md", 0, preview.KindText, 64 << 10},
		{"Holiday/README", 100, preview.KindText, 64 << 10},
		{"img 1.JPG", 5 * mb, preview.KindImage, 5 * mb},
		{"a.png", 12 * mb, preview.KindImage, 12 * mb},
		{"a.jpeg", 12*mb + 1, preview.KindImage, mb},
		{"a.png", 12*mb + 1, preview.KindNone, 0},
		{"a.jpg", 0, preview.KindNone, 0},
		{"a.jpg", -1, preview.KindNone, 0},
		{"a.txt", -1, preview.KindNone, 0},
		{"film.mp4", 5, preview.KindNone, 0},
		{"jpg", 5, preview.KindNone, 0},
		{"", 5, preview.KindNone, 0},
	} {
		if kind, most := preview.Plan(c.name, c.size); kind != c.kind || most != c.most {
			t.Errorf("%q of %d bytes: %d, %d, want %d, %d", c.name, c.size, kind, most, c.kind, c.most)
		}
	}
}
