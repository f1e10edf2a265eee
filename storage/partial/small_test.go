package partial_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/partial"
)

// smallFiles is how many files a smallVictim writes to each folder.
const smallFiles = 40

// smallVictim brings small files into folders, several at a time, and says
// which are finished, until it is killed.
func smallVictim(folder string) int {
	fmt.Println("begin")
	var workers sync.WaitGroup
	for worker := range 8 {
		workers.Go(func() {
			for n := worker; ; n += 8 {
				s, want, err := smallSample(folder, n)
				if err != nil {
					fmt.Println(err)
					return
				}
				if err := bring(want, s); err != nil {
					fmt.Println(err)
					return
				}
				fmt.Println(want.Target)
			}
		})
	}
	workers.Wait()
	return 1
}

func smallSample(folder string, n int) (sample, domain.Want, error) {
	s, err := makeSample(10_000 + n%50_000)
	return s, s.want(folder, fmt.Sprintf("many/%03d/%02d", n/smallFiles, n%smallFiles)), err
}

// bring downloads a content of one piece.
func bring(want domain.Want, s sample) error {
	f, err := partial.Open(want)
	if err != nil {
		return err
	}
	if !f.Has(0) {
		p, err := s.layer.Verify(0, s.data)
		if err == nil {
			err = f.Put(p)
		}
		if err != nil {
			return errors.Join(err, f.Discard())
		}
	}
	if _, err := f.Finish(); err != nil {
		return errors.Join(err, f.Discard())
	}
	return nil
}

// TestKillAmidSmallFiles kills a program that brings a folder of small files:
// whatever has a final name is whole, and the next attempt leaves nothing but
// the files.
func TestKillAmidSmallFiles(t *testing.T) {
	t.Parallel()
	for range 3 {
		folder := t.TempDir()
		p := startVictim(t, folder, smallEnv)
		for range 300 {
			if !p.lines.Scan() {
				t.Fatal("it ended by itself")
			}
		}
		p.kill(t)
		last, left := 0, 0
		for n := 0; ; n++ {
			s, want, err := smallSample(folder, n)
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(want.Target)))
			if err == nil && !bytes.Equal(data, s.data) {
				t.Fatalf("%s has %d bytes, or others than the %d wanted", want.Target, len(data), len(s.data))
			}
			if err == nil {
				last = n
			} else if n > last+100 { // none of them was begun any more
				break
			}
		}
		for n := range last + 100 {
			s, want, err := smallSample(folder, n)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(folder, filepath.FromSlash(want.Target))); !errors.Is(err, fs.ErrNotExist) {
				continue
			}
			left++
			if err := bring(want, s); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range files(t, folder) {
			if strings.Contains(name, ".potluck-") || strings.Contains(name, "(2)") {
				t.Errorf("%s is left", name)
			}
		}
		t.Logf("%d were there, %d were brought afterwards", last+100-left, left)
	}
}

// TestFolderSwappedAmidSmallFiles replaces a folder that several downloads use
// by a link to one outside, while they go on.
func TestFolderSwappedAmidSmallFiles(t *testing.T) {
	t.Parallel()
	s := newSample(t, 1000)
	outside, folder := t.TempDir(), t.TempDir()
	first, second := open(t, s.want(folder, "sub/1")), open(t, s.want(folder, "sub/2"))
	put(t, first, s, 0)
	finish(t, first, s, filepath.Join(folder, "sub", "1"))
	if err := os.Rename(filepath.Join(folder, "sub"), filepath.Join(folder, "moved")); err != nil {
		t.Skipf("folders of open files cannot be moved here: %v", err)
	}
	symlink(t, outside, filepath.Join(folder, "sub"))
	if err := bring(s.want(folder, "sub/3"), s); !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("brought behind a link: %v", err)
	}
	if err := second.Put(s.piece(t, 0)); err == nil {
		path, err := second.Finish()
		if !errors.Is(err, domain.ErrUnwritable) {
			t.Errorf("finished behind a link as %s: %v", path, err)
		}
	} else if !errors.Is(err, domain.ErrUnwritable) { // it may be noticed before
		t.Errorf("the last piece: %v", err)
	}
	if err := second.Discard(); err != nil {
		t.Error(err)
	}
	if err := bring(s.want(folder, "sub/4"), s); !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("brought behind a link: %v", err)
	}
	expectFiles(t, outside)
	expectFiles(t, folder, "moved", "moved/1", "sub")
	// A link to a folder below is as good as that.
	if err := os.Remove(filepath.Join(folder, "sub")); err != nil {
		t.Fatal(err)
	}
	symlink(t, "moved", filepath.Join(folder, "sub"))
	if err := bring(s.want(folder, "sub/5"), s); err != nil {
		t.Error(err)
	}
	expectFiles(t, folder, "moved", "moved/1", "moved/5", "sub")
}

// TestFolderRemovedAmidSmallFiles removes a folder that a download uses: the
// next one makes it anew.
func TestFolderRemovedAmidSmallFiles(t *testing.T) {
	t.Parallel()
	s := newSample(t, 1000)
	folder := t.TempDir()
	f := open(t, s.want(folder, "sub/1"))
	put(t, f, s, 0)
	if err := os.RemoveAll(filepath.Join(folder, "sub")); err != nil {
		t.Skipf("folders of open files cannot be removed here: %v", err)
	}
	if path, err := f.Finish(); !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("finished in a folder that is gone as %s: %v", path, err)
	}
	closeFile(t, f)
	if err := bring(s.want(folder, "sub/1"), s); err != nil {
		t.Error(err)
	}
	expectFiles(t, folder, "sub", "sub/1")
}

// TestNameTakenMeanwhile has the user, and other downloads, take the name
// between Open and Finish.
func TestNameTakenMeanwhile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	const many = 16
	var all []*partial.File
	for n := range many {
		s := newSample(t, 1000+n)
		f := open(t, s.want(folder, "sub/x.txt"))
		put(t, f, s, 0)
		all = append(all, f)
	}
	if err := os.WriteFile(filepath.Join(folder, "sub", "x.txt"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	var downloads sync.WaitGroup
	for _, f := range all {
		downloads.Go(func() {
			if _, err := f.Finish(); err != nil {
				t.Error(err)
			}
		})
	}
	downloads.Wait()
	want, sizes := []string{"sub", "sub/x.txt"}, map[int64]bool{}
	for n := range many {
		want = append(want, fmt.Sprintf("sub/x (%d).txt", n+2))
	}
	slices.Sort(want)
	expectFiles(t, folder, want...)
	for _, name := range want[1:] {
		info, err := os.Stat(filepath.Join(folder, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		sizes[info.Size()] = true
	}
	if len(sizes) != many+1 || !sizes[4] {
		t.Errorf("the sizes are %v", sizes)
	}
}
