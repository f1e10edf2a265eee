package library_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
)

func TestSource(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	text := strings.Repeat("potluck ", 400_000) // over three pieces
	p := k.write("F/film", text)
	k.write("copy/film", text)
	k.share(everyone, "F", "copy")
	id := k.content("F/film")
	source, err := k.Open(t.Context(), near, id)
	must(t, err)
	defer func() { must(t, source.Close()) }()
	same(t, "size", source.Size(), int64(len(text)))
	same(t, "layer", len(source.Layer()), 4*32)
	got := make([]byte, 16)
	_, err = source.ReadAt(got, 800)
	must(t, err)
	same(t, "bytes", string(got), text[800:816])
	must(t, source.Fresh())

	// The file changes under its reader: the reader is told, the file is
	// hashed again, and the copy takes over.
	f, err := os.OpenFile(p, os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt([]byte("X"), 100)
	must(t, err)
	must(t, f.Close())
	if err := source.Fresh(); !errors.Is(err, domain.ErrChanged) {
		t.Fatalf("got %v", err)
	}
	eventually(t, "hashed again", "true", func() string { return fmt.Sprint(k.content("F/film") != id) })
	other, err := k.Open(t.Context(), near, id)
	must(t, err)
	must(t, other.Close())
	must(t, os.Remove(k.path("copy/film")))
	if _, err := k.Open(t.Context(), near, id); !errors.Is(err, domain.ErrChanged) {
		t.Fatalf("got %v", err)
	}
	eventually(t, "dropped", "[F/film=3200000]", func() string {
		return fmt.Sprint(slices.DeleteFunc(k.seen(near), func(s string) bool { return strings.HasSuffix(s, "/") }))
	})
	if _, err := k.Open(t.Context(), near, id); !errors.Is(err, domain.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
}

func TestChangesWhileItDidNotRun(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	k.write("F/stays", "stays")
	k.write("F/changes", "old")
	k.write("F/goes", "goes")
	k.write("note", "n")
	k.share(everyone, "F", "note")
	stays := k.content("F/stays")
	k.close()
	k.write("F/changes", "new text")
	k.write("F/comes/in", "in")
	must(t, os.Remove(k.path("F/goes")))
	must(t, os.Remove(k.path("note")))
	k.open()
	k.Start(t.Context())
	k.eventuallySeen(near, "F/changes=8", "F/comes/in=2", "F/stays=5")
	same(t, "content", k.content("F/stays"), stays)
	eventually(t, "note", "gone note has moved.", func() string {
		s := k.Shares()[1]
		return string(s.State) + " " + s.Problem.String()
	})
}

func TestWatching(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	k.write("F/a", "1")
	k.write("note.txt", "note")
	k.share(everyone, "F", "note.txt")
	k.Start(t.Context())
	k.eventuallySeen(near, "F/a=1", "note.txt=4")
	time.Sleep(300 * time.Millisecond) // until the folders are watched
	k.write("F/new/deep/b", "22")
	k.write("note.txt", "longer note")
	k.eventuallySeen(near, "F/a=1", "F/new/deep/b=2", "note.txt=11")
	must(t, os.Rename(k.path("F/new"), k.path("F/old")))
	k.eventuallySeen(near, "F/a=1", "F/old/deep/b=2", "note.txt=11")
	k.write("F/old/deep/c", "333") // below a folder that was moved
	k.eventuallySeen(near, "F/a=1", "F/old/deep/b=2", "F/old/deep/c=3", "note.txt=11")
	must(t, os.Remove(k.path("F/old/deep/b")))
	must(t, os.Remove(k.path("F/old/deep/c")))
	k.eventuallySeen(near, "F/a=1", "F/old/deep/", "note.txt=11")
	must(t, os.RemoveAll(k.path("F/old")))
	k.eventuallySeen(near, "F/a=1", "note.txt=11")
}

// A file that is written all the time does not hold up what else changes.
func TestABusyFileHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	k.write("F/log", "1")
	k.write("G/other", "1")
	k.share(everyone, "F", "G")
	k.Start(t.Context())
	k.eventuallySeen(near, "F/log=1", "G/other=1")
	time.Sleep(300 * time.Millisecond) // until the folders are watched
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 2; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				k.write("F/log", strings.Repeat("x", n))
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	time.Sleep(500 * time.Millisecond) // it is in full swing
	begun := time.Now()
	k.write("F/note", "22")
	k.write("G/note", "333")
	seen := func(name string) bool {
		return slices.ContainsFunc(k.seen(near), func(s string) bool { return strings.HasPrefix(s, name) })
	}
	for !seen("F/note=2") || !seen("G/note=3") {
		if time.Since(begun) > 8*time.Second { // held up it would take ten
			t.Fatalf("after %v there is %v", time.Since(begun), k.seen(near))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Where not everything can be watched, changes are found all the same, and it is
// noticed when everything can be.
func TestWhereNotAllCanBeWatched(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	k.close()
	k.watches, k.rescan = 3, 300*time.Millisecond // the folder around them is watched, too
	k.open()
	k.write("F/deep/deeper/a", "1")
	k.write("G/b", "1")
	k.share(everyone, "G", "F")
	k.Start(t.Context())
	eventually(t, "limited", "true", func() string { return fmt.Sprint(k.Unwatched()) })
	k.write("F/deep/deeper/new", "22")
	k.write("G/new", "333")
	k.eventuallySeen(near, "F/deep/deeper/a=1", "F/deep/deeper/new=2", "G/b=1", "G/new=3")
	must(t, k.Unshare(t.Context(), []string{"G"}))
	must(t, os.Rename(k.path("F/deep/deeper"), k.path("F/flat")))
	must(t, os.Remove(k.path("F/deep")))
	eventually(t, "limited", "false", func() string { return fmt.Sprint(k.Unwatched()) })
	k.write("F/flat/more", "4444")
	k.eventuallySeen(near, "F/flat/a=1", "F/flat/more=4", "F/flat/new=2")
}

func TestShareThatGoesAndComesBack(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	k.write("drive/F/a", "1")
	k.write("drive/F/b", "22")
	k.share(everyone, "drive/F")
	k.Start(t.Context())
	id := k.content("F/a")
	since := k.Head(near).Version
	// The folder above goes, of which the system does not tell.
	must(t, os.Rename(k.path("drive"), k.path("unplugged")))
	eventually(t, "state", "gone F has moved.", func() string { return string(k.only().State) + " " + k.only().Problem.String() })
	same(t, "seen", len(k.seen(near)), 0)
	same(t, "head", k.Head(near).Entries, 0)
	if k.Allowed(near, id) {
		t.Fatal("what is gone is offered")
	}
	known := map[string]bool{"F/a": true, "F/b": true}
	eventually(t, "told", "false 0", func() string {
		var full bool
		full, _, since = pull(t, k, near, known, since)
		return fmt.Sprint(full, len(known))
	})

	must(t, os.WriteFile(k.path("unplugged/F/b"), []byte("new"), 0o600))
	must(t, os.Rename(k.path("unplugged"), k.path("drive")))
	eventually(t, "state", "shared ", func() string { return string(k.only().State) + " " + k.only().Problem.String() })
	same(t, "seen", k.seen(near), []string{"F/a=1", "F/b=3"})
	eventually(t, "told", "false 2", func() string {
		var full bool
		full, _, since = pull(t, k, near, known, since)
		return fmt.Sprint(full, len(known))
	})
}

// TestFileChangedOnceWhileRead changes a file in the middle of its reading: the
// content that is told is that of the later bytes.
func TestFileChangedOnceWhileRead(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	p := k.write("big", "")
	must(t, os.Truncate(p, 256<<20))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for len(k.Shares()) == 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond) // by then it is being read
		f, err := os.OpenFile(p, os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := f.WriteAt([]byte("late"), 5); err != nil {
			t.Error(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	report := k.share(everyone, "big")
	<-done
	same(t, "problems", len(report.Problems), 0)
	k.share(everyone, "big") // if the change came after the reading
	f, err := os.Open(p)
	must(t, err)
	defer func() { must(t, f.Close()) }()
	sum, err := content.Hash(t.Context(), f, 256<<20, 0, nil)
	must(t, err)
	same(t, "content", k.content("big"), sum.ID)
}

func TestFileReplacedByAFolderAndBack(t *testing.T) {
	k := newKitchen(t)
	k.write("F/x", "file")
	k.share(everyone, "F")
	must(t, os.Remove(k.path("F/x")))
	must(t, os.Mkdir(k.path("F/x"), 0o700))
	k.share(everyone, "F")
	same(t, "seen", k.seen(near), []string{"F/x/"})
	must(t, os.Remove(k.path("F/x")))
	k.write("F/x", "again")
	k.share(everyone, "F")
	same(t, "seen", k.seen(near), []string{"F/x=5"})
	must(t, os.Remove(k.path("F/x")))
	k.share(everyone, "F")
	same(t, "seen", k.seen(near), []string{"F/"})
	same(t, "counts", []any{k.only().Entries, k.only().Bytes}, []any{0, 0})
}

// TestReplacedFolder moves a shared folder away right after a file of it was
// opened, and puts another one, which has the same name, in its place.
func TestReplacedFolder(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	k.write("F/one", "the first")
	k.write("F/two", "the second")
	k.share(everyone, "F")
	one, two := k.content("F/one"), k.content("F/two")
	for _, id := range []domain.ContentID{one, two} {
		source, err := k.Open(t.Context(), near, id)
		must(t, err)
		must(t, source.Close())
	}
	// Some systems move no folder that is open.
	eventually(t, "moved", "<nil>", func() string { return fmt.Sprint(os.Rename(k.path("F"), k.path("away"))) })
	must(t, os.Mkdir(k.path("F"), 0o700))
	must(t, os.Rename(k.path("away/two"), k.path("F/two")))
	if _, err := k.Open(t.Context(), near, one); !errors.Is(err, domain.ErrChanged) {
		t.Errorf("what was moved away is still to be had: %v", err)
	}
	source, err := k.Open(t.Context(), near, two)
	must(t, err)
	must(t, source.Close())
}
