package browse

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// catalogue is what is known of one peer's entries, in memory. It is immutable
// once built, so that readers need no lock; a change builds a new one.
type catalogue struct {
	version  domain.Version
	complete bool
	entries  []domain.Entry // sorted by path
	// blob holds the lower-cased paths, each followed by a newline; starts[i]
	// is where entry i begins. One scan of it is faster than any index that
	// was tried, up to a million names.
	blob   []byte
	starts []uint32
	// contents are the files among entries, sorted by content: a map of them
	// takes twelve times as much memory.
	contents []int32
}

// build makes a catalogue of entries, which it owns and sorts from now on.
func build(version domain.Version, complete bool, entries []domain.Entry) *catalogue {
	slices.SortFunc(entries, func(a, b domain.Entry) int { return strings.Compare(a.Path, b.Path) })
	c := &catalogue{
		version: version, complete: complete, entries: entries,
		starts:   make([]uint32, 0, len(entries)),
		contents: make([]int32, 0, len(entries)),
	}
	var blob bytes.Buffer
	size := 0
	for _, e := range entries {
		size += len(e.Path) + 1
	}
	blob.Grow(size) // a lower-cased name is hardly ever longer
	for i, e := range entries {
		c.starts = append(c.starts, uint32(blob.Len()))
		blob.WriteString(strings.ToLower(e.Path))
		blob.WriteByte('\n')
		if !e.Folder {
			c.contents = append(c.contents, int32(i))
		}
	}
	c.blob = blob.Bytes()
	slices.SortFunc(c.contents, func(a, b int32) int {
		return cmp.Or(bytes.Compare(entries[a].Content[:], entries[b].Content[:]), cmp.Compare(b, a))
	})
	return c
}

// of returns an entry with that content.
func (c *catalogue) of(id domain.ContentID) (domain.Entry, bool) {
	at, ok := slices.BinarySearchFunc(c.contents, id, func(i int32, id domain.ContentID) int { return bytes.Compare(c.entries[i].Content[:], id[:]) })
	if !ok {
		return domain.Entry{}, false
	}
	return c.entries[c.contents[at]], true
}

// whole makes a catalogue of all that a full pull brought so far, in that order:
// of a path that came more than once the last entry counts. It owns entries.
func whole(version domain.Version, complete bool, entries []domain.Entry) *catalogue {
	slices.SortStableFunc(entries, func(a, b domain.Entry) int { return strings.Compare(a.Path, b.Path) })
	kept := entries[:0]
	for i, e := range entries {
		if last := i+1 == len(entries) || entries[i+1].Path != e.Path; last && !gone(e) {
			kept = append(kept, e)
		}
	}
	return build(version, complete, kept)
}

// entryOf returns what a change of a full pull leaves: an entry that is gone, if
// it is.
func entryOf(c domain.Change) domain.Entry {
	if c.Entry == nil {
		return domain.Entry{Path: c.Path}
	}
	return *c.Entry
}

// gone reports whether an entry stands for one that is gone: it is neither file
// nor folder.
func gone(e domain.Entry) bool { return !e.Folder && e.Content.IsZero() }

// with returns the catalogue after changes.
func (c *catalogue) with(version domain.Version, complete bool, changes []domain.Change) *catalogue {
	latest := make(map[string]*domain.Entry, len(changes))
	for _, change := range changes {
		latest[change.Path] = change.Entry
	}
	entries := make([]domain.Entry, 0, len(c.entries)+len(latest))
	for _, e := range c.entries {
		if _, changed := latest[e.Path]; !changed {
			entries = append(entries, e)
		}
	}
	for _, e := range latest {
		if e != nil {
			entries = append(entries, *e)
		}
	}
	return build(version, complete, entries)
}

// find returns the entry at path.
func (c *catalogue) find(path string) (domain.Entry, bool) {
	i := c.from(path)
	if i < len(c.entries) && c.entries[i].Path == path {
		return c.entries[i], true
	}
	return domain.Entry{}, false
}

// from returns the index of the first entry whose path is not before path.
func (c *catalogue) from(path string) int {
	return sort.Search(len(c.entries), func(i int) bool { return c.entries[i].Path >= path })
}

// below returns the entries under folder, all of them for "".
func (c *catalogue) below(folder string) []domain.Entry {
	if folder == "" {
		return c.entries
	}
	return c.entries[c.from(folder+"/"):c.from(folder+"0")] // '0' follows '/'
}

// children returns the rows of a folder: its files, and its folders with the
// sums of what is below them.
func (c *catalogue) children(folder string) []domain.Result {
	prefix := 0
	if folder != "" {
		prefix = len(folder) + 1
	}
	var rows []domain.Result
	// A folder and what is below it need not lie side by side in path order
	// ("a", "a b", "a/x"), so rows are found again by name.
	at := make(map[string]int)
	for _, e := range c.below(folder) {
		name, rest, deeper := strings.Cut(e.Path[prefix:], "/")
		if !deeper && !e.Folder {
			rows = append(rows, domain.Result{Entry: e})
			continue
		}
		i, known := at[name]
		if !known {
			i = len(rows)
			at[name] = i
			rows = append(rows, domain.Result{Entry: domain.Entry{Path: e.Path[:prefix] + name, Folder: true}})
		}
		row := &rows[i]
		row.Modified = latest(row.Modified, e.Modified)
		if deeper && rest != "" && !e.Folder {
			row.Entries++
			row.Size += e.Size
		}
	}
	return rows
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
