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

// isRead reports whether a piece of what the computer shares was asked for by
// somebody who is served.
func (c *computer) isRead(id domain.ContentID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plates[id].read.Load()
}

// about fails if took is less than want, for which there is no excuse but what
// little the limits let pass at once, or nearly twice as much: a busy machine may
// be late, but what is counted twice takes twice as long.
func about(t *testing.T, what string, took, want time.Duration) {
	t.Helper()
	t.Logf("%s took %v, should take %v", what, took.Round(time.Millisecond), want)
	if took < want*85/100 || took > want*190/100 {
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
	// A content costs time to make, and a first stream to open: neither is to
	// be measured, nor to give one of two a start.
	ofAna, ofCleo := make(map[int64]domain.ContentID), cleo.share(t, 6*mib)
	for _, size := range []int64{1, 6 * mib, 10 * mib, 20 * mib} {
		ofAna[size] = ana.share(t, size)
	}
	another := ana.share(t, 10*mib)
	tiny := cleo.share(t, 1)
	warm := func(t *testing.T) {
		t.Helper()
		ben.get(t, ofAna[1], 1, ana)
		ben.get(t, tiny, 1, cleo)
		cleo.get(t, ofAna[1], 1, ana)
	}
	// together has all of them begin at once.
	together := func(all ...func()) {
		begin := make(chan struct{})
		var done sync.WaitGroup
		for _, one := range all {
			done.Go(func() {
				<-begin
				one()
			})
		}
		close(begin)
		done.Wait()
	}
	warm(t)

	t.Run("download", func(t *testing.T) {
		ben.limits.Set(0, 4*mib)
		about(t, "20 MiB at 4 MiB/s", ben.get(t, ofAna[20*mib], 20*mib, ana), 5*time.Second)
		ben.limits.Set(0, 0)
	})
	t.Run("changed on the way", func(t *testing.T) {
		ana.limits.Set(mib, 0)
		timer := time.AfterFunc(2*time.Second, func() { ana.limits.Set(8*mib, 0) })
		defer timer.Stop()
		about(t, "2 MiB at 1 MiB/s and 8 MiB at 8 MiB/s", ben.get(t, ofAna[10*mib], 10*mib, ana), 3*time.Second)
		ana.limits.Set(0, 0)
	})
	t.Run("taken away", func(t *testing.T) {
		ana.limits.Set(domain.LeastRate, 0)
		timer := time.AfterFunc(500*time.Millisecond, func() { ana.limits.Set(0, 0) })
		defer timer.Stop()
		// With the limit it would take a quarter of an hour.
		if took := ben.get(t, another, 10*mib, ana); took > 3*time.Second {
			t.Errorf("took %v after the limit was gone", took-500*time.Millisecond)
		}
	})
	t.Run("shared by all downloads", func(t *testing.T) {
		warm(t)
		ben.limits.Set(0, 4*mib)
		together(
			func() {
				about(t, "6 MiB at half of 4 MiB/s", ben.get(t, ofAna[6*mib], 6*mib, ana), 3*time.Second)
			},
			func() {
				about(t, "6 MiB at the other half", ben.get(t, ofCleo, 6*mib, cleo), 3*time.Second)
			},
		)
		ben.limits.Set(0, 0)
	})
	t.Run("shared by those who fetch", func(t *testing.T) {
		warm(t)
		ana.limits.Set(4*mib, 0)
		half := func(c *computer) func() {
			return func() {
				about(t, "6 MiB at half of 4 MiB/s", c.get(t, ofAna[6*mib], 6*mib, ana), 3*time.Second)
			}
		}
		together(half(ben), half(cleo))
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
	content := ana.share(t, size)
	about(t, "100 kB at 10 kB/s", ben.get(t, content, size, ana), 10*time.Second)
}
