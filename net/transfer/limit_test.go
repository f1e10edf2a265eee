package transfer_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/transfer"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/net/transfer/limit"
	"github.com/potluck-share/potluck/net/transfer/provide"
	"github.com/potluck-share/potluck/storage/content"
)

const mib = 1 << 20

// computer is a host that provides contents and fetches them, within limits.
type computer struct {
	*host.Host
	limits  *limit.Limits
	fetcher *fetch.Fetcher

	mu       sync.Mutex
	contents map[domain.ContentID]memory
}

func newComputer(t *testing.T, name string) *computer {
	t.Helper()
	identity, err := host.LoadIdentity(filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	c := &computer{limits: limit.New(), contents: make(map[domain.ContentID]memory)}
	c.Host, err = host.New(t.Context(), host.Config{
		Identity: identity, Listen: []string{"/ip4/127.0.0.1/tcp/0"},
		Nearby: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Hello:  func(domain.PeerID) domain.Hello { return domain.Hello{Name: name} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	provider := provide.New(provide.Config{Source: c})
	transfer.Serve(c.Host, provider, c.limits)
	t.Cleanup(provider.Close)
	c.fetcher = fetch.New(fetch.Config{Open: transfer.Dialer{Host: c.Host, Limits: c.limits}})
	t.Cleanup(func() {
		if err := c.fetcher.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
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
func (c *computer) share(t *testing.T, size int) domain.ContentID {
	t.Helper()
	data := make([]byte, size)
	_, _ = rand.Read(data) // it never fails
	sum, err := content.Hash(t.Context(), bytes.NewReader(data), int64(size), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.contents[sum.ID] = memory{bytes.NewReader(data), sum}
	return sum.ID
}

func (c *computer) Allowed(domain.Asker, domain.ContentID) bool { return true }

func (c *computer) Open(_ context.Context, _ domain.Asker, id domain.ContentID) (provide.Content, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, ok := c.contents[id]; ok {
		return m, nil
	}
	return nil, domain.ErrNotFound
}

// memory is a content in memory.
type memory struct {
	*bytes.Reader
	sum content.Sum
}

func (m memory) Size() int64          { return m.sum.Size }
func (m memory) Layer() []byte        { return m.sum.Layer }
func (m memory) Fresh() error         { return nil }
func (m memory) Close() error         { return nil }
func (memory) Spread() provide.Spread { return provide.Nearby }

// sink counts the pieces of a content.
type sink struct {
	size int64

	mu    sync.Mutex
	layer content.Layer
	known bool
	have  map[int]bool
	done  int64
}

func (s *sink) Layer() (content.Layer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.layer, s.known
}

func (s *sink) SetLayer(l content.Layer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.layer, s.known = l, true
	return nil
}

func (s *sink) Has(i int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.have[i]
}

func (s *sink) Missing() (missing []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range domain.Pieces(s.size) {
		if !s.have[i] {
			missing = append(missing, i)
		}
	}
	return missing
}

func (s *sink) Done() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

func (s *sink) Put(p content.Piece) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.have[p.Index()] {
		s.have[p.Index()] = true
		s.done += int64(len(p.Data()))
	}
	return nil
}

// get fetches a content of size bytes and returns how long that took.
func (c *computer) get(t *testing.T, id domain.ContentID, size int, from ...*computer) time.Duration {
	t.Helper()
	providers := make(fetch.Fixed, len(from))
	for i, o := range from {
		providers[i] = o.ID()
	}
	begun := time.Now()
	s := &sink{size: int64(size), have: make(map[int]bool)}
	if err := c.fetcher.Fetch(t.Context(), id, int64(size), s, providers, nil); err != nil {
		t.Error(err)
	}
	return time.Since(begun)
}

// about fails unless took is within 15 % of want.
func about(t *testing.T, what string, took, want time.Duration) {
	t.Helper()
	t.Logf("%s took %v, should take %v", what, took.Round(time.Millisecond), want)
	if took < want*85/100 || took > want*115/100 {
		t.Errorf("%s took %v, not %v ± 15 %%", what, took, want)
	}
}

// TestLimitsHold measures with the wall clock, so that what runs beside it is
// kept small: nothing here is in parallel.
func TestLimitsHold(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 15 s")
	}
	ana, ben, cleo := newComputer(t, "ana"), newComputer(t, "ben"), newComputer(t, "cleo")
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
	ana, ben := newComputer(t, "ana"), newComputer(t, "ben")
	ben.meet(t, ana)
	ben.limits.Set(domain.LeastRate, domain.LeastRate)
	ana.limits.Set(domain.LeastRate, domain.LeastRate)
	size := 10 * int(domain.LeastRate)
	about(t, "100 kB at 10 kB/s", ben.get(t, ana.share(t, size), size, ana), 10*time.Second)
}
