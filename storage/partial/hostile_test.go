package partial_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/partial"
)

// symlink makes a link, or skips the test where nobody can.
func symlink(t *testing.T, to, link string) {
	t.Helper()
	if err := os.Symlink(to, link); err != nil {
		t.Skipf("no links here: %v", err)
	}
}

// TestLinkSwappedInMidWay replaces the sub-folder of a running download by a
// link to a folder outside, at each step there is.
func TestLinkSwappedInMidWay(t *testing.T) {
	s := newSample(t, 3<<20)
	for _, after := range []string{"open", "layer", "put", "all", "close"} {
		t.Run(after, func(t *testing.T) {
			outside, folder := t.TempDir(), t.TempDir()
			swap := func(now string) {
				if now != after {
					return
				}
				if err := os.Rename(filepath.Join(folder, "sub"), filepath.Join(folder, "moved")); err != nil {
					t.Fatal(err)
				}
				symlink(t, outside, filepath.Join(folder, "sub"))
			}
			f := open(t, s.want(folder, "sub/x"))
			swap("open")
			// Whatever fails after the swap may fail, but not lead outside.
			_ = f.SetLayer(s.layer)
			swap("layer")
			_ = f.Put(s.piece(t, 0))
			swap("put")
			_, _ = f.Put(s.piece(t, 1)), f.Put(s.piece(t, 2))
			_ = f.Sync()
			swap("all")
			if after == "close" {
				closeFile(t, f)
				swap("close")
				if _, err := partial.Open(s.want(folder, "sub/x")); !errors.Is(err, domain.ErrUnwritable) {
					t.Errorf("opened behind a link: %v", err)
				}
			} else if path, err := f.Finish(); err == nil {
				t.Errorf("finished behind a link as %s", path)
			}
			_ = f.Discard()
			expectFiles(t, outside)
		})
	}
}

// TestLinkInPlaceOfThePart puts a link to a file of the user's where the part
// is to be: the file is not written to, inside the folder or outside.
func TestLinkInPlaceOfThePart(t *testing.T) {
	s := newSample(t, 3<<20)
	outside, folder := t.TempDir(), t.TempDir()
	f := open(t, s.want(folder, "x"))
	setLayer(t, f, s)
	put(t, f, s, 0)
	part, side := find(t, folder, ".part"), find(t, folder, ".state")
	closeFile(t, f)
	for _, where := range []string{outside, folder} {
		precious := filepath.Join(where, "precious")
		if err := os.WriteFile(precious, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{part, side} {
			_ = os.Remove(name) // there or not
			symlink(t, precious, name)
		}
		if _, err := partial.Open(s.want(folder, "x")); !errors.Is(err, domain.ErrUnwritable) {
			t.Errorf("opened through a link: %v", err)
		}
		if err := os.Remove(part); err != nil {
			t.Fatal(err)
		}
		f := open(t, s.want(folder, "x"))
		setLayer(t, f, s)
		put(t, f, s, 0, 1)
		closeFile(t, f)
		if data, err := os.ReadFile(precious); err != nil || string(data) != "mine" {
			t.Errorf("the user's file holds %d bytes, %v", len(data), err)
		}
	}
}

// TestPartSwappedMidWay puts another file in place of the part: that one is
// neither finished nor removed.
func TestPartSwappedMidWay(t *testing.T) {
	s := newSample(t, 3<<20)
	folder := t.TempDir()
	f := open(t, s.want(folder, "x"))
	setLayer(t, f, s)
	put(t, f, s, 0, 1, 2)
	part := find(t, folder, ".part")
	if err := os.Remove(part); err != nil {
		t.Skipf("open files cannot be removed here: %v", err)
	}
	if err := os.WriteFile(part, make([]byte, len(s.data)), 0o600); err != nil {
		t.Fatal(err)
	}
	if path, err := f.Finish(); !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("finished as %s: %v", path, err)
	}
	if err := f.Discard(); err != nil {
		t.Error(err)
	}
	expectFiles(t, folder, filepath.Base(part))
}

