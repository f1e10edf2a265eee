package app_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/disk"
)

// TestFullDisk lets the disk fill up in the midst of a download, with the
// database on it or without.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, withData := range []bool{false, true} {
		name := "downloads"
		if withData {
			name += " and data"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fullDisk(t, withData)
		})
	}
}

func fullDisk(t *testing.T, withData bool) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	all := unborn(t, "ana", "ben")
	ana, ben := all[0], all[1]
	small := ben.smallDisk(ctx, t, 40<<20)
	ben.downloads = filepath.Join(small, "Downloads")
	if withData {
		ben.data = filepath.Join(small, "data")
	}
	start(ctx, t, ana, ben)
	ben.host.SetRate(32 * mbit) // the disk is to be full before all is here
	source := ana.share(ctx, t, "large", 32<<20)
	ben.get(ctx, t, "ana:large")
	ben.awaitPercent(ctx, t, 10)
	full := ben.fill(t, small, 8<<20)
	ben.host.SetRate(160 * mbit)
	const reason = "Disk full. Free "
	before := ben.awaitReason(ctx, t, reason)
	tellsHowMuch(t, before, ben.reach(small))

	t.Log("both die while the disk is full")
	ana.kill(t)
	ben.kill(t)
	start(ctx, t, ana, ben)
	after := ben.awaitReason(ctx, t, reason)
	tellsHowMuch(t, after, ben.reach(small))
	if after.Done < before.Done {
		t.Errorf("%d bytes are here after the restart, %d were before", after.Done, before.Done)
	}
	other := ana.share(ctx, t, "other", 2<<20)
	if withData { // not even what ana shares can be noted
		eventually(ctx, t, "ben says that the database finds no room", func() bool {
			return strings.Contains(ben.said(t), "disk full: Potluck has no room to note what it does; free some space: write "+ben.data)
		})
	}
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	ben.awaitDone(ctx, t, source)
	ben.run(ctx, t, "get", "ana:other")
	sameFile(ctx, t, ben.reach(filepath.Join(ben.downloads, "other")), other)
	ben.kill(t)
	start(ctx, t, ben)
	if all := ask[[]download](ctx, t, ben.copyOfPotluck, "transfers"); len(all) != 2 || all[0].State != "done" || all[1].State != "done" {
		t.Errorf("after a restart ben has the downloads %+v", all)
	}
}

// tellsHowMuch checks that a download says how much room it needs.
func tellsHowMuch(t *testing.T, d download, folder string) {
	t.Helper()
	free, err := disk.Free(folder)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("Disk full. Free %s and it continues.", domain.SizeText(d.Size-d.Done-free)); d.Reason != want {
		t.Errorf("it says %q with %d of %d bytes here and %d free, want %q", d.Reason, d.Done, d.Size, free, want)
	}
}

// smallDisk gives the program, which is not running yet, a file system of so
// many bytes, and returns where that lies for it.
func (m *mortal) smallDisk(ctx context.Context, t *testing.T, size int) (folder string) {
	t.Helper()
	folder = t.TempDir()
	keep := m.host.Command(ctx, "unshare", "-m", "sh", "-c", `mount -t tmpfs -o size="$1" none "$2" && echo ready && exec cat`,
		"sh", strconv.Itoa(size), folder)
	said := stderr(t)
	keep.Stderr = said
	in, err := keep.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := keep.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := keep.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // it ends with its input
		_ = keep.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("mounting a small disk: %q %v %s", line, err, text(t, said))
	}
	pid := strconv.Itoa(keep.Process.Pid)
	m.around = append(m.around, "nsenter", "-t", pid, "-m", "--")
	m.world = "/proc/" + pid + "/root"
	return folder
}

// fill writes a file to the disk at folder that leaves only so many bytes of
// it, and returns where it lies.
func (m *mortal) fill(t *testing.T, folder string, leave int64) (name string) {
	t.Helper()
	name = m.reach(filepath.Join(folder, "filler"))
	free, err := disk.Free(m.reach(folder))
	if err != nil {
		t.Fatal(err)
	}
	err = os.WriteFile(name, make([]byte, max(0, free-leave)), 0o600)
	if err != nil && !errors.Is(err, syscall.ENOSPC) { // the download may have been quicker
		t.Fatal(err)
	}
	return name
}
