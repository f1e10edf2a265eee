package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// TestScaleOfTheFirstScreen measures how long somebody who has just met the owner
// of 100,000 files waits for the first rows, as the window asks for them.
func TestScaleOfTheFirstScreen(t *testing.T) {
	if os.Getenv("POTLUCK_SCALE") != "1" {
		t.Skip("skipped: measures for minutes; run it with: make bench-scale")
	}
	const files, inFolder, screen = 100_000, 1000, 20
	folder := filepath.Join(t.TempDir(), "Big")
	for i := range files {
		dir := filepath.Join(folder, fmt.Sprintf("album %03d", i/inFolder))
		if i%inFolder == 0 {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("IMG_%06d.jpg", i)), []byte(fmt.Sprint(i)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ana := startPotluck(t, "ana")
	if _, err := ana.library.Share(t.Context(), []string{folder}, domain.Audience{Kind: domain.Everyone}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		ben := startPotluck(t, "ben")
		if _, err := ben.people.Connect(t.Context(), ana.describe().Addresses[0]); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		rows := func(path string, least int) func() error {
			return func() error {
				all, err := ben.browse.List(t.Context(), ana.host.ID(), path)
				if err == nil && len(all) < least {
					err = errors.New("not enough")
				}
				return err
			}
		}
		until(t, "the first screen is there", rows("Big/album 000", screen))
		first := time.Since(begun)
		until(t, "all is there", rows("Big/album 099", inFolder))
		t.Logf("the first screen after %d ms, all of it after %d ms", first.Milliseconds(), time.Since(begun).Milliseconds())
		if first > 200*time.Millisecond {
			t.Errorf("the first screen takes %v", first)
		}
		ben.close()
	}
}
