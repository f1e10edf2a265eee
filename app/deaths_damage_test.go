package app_test

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// A damage is done to a download while the app is down.
type damage struct {
	name string
	// stopped is whether the app was stopped in order, rather than killed.
	stopped bool
	// do gets the paths of the part and its sidecar, and the pieces that are
	// here. It returns how many of them it spoils.
	do func(part, side string, here []int) (spoilt int, err error)
}

var damages = []damage{
	{"bytes of the part", false, spoilPieces},
	{"bytes of the part, after an orderly end", true, spoilPieces},
	{"the part is cut", false, func(part, _ string, here []int) (int, error) {
		last := here[len(here)-1]
		return 1, os.Truncate(part, int64(last)*domain.PieceSize+1)
	}},
	{"the part is gone", true, func(part, _ string, here []int) (int, error) { return len(here), os.Remove(part) }},
	{"the bitmaps", true, func(_, side string, _ []int) (int, error) {
		info, err := os.Stat(side)
		if err != nil {
			return 0, err
		}
		return 0, invert(side, 4096, info.Size()) // where the slots begin
	}},
	{"all of the sidecar", false, func(_, side string, _ []int) (int, error) {
		info, err := os.Stat(side)
		if err != nil {
			return 0, err
		}
		return 0, invert(side, 0, info.Size())
	}},
	{"the sidecar is gone", true, func(_, side string, _ []int) (int, error) { return 0, os.Remove(side) }},
}

// spoilPieces changes a byte in the first piece and in the last.
func spoilPieces(part, _ string, here []int) (int, error) {
	for _, i := range []int{here[0], here[len(here)-1]} {
		at := int64(i)*domain.PieceSize + 12345
		if err := invert(part, at, at+1); err != nil {
			return 0, err
		}
	}
	return 2, nil
}

// invert turns the bytes of a file from one offset to another into others.
func invert(path string, from, to int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	b := make([]byte, to-from)
	if _, err = f.ReadAt(b, from); err == nil {
		for i := range b {
			b[i] = ^b[i]
		}
		_, err = f.WriteAt(b, from)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// TestDamagedWhileDown damages what is here of a download while the app is
// down. It notices, fetches no more than what was spoilt anew, and completes.
func TestDamagedWhileDown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	all := mortals(ctx, t, "ana", "ben")
	ana, ben := all[0], all[1]
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			const size = 12<<20 + 1000
			source := ana.share(ctx, t, d.name, size)
			ben.host.SetRate(32 * mbit) // so that there is time to stop it
			ben.get(ctx, t, "ana:"+d.name)
			ben.awaitPercent(ctx, t, 25)
			if d.stopped {
				ben.stop(t)
			} else {
				ben.kill(t)
			}
			part, side := ben.part(t, ".part"), ben.part(t, ".state")
			here := piecesHere(t, part, source)
			spoilt, err := d.do(part, side, here)
			if err != nil {
				t.Fatal(err)
			}
			before := quiet(ctx, t, ben.host)
			ben.host.SetRate(0)
			start(ctx, t, ben)
			ben.awaitDone(ctx, t, source)
			received := ben.host.Received() - before
			lacking := int64(domain.Pieces(size)-len(here)+spoilt) << 20
			t.Logf("%d pieces were here, %d of them were spoilt; %d KiB came after that", len(here), spoilt, received>>10)
			if most := lacking + 1<<20; received > most {
				t.Errorf("%d bytes came, want at most %d", received, most)
			}
		})
	}
}

// piecesHere returns which pieces of the source a part holds.
func piecesHere(t *testing.T, part, source string) (here []int) {
	t.Helper()
	got, err := os.ReadFile(part)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	for i := range domain.Pieces(int64(len(want))) {
		from := i * domain.PieceSize
		to := from + domain.PieceLength(int64(len(want)), i)
		if to <= len(got) && bytes.Equal(got[from:to], want[from:to]) {
			here = append(here, i)
		}
	}
	if len(here) == 0 {
		t.Fatal("nothing of it is here")
	}
	return here
}
