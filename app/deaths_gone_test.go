package app_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// departures are the ways in which a download folder may go away. The paths are
// those of the folder, of a free name beside it, and of another folder.
var departures = []struct {
	name        string
	take, bring func(folder, away, other string) error
	reason      string
}{
	{
		"moved", func(folder, away, _ string) error { return os.Rename(folder, away) },
		func(folder, away, _ string) error { return os.Rename(away, folder) },
		"The download folder is gone. ",
	},
	{
		"removed", func(folder, _, _ string) error { return os.RemoveAll(folder) },
		func(folder, _, _ string) error { return os.Mkdir(folder, 0o700) },
		"The download folder is gone. ",
	},
	{
		"read-only", func(folder, _, _ string) error { return os.Chmod(folder, 0o500) },
		func(folder, _, _ string) error { return os.Chmod(folder, 0o700) },
		"Can't write to read-only. ",
	},
	{
		"unreadable", func(folder, _, _ string) error { return os.Chmod(folder, 0) },
		func(folder, _, _ string) error { return os.Chmod(folder, 0o700) },
		"Can't write to unreadable. ",
	},
	{
		"link", func(folder, away, other string) error { return swap(folder, away, other) },
		func(folder, away, _ string) error { return swapBack(folder, away) },
		"Can't write to link. ",
	},
}

// swap puts a link to another folder in place of one.
func swap(folder, away, other string) error {
	if err := os.Rename(folder, away); err != nil {
		return err
	}
	return os.Symlink(other, folder)
}

func swapBack(folder, away string) error {
	if err := os.Remove(folder); err != nil {
		return err
	}
	return os.Rename(away, folder)
}

// TestDestinationGone takes the folders of several downloads away while they
// run: each pauses, says why, and goes on when its folder is back.
func TestDestinationGone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	all := unborn(t, "ana", "ben")
	ana, ben := all[0], all[1]
	ben.around = withoutRoot()
	ben.settings(t, "downloads_at_once = "+strconv.Itoa(len(departures)))
	start(ctx, t, ana, ben)
	ben.host.SetRate(16 * mbit)

	home := t.TempDir()
	folder := func(name string) string { return filepath.Join(home, name) }
	outside := t.TempDir()
	downloads := make(map[string]*mortal)
	sources := make(map[string]string)
	for _, d := range departures {
		sources[d.name] = ana.share(ctx, t, d.name, 12<<20)
		downloads[d.name] = ben.with(folder(d.name), d.name)
		downloads[d.name].get(ctx, t, "ana:"+d.name)
	}
	for _, d := range departures {
		downloads[d.name].awaitPercent(ctx, t, 5)
		if err := d.take(folder(d.name), folder(d.name+" away"), outside); err != nil {
			t.Fatal(err)
		}
	}
	ben.host.SetRate(100 * mbit)
	for _, d := range slices.Backward(departures) { // before it goes on behind the link, to where the user's path leads
		downloads[d.name].awaitReason(ctx, t, d.reason)
		if err := d.bring(folder(d.name), folder(d.name+" away"), outside); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range departures {
		downloads[d.name].awaitDone(ctx, t, sources[d.name])
	}
	if found, err := os.ReadDir(outside); err != nil || len(found) > 0 {
		t.Errorf("the link's target holds %v (%v)", found, err)
	}
}

// TestLinkSwappedIn puts a link in place of a folder that is being downloaded:
// nothing is written to where it leads.
func TestLinkSwappedIn(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all := mortals(ctx, t, "ana", "ben")
	ana, ben := all[0], all[1]
	ben.host.SetRate(40 * mbit)
	source := filepath.Join(t.TempDir(), "Holiday")
	outside := t.TempDir()
	if err := os.MkdirAll(filepath.Join(source, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 16 {
		name := strconv.Itoa(i)
		writeNoise(t, filepath.Join(source, "sub", name), name, 1<<20)
	}
	ana.run(ctx, t, "share", source)
	ben.get(ctx, t, "ana:Holiday")
	ben.awaitPercent(ctx, t, 20)
	sub := filepath.Join(ben.downloads, "Holiday", "sub")
	if err := swap(sub, sub+" away", outside); err != nil {
		t.Fatal(err)
	}
	ben.awaitReason(ctx, t, "Can't write to ")
	if found, err := os.ReadDir(outside); err != nil || len(found) > 0 {
		t.Errorf("the link's target holds %v (%v)", found, err)
	}
	if err := swapBack(sub, sub+" away"); err != nil {
		t.Fatal(err)
	}
	ben.await(ctx, t, "it is done", func(d download) bool { return d.State == "done" })
	want, err := digestTree(source)
	if err != nil {
		t.Fatal(err)
	}
	got, err := digestTree(filepath.Join(ben.downloads, "Holiday"))
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("the copy differs:\n%s", differences(got, want))
	}
}

// settings writes the settings of a program that was never started.
func (m *mortal) settings(t *testing.T, text string) {
	t.Helper()
	if err := os.MkdirAll(m.data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(m.data, "settings.toml"), []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// withoutRoot is what stands before a command line that is to run without
// root's leave to read and write everywhere.
func withoutRoot() []string {
	if os.Geteuid() != 0 {
		return nil
	}
	const caps = "-dac_override,-dac_read_search"
	return []string{"setpriv", "--bounding-set", caps, "--inh-caps", caps, "--"}
}
