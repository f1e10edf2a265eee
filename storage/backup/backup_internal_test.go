package backup

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

// FuzzDecode gives it anything at all: what it takes has absolute paths and
// names without folders.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("format = 1\n"))
	f.Add([]byte("format = 1\n[[person]]\npeer = \"a\"\nfriend = true\naddresses = [\"b\"]\n"))
	f.Add([]byte("format = 1\n[[share]]\npath = \"/a\"\naudience = \"chosen\"\npeople = [\"b\"]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, p := range b.People {
			if p.ID == "" || p.AcceptUpTo < 0 {
				t.Errorf("a person %+v", p)
			}
		}
		for _, s := range b.Shares {
			if !filepath.IsAbs(s.Path) || s.Name == "" || strings.Contains(s.Name, "/") && s.Path != "/" {
				t.Errorf("a share %+v", s)
			}
		}
	})
}

// What would cost the parser much is refused before it is parsed.
func TestDeepNestingIsRefused(t *testing.T) {
	for _, level := range []string{"[", "{a=", "]]][", "a.", "\"\".", "[\n", "[ # ]\n", "[\"]\","} {
		for _, before := range []string{"a = ", "", "[", "a = \"\" ", "a = \"\"\"\n\"\"\" \" \n"} {
			text := "format = 1\n" + before + strings.Repeat(level, 1<<20)
			if _, err := decode(strings.NewReader(text)); !errors.Is(err, domain.ErrDamaged) {
				t.Errorf("%q, %q: %.80v", before, level, err)
			}
		}
	}
}

// Names may have in them what would be nesting outside of them.
func TestOddNamesAreNotNesting(t *testing.T) {
	for _, path := range []string{`/[[[[[[[`, `/{{{{{{`, `/........................`, `/a\`, `/"""`, `/\'\'\'`, "/a\n[[[[[[[", `/a\"[[[[[[`, "/#"} {
		file := filepath.Join(t.TempDir(), "backup.toml")
		want := Backup{Shares: []domain.Share{{Name: "a", Path: path, Audience: domain.Audience{Kind: domain.Friends}}}}
		if err := Write(file, want); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(file); err != nil || len(got.Shares) != 1 || got.Shares[0].Path != path {
			t.Errorf("%q: %+v, %v", path, got, err)
		}
	}
}
