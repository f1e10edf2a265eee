package format_test

import (
	"testing"

	"github.com/potluck-share/potluck/ui/format"
)

func TestNamesThatHideWhatTheyAre(t *testing.T) {
	for name, want := range map[string]string{
		"holiday.jpg":                  "holiday.jpg",
		"Urlaub & Ελλάδα 🎉.jpg":        "Urlaub & Ελλάδα 🎉.jpg",
		"invoice\u202egpj.exe":         "invoicegpj.exe",
		"a\u200bb\x1b[31m.txt":         "ab\ufffd[31m.txt",
		"one\ntwo\tthree":              "one two three",
		"folder/of\u2066 others/a.txt": "folder/of others/a.txt",
	} {
		if got := format.Name(name); got != want {
			t.Errorf("%q is shown as %q, want %q", name, got, want)
		}
	}
}
