package hostile_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/libp2p/go-libp2p/core/network"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	cataloguepb "github.com/potluck-share/potluck/net/catalogue/pb"
)

// lists are attacks by what a peer says that it shares.
func lists() []row {
	return []row{
		{name: "names that lead out of the folder", attack: namesThatLeadOut},
		{name: "names that are paths on other systems", attack: namesOfOtherSystems},
		{name: "names that mislead who reads them", attack: namesThatMislead},
		{name: "a friend's name with another key", attack: sameName},
		{name: "numbers at and beyond all bounds", attack: numbersBeyondBounds},
		{name: "paths of 100 KB", attack: longPaths},
		{name: "the same path twice", attack: samePath},
		{name: "a page that unpacks to a gigabyte", attack: bomb},
	}
}

// refused lets each list be pulled from a peer of its own, and waits until all
// of them are refused.
func (s *stage) refused(all map[string]func(r *rogue)) (sent, outcome string) {
	s.Helper()
	rogues := make(map[string]*rogue)
	for why, prepare := range all {
		r := newRogue(s.T, "Mallory")
		prepare(r)
		r.meets(s.ana)
		rogues[why] = r
		s.blame(r.ID())
	}
	pulled := int64(0)
	for why, r := range rogues {
		s.awaitNamed(r.ID(), why)
		if r.pulled.Load() == 0 {
			s.Errorf("%s was never asked for", why)
		}
		if r.pulled.Load() > 3 {
			s.Errorf("%s was asked for %d times", why, r.pulled.Load())
		}
		pulled += r.pulled.Load()
		if p := s.ana.person(r.ID()); p.Entries != 0 {
			s.Errorf("of %s is kept: %+v", why, p)
		}
	}
	return fmt.Sprintf("%d lists, pulled %d times", len(all), pulled), "all refused, nothing of them kept"
}

func namesThatLeadOut(s *stage) (sent, outcome string) {
	id := newBlob(s.T, 1, 10)
	all := make(map[string]func(*rogue))
	for _, path := range []string{"../pwned", "a/../../pwned", filepath.Join(s.TempDir(), "pwned"), "/etc/pwned", "..", ".", "", "a//pwned", "a/./pwned", "a/", "a\x00b"} {
		all[fmt.Sprintf("%q", path)] = func(r *rogue) { r.lists(id.at("fine"), id.at(path)) }
	}
	return s.refused(all)
}

func numbersBeyondBounds(s *stage) (sent, outcome string) {
	id := newBlob(s.T, 1, 10)
	with := func(change func(c *cataloguepb.Change)) func(*rogue) {
		c := id.at("file")
		change(c)
		return func(r *rogue) { r.lists(c) }
	}
	raw := func(bytes ...byte) func(*rogue) {
		return func(r *rogue) {
			r.frames(func(s network.Stream) { _, _ = s.Write(bytes) }) // it may hang up
		}
	}
	return s.refused(map[string]func(*rogue){
		"a size of 2^63":       with(func(c *cataloguepb.Change) { c.Size = 1 << 63 }),
		"a size of -1":         with(func(c *cataloguepb.Change) { c.Size = math.MaxUint64 }),
		"a size of 1 too much": with(func(c *cataloguepb.Change) { c.Size = uint64(domain.MaxFileSize) + 1 }),
		"a folder of 1 byte":   with(func(c *cataloguepb.Change) { c.Folder, c.Content = true, nil }),
		"the first second":     with(func(c *cataloguepb.Change) { c.Modified = math.MinInt64 }),
		"the last second":      with(func(c *cataloguepb.Change) { c.Modified = math.MaxInt64 }),
		"a content of 31":      with(func(c *cataloguepb.Change) { c.Content = c.Content[1:] }),
		"a content of 33":      with(func(c *cataloguepb.Change) { c.Content = append([]byte{1}, c.Content...) }),
		"no content":           with(func(c *cataloguepb.Change) { c.Content = nil }),
		"an empty frame":       raw(0),
		"a frame of 2^63 - 1":  raw(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
		"a frame of -1":        raw(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
		"a frame of 4 GB":      raw(0xff, 0xff, 0xff, 0xff, 0x0f),
		"a frame of garbage":   raw(4, 0xff, 0xff, 0xff, 0xff),
		"a page of garbage": func(r *rogue) {
			r.frames(func(s network.Stream) { send(s, &cataloguepb.Frame{Page: []byte("garbage"), Last: true}) })
		},
		"a page of 2,001": func(r *rogue) {
			many := make([]*cataloguepb.Change, 2001)
			for i := range many {
				many[i] = id.at(fmt.Sprint(i))
			}
			r.lists(many...)
		},
	})
}

func longPaths(s *stage) (sent, outcome string) {
	id := newBlob(s.T, 1, 10)
	return s.refused(map[string]func(*rogue){
		"a name of 100 KB":            func(r *rogue) { r.lists(id.at(strings.Repeat("x", 100<<10))) },
		"a path of 100 KB":            func(r *rogue) { r.lists(id.at(strings.Repeat("x/", 50<<10) + "x")) },
		"a path of one byte too much": func(r *rogue) { r.lists(id.at(strings.Repeat("x", domain.MaxPath+1))) },
		"a page of paths of 100 KB": func(r *rogue) {
			many := make([]*cataloguepb.Change, 30)
			for i := range many {
				many[i] = id.at(fmt.Sprint(i, strings.Repeat("ä", 50<<10)))
			}
			r.lists(many...)
		},
	})
}

func bomb(s *stage) (sent, outcome string) {
	// Frames after each other unpack to one after the other.
	page := bytes.Repeat(packer().EncodeAll(make([]byte, 16<<20), nil), 64)
	s.refused(map[string]func(*rogue){"a bomb": func(r *rogue) {
		r.frames(func(s network.Stream) { send(s, &cataloguepb.Frame{Page: page, Last: true}) })
	}})
	return fmt.Sprintf("1 GiB in %d KB", len(page)>>10), "refused before it is unpacked"
}

// Names that may be on the disk of whoever shares them, and here mean something
// else, are changed.
func namesOfOtherSystems(s *stage) (sent, outcome string) {
	names := []string{
		`..\..\pwned`, `C:\pwned`, "C:pwned", "CON", "NUL.txt", "a:stream", "dot.", "space ", ".potluck-1", "-rf", "$(id)", "~", "tab\tnew\nline",
		strings.Repeat("l", 255) + ".long", strings.Repeat("ä", 200), "A", "a", "é", "e\u0301",
	}
	r := newRogue(s.T, "Mallory")
	var list []*cataloguepb.Change
	var blobs []*blob
	for i, name := range names {
		b := newBlob(s.T, uint64(100+i), 1000+i)
		blobs, list = append(blobs, b), append(list, b.at("trip/"+name))
	}
	r.lists(list...)
	r.serves(blobs...)
	r.meets(s.ana)
	s.ana.do("get", string(r.ID())+":trip", "--wait", "30s")
	entries, err := os.ReadDir(filepath.Join(s.ana.downloads(), "trip"))
	if err != nil {
		s.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if strings.ContainsAny(name, "\\:\t\n") || strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") || len(name) > 255 || !e.Type().IsRegular() ||
			strings.EqualFold(name, "con") || strings.EqualFold(name, "nul.txt") || strings.HasPrefix(name, ".potluck-") {
			s.Errorf("there is a file %q", name)
		}
	}
	if len(entries) != len(names) {
		s.Errorf("of %d files there are %d", len(names), len(entries))
	}
	return fmt.Sprintf("%d names, all fetched", len(names)), "renamed, all below the download folder"
}

// misleading reports whether a terminal would do something else with the text
// than show it.
func misleading(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029')
	})
}

