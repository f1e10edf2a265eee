package app_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/lab"
	"github.com/potluck-share/potluck/app/programs"
)

// turnWithin is how long others may take to see that somebody hides, or is
// shown again.
const turnWithin = 3 * time.Second

// TestHidden is "Hide me" on a real network: whoever hides is away for all
// others and gives nothing, while its own download goes on; stays hidden over a
// restart, for those who never saw it too; and is back at once when shown.
func TestHidden(t *testing.T) {
	bin := programs.Headless(t)
	network := lab.New(t, "mira", "ana", "ben", "cleo")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	all := make(map[string]*copyOfPotluck)
	begin := func(names ...string) {
		t.Helper()
		var began sync.WaitGroup
		for _, name := range names {
			if all[name] == nil {
				all[name] = newCopy(t, name, func(ctx context.Context, args ...string) *exec.Cmd {
					return exec.CommandContext(ctx, bin, args...)
				})
			}
			p := all[name]
			serve(t, p, network.Host(name).Command(ctx, bin,
				"--data", p.data, "--downloads", p.downloads, "--name", name, "--json", "serve"), &began)
		}
		began.Wait()
	}
	begin("mira", "ana", "ben")
	mira, ana, ben := all["mira"], all["ana"], all["ben"]
	for _, p := range all {
		if meet(ctx, p, 2, time.Now()) == 0 {
			t.Fatal("they never met")
		}
	}
	soup, film := filepath.Join(t.TempDir(), "soup.txt"), filepath.Join(t.TempDir(), "film.mp4")
	if err := os.WriteFile(soup, noise("soup", 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	writeNoise(t, film, "film", 160<<20)
	mira.run(ctx, t, "share", soup)
	ana.run(ctx, t, "share", film)
	ben.run(ctx, t, "browse", "mira")
	if isHidden(ctx, t, mira) {
		t.Error("mira is hidden before she hides")
	}

	// A download that takes a while.
	mira.run(ctx, t, "limit", "--down", "20 MB/s")
	got := make(chan error, 1)
	go func() {
		out, err := mira.command(ctx, "--data", mira.data, "get", "ana:film.mp4").CombinedOutput()
		if err != nil {
			err = &fetchError{"mira", out, err}
		}
		got <- err
	}()
	eventually(ctx, t, "the download runs", func() bool { return moved(ctx, t, mira) > 0 })

	mira.run(ctx, t, "hide")
	began := time.Now()
	if !isHidden(ctx, t, mira) {
		t.Error("mira's status does not say that she is hidden")
	}
	eventually(ctx, t, "ben sees mira leave", func() bool { return !sees(ctx, t, ben, "mira").online })
	if took := time.Since(began); took > turnWithin+busy {
		t.Errorf("ben saw mira leave after %v, want %v", took, turnWithin)
	}
	done := moved(ctx, t, mira)
	for _, p := range []*copyOfPotluck{ana, ben} { // ana's connection stands, for she gives
		if code := exitCode(p.command(ctx, "--data", p.data, "get", "mira:soup.txt", "--wait", "2s").Run()); code != 6 {
			t.Errorf("%s: getting from one who hides ends with %d, want 6, still waiting", p.name, code)
		}
	}
	if now := moved(ctx, t, mira); now <= done {
		t.Errorf("mira's own download stands still at %d bytes", now)
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	if want, err := digestTree(film); err != nil {
		t.Fatal(err)
	} else if have, err := digestTree(filepath.Join(mira.downloads, "film.mp4")); err != nil || have != want {
		t.Errorf("mira's copy differs (%v)", err)
	}
	eventually(ctx, t, "ana sees mira leave when nothing moves any more", func() bool { return !sees(ctx, t, ana, "mira").online })
	if who := sees(ctx, t, mira, "ben"); !who.online {
		t.Error("mira does not see any more who is around")
	}

	// The one who was never there before tells the most.
	mira.run(ctx, t, "stop")
	begin("cleo", "mira")
	cleo := all["cleo"]
	if meet(ctx, cleo, 2, time.Now()) == 0 {
		t.Fatal("cleo never met ana and ben")
	}
	if !isHidden(ctx, t, mira) {
		t.Error("mira is not hidden any more after a restart")
	}
	eventually(ctx, t, "mira hears cleo", func() bool { return heard(ctx, t, mira) })
	for until := time.Now().Add(turnWithin); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		for _, p := range []*copyOfPotluck{ana, ben, cleo} {
			if who := sees(ctx, t, p, "mira"); who.online || p == cleo && who.known {
				t.Fatalf("%s sees mira, who is hidden: %+v", p.name, who)
			}
		}
	}

	mira.run(ctx, t, "show")
	began = time.Now()
	for _, p := range []*copyOfPotluck{ana, ben, cleo} {
		eventually(ctx, t, p.name+" sees mira again", func() bool { return sees(ctx, t, p, "mira").online })
		if took := time.Since(began); took > turnWithin+busy {
			t.Errorf("%s saw mira again after %v, want %v", p.name, took, turnWithin)
		}
	}
	cleo.run(ctx, t, "get", "mira:soup.txt")
	if isHidden(ctx, t, mira) {
		t.Error("mira's status still says that she is hidden")
	}
	for _, p := range all {
		p.run(ctx, t, "stop")
	}
}

func isHidden(ctx context.Context, t *testing.T, p *copyOfPotluck) bool {
	t.Helper()
	status := ask[struct {
		Hidden *bool
		Free   int64
	}](ctx, t, p, "status")
	if status.Hidden == nil || status.Free <= 0 {
		t.Fatalf("the status says nothing of being hidden or of free room: %+v", status)
	}
	return *status.Hidden
}

// heard reports whether p sees anybody around.
func heard(ctx context.Context, t *testing.T, p *copyOfPotluck) bool {
	t.Helper()
	return sees(ctx, t, p, "ana").online && sees(ctx, t, p, "ben").online
}

type seen struct{ known, online bool }

// sees returns what p knows of somebody.
func sees(ctx context.Context, t *testing.T, p *copyOfPotluck, name string) (s seen) {
	t.Helper()
	for _, one := range ask[[]struct {
		Name   string
		Online bool
	}](ctx, t, p, "peers") {
		if one.Name == name {
			s = seen{true, one.Online}
		}
	}
	return s
}

// moved returns how many bytes of p's one download are there.
func moved(ctx context.Context, t *testing.T, p *copyOfPotluck) (done int64) {
	t.Helper()
	for _, one := range ask[[]struct {
		Kind string
		Done int64
	}](ctx, t, p, "transfers") {
		if one.Kind == "download" {
			done = one.Done
		}
	}
	return done
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		panic("a command did not even run: " + err.Error())
	}
	return 0
}
