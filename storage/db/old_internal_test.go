package db

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/potluck-share/potluck/app/domain"
)

// The file of a Potluck from before the second schema opens and keeps
// everything: testdata/schema1.db.gz was written by one.
func TestAnOldFileKeepsEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "potluck.db")
	unpack(t, "testdata/schema1.db.gz", path)
	was := snapshot(t, path)
	d, err := open(path, quietLog, migrations)
	if err != nil {
		t.Fatal(err)
	}
	if d.SetAside() != "" {
		t.Fatal("the file was set aside")
	}
	var got []string
	tell := func(form string, args ...any) { got = append(got, fmt.Sprintf(form, args...)) }

	shares, err := d.Shares()
	check(t, err)
	for _, s := range shares {
		tell("%s %s %s %v %d %s, %d times: %s", s.Name, s.Path, s.Audience.Kind, s.Audience.Peers, s.Entries, s.State, s.Fetched, s.Problem)
	}
	files, err := d.FilesFrom("Holiday", "", 9)
	check(t, err)
	for _, f := range files {
		tell("%s %d", f.Path, f.Size)
	}
	transfers, err := d.Transfers()
	check(t, err)
	slices.SortFunc(transfers, func(a, b domain.Transfer) int { return strings.Compare(a.ID, b.ID) })
	for _, one := range transfers {
		tell("%s %s %d %s %q %v: %s", one.ID, one.State, len(one.Files), one.Failure, one.Files[0].Final, one.Files[1].Skipped, one.Reason)
	}
	people, err := d.People()
	check(t, err)
	for _, p := range people {
		tell("%s %v %v %v", p.Name, p.Friend, p.Blocked, p.Addresses)
	}
	check(t, d.Entries("12D3KooWA", func(e domain.Entry) error { tell("%s %d", e.Path, e.Size); return nil }))
	check(t, d.Close())

	const away = "Ana is away since 14:02. Continues when Ana is back."
	want := []string{
		`Holiday /home/x/Holiday chosen [12D3KooWA] 1 shared, 0 times: ["odd", "name"] can't be read; 100 %s`,
		"Holiday/a 5",
		`olda done 2 offline "/dl/Holiday/a" true: ` + away,
		`oldb failed 2 offline "" true: ` + away,
		`oldc paused 2 offline "" true: ` + away,
		`oldd cancelled 2 offline "" true: ` + away,
		`olde waiting 2 offline "" true: ` + away,
		"Ana true false [/ip4/192.168.1.7/tcp/17685]",
		"Ben false true []",
		"Films/a 9",
	}
	if !slices.Equal(got, want) {
		t.Errorf("it has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	now := snapshot(t, path)
	for key, value := range was {
		if key != "meta/schema" && now[key] != value {
			t.Errorf("%s has become %q", key, now[key])
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	check(t, err)
	defer func() { check(t, in.Close()) }()
	packed, err := gzip.NewReader(in)
	check(t, err)
	data, err := io.ReadAll(packed)
	check(t, err)
	check(t, os.WriteFile(to, data, 0o600))
}

// snapshot returns all that a file holds, by the path of its key.
func snapshot(t *testing.T, path string) map[string]string {
	t.Helper()
	file, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	check(t, err)
	defer func() { check(t, file.Close()) }()
	all := make(map[string]string)
	var walk func(at string, b *bbolt.Bucket) error
	walk = func(at string, b *bbolt.Bucket) error {
		return b.ForEach(func(key, value []byte) error {
			if value == nil {
				return walk(at+string(key)+"/", b.Bucket(key))
			}
			all[at+string(key)] = string(value)
			return nil
		})
	}
	check(t, file.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error { return walk(string(name)+"/", b) })
	}))
	return all
}
