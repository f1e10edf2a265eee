// Package backup keeps what a user would miss most if the database were lost in
// a small file that a person can read: friends, blocked people, and who sees
// which share. What is not in it can be had again: shares are read anew, the
// lists of others come from them.
//
// Read and Write may be called from any goroutine, one at a time for a file.
package backup

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/disk"
)

// What a file may hold at most. It is the user's own, so that these only keep a
// broken one from being taken for more than it is.
const (
	maxFile   = 16 << 20 // bytes
	maxPeople = 100_000
	maxShares = 100_000
	maxText   = 32 << 10 // bytes of a path; of a name far less
	maxDepth  = 4        // of brackets and braces; a heading is two deep
	maxDots   = 8        // on a line, outside of text; a key of ours has none
)

// format is the number of the form. A file of a higher one is not read.
const format = 1

// Backup is what is kept.
type Backup struct {
	People []domain.Person
	// Shares have Name, Path, Folder, Audience and Added only.
	Shares []domain.Share
}

// file is the form on disk.
type file struct {
	Format int      `toml:"format"`
	People []person `toml:"person"`
	Shares []share  `toml:"share"`
}

type person struct {
	Peer       string   `toml:"peer"`
	Name       string   `toml:"name"`
	Given      string   `toml:"given,omitempty"`
	Friend     bool     `toml:"friend,omitempty"`
	Confirmed  bool     `toml:"confirmed,omitempty"`
	Blocked    bool     `toml:"blocked,omitempty"`
	AcceptUpTo int64    `toml:"accept_up_to,omitempty"`
	Addresses  []string `toml:"addresses,omitempty"`
}

type share struct {
	Path     string   `toml:"path"`
	Name     string   `toml:"name"`
	Folder   bool     `toml:"folder"`
	Audience string   `toml:"audience"` // everyone, friends, chosen; anything else is nobody
	People   []string `toml:"people,omitempty"`
}

const heading = `# Potluck writes this file whenever friends, blocked people or shares change, and
# reads it only if its database is lost or damaged. Changing it changes nothing
# as long as the database is there.

`

// Write replaces the file at path at once, so that a crash leaves the old one or
// the new one. Shares whose paths are no valid UTF-8 are left out: the form
// cannot hold them.
func Write(path string, b Backup) error {
	f := file{Format: format}
	for _, p := range b.People {
		f.People = append(f.People, person{
			Peer: string(p.ID), Name: valid(p.Name), Given: valid(p.Given), Friend: p.Friend, Confirmed: p.Confirmed,
			Blocked: p.Blocked, AcceptUpTo: p.AcceptUpTo, Addresses: p.Addresses,
		})
	}
	for _, s := range b.Shares {
		if !utf8.ValidString(s.Path) || !utf8.ValidString(s.Name) {
			continue
		}
		one := share{Path: s.Path, Name: s.Name, Folder: s.Folder, Audience: string(s.Audience.Kind)}
		for _, id := range s.Audience.Peers {
			one.People = append(one.People, string(id))
		}
		f.Shares = append(f.Shares, one)
	}
	var text strings.Builder
	text.WriteString(heading)
	if err := toml.NewEncoder(&text).Encode(f); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if err := replace(path, text.String()); err != nil {
		return fmt.Errorf("write the backup %s: %w", path, err)
	}
	return nil
}

func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

