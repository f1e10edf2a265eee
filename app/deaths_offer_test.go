package app_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestOfferOutlivesKills kills both sides of an offer while it waits for an
// answer, and both at once in the middle of the download: it goes on by itself.
func TestOfferOutlivesKills(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	all := mortals(ctx, t, "ana", "ben")
	ana, ben := all[0], all[1]
	const size = 32 << 20
	source := filepath.Join(t.TempDir(), "film.bin")
	writeNoise(t, source, "film.bin", size)
	ana.meets(ctx, t, "ben")
	out, err := ana.command(ctx, "--data", ana.data, "send", "ben", source, "--note", "for you", "--wait", "1s").CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 6 { //nolint:errorlint // nothing wraps it
		t.Fatalf("send: %v\n%s", err, out)
	}
	asked := ben.awaitOffer(ctx, t, "waiting", "ana wants to give you film.bin.")
	for _, m := range all {
		m.kill(t)
	}
	start(ctx, t, all...)
	if again := ben.awaitOffer(ctx, t, "waiting", "ana wants to give you film.bin."); again.ID != asked.ID {
		t.Errorf("ben has the offer %s, had %s", again.ID, asked.ID)
	}
	ben.host.SetRate(60 * mbit)
	ben.run(ctx, t, "accept", asked.ID[:8])
	received := ben.host.Received()
	for _, percent := range []int64{30, 60} {
		eventually(ctx, t, "it has begun", func() bool { return ben.last(ctx, t).ID != "" })
		ben.awaitPercent(ctx, t, percent)
		for _, m := range all {
			m.kill(t)
		}
		start(ctx, t, all...)
	}
	ben.awaitDone(ctx, t, source)
	// Each time the pieces under way are lost, and what hangs in the cable.
	came := ben.host.Received() - received
	if t.Logf("%.2f times its size came over the cable", float64(came)/size); came > size*13/10 {
		t.Errorf("%d bytes came for a file of %d", came, size)
	}
	ana.awaitOffer(ctx, t, "done", "ben has it.")
}

// meets waits until somebody of that name is around.
func (m *mortal) meets(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	eventually(ctx, t, m.name+" sees "+name, func() bool {
		for _, p := range ask[[]struct {
			Name        string `json:"name"`
			Online      bool   `json:"online"`
			NearForThem bool   `json:"near_for_them"`
		}](ctx, t, m.copyOfPotluck, "peers") {
			if p.Name == name && p.Online && p.NearForThem {
				return true
			}
		}
		return false
	})
}

// awaitOffer waits for an offer that is in that state for that reason.
func (m *mortal) awaitOffer(ctx context.Context, t *testing.T, state, reason string) (found download) {
	t.Helper()
	eventually(ctx, t, m.name+" has an offer: "+reason, func() bool {
		for _, one := range ask[[]download](ctx, t, m.copyOfPotluck, "transfers") {
			if one.Kind == "offer" && one.State == state && one.Reason == reason {
				found = one
				return true
			}
		}
		return false
	})
	return found
}
