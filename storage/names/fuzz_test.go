package names_test

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/names"
)

var seeds = []string{
	"", "a.txt", "../x", "/x", "a/../b", "CON", "con .txt", "x:y", "a\x00b", "..\\..", "\xff\xfe/", "u\u0308.", ". .",
	".potluck-1", ".pot\u200cluck-1", "\u202egpj.exe", strings.Repeat("ä", 300), strings.Repeat("d/", 200),
	"a" + strings.Repeat("\u0301", 100), "\u0345ι", "A\xff\u0301", "0" + strings.Repeat("\u0301", 6) + "\xff\u0301", "\x1b[31m", "İı", "ﬀﬅ", "\u1100\u1161\u11a8", "LPT¹",
}

// writeBelow makes sure that a cleaned path can be written and stays inside.
func writeBelow(t *testing.T, root *os.Root, clean string) {
	t.Helper()
	if len(root.Name())+len(clean) > 4000 {
		return // deeper than this system takes in one call
	}
	if err := root.MkdirAll(path.Dir(clean), 0o700); err != nil {
		t.Fatalf("the folder of %q: %v", clean, err)
	}
	if err := root.WriteFile(clean, []byte("x"), 0o600); err != nil {
		t.Fatalf("%q: %v", clean, err)
	}
	if _, err := root.Lstat(clean); err != nil {
		t.Fatalf("%q is not where it was written: %v", clean, err)
	}
	first, _, _ := strings.Cut(clean, "/")
	if err := root.RemoveAll(first); err != nil {
		t.Fatal(err)
	}
	folder, err := root.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = folder.Close() }() // only read
	if left, err := folder.Readdirnames(-1); err != nil || len(left) > 0 {
		t.Fatalf("%q left %q, %v", clean, left, err)
	}
}

// FuzzClean makes sure that whatever a peer calls a file ends up inside the
// folder, under a name that every desktop system takes.
func FuzzClean(f *testing.F) {
	root, err := os.OpenRoot(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	defer func() { _ = root.Close() }() // nothing to flush
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		clean, err := names.Clean(name)
		if err != nil {
			if clean != "" || domain.ErrorKind(err) == "failed" {
				t.Fatalf("%q gives %q with %v", name, clean, err)
			}
			return
		}
		if !fs.ValidPath(clean) || clean == "." || !norm.NFC.IsNormalString(clean) {
			t.Fatalf("%q becomes %q", name, clean)
		}
		if again, err := names.Clean(clean); len(clean) <= domain.MaxPath && (err != nil || again != clean) {
			t.Fatalf("%q becomes %q, then %q, %v", name, clean, again, err)
		}
		for part := range strings.SplitSeq(clean, "/") {
			checkPart(t, part)
		}
		checkPart(t, path.Base(names.Numbered(clean, 17)))
		if !strings.Contains(names.Numbered(clean, 17), " (17)") {
			t.Fatalf("%q is numbered %q", clean, names.Numbered(clean, 17))
		}
		writeBelow(t, root, clean)
	})
}

func checkPart(t *testing.T, part string) {
	t.Helper()
	switch {
	case part == "", len(part) > 255, !utf8.ValidString(part):
		t.Fatalf("a name of %d bytes: %q", len(part), part)
	case strings.ContainsAny(part, `<>:"/\|?*`), strings.ContainsFunc(part, unicode.IsControl):
		t.Fatalf("%q has what Windows cannot have", part)
	case strings.HasSuffix(part, "."), strings.HasSuffix(part, " "):
		t.Fatalf("%q ends with a dot or a space", part)
	case strings.HasPrefix(strings.ToLower(part), ".potluck-"):
		t.Fatalf("%q looks like a part file", part)
	}
	stem, _, _ := strings.Cut(part, ".")
	switch strings.TrimSpace(strings.ToLower(stem)) {
	case "con", "prn", "aux", "nul", "com1", "com9", "lpt1", "lpt9":
		t.Fatalf("%q is a device on Windows", part)
	}
}

func FuzzFold(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		key := names.Fold(name)
		if again := names.Fold(key); again != key {
			t.Fatalf("%q folds to %q, then to %q", name, key, again)
		}
		if other := norm.NFC.String(name); utf8.ValidString(name) && names.Fold(other) != key {
			t.Fatalf("another form of %q folds to %q, not %q", name, names.Fold(other), key)
		}
	})
}

func FuzzDisplay(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		shown, nick := names.Display(name), names.Nickname(name)
		for _, text := range []string{shown, nick} {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, hidden) {
				t.Fatalf("%q shows as %q", name, text)
			}
		}
		if utf8.RuneCountInString(shown) > 255 || names.Display(shown) != shown {
			t.Fatalf("%q shows as %q, then as %q", name, shown, names.Display(shown))
		}
		if utf8.RuneCountInString(nick) > 40 || strings.ContainsAny(nick, ":/") || nick != strings.TrimSpace(nick) {
			t.Fatalf("%q gives the nickname %q", name, nick)
		}
		if names.Nickname(nick) != nick {
			t.Fatalf("the nickname %q becomes %q", nick, names.Nickname(nick))
		}
	})
}

func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == '\u3164'
}