func replace(path, text string) error {
	out, err := os.CreateTemp(filepath.Dir(path), ".backup-*") // 0600
	if err != nil {
		return err
	}
	_, err = out.WriteString(text)
	err = errors.Join(err, out.Sync(), out.Close())
	if err == nil {
		err = os.Rename(out.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(disk.SyncOpen(folder), folder.Close()) // so that the name outlives a power cut, too
}

// Read reads the file at path. Errors: domain.ErrNotFound if there is none,
// ErrVersion if a newer Potluck wrote it, ErrDamaged if it cannot be understood.
// What is not clear means less rather than more: an unknown audience is nobody.
func Read(path string) (Backup, error) {
	in, err := os.Open(path) //nolint:gosec // the program's own data folder
	if errors.Is(err, fs.ErrNotExist) {
		return Backup{}, fmt.Errorf("read the backup: %w", domain.ErrNotFound)
	}
	if err != nil {
		return Backup{}, fmt.Errorf("read the backup: %w", err)
	}
	defer func() { _ = in.Close() }() // only read from
	b, err := decode(in)
	if err != nil {
		return Backup{}, fmt.Errorf("read the backup %s: %w", path, err)
	}
	return b, nil
}

func decode(in io.Reader) (b Backup, err error) {
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return b, err
	}
	var f file
	if len(data) > maxFile {
		return b, fmt.Errorf("%w: over %d bytes", domain.ErrDamaged, maxFile)
	}
	if !plain(data) {
		return b, fmt.Errorf("%w: nested too deep, or text of many lines", domain.ErrDamaged)
	}
	if err := toml.Unmarshal(data, &f); err != nil {
		return b, fmt.Errorf("%w: %w", domain.ErrDamaged, err)
	}
	switch {
	case f.Format > format:
		return b, fmt.Errorf("%w: its form has number %d, this Potluck knows %d", domain.ErrVersion, f.Format, format)
	case f.Format < 1, len(f.People) > maxPeople, len(f.Shares) > maxShares:
		return b, fmt.Errorf("%w: form %d, %d people, %d shares", domain.ErrDamaged, f.Format, len(f.People), len(f.Shares))
	}
	for _, p := range f.People {
		if p.Peer == "" || len(p.Peer) > maxText || len(p.Name) > maxText || len(p.Given) > maxText {
			return b, fmt.Errorf("%w: the person %.40q", domain.ErrDamaged, p.Peer)
		}
		b.People = append(b.People, domain.Person{
			ID: domain.PeerID(p.Peer), Name: p.Name, Given: p.Given, Friend: p.Friend, Confirmed: p.Confirmed,
			Blocked: p.Blocked, AcceptUpTo: max(0, p.AcceptUpTo), Addresses: p.Addresses,
		})
	}
	for _, s := range f.Shares {
		if len(s.Path) > maxText || !filepath.IsAbs(s.Path) || len(s.Name) > maxText || strings.ContainsAny(s.Name, "/\x00") {
			return b, fmt.Errorf("%w: the share %.40q", domain.ErrDamaged, s.Path)
		}
		b.Shares = append(b.Shares, domain.Share{
			Name: cmp.Or(s.Name, filepath.Base(s.Path)), Path: s.Path, Folder: s.Folder, Audience: audience(s),
		})
	}
	return b, nil
}

// plain reports whether a text has no more of TOML than a backup needs. The
// parser recurses into what is nested, and takes the square of its depth in time
// and memory, so that this is looked at before.
func plain(data []byte) bool {
	depth, dots := 0, 0
	for i := 0; i < len(data); i++ {
		switch c := data[i]; c {
		case '\n':
			dots = 0
		case '.':
			dots++
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		case '#':
			i = lineEnd(data, i) - 1
		case '"', '\'':
			if bytes.HasPrefix(data[i:], []byte{c, c, c}) {
				return false
			}
			i = quoteEnd(data, i)
		}
		if depth > maxDepth || dots > maxDots {
			return false
		}
	}
	return true
}

func lineEnd(data []byte, from int) int {
	if n := bytes.IndexByte(data[from:], '\n'); n >= 0 {
		return from + n
	}
	return len(data)
}

// quoteEnd returns where the text that opens at from is closed, or else the last
// place on its line.
func quoteEnd(data []byte, from int) int {
	end := lineEnd(data, from)
	for i := from + 1; i < end; i++ {
		switch {
		case data[i] == data[from]:
			return i
		case data[i] == '\\' && data[from] == '"':
			i++
		}
	}
	return end - 1
}

func audience(s share) domain.Audience {
	a := domain.Audience{Kind: domain.AudienceKind(s.Audience)}
	switch a.Kind {
	case domain.Everyone, domain.Friends:
	case domain.Chosen:
		for _, id := range s.People {
			a.Peers = append(a.Peers, domain.PeerID(id))
		}
	default:
		a.Kind = domain.Nobody
	}
	return a
}
