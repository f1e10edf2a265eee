package app_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// TestLiars downloads a file from four providers, of whom one sends wrong
// bytes, one stalls for ever, and one sends 10 KB/s: it takes hardly longer
// than without them, and the liar is named.
//
//nolint:paralleltest // it measures time
func TestLiars(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	all := unborn(t, "ana", "ben", "liar", "slow", "stuck")
	ana, ben, liar, slow, stuck := all[0], all[1], all[2], all[3], all[4]
	memory := liar.smallDisk(ctx, t, 80<<20)
	start(ctx, t, all...)
	ana.host.SetRate(64 * mbit)

	const size = 48 << 20
	source := ana.share(ctx, t, "by ana alone", size)
	begin := time.Now()
	ben.get(ctx, t, "ana:by ana alone")
	ben.awaitDone(ctx, t, source)
	alone := time.Since(begin)

	source = ana.share(ctx, t, "by all", size)
	for _, m := range []*mortal{slow, stuck} {
		m.share(ctx, t, "by all", size)
	}
	lie := filepath.Join(memory, "by all")
	writeNoise(t, liar.reach(lie), "by all", size)
	liar.run(ctx, t, "share", lie)
	rot(t, liar.reach(lie))
	eventually(ctx, t, "ben sees all four providers", func() bool {
		return strings.Count(string(ben.run(ctx, t, "--json", "search", "by all")), `"peer_id"`) == 4
	})
	slow.host.SetRate(80_000)     // bits: 10 KB/s
	stuck.host.SetRate(16 * mbit) // it is to be of little help before it stalls
	lied := liar.host.Sent()
	begin = time.Now()
	ben.get(ctx, t, "ana:by all")
	ben.awaitPercent(ctx, t, 2)
	stuck.signal(t, syscall.SIGSTOP)
	ben.await(ctx, t, "the liar is named", func(d download) bool {
		return strings.HasPrefix(d.Reason, "liar sent damaged data.")
	})
	ben.awaitDone(ctx, t, source)
	together := time.Since(begin)

	t.Logf("alone %v, together with three bad ones %v: %.2f times as long", alone, together, together.Seconds()/alone.Seconds())
	if together > alone*12/10+busy {
		t.Errorf("it took %v, want at most 1.2 times %v", together, alone)
	}
	if lied = liar.host.Sent() - lied; lied > size/2 {
		t.Errorf("%d bytes were taken from the liar", lied)
	}
	id := ask[status](ctx, t, liar.copyOfPotluck, "status").PeerID
	if said := ben.said(t); !strings.Contains(said, "wrong bytes came from a peer") || !strings.Contains(said, "peer="+id[len(id)-8:]) {
		t.Errorf("ben does not say that the liar %s lied:\n%s", id, said)
	}
}

// rot changes the first byte of each piece of a file in memory, behind the back
// of whoever looks at its size and time: a write to a mapping of a tmpfs leaves
// no trace.
func rot(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // the mapping outlives it
	before, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(before.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(b); i += domain.PieceSize {
		b[i] ^= 1
	}
	if err := syscall.Munmap(b); err != nil {
		t.Fatal(err)
	}
	if after, err := f.Stat(); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Fatalf("the time of %s shows that it was changed: %v", path, err)
	}
}
