package db_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db"
)

// crashPath tells a process of this test binary to write to the database there
// until it is killed.
const crashPath = "POTLUCK_TEST_CRASH_DB"

// crashFiles is how many files each batch of the dying process has.
const crashFiles = 20

// writeUntilKilled stores batches that each replace all files of the one
// before, tell that publicly, and are acknowledged on standard output.
func writeUntilKilled(path string) {
	d, err := db.Open(path, quietLog())
	if err != nil {
		panic(err)
	}
	shares, err := d.Shares()
	if err != nil {
		panic(err)
	}
	n := 0
	if len(shares) > 0 {
		n = shares[0].Entries
	}
	for {
		n++
		b := domain.CatalogueBatch{PutShares: []domain.Share{{Name: "S", Folder: true, Entries: n}}}
		for i := range crashFiles {
			f := file(fmt.Sprintf("S/%d", i), n)
			f.Layer = make([]byte, 64)
			b.PutFiles = append(b.PutFiles, f)
			b.Public = append(b.Public, domain.Change{Path: f.Path, Entry: &f.Entry})
		}
		if _, err := d.Apply(context.Background(), b); err != nil {
			panic(err)
		}
		fmt.Println(n)
	}
}

func TestKilledInTheMiddleOfWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "potluck.db")
	last := 0
	for round := range 4 {
		told := filepath.Join(t.TempDir(), "told")
		out, err := os.Create(told)
		must(t, err)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashPath+"="+path)
		cmd.Stdout = out
		must(t, cmd.Start())
		for begun := time.Now(); time.Since(begun) < 10*time.Second; time.Sleep(5 * time.Millisecond) {
			if info, err := os.Stat(told); err == nil && info.Size() > 0 {
				break
			}
		}
		time.Sleep(time.Duration(50+37*round) * time.Millisecond)
		must(t, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
		must(t, out.Close())
		raw, err := os.ReadFile(told)
		must(t, err)
		acknowledged := last
		for rest := string(raw); rest != ""; {
			var n int
			if _, err := fmt.Sscanf(rest, "%d\n", &n); err != nil {
				break
			}
			acknowledged = n
			rest = rest[len(fmt.Sprintln(n)):]
		}
		if acknowledged == last {
			t.Fatal("the process wrote nothing before it was killed")
		}
		last = checkAfterCrash(t, path, acknowledged)
	}
}

// checkAfterCrash makes sure that exactly one batch is there, as a whole, and
// not an earlier one than was acknowledged.
func checkAfterCrash(t *testing.T, path string, acknowledged int) int {
	t.Helper()
	d := openAt(t, path)
	defer func() { must(t, d.Close()) }()
	same(t, "set aside", d.SetAside(), "")
	shares, err := d.Shares()
	must(t, err)
	n := shares[0].Entries
	if n != acknowledged && n != acknowledged+1 {
		t.Fatalf("batch %d is there, %d was acknowledged", n, acknowledged)
	}
	files, err := d.FilesFrom("S", "", 1000)
	must(t, err)
	if len(files) != crashFiles {
		t.Fatalf("%d files", len(files))
	}
	for _, f := range files {
		if f.Content != contentID(n) {
			t.Fatalf("%s is of another batch than %d", f.Path, n)
		}
	}
	same(t, "sequence", d.Version().Sequence, uint64(n*crashFiles))
	found, err := d.ByContent(contentID(n))
	must(t, err)
	same(t, "found by content", len(found), crashFiles)
	found, err = d.ByContent(contentID(n - 1))
	must(t, err)
	same(t, "of the batch before", len(found), 0)
	return n
}
