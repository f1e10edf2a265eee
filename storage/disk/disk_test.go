package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/disk"
)

func openRoot(t *testing.T, path string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() }) // nothing to flush
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestOpenShared(t *testing.T) {
	folder := t.TempDir()
	write(t, folder+"/a.txt", "hello")
	for path, want := range map[string]string{folder: ".", folder + "/a.txt": "a.txt"} {
		root, rel, err := disk.OpenShared(path)
		if err != nil {
			t.Fatal(err)
		}
		if rel != want || root.Name() != folder {
			t.Errorf("%s opens as %q in %s", path, rel, root.Name())
		}
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := disk.OpenShared(folder + "/none"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("what is not there: %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	socket, err := net.Listen("unix", folder+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }() // only there to be refused
	if _, _, err := disk.OpenShared(folder + "/s"); !errors.Is(err, domain.ErrNotShareable) {
		t.Errorf("a socket: %v", err)
	}
}

func TestOpenRegular(t *testing.T) {
	outer := t.TempDir()
	folder := outer + "/in"
	if err := os.MkdirAll(folder+"/sub", 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, outer+"/secret", "secret")
	write(t, folder+"/sub/a.txt", "hello")
	root := openRoot(t, folder)
	f, info, err := disk.OpenRegular(root, "sub/a.txt")
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != 5 || info.Name() != "a.txt" {
		t.Errorf("opened %s of %d bytes", info.Name(), info.Size())
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := disk.OpenRegular(root, "none"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("what is not there: %v", err)
	}
	if _, _, err := disk.OpenRegular(root, "sub"); !errors.Is(err, domain.ErrNotShareable) {
		t.Errorf("a folder: %v", err)
	}
	if _, _, err := disk.OpenRegular(root, "../secret"); !errors.Is(err, domain.ErrUnreadable) {
		t.Errorf("a path that leads out: %v", err)
	}
	if err := os.Symlink(outer+"/secret", folder+"/link"); err != nil {
		t.Skipf("no links here: %v", err)
	}
	if _, _, err := disk.OpenRegular(root, "link"); !errors.Is(err, domain.ErrUnreadable) {
		t.Errorf("a link that leads out: %v", err)
	}
}

func TestClaimNameNeverTakesWhatIsThere(t *testing.T) {
	folder := t.TempDir()
	root := openRoot(t, folder)
	write(t, folder+"/a.txt", "mine")
	if err := os.Mkdir(folder+"/a (2).txt", 0o700); err != nil {
		t.Fatal(err)
	}
	want := "a (3).txt"
	if err := os.Symlink("/nowhere/at/all", folder+"/a (3).txt"); err == nil {
		want = "a (4).txt"
	}
	claimed, f, err := disk.ClaimName(root, "a.txt")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if claimed != want {
		t.Errorf("claimed %q, not %q", claimed, want)
	}
	if got := read(t, folder+"/a.txt"); got != "mine" {
		t.Errorf("the file that was there holds %q", got)
	}
}

func TestClaimNameByManyAtOnce(t *testing.T) {
	root := openRoot(t, t.TempDir())
	var mu sync.Mutex
	seen := make(map[string]bool)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			claimed, f, err := disk.ClaimName(root, "x")
			if err != nil {
				t.Error(err)
				return
			}
			_ = f.Close() // empty
			mu.Lock()
			defer mu.Unlock()
			if seen[claimed] {
				t.Errorf("%q was claimed twice", claimed)
			}
			seen[claimed] = true
		})
	}
	wg.Wait()
}

func TestClaimNameFails(t *testing.T) {
	folder := t.TempDir()
	root := openRoot(t, folder)
	write(t, folder+"/file", "")
	for _, rel := range []string{"none/a.txt", "../a.txt", "file/a.txt", strings.Repeat("x", 300)} {
		if _, _, err := disk.ClaimName(root, rel); !errors.Is(err, domain.ErrUnwritable) {
			t.Errorf("%.20s: %v", rel, err)
		}
	}
}

func TestRenameOver(t *testing.T) {
	folder := t.TempDir()
	root := openRoot(t, folder)
	write(t, folder+"/from", "new")
	write(t, folder+"/to", "")
	if err := disk.RenameOver(root, "from", "to"); err != nil {
		t.Fatal(err)
	}
	if err := disk.SyncFolder(root, "."); err != nil {
		t.Error(err)
	}
	if got := read(t, folder+"/to"); got != "new" {
		t.Errorf("renamed to a file that holds %q", got)
	}
	if err := disk.RenameOver(root, "from", "to"); !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("renaming what is gone: %v", err)
	}
	if err := disk.SyncFolder(root, "none"); runtime.GOOS != "windows" && !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("flushing what is not there: %v", err)
	}
}

