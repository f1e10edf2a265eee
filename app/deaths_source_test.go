package app_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// harms are what may happen to a shared file while others fetch it.
var harms = map[string]func(path string) error{
	"changed": func(path string) error {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // what was written shows
		info, err := f.Stat()
		if err != nil {
			return err
		}
		// At the beginning and at the end: some of it was fetched, some not.
		for _, at := range []int64{1 << 20, info.Size() - 1<<20} {
			if _, err := f.WriteAt([]byte("changed"), at); err != nil {
				return err
			}
		}
		return nil
	},
	"truncated": func(path string) error { return os.Truncate(path, 1<<20) },
	"deleted":   os.Remove,
	"replaced": func(path string) error {
		if err := os.WriteFile(path+"~", noise("other", 3<<20), 0o600); err != nil {
			return err
		}
		return os.Rename(path+"~", path)
	},
}

// TestSourceHarmed harms a shared file in the midst of a download. The download
// never ends with mixed bytes: without another provider it ends and says why,
// with one it goes on by itself.
func TestSourceHarmed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	all := mortals(ctx, t, "ana", "ben", "cleo")
	ana, ben, cleo := all[0], all[1], all[2]
	ben.host.SetRate(80 * mbit)
	for what, harm := range harms {
		t.Run(what, func(t *testing.T) {
			alone := ana.share(ctx, t, what, 16<<20)
			ben.get(ctx, t, "ana:"+what)
			ben.awaitPercent(ctx, t, 30)
			if err := harm(alone); err != nil {
				t.Fatal(err)
			}
			ben.endsWell(ctx, t, what)
		})
		t.Run(what+" for one of two", func(t *testing.T) {
			name := what + " for one"
			harmed := ana.share(ctx, t, name, 16<<20)
			whole := cleo.share(ctx, t, name, 16<<20)
			ben.get(ctx, t, "ana:"+name)
			ben.awaitPercent(ctx, t, 30)
			if err := harm(harmed); err != nil {
				t.Fatal(err)
			}
			ben.awaitDone(ctx, t, whole)
		})
	}
}

// endsWell waits until a download whose only source was harmed has ended: with
// the bytes that were asked for, if the provider could hold on to them, else
// with the reason, and no file that could be taken for it.
func (m *mortal) endsWell(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	d := m.await(ctx, t, "it has ended", func(d download) bool { return d.State == "done" || d.State == "failed" })
	if d.State == "done" {
		source := filepath.Join(t.TempDir(), name)
		writeNoise(t, source, name, d.Size)
		m.awaitDone(ctx, t, source)
		return
	}
	reasons := []string{"ana changed this file meanwhile.", "ana no longer shares this with you."}
	if !slices.Contains(reasons, d.Reason) {
		t.Errorf("it ended because: %q", d.Reason)
	}
	m.nothingLeft(t, filepath.Base(m.part(t, ".part")), filepath.Base(m.part(t, ".state")))
	for _, ending := range []string{".part", ".state"} {
		if err := os.Remove(m.part(t, ending)); err != nil {
			t.Error(err)
		}
	}
}