// TestPartCutMidWay makes sure that what somebody cut off is not filled with
// zeros.
func TestPartCutMidWay(t *testing.T) {
	s := newSample(t, 3<<20)
	folder := t.TempDir()
	f := open(t, s.want(folder, "x"))
	setLayer(t, f, s)
	put(t, f, s, 0, 1, 2)
	if err := os.Truncate(find(t, folder, ".part"), 2<<20-1); err != nil {
		t.Skipf("open files cannot be cut here: %v", err)
	}
	if path, err := f.Finish(); !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("finished as %s: %v", path, err)
	}
	if err := f.Put(s.piece(t, 2)); !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("a piece after that: %v", err)
	}
	_ = f.Close() // tells of it once more
	f = open(t, s.want(folder, "x"))
	expectMissing(t, f, s, 1, 2)
	put(t, f, s, 1, 2)
	finish(t, f, s, filepath.Join(folder, "x"))
}

// TestFinishTriedAgain makes the destination unusable at first.
func TestFinishTriedAgain(t *testing.T) {
	s := newSample(t, 3<<20)
	folder := t.TempDir()
	f := open(t, s.want(folder, "sub/x"))
	setLayer(t, f, s)
	put(t, f, s, 0, 1, 2)
	sub, moved := filepath.Join(folder, "sub"), filepath.Join(folder, "moved")
	if err := os.Rename(sub, moved); err != nil {
		t.Skipf("folders of open files cannot be moved here: %v", err)
	}
	if _, err := f.Finish(); !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("finished in a folder that is gone: %v", err)
	}
	if err := os.Rename(moved, sub); err != nil {
		t.Fatal(err)
	}
	finish(t, f, s, filepath.Join(sub, "x"))
	expectFiles(t, folder, "sub", "sub/x")
}

// TestFolderTakenMidWay takes the destination folder away from a download that
// is open: it is not finished where nobody looks for it.
func TestFolderTakenMidWay(t *testing.T) {
	s := newSample(t, 3<<20)
	for _, how := range []string{"moved", "removed", "another", "a link"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			outside, home := t.TempDir(), t.TempDir()
			folder, away := filepath.Join(home, "folder"), filepath.Join(home, "away")
			mkdir(t, folder)
			f := open(t, s.want(folder, "x"))
			setLayer(t, f, s)
			put(t, f, s, 0, 1)
			if how == "removed" {
				if err := os.RemoveAll(folder); err != nil {
					t.Fatal(err)
				}
			} else if err := os.Rename(folder, away); err != nil {
				t.Fatal(err)
			}
			switch how {
			case "another":
				mkdir(t, folder)
			case "a link":
				symlink(t, outside, folder)
			}
			if how == "moved" { // noticed at the end only, if that comes first
				if err := f.Put(s.piece(t, 2)); err == nil {
					path, err := f.Finish()
					if !errors.Is(err, domain.ErrUnwritable) {
						t.Errorf("finished as %s: %v", path, err)
					}
				} else if !errors.Is(err, domain.ErrUnwritable) {
					t.Errorf("the last piece: %v", err)
				}
			}
			for deadline := time.Now().Add(10 * time.Second); f.Put(s.piece(t, 0)) == nil; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("pieces are taken for ever")
				}
			}
			if err := f.Put(s.piece(t, 2)); !errors.Is(err, domain.ErrUnwritable) {
				t.Errorf("the piece is taken: %v", err)
			}
			if err := f.Close(); !errors.Is(err, domain.ErrUnwritable) {
				t.Errorf("closed as if nothing had been: %v", err)
			}
			expectFiles(t, outside)
			if how != "moved" {
				return
			}
			if err := os.Rename(away, folder); err != nil {
				t.Fatal(err)
			}
			f = open(t, s.want(folder, "x"))
			expectMissing(t, f, s)
			finish(t, f, s, filepath.Join(folder, "x"))
		})
	}
}

func mkdir(t *testing.T, folder string) {
	t.Helper()
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
}
