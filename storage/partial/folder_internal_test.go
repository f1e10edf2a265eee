package partial

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestFinishWithoutExclusiveRename finishes as where a system cannot rename
// without overwriting, next to a file that has the name.
func TestFinishWithoutExclusiveRename(t *testing.T) {
	f, layer := begin(t)
	for i := range layer.Pieces() {
		if err := putZeros(f, layer, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.place.dir.self.Close(); err != nil {
		t.Fatal(err)
	}
	f.place.dir.self = nil
	target := filepath.Join(f.want.Folder, f.want.Target)
	if err := os.WriteFile(target, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	path, err := f.Finish()
	if err != nil || path != target+" (2)" {
		t.Errorf("finished as %s: %v", path, err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != layer.Size() {
		t.Errorf("the finished file is not right: %v", err)
	}
	if data, err := os.ReadFile(target); err != nil || string(data) != "mine" {
		t.Errorf("the file that was there holds %q, %v", data, err)
	}
	found, err := os.ReadDir(f.want.Folder)
	if err != nil || len(found) != 2 {
		t.Errorf("there is %v: %v", found, err)
	}
}

// TestDownloadsShareTheirFolder opens downloads into the same folder: it is
// open once, as long as one of them is.
func TestDownloadsShareTheirFolder(t *testing.T) {
	first, _ := begin(t)
	want := first.want
	want.Target += "2"
	second, err := Open(want)
	if err != nil {
		t.Fatal(err)
	}
	if first.place.dir != second.place.dir {
		t.Error("each has a folder of its own")
	}
	if err := first.Discard(); err != nil {
		t.Error(err)
	}
	if err := second.place.dir.sync(); err != nil {
		t.Errorf("closed with the first: %v", err)
	}
	if err := second.Discard(); err != nil {
		t.Error(err)
	}
	folders.Lock()
	defer folders.Unlock()
	for key := range folders.open {
		if key.path == want.Folder {
			t.Errorf("%v stays open", key)
		}
	}
}

// TestFolderIsLookedAtAgain moves the folder that an open download uses: after
// a moment a new one opens another.
func TestFolderIsLookedAtAgain(t *testing.T) {
	f, _ := begin(t)
	if err := os.Rename(f.want.Folder, f.want.Folder+"-moved"); err != nil {
		t.Skipf("folders of open files cannot be moved here: %v", err)
	}
	if err := os.Mkdir(f.want.Folder, 0o700); err != nil {
		t.Fatal(err)
	}
	f.place.dir.looked.Add(-int64(trustFor) - int64(time.Since(start)))
	want := f.want
	want.Target += "2"
	again, err := Open(want)
	if err != nil {
		t.Fatal(err)
	}
	if again.place.dir == f.place.dir {
		t.Error("it goes to the folder that was moved")
	}
	for _, one := range []*File{f, again} {
		if err := one.Discard(); err != nil {
			t.Error(err)
		}
	}
	if err := os.RemoveAll(f.want.Folder + "-moved"); err != nil {
		t.Error(err)
	}
}
