package names_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/names"
)

func TestClean(t *testing.T) {
	long := strings.Repeat("ä", 200)
	for path, want := range map[string]string{
		"a.txt":                                "a.txt",
		"Holiday/img 1.jpg":                    "Holiday/img 1.jpg",
		"/etc/passwd":                          "etc/passwd",
		"//host//share/":                       "host/share",
		"./a/./b":                              "a/b",
		".bashrc":                              ".bashrc",
		"...":                                  "_",
		"a/.. /b":                              "a/_/b",
		`..\..\boot.ini`:                       ".._.._boot.ini",
		`C:\Windows\x`:                         "C__Windows_x",
		"C:/x":                                 "C_/x",
		"photo.jpg:stream":                     "photo.jpg_stream",
		"a<b>c\"d|e?f*g":                       "a_b_c_d_e_f_g",
		"nul\x00byte":                          "nul_byte",
		"line\nbreak\x7f\u0085":                "line_break__",
		"name.":                                "name",
		"name. . .":                            "name",
		" ":                                    "_",
		"CON":                                  "_CON",
		"con.txt":                              "_con.txt",
		"Nul .tar.gz":                          "_Nul .tar.gz",
		"NUL.":                                 "_NUL",
		"com1":                                 "_com1",
		"LPT³.x":                               "_LPT³.x",
		"COM10":                                "COM10",
		"CONIN$":                               "_CONIN$",
		"console":                              "console",
		"aux/prn/ok":                           "_aux/_prn/ok",
		"u\u0308ber":                           "über",
		"bad\xff\xfeutf":                       "bad_utf",
		"gpj.\u202eexe":                        "gpj._exe",
		".potluck-0123.part":                   "_.potluck-0123.part",
		".POTLUCK-x":                           "_.POTLUCK-x",
		".pot\u200cluck-x":                     "_.pot\u200cluck-x",
		"family 👨\u200d👩\u200d👧.png":           "family 👨\u200d👩\u200d👧.png",
		"日本語/ファイル.txt":                         "日本語/ファイル.txt",
		long + ".jpeg":                         strings.Repeat("ä", 125) + ".jpeg",
		strings.Repeat("x", 300):               strings.Repeat("x", 255),
		"CON" + strings.Repeat(" ", 300) + "x": "_CON",
		strings.Repeat(" ", 300) + "x":         "_",
		strings.Repeat(".", 300) + "x":         ".x",
	} {
		got, err := names.Clean(path)
		if err != nil {
			t.Errorf("%q: %v", path, err)
		} else if got != want {
			t.Errorf("%q becomes %q, not %q", path, got, want)
		}
	}
}

func TestCleanRefuses(t *testing.T) {
	for path, want := range map[string]error{
		"":                         domain.ErrMalformed,
		"/":                        domain.ErrMalformed,
		".":                        domain.ErrMalformed,
		"./.":                      domain.ErrMalformed,
		"..":                       domain.ErrMalformed,
		"../x":                     domain.ErrMalformed,
		"a/../../x":                domain.ErrMalformed,
		"a/..":                     domain.ErrMalformed,
		strings.Repeat("d/", 129):  domain.ErrTooLarge,
		strings.Repeat("x", 4097):  domain.ErrTooLarge,
		strings.Repeat("d/", 2000): domain.ErrTooLarge,
	} {
		if got, err := names.Clean(path); !errors.Is(err, want) {
			t.Errorf("%.20q becomes %q, %v", path, got, err)
		}
	}
	if _, err := names.Clean(strings.Repeat("d/", 127) + "f"); err != nil {
		t.Errorf("a path of 128 parts: %v", err)
	}
}

func TestFold(t *testing.T) {
	for _, same := range [][]string{
		{"Readme.TXT", "README.txt", "readme.txt", "readme.txt."},
		{"über", "u\u0308ber", "ÜBER", "U\u0308BER "},
		{"straße", "STRASSE", "STRAẞE"},
		{"\u212aelvin", "kelvin"},
		{"ﬁn", "FIN"},
		{"σ", "ς", "Σ"},
		{"a/B.", "A/b"},
		{".potluck-", ".pot\u200cluck-", ".POTLUCK-"},
	} {
		for _, name := range same[1:] {
			if names.Fold(name) != names.Fold(same[0]) {
				t.Errorf("%q and %q are kept apart: %q, %q", same[0], name, names.Fold(same[0]), names.Fold(name))
			}
		}
	}
	for _, pair := range [][2]string{{"a", "b"}, {"a/b", "ab"}, {"a.b", "ab"}, {"é", "e"}, {"a/b", "a/b/c"}, {" a", "a"}} {
		if names.Fold(pair[0]) == names.Fold(pair[1]) {
			t.Errorf("%q and %q are taken for the same", pair[0], pair[1])
		}
	}
}

