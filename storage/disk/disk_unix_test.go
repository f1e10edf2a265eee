//go:build unix

package disk_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/disk"
)

func TestKindOfAFullDisk(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		if err := disk.Kind(&os.PathError{Op: "write", Path: "x", Err: errno}); !errors.Is(err, domain.ErrNoSpace) {
			t.Errorf("%v becomes %v", errno, err)
		}
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = full.Close() }() // takes nothing anyway
	_, err = full.WriteString("x")
	if err := disk.Kind(err); !errors.Is(err, domain.ErrNoSpace) {
		t.Errorf("writing to /dev/full: %v", err)
	}
}

func TestOpenRegularNeverWaits(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600); err != nil {
		t.Skip(err)
	}
	if _, _, err := disk.OpenRegular(openRoot(t, folder), "pipe"); !errors.Is(err, domain.ErrNotShareable) {
		t.Errorf("a pipe: %v", err)
	}
}
