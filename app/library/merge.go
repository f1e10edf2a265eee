package library

import (
	"path"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
)

// listing reads what is stored at and below a path, in path order and a page at
// a time. Folders, of which there are few, are put aside.
type listing struct {
	store Store
	under string

	page    []domain.File
	after   string
	ended   bool
	folders map[string]bool
}

func newListing(store Store, under string) *listing {
	return &listing{store: store, under: under, folders: make(map[string]bool)}
}

// peek returns the next file; ok is false at the end.
func (c *listing) peek() (f domain.File, ok bool, err error) {
	for {
		for len(c.page) > 0 && c.page[0].Folder {
			c.folders[c.page[0].Path] = true
			c.page = c.page[1:]
		}
		if len(c.page) > 0 {
			return c.page[0], true, nil
		}
		if c.ended {
			return domain.File{}, false, nil
		}
		c.page, err = c.store.FilesFrom(c.under, c.after, pageOfFiles)
		if err != nil {
			return domain.File{}, false, err
		}
		c.ended = len(c.page) < pageOfFiles
		if len(c.page) > 0 {
			c.after = c.page[len(c.page)-1].Path
		}
	}
}

// next goes on to the following file.
func (c *listing) next() { c.page = c.page[1:] }

// job is a file that must be hashed.
type job struct {
	rel  string
	size int64
	// was is what is stored of it, zero if it is new.
	was domain.File
}

// merge compares what a walk finds with what is stored. Both come in path
// order.
type merge struct {
	stored *listing
	entry  func(rel string) string
	// hash is given what is new or has changed, vanished what is not there.
	hash     func(job) error
	vanished func(domain.File)
	// empty holds the entry paths of the folders with nothing in them.
	empty map[string]bool
}

// file takes the next file that was found.
func (m *merge) file(f found) error {
	entryPath := m.entry(f.rel)
	for {
		was, ok, err := m.stored.peek()
		if err != nil {
			return err
		}
		delete(m.stored.folders, entryPath) // what was an empty folder is a file now
		if !ok || was.Path > entryPath {
			return m.hash(job{rel: f.rel, size: f.info.Size()})
		}
		m.stored.next()
		if was.Path < entryPath {
			m.vanished(was)
			continue
		}
		if asSeen(f.info, was.Size, was.ModifiedNano) && !was.Content.IsZero() {
			return nil
		}
		return m.hash(job{rel: f.rel, size: f.info.Size(), was: was})
	}
}

// end takes what is stored after the last file that was found.
func (m *merge) end() error {
	for {
		was, ok, err := m.stored.peek()
		if err != nil || !ok {
			return err
		}
		m.stored.next()
		m.vanished(was)
	}
}

// folders returns what must change about empty folders: those that are new and
// those that are none any more.
func (m *merge) folders() delta {
	var d delta
	for p := range m.empty {
		if !m.stored.folders[p] {
			d.put = append(d.put, emptyFolder(p))
		}
	}
	for p := range m.stored.folders {
		if !m.empty[p] {
			d.drop = append(d.drop, p)
		}
	}
	return d
}

func emptyFolder(entryPath string) domain.File {
	return domain.File{Entry: domain.Entry{Path: entryPath, Folder: true}}
}

// foldersAbove returns what must change about the folders above rel after
// something at rel came or went: one that lost the last thing in it becomes an
// entry of its own, one that got its first thing is none any more. isFolder
// reports whether a folder is there that is not left out.
func foldersAbove(store Store, entry func(rel string) string, rel string, isFolder func(rel string) bool) (delta, error) {
	var d delta
	for rel != "." {
		rel = path.Dir(rel)
		at := entry(rel)
		below, err := store.FilesFrom(at, "", 2)
		if err != nil {
			return d, err
		}
		there := isFolder(rel)
		isEntry := len(below) > 0 && below[0].Path == at && below[0].Folder
		holds := len(below) > 0 && strings.HasPrefix(below[len(below)-1].Path, at+"/")
		switch {
		case isEntry && (holds || !there):
			d.drop = append(d.drop, at)
		case !isEntry && !holds && there:
			d.put = append(d.put, emptyFolder(at))
		}
		if there {
			break
		}
	}
	return d, nil
}