// TestRenameNew takes a free name, and leaves what has one alone: a file, a
// folder, a link that leads nowhere.
func TestRenameNew(t *testing.T) {
	folder := t.TempDir()
	dir, err := os.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dir.Close() }() // only read from
	rename := func(want string) {
		t.Helper()
		write(t, folder+"/from", want)
		taken, err := disk.RenameNew(dir, "from", "a.txt")
		if errors.Is(err, errors.ErrUnsupported) && runtime.GOOS != "linux" {
			t.Skip("not here")
		}
		if err != nil || taken != want || read(t, folder+"/"+want) != want {
			t.Errorf("renamed to %q, not %q: %v", taken, want, err)
		}
		if _, err := os.Lstat(folder + "/from"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the old name is there: %v", err)
		}
	}
	rename("a.txt")
	rename("a (2).txt")
	if err := os.Mkdir(folder+"/a (3).txt", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", folder+"/a (4).txt"); err != nil {
		t.Fatal(err)
	}
	rename("a (5).txt")
	if got := read(t, folder+"/a.txt"); got != "a.txt" {
		t.Errorf("the first file holds %q", got)
	}
	if err := disk.SyncOpen(dir); err != nil {
		t.Error(err)
	}
	if _, err := disk.RenameNew(dir, "from", "b"); !errors.Is(err, domain.ErrUnwritable) {
		t.Errorf("renaming what is gone: %v", err)
	}
}

func TestFree(t *testing.T) {
	folder := t.TempDir()
	n, err := disk.Free(folder)
	if err != nil || n <= 0 {
		t.Errorf("%d bytes free, %v", n, err)
	}
	if n, err := disk.Free(filepath.Join(folder, "not", "yet")); err != nil || n <= 0 {
		t.Errorf("%d bytes free where nothing is yet, %v", n, err)
	}
}

// TestClone holds for file systems that share blocks as for those that cannot.
func TestClone(t *testing.T) {
	folder := t.TempDir()
	want := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	write(t, folder+"/src", string(want))
	src, err := os.Open(folder + "/src")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }() // only read
	dst, err := os.Create(folder + "/dst")
	if err != nil {
		t.Fatal(err)
	}
	cloned := disk.Clone(dst, src)
	t.Logf("cloned: %v", cloned)
	if err := dst.Close(); err != nil {
		t.Error(err)
	}
	got := read(t, folder+"/dst")
	if cloned == nil && got != string(want) || cloned != nil && got != "" {
		t.Errorf("the clone has %d bytes, or others; %v", len(got), cloned)
	}
}

func TestNextData(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/sparse")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // nothing to keep
	const at = 64 << 20
	if _, err := f.WriteAt([]byte("data"), at); err != nil {
		t.Fatal(err)
	}
	if got := disk.NextData(f, at+1); got != at+1 {
		t.Errorf("inside the data: %d", got)
	}
	if got := disk.NextData(f, 0); got < 0 || got > at {
		t.Errorf("the data at %d is said to begin at %d", at, got)
	}
	if got := disk.NextData(f, at+100); got != at+100 {
		t.Errorf("behind the end: %d", got)
	}
}

func TestLock(t *testing.T) {
	path := t.TempDir() + "/f"
	open := func() *os.File {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	first, second := open(), open()
	defer func() { _ = second.Close() }() // empty
	if !disk.Lock(first) {
		t.Fatal("a fresh file is locked")
	}
	if disk.Lock(second) {
		t.Error("two handles have the lock")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if !disk.Lock(second) {
		t.Error("the lock stays after its handle")
	}
}

func TestKind(t *testing.T) {
	if disk.Kind(nil) != nil {
		t.Error("nil has a kind")
	}
	for _, err := range []error{fs.ErrPermission, fs.ErrNotExist, errors.New("input/output error")} {
		if got := disk.Kind(err); !errors.Is(got, domain.ErrUnwritable) || !errors.Is(got, err) {
			t.Errorf("%v becomes %v", err, got)
		}
	}
	known := fmt.Errorf("x: %w", domain.ErrChanged)
	if got := disk.Kind(known); !errors.Is(got, domain.ErrChanged) || errors.Is(got, domain.ErrUnwritable) {
		t.Errorf("%v becomes %v", known, got)
	}
}
