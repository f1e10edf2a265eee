package backup_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/backup"
)

func some() backup.Backup {
	return backup.Backup{
		People: []domain.Person{
			{ID: "12D3KooWana", Name: "Ana", Given: "Anna \"the\" first", Friend: true, Confirmed: true, AcceptUpTo: 1 << 40, Addresses: []string{"/ip4/10.0.0.2/tcp/1"}},
			{ID: "12D3KooWben", Name: "Ben", Blocked: true},
		},
		Shares: []domain.Share{
			{Name: "Holiday", Path: "/home/mira/Holiday", Folder: true, Audience: domain.Audience{Kind: domain.Chosen, Peers: []domain.PeerID{"12D3KooWana"}}},
			{Name: "a (2).txt", Path: "/home/mira/ä\n.txt", Audience: domain.Audience{Kind: domain.Everyone}},
			{Name: "Films", Path: "/films", Folder: true, Audience: domain.Audience{Kind: domain.Friends}},
		},
	}
}

func TestBackupIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup.toml")
	if _, err := backup.Read(path); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("there is none: %v", err)
	}
	for range 2 { // the second one replaces the first
		if err := backup.Write(path, some()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := backup.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := some(); !reflect.DeepEqual(got, want) {
		t.Errorf("kept\n%+v, want\n%+v", got, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// What the form cannot hold is left out, not changed into something else.
func TestOddPathsAreLeftOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup.toml")
	b := some()
	b.Shares[0].Path, b.People[1].Name = "/home/\xff/Holiday", "B\xffn"
	if err := backup.Write(path, b); err != nil {
		t.Fatal(err)
	}
	got, err := backup.Read(path)
	if err != nil || len(got.Shares) != 2 || got.People[1].Name != "B\uFFFDn" {
		t.Errorf("kept %+v, %v", got, err)
	}
}

func TestBackupsThatAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup.toml")
	for text, kind := range map[string]error{
		"":                         domain.ErrDamaged,
		"format = 2\n":             domain.ErrVersion,
		"format = \"one\"\n":       domain.ErrDamaged,
		"\x00\x01":                 domain.ErrDamaged,
		"format = 1\n[[person]]\n": domain.ErrDamaged,
		"format = 1\n[[share]]\npath = \"relative\"\naudience = \"everyone\"\n":     domain.ErrDamaged,
		"format = 1\n[[share]]\npath = \"/a\"\nname = \"../b\"\naudience = \"x\"\n": domain.ErrDamaged,
		"format = 1\n# " + strings.Repeat("x", 17<<20):                              domain.ErrDamaged,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := backup.Read(path); !errors.Is(err, kind) {
			t.Errorf("%.60q: %+v, %v", text, b, err)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != text {
			t.Errorf("%.60q was changed: %v", text, err)
		}
	}
}

// What an audience says that is not known is nobody.
func TestUnknownAudienceIsNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup.toml")
	for _, said := range []string{"", "Everyone", "world"} {
		if err := os.WriteFile(path, []byte("format = 1\n[[share]]\npath = \"/a\"\naudience = \""+said+"\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := backup.Read(path)
		if err != nil || len(b.Shares) != 1 || b.Shares[0].Audience.Kind != domain.Nobody || b.Shares[0].Name != "a" {
			t.Errorf("%q: %+v, %v", said, b, err)
		}
	}
}
