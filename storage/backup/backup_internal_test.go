package backup

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
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
