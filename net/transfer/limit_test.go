package transfer_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/transfer"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/net/transfer/limit"
	"github.com/potluck-share/potluck/net/transfer/provide"
)

const mib = 1 << 20

// computer is a host that provides contents and fetches them, within limits.
type computer struct {
	*host.Host
	limits   *limit.Limits
	provider *provide.Provider
	fetcher  *fetch.Fetcher

	mu     sync.Mutex
	plates map[domain.ContentID]plate
}

func newComputer(t *testing.T) *computer {
	t.Helper()
	c := &computer{
		Host: start(t, "/ip4/127.0.0.1/tcp/0"), limits: limit.New(), plates: make(map[domain.ContentID]plate),
	}
	c.provider = provide.New(provide.Config{Source: c})
	transfer.Serve(c.Host, c.provider, c.limits)
	t.Cleanup(c.provider.Close)
	c.fetcher = fetch.New(fetch.Config{Open: transfer.Dialer{Host: c.Host, Limits: c.limits}})
	t.Cleanup(func() {
		if err := c.fetcher.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// meet connects c to the others.
func (c *computer) meet(t *testing.T, others ...*computer) {
	t.Helper()
	for _, o := range others {
		if _, err := c.Connect(t.Context(), o.Addresses()[0]+"/p2p/"+string(o.ID())); err != nil {
			t.Fatal(err)
		}
	}
}

// share makes the computer provide size random bytes.
func (c *computer) share(t *testing.T, size int64) domain.ContentID {
	t.Helper()
	food := newPlate(t, size)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plates[food.sum.ID] = food
	return food.sum.ID
}

func (c *computer) Allowed(domain.Asker, domain.ContentID) bool { return true }

func (c *computer) Open(ctx context.Context, asker domain.Asker, id domain.ContentID) (provide.Content, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plates[id].Open(ctx, asker, id)
}

// get fetches a content of size bytes and returns how long that took.
func (c *computer) get(t *testing.T, id domain.ContentID, size int64, from ...*computer) time.Duration {
	t.Helper()
	providers := make(fetch.Fixed, len(from))
	for i, o := range from {
		providers[i] = o.ID()
	}
	begun := time.Now()
	if err := c.fetcher.Fetch(t.Context(), id, size, newBowl(size), providers, nil); err != nil {
		t.Error(err)
	}
	return time.Since(begun)
}

// about fails if took is much less than want, or so much more that it cannot be
// for a machine that is busy.
func about(t *testing.T, what string, took, want time.Duration) {
	t.Helper()
	t.Logf("%s took %v, should take %v", what, took.Round(time.Millisecond), want)
	if took < want*85/100 || took > want*150/100 {
		t.Errorf("%s took %v, not about %v", what, took, want)
	}
}

// TestLimitsHold measures with the wall clock, so that what runs beside it is
// kept small: nothing here is in parallel.
func TestLimitsHold(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 15 s")
	}
	ana, ben, cleo := newComputer(t), newComputer(t), newComputer(t)
	ben.meet(t, ana, cleo)
	cleo.meet(t, ana)

	t.Run("download", func(t *testing.T) {
		ben.limits.Set(0, 4*mib)
		about(t, "20 MiB at 4 MiB/s", ben.get(t, ana.share(t, 20*mib), 20*mib, ana), 5*time.Second)
		ben.limits.Set(0, 0)
	})
	t.Run("changed on the way", func(t *testing.T) {
		ana.limits.Set(mib, 0)
		timer := time.AfterFunc(2*time.Second, func() { ana.limits.Set(8*mib, 0) })
		defer timer.Stop()
		about(t, "2 MiB at 1 MiB/s and 8 MiB at 8 MiB/s", ben.get(t, ana.share(t, 10*mib), 10*mib, ana), 3*time.Second)
		ana.limits.Set(0, 0)
	})
	t.Run("taken away", func(t *testing.T) {
		ana.limits.Set(domain.LeastRate, 0)
		timer := time.AfterFunc(500*time.Millisecond, func() { ana.limits.Set(0, 0) })
		defer timer.Stop()
		if took := ben.get(t, ana.share(t, 10*mib), 10*mib, ana); took > 1500*time.Millisecond {
			t.Errorf("took %v after the limit was gone", took-500*time.Millisecond)
		}
	})
	t.Run("shared by all downloads", func(t *testing.T) {
		ben.limits.Set(0, 4*mib)
		var both sync.WaitGroup
		both.Go(func() {
			about(t, "6 MiB at half of 4 MiB/s", ben.get(t, ana.share(t, 6*mib), 6*mib, ana), 3*time.Second)
		})
		both.Go(func() {
			about(t, "6 MiB at the other half", ben.get(t, cleo.share(t, 6*mib), 6*mib, cleo), 3*time.Second)
		})
		both.Wait()
		ben.limits.Set(0, 0)
	})
	t.Run("shared by those who fetch", func(t *testing.T) {
		ana.limits.Set(4*mib, 0)
		id := ana.share(t, 6*mib)
		var both sync.WaitGroup
		for _, c := range []*computer{ben, cleo} {
			both.Go(func() { about(t, "6 MiB at half of 4 MiB/s", c.get(t, id, 6*mib, ana), 3*time.Second) })
		}
		both.Wait()
		ana.limits.Set(0, 0)
	})
}

// TestASlowLimitDoesNotLookDead fetches at the least speed for longer than a
// quiet provider is waited for, from two at once.
func TestASlowLimitDoesNotLookDead(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 12 s")
	}
	t.Parallel()
	ana, ben := newComputer(t), newComputer(t)
	ben.meet(t, ana)
	ben.limits.Set(domain.LeastRate, domain.LeastRate)
	ana.limits.Set(domain.LeastRate, domain.LeastRate)
	const size = 10 * domain.LeastRate
	about(t, "100 kB at 10 kB/s", ben.get(t, ana.share(t, size), size, ana), 10*time.Second)
}