func TestDisplay(t *testing.T) {
	for name, want := range map[string]string{
		"plain.txt":                        "plain.txt",
		"two\nlines\tand":                  "two lines and",
		"\x1b[31mred\x1b[0m":               "\ufffd[31mred\ufffd[0m",
		"invoice\u202egpj.exe":             "invoicegpj.exe",
		"a\u200bb\u2060c\ufeff":            "abc",
		"\u2066x\u2069\u200f":              "x",
		"u\u0308":                          "ü",
		"bad\xffutf":                       "bad\ufffdutf",
		"soft\u00adhyphen":                 "softhyphen",
		"filler\u3164\u115f.":              "filler.",
		"tag\U000e0041":                    "tag",
		"private\ue000":                    "private\ufffd",
		"line\u2028sep":                    "line sep",
		"❤\ufe0f":                          "❤\ufe0f",
		"日本語":                              "日本語",
		"":                                 "",
		"z" + strings.Repeat("\u0335", 50): "z" + strings.Repeat("\u0335", 6),
	} {
		if got := names.Display(name); got != want {
			t.Errorf("%q shows as %q, not %q", name, got, want)
		}
	}
	shown := names.Display("begin" + strings.Repeat("ä", 5000) + ".exe")
	if n := utf8.RuneCountInString(shown); n != 255 || !strings.HasPrefix(shown, "begin") || !strings.HasSuffix(shown, ".exe") || !strings.Contains(shown, "…") {
		t.Errorf("a long name shows as %d runes: %q", n, shown)
	}
}

func TestNickname(t *testing.T) {
	for name, want := range map[string]string{
		"Ana":                    "Ana",
		"  Ana \n Maria ":        "Ana Maria",
		"a:b/c":                  "a b c",
		"potluck:peer/x":         "potluck peer x",
		"\x1b]0;owned\x07Ben":    "]0;ownedBen",
		"\u202e\u200b\u3164":     "",
		"\xff\xff":               "",
		":/:":                    "",
		"\u0301":                 "",
		strings.Repeat("ö", 60):  strings.Repeat("ö", 40),
		strings.Repeat("x ", 60): strings.TrimSpace(strings.Repeat("x ", 20)),
		"Ана":                    "Ана",
		"🦊":                      "🦊",
	} {
		if got := names.Nickname(name); got != want {
			t.Errorf("%q becomes %q, not %q", name, got, want)
		}
	}
}

func TestNumbered(t *testing.T) {
	for name, want := range map[string]string{
		"a.txt":                           "a (2).txt",
		"archive.tar.gz":                  "archive.tar (2).gz",
		".bashrc":                         ".bashrc (2)",
		".a.conf":                         ".a (2).conf",
		"README":                          "README (2)",
		"dir.d/README":                    "dir.d/README (2)",
		"x/y.z":                           "x/y (2).z",
		"Dr. Strange":                     "Dr. Strange (2)",
		"end.":                            "end. (2)",
		strings.Repeat("x", 251) + ".txt": strings.Repeat("x", 247) + " (2).txt",
		"a/" + strings.Repeat("ä", 127):   "a/" + strings.Repeat("ä", 125) + " (2)",
	} {
		if got := names.Numbered(name, 2); got != want {
			t.Errorf("%q becomes %q, not %q", name, got, want)
		}
	}
}

func TestShareable(t *testing.T) {
	for _, name := range []string{"a.txt", "日本語", "back\\slash", "line\nbreak", "...", " "} {
		if err := names.Shareable(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", ".", "..", "a/b", "bad\xff", "nul\x00"} {
		if err := names.Shareable(name); !errors.Is(err, domain.ErrNotShareable) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestIgnored(t *testing.T) {
	for _, name := range []string{
		".DS_Store", "Thumbs.db", "THUMBS.DB", "desktop.ini", "~$letter.docx", "film.mkv.part", "x.crdownload", "x.!qB",
		"x.!ut", "x.download", "x.PARTIAL", ".potluck-0011223344556677.part", ".potluck-x", ".Potluck-x", "x.aria2",
	} {
		if !names.Ignored(name) {
			t.Errorf("%q is not left out", name)
		}
	}
	for _, name := range []string{
		"a.txt", ".bashrc", "part", ".part", "film.part1.rar", "download", "~x", "desktop.ini.txt", "potluck-x", ".potluck", "",
	} {
		if names.Ignored(name) {
			t.Errorf("%q is left out", name)
		}
	}
}

// TestCleanOnDisk writes what hostile paths become, and looks for it outside.
func TestCleanOnDisk(t *testing.T) {
	outer := t.TempDir()
	if err := os.Mkdir(outer+"/in", 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(outer + "/in")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }() // read-only use from here on
	for _, path := range []string{
		"../out", "/../out", "a/../../out", `..\out`, "....//out", ".. /out", "..\x00/out", "%2e%2e/out",
		"\u202e../out", "..\u200b/out", "．．/out", "/tmp/out", "~/out", "$HOME/out", "C:out",
	} {
		clean, err := names.Clean(path)
		if err != nil {
			continue
		}
		writeBelow(t, root, clean)
	}
	found, err := os.ReadDir(outer)
	if err != nil || len(found) != 1 {
		t.Errorf("beside the folder there is now %v, %v", found, err)
	}
}

func TestAlike(t *testing.T) {
	for _, alike := range [][]string{
		{"Ana", "ana", " A\u200bna ", "Ａｎａ", "ANA.", "A\u202ena"},
		{"Ana  B", "ana b", "Ana\u00a0B", "Ana/B"},
		{"Zoë", "ZOE\u0308"},
		{"", " ", "\u200b"},
	} {
		for _, name := range alike[1:] {
			if got, want := names.Alike(name), names.Alike(alike[0]); got != want {
				t.Errorf("%q and %q differ: %q, %q", alike[0], name, want, got)
			}
		}
	}
	if names.Alike("Ana") == names.Alike("Anna") || names.Alike("Zoe") == names.Alike("Zoë") {
		t.Error("different names are one")
	}
}
