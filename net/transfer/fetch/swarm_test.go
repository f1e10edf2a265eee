package fetch_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/fetch"
)

// member fetches and serves what it fetches, as a running program does.
type member struct {
	*server
	fetcher *fetch.Fetcher
}

// newMember knows of nobody but those who are named.
func newMember(t testing.TB, knows ...*server) *member {
	t.Helper()
	m := &member{server: newServer(t)}
	o := &opener{host: m.host}
	for _, s := range knows {
		o.knows(s.host)
	}
	m.fetcher = fetch.New(fetch.Config{
		Open: o, Self: m.id, Coming: m.provider.Coming,
		Told: func(id domain.PeerID, addresses []string) { remember(t, m.host, id, addresses) },
	})
	t.Cleanup(func() {
		if err := m.fetcher.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func remember(t testing.TB, h libp2phost.Host, id domain.PeerID, addresses []string) {
	p, err := peer.Decode(string(id))
	if err != nil {
		t.Error(err)
		return
	}
	for _, text := range addresses {
		addr, err := ma.NewMultiaddr(text)
		if err != nil {
			t.Error(err)
			continue
		}
		h.Peerstore().AddAddr(p, addr, peerstore.PermanentAddrTTL)
	}
}

// meet connects the member to the source, which then knows where it is.
func (m *member) meet(t testing.TB, source *server) {
	t.Helper()
	if err := m.host.Connect(t.Context(), peer.AddrInfo{ID: source.host.ID(), Addrs: source.host.Addrs()}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the source knows where the member is", func() bool {
		return slices.ContainsFunc(source.host.Peerstore().Addrs(m.host.ID()), m.host.Addrs()[0].Equal)
	})
}

// get fetches the file from the providers and whoever they name.
func (m *member) get(ctx context.Context, t testing.TB, file *shared, providers fetch.Providers) error {
	dst := newSink(t, file.sum.Size)
	dst.grown = func(piece int) { m.provider.Grown(file.sum.ID, piece) }
	m.mu.Lock()
	m.growing[file.sum.ID] = dst
	m.mu.Unlock()
	if err := m.fetcher.Fetch(ctx, file.sum.ID, file.sum.Size, dst, providers, nil); err != nil {
		return err
	}
	dst.verify(t, file.path)
	return nil
}

// crowd makes a source of a file that gives a piece each 30 ms at most, and
// members that know nobody else.
func crowd(t testing.TB, size int64, n int) (source *server, file *shared, members []*member) {
	source = newServer(t)
	file = source.share(t, writeFile(t, size))
	file.slow = 120 * time.Millisecond // four are read at once
	for range n {
		m := newMember(t, source)
		m.meet(t, source)
		members = append(members, m)
	}
	return source, file, members
}

// Downloaders are in nobody's catalogue: they hear of each other from the
// source, and then get from each other what the source gave only once.
func TestSwarm(t *testing.T) {
	t.Parallel()
	const size = 64*mib - 5
	source, file, members := crowd(t, size, 4)
	var (
		mu    sync.Mutex
		reads []int64
	)
	file.spoil = func(_ []byte, off int64) {
		mu.Lock()
		defer mu.Unlock()
		reads = append(reads, off/mib)
	}
	var all sync.WaitGroup
	for _, m := range members {
		all.Go(func() {
			if err := m.get(within(t, 2*time.Minute), t, file, fetch.Fixed{source.id}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	mu.Lock() // what was asked for twice may still be read
	order := slices.Clone(reads)
	mu.Unlock()
	// Each piece leaves the source before any of them does so again, but for
	// the last few, and for what has to be read again because a stream was too
	// slow and was left.
	seen := make(map[int64]bool)
	for i, piece := range order {
		seen[piece] = true
		if len(seen) == domain.Pieces(size) {
			if i >= len(seen)*5/4 {
				t.Errorf("all pieces were out after %d of %d reads", i+1, len(order))
			}
			break
		}
	}
	var served int64
	for _, m := range members {
		served += m.sent.Load()
	}
	copies := float64(source.sent.Load()) / size
	t.Logf("the source gave %.2f copies, the four %.2f", copies, float64(served)/size)
	// How near to one depends on how quick this machine is beside the source;
	// without each other it would be four.
	if copies > 2 {
		t.Errorf("the source gave %.2f copies, want little more than one", copies)
	}
}

// Who hides is fetching all the same, but those who fetch the same do not hear
// of it, and it not of them.
func TestWhoHidesIsNotNamed(t *testing.T) {
	t.Parallel()
	const size = 8 * mib
	source, file, members := crowd(t, size, 1)
	seen := members[0]
	other := newServer(t)
	o := &opener{host: other.host}
	o.knows(source.host)
	hider := fetch.New(fetch.Config{Open: o, Self: other.id, Hidden: func() bool { return true }})
	t.Cleanup(func() {
		if err := hider.Close(); err != nil {
			t.Error(err)
		}
	})
	var both sync.WaitGroup
	both.Go(func() {
		if err := seen.get(within(t, time.Minute), t, file, fetch.Fixed{source.id}); err != nil {
			t.Error(err)
		}
	})
	both.Go(func() {
		dst := newSink(t, size)
		if err := hider.Fetch(within(t, time.Minute), file.sum.ID, size, dst, fetch.Fixed{source.id}, nil); err != nil {
			t.Error(err)
		}
		dst.verify(t, file.path)
	})
	both.Wait()
	if told := seen.fetcher.Holders(file.sum.ID); len(told) > 0 {
		t.Errorf("the one was told of %v", told)
	}
	if told := hider.Holders(file.sum.ID); len(told) > 0 {
		t.Errorf("who hides was told of %v", told)
	}
}

// The source leaves for good once every piece has gone out.
func TestSwarmWithoutItsSource(t *testing.T) {
	t.Parallel()
	const size = 64 * mib
	source, file, members := crowd(t, size, 4)
	var all sync.WaitGroup
	for _, m := range members {
		all.Go(func() {
			if err := m.get(within(t, 2*time.Minute), t, file, fetch.Fixed{source.id}); err != nil {
				t.Error(err)
			}
		})
	}
	// What it has sent may be on the way, and is lost then.
	eventually(t, "all of it is somewhere", func() bool { return together(members, file) })
	t.Logf("the source leaves when it has sent %.2f copies", float64(source.sent.Load())/size)
	source.leave()
	all.Wait()
}

// together reports whether each piece of a file is with one of the members.
func together(members []*member, file *shared) bool {
	missing := make(map[int]int) // members without it, by piece
	for _, m := range members {
		m.mu.Lock()
		dst := m.growing[file.sum.ID]
		m.mu.Unlock()
		if dst == nil {
			return false
		}
		for _, piece := range dst.Missing() {
			if missing[piece]++; missing[piece] == len(members) {
				return false
			}
		}
	}
	return true
}

// A late comer is served by those who have finished, although the source is
// gone by then: it was told of them before.
func TestHoldersAreRemembered(t *testing.T) {
	t.Parallel()
	const size = 8 * mib
	source, file, members := crowd(t, size, 2)
	for _, m := range members {
		ctx, cancel := context.WithCancel(within(t, time.Minute))
		if m == members[1] {
			// It asks, is told of the first, and is interrupted.
			go func() {
				defer cancel()
				eventually(t, "the second was told of the first", func() bool { return len(m.fetcher.Holders(file.sum.ID)) == 1 })
			}()
			_ = m.get(ctx, t, file, fetch.Fixed{source.id}) // the interruption, or it was quicker
		} else if err := m.get(ctx, t, file, fetch.Fixed{source.id}); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	source.leave()
	if err := members[1].get(within(t, time.Minute), t, file, fetch.Fixed{}); err != nil {
		t.Error(err)
	}
}

// Somebody who was only named says that the file has changed, or has another
// size. That is not for it to say while the owner is away.
func TestStrangersDoNotEndADownload(t *testing.T) {
	t.Parallel()
	const size = 8 * mib
	source, file, members := crowd(t, size, 2)
	stranger, me := members[0], members[1]
	if err := stranger.get(within(t, time.Minute), t, file, fetch.Fixed{source.id}); err != nil {
		t.Fatal(err)
	}
	// It has another file now.
	stranger.leave()
	stranger.mu.Lock()
	delete(stranger.growing, file.sum.ID)
	stranger.mu.Unlock()
	stranger.copyOf(file).path = writeFile(t, size+1)

	ctx, cancel := context.WithCancel(within(t, time.Minute))
	go func() {
		defer cancel()
		eventually(t, "the stranger was named", func() bool { return len(me.fetcher.Holders(file.sum.ID)) == 1 })
	}()
	if err := me.get(ctx, t, file, fetch.Fixed{source.id}); !errors.Is(err, context.Canceled) {
		t.Fatalf("it was to be interrupted: %v", err)
	}
	source.leave()
	stranger.serve(t)
	ctx, cancel = context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := me.get(ctx, t, file, fetch.Fixed{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the download ended: %v", err)
	}
}
