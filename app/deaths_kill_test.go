package app_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/lab"
)

// long skips a test that takes minutes unless `make test-long` runs it.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("POTLUCK_LONG") != "1" {
		t.Skip("skipped: takes minutes; run it with: make test-long")
	}
}

// TestKills kills the downloader, then the provider, in the middle of a
// download: each goes on by itself, and next to nothing is fetched twice.
func TestKills(t *testing.T) {
	t.Parallel()
	kills{size: 48 << 20, rate: 160 * mbit, at: []int64{30, 60}, perKill: 3 << 20}.run(t)
}

// TestLongKills does it at every further tenth of a large file.
func TestLongKills(t *testing.T) {
	long(t)
	const size = 1 << 30
	at := []int64{10, 20, 30, 40, 50, 60, 70, 80, 90}
	kills{size: size, rate: 200 * mbit, at: at, perKill: size / 100 / int64(len(at))}.run(t)
}

// kills is a test of kills.
type kills struct {
	size    int64
	rate    int64   // of the downloader's cable
	at      []int64 // at how many per cent somebody is killed
	perKill int64   // how many bytes each kill may cost
}

func (k kills) run(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	all := unborn(t, "ana", "ben")
	ana, ben := all[0], all[1]
	// In memory: what waits for a slow disk is lost in a kill, and how slow the
	// disk is depends on what else the machine does.
	ben.downloads = filepath.Join(ben.smallDisk(ctx, t, int(k.size)+64<<20), "Downloads")
	start(ctx, t, all...)
	ben.host.SetRate(k.rate)
	framing := k.undisturbed(ctx, t, ana, ben)
	for _, victim := range []*mortal{ben, ana} {
		name := "the victim is " + victim.name
		source := ana.share(ctx, t, name, k.size)
		received := ben.host.Received()
		begin := time.Now()
		ben.get(ctx, t, "ana:"+name)
		for _, percent := range k.at {
			ben.awaitPercent(ctx, t, percent)
			death := ben.host.Received()
			victim.kill(t)
			if victim == ben { // what came after that, nobody fetched
				received += quiet(ctx, t, ben.host) - death
			}
			start(ctx, t, victim)
		}
		ben.awaitDone(ctx, t, source)
		took := time.Since(begin).Round(100 * time.Millisecond)
		twice := int64(float64(ben.host.Received()-received)/framing) - k.size
		t.Logf("%s: killed %d times, %d KiB (%.2f %%) fetched twice, took %v",
			victim.name, len(k.at), twice>>10, 100*float64(twice)/float64(k.size), took)
		if most := k.perKill * int64(len(k.at)); twice > most {
			t.Errorf("%s: %d bytes were fetched twice, want at most %d", victim.name, twice, most)
		}
		if err := os.Remove(source); err != nil {
			t.Error(err)
		}
	}
}

// undisturbed downloads a file while nobody dies and returns how many bytes
// come over the cable for each byte of it.
func (k kills) undisturbed(ctx context.Context, t *testing.T, ana, ben *mortal) float64 {
	t.Helper()
	size := min(k.size, 128<<20)
	source := ana.share(ctx, t, "undisturbed", size)
	received := ben.host.Received()
	ben.get(ctx, t, "ana:undisturbed")
	ben.awaitDone(ctx, t, source)
	framing := float64(ben.host.Received()-received) / float64(size)
	t.Logf("undisturbed, %.4f bytes come for each byte", framing)
	return framing
}

// quiet waits until nothing comes over the host's cable any more, but for
// announcements, and returns how much has come.
func quiet(ctx context.Context, t *testing.T, host *lab.Host) (received int64) {
	t.Helper()
	eventually(ctx, t, "the cable is quiet", func() bool {
		before := received
		received = host.Received()
		return received-before < 4<<10
	})
	return received
}