func namesThatMislead(s *stage) (sent, outcome string) {
	const nick = "Bea\u202e\x1b[2J\x1b]0;owned\x07\u200b"
	names := []string{
		"invoice\u202efdp.exe", "\x1b[31mred\x1b[0m", "\x1b]0;owned\x07", "zero\u200bwidth", "two\nlines 5 KB", "back\b\b\b\bspace", "return\rover",
		"\u2066isolate\u2069", "\u009b31mC1", "tower" + strings.Repeat("\u0301", 100), "\u2028line", "soft\u00adhyphen",
	}
	r := newRogue(s.T, nick)
	b := newBlob(s.T, 2, 2000)
	var list []*cataloguepb.Change
	for _, name := range names {
		list = append(list, b.at(name))
	}
	r.lists(list...)
	r.serves(b)
	r.meets(s.ana)
	id := string(r.ID())
	var listing string
	waitFor(s.T, "the list is here", func() bool {
		listing = s.ana.do("browse", id)
		return strings.Count(listing, "\n") == len(names)+1
	})
	shown := []string{
		listing, s.ana.do("peers"), s.ana.do("search", "invoice"), s.ana.do("get", id+":"+names[0], "--wait", "20s"), s.ana.do("transfers"),
	}
	missing, err := s.ana.try("get", id+":nothing\u202e", "--wait", "1s")
	if err == nil {
		s.Error("what is not there was fetched")
	}
	for i, text := range append(shown, strings.ReplaceAll(missing, "nothing\u202e", "")) {
		if misleading(text) {
			s.Errorf("text %d misleads: %q", i, text)
		}
	}
	return fmt.Sprintf("%d names and a nickname, in %d texts", len(names), len(shown)+1), "shown without what misleads"
}

