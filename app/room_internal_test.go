package app

import (
	"errors"
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
	for ; got < 0; got = r.free(folder) { // this machine may take longer than it waits
		time.Sleep(time.Millisecond)
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
	within(-1)
	answers <- 7
	for r.free("/drive") != 7 {
		time.Sleep(time.Millisecond)
	}
	r.at = time.Now().Add(-2 * roomFor)
	within(7) // it hangs: the last answer stands
	within(7)
	answers <- 5
	for r.free("/drive") != 5 {
		time.Sleep(time.Millisecond)
	}
	r.at = time.Now().Add(-2 * roomFor)
	close(answers)
	for r.free("/drive") != -1 {
		time.Sleep(time.Millisecond)
	}
	quick := room{measure: func(string) (int64, error) { return 3, nil }}
	for quick.free("/other") != 3 {
		time.Sleep(time.Millisecond)
	}
}
