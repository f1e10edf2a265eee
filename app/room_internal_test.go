package app

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/potluck-share/potluck/storage/disk"
)

func TestRoomOfARealFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "not", "there", "yet")
	want, err := disk.Free(folder)
	if err != nil {
		t.Fatal(err)
	}
	var r room
	got := r.free(folder)
	if got < 0 { // this machine may take longer than it waits
		until(t, "it is measured", func() error {
			if got = r.free(folder); got < 0 {
				return errors.New("it is not known")
			}
			return nil
		})
	}
	if got < want/2 || got > 2*want {
		t.Errorf("%d bytes are free, want about %d", got, want)
	}
}

// TestRoomOfADriveThatHangs has a drive that answers, hangs, and answers again.
func TestRoomOfADriveThatHangs(t *testing.T) {
	answers := make(chan int64)
	r := room{measure: func(string) (int64, error) {
		n, ok := <-answers
		if !ok {
			return 0, errors.New("unplugged")
		}
		return n, nil
	}}
	within := func(want int64) {
		t.Helper()
		began := time.Now()
		if got := r.free("/drive"); got != want {
			t.Errorf("%d bytes are free, want %d", got, want)
		}
		if took := time.Since(began); took > 100*roomWait {
			t.Errorf("the answer took %v", took)
		}
	}
	becomes := func(want int64) {
		t.Helper()
		until(t, fmt.Sprintf("%d bytes are free", want), func() error {
			if got := r.free("/drive"); got != want {
				return fmt.Errorf("%d bytes are free", got)
			}
			return nil
		})
	}
	within(-1)
	answers <- 7
	becomes(7)
	r.at = time.Now().Add(-2 * roomFor)
	within(7) // it hangs: the last answer stands
	within(7)
	answers <- 5
	becomes(5)
	r.at = time.Now().Add(-2 * roomFor)
	close(answers)
	becomes(-1)
	quick := room{measure: func(string) (int64, error) { return 3, nil }}
	until(t, "a quick drive is measured", func() error {
		if got := quick.free("/other"); got != 3 {
			return fmt.Errorf("%d bytes are free", got)
		}
		return nil
	})
}