func sameName(s *stage) (sent, outcome string) {
	private := filepath.Join(s.TempDir(), "Private")
	if err := os.Mkdir(private, 0o700); err != nil {
		s.Fatal(err)
	}
	b := newBlob(s.T, 3, 70_003)
	if err := os.WriteFile(filepath.Join(private, "diary.txt"), b.data, 0o600); err != nil {
		s.Fatal(err)
	}
	s.ana.do("share", "--audience", "friends", private)
	defer s.ana.do("unshare", private)
	waitFor(s.T, "the friend sees it", func() bool { return strings.Contains(s.bea.do("browse", string(s.ana.id)), "Private") })
	names := []string{"Bea", "BEA", " bea ", "Be\u200ba", "\uff22\uff45\uff41"}
	for _, name := range names {
		spy := newSpy(s.T, s.ana, name)
		paths := spy.browse()
		if strings.Contains(paths, "Private") {
			s.Errorf("whoever calls themselves %q sees %s", name, paths)
		}
		if got, absent := spy.ask(b.sum.ID), spy.ask(domain.ContentID{1}); got != absent {
			s.Errorf("whoever calls themselves %q is answered\n%s", name, got)
		}
		waitFor(s.T, "she is around", func() bool { return s.ana.person(spy.host.ID()).Online })
		if p := s.ana.person(spy.host.ID()); p.Friend || p.LooksLike == "" {
			s.Errorf("whoever calls themselves %q is shown as %+v", name, p)
		}
	}
	if !s.ana.friend(s.bea.id) {
		s.Error("the friend is none any more")
	}
	return fmt.Sprintf("%d peers of such names", len(names)), "strangers, shown as not the friend; they see nothing"
}

// What comes twice is there once, and nothing is both file and folder.
func samePath(s *stage) (sent, outcome string) {
	r := newRogue(s.T, "Mallory")
	var blobs []*blob
	for i := range 6 {
		blobs = append(blobs, newBlob(s.T, uint64(200+i), 3000+i))
	}
	r.lists(blobs[0].at("twice/a"), blobs[1].at("twice/a"), blobs[2].at("twice/b"), blobs[3].at("twice/b/c"), blobs[4].at("twice/X"), blobs[5].at("twice/x"))
	r.serves(blobs...)
	r.meets(s.ana)
	id := string(r.ID())
	waitFor(s.T, "the list is here", func() bool { return strings.Contains(s.ana.do("browse", id), "twice") })
	listing := s.ana.do("browse", id, "twice")
	if strings.Count(listing, "\na ") != 1 && strings.Count(listing, "twice/a ") != 1 {
		s.Errorf("the listing is\n%s", listing)
	}
	out, err := s.ana.try("get", id+":twice", "--wait", "10s")
	contents := make(map[string]bool)
	for _, b := range blobs {
		contents[string(b.data)] = true
	}
	files := 0
	walkErr := filepath.Walk(filepath.Join(s.ana.downloads(), "twice"), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if !contents[string(data)] {
			s.Errorf("%s is no content of theirs", path)
		}
		return err
	})
	if walkErr != nil {
		s.Error(walkErr)
	}
	if r.asked.Load() == 0 || files < 3 {
		s.Errorf("%d files came, %v: %s", files, err, out)
	}
	return "6 entries of 4 paths", fmt.Sprintf("each path once, %d files whole", files)
}

// endlessList sends pages of so many entries, with something in each name, and
// expects to be able to send at least some of them.
func endlessList(s *stage, perPage int, pad string, least int64) (sent, outcome string) {
	r := newRogue(s.T, "Mallory")
	ended := make(chan struct{}, 16)
	page := template(s.T, perPage, pad)
	r.frames(func(stream network.Stream) {
		r.sent.Store(0)
		for n := 0; s.Context().Err() == nil && send(stream, &cataloguepb.Frame{Page: manyEntries(page, n, perPage)}); n++ {
			r.sent.Add(int64(perPage))
		}
		ended <- struct{}{}
	})
	r.meets(s.ana)
	s.blame(r.ID())
	select {
	case <-ended:
	case <-time.After(90 * time.Second): // half a minute longer than any stranger's list may take
		s.Error("it is taken for ever")
	}
	s.awaitNamed(r.ID(), "a list without an end")
	if r.sent.Load() < least {
		s.Errorf("only %d entries were sent", r.sent.Load())
	}
	return fmt.Sprintf("%d entries", r.sent.Load()), "cut off at half of what there is room for: who sends them is no friend"
}

// manyEntries returns page n of a list without an end. To be quick it is one
// page, of which the names and the contents are changed.
func manyEntries(page []byte, n, perPage int) []byte {
	raw := bytes.Clone(page)
	for i, entry := range bytes.SplitAfter(raw, []byte("/file"))[:perPage] {
		copy(entry[len(entry)-len("00000000/file"):], fmt.Sprintf("%08d", n*perPage+i))
	}
	for i, entry := range bytes.SplitAfter(raw, []byte("content!"))[:perPage] {
		binary.BigEndian.PutUint64(entry[len(entry)-32:], uint64(n*perPage+i))
	}
	return packer().EncodeAll(raw, nil)
}

func template(t *testing.T, perPage int, pad string) []byte {
	t.Helper()
	page := &cataloguepb.Page{Epoch: 1, Sequence: 1, Full: true}
	for range perPage {
		page.Changes = append(page.Changes, &cataloguepb.Change{
			Path: "a" + pad[:min(len(pad), 200)] + strings.Repeat("/"+strings.Repeat("x", 200), len(pad)/201) + "/00000000/file",
			Size: 1, Content: []byte("12345678" + strings.Repeat("x", 16) + "content!"),
		})
	}
	raw, err := proto.Marshal(page)
	if err != nil {
		t.Error(err)
	}
	return raw
}
