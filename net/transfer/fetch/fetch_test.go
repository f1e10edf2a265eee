package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

const mib = 1 << 20

func TestSizes(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	f, _ := newFetcher(t, fetch.Config{}, s)
	for _, size := range []int64{0, 1, 1000, 64<<10 - 1, mib - 1, mib, mib + 1, 7*mib + 12345} {
		path := writeFile(t, size)
		file := s.share(t, path)
		dst := newSink(t, size)
		var last domain.Progress
		err := f.Fetch(within(t, 10*time.Second), file.sum.ID, size, dst, fetch.Fixed{s.id}, func(p domain.Progress) { last = p })
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		dst.verify(t, path)
		if last.Done != size {
			t.Errorf("%d bytes: reported %d at the end", size, last.Done)
		}
	}
}

func TestSeveralProviders(t *testing.T) {
	t.Parallel()
	const size = 80*mib + 17 // what is asked twice at its end weighs little
	first := newServer(t)
	path := writeFile(t, size)
	file := first.share(t, path)
	servers := []*server{first}
	file.slow = 3 * time.Millisecond // so that all get to serve
	for range 3 {
		s := newServer(t)
		s.copyOf(file)
		servers = append(servers, s)
	}
	f, _ := newFetcher(t, fetch.Config{}, servers...)
	var ids fetch.Fixed
	for _, s := range servers {
		ids = append(ids, s.id)
	}
	dst := newSink(t, size)
	if err := f.Fetch(within(t, 40*time.Second), file.sum.ID, size, dst, ids, nil); err != nil {
		t.Fatal(err)
	}
	dst.verify(t, path)
	var total int64
	for i, s := range servers {
		if s.sent.Load() < mib {
			t.Errorf("provider %d sent only %d bytes", i, s.sent.Load())
		}
		total += s.sent.Load()
	}
	if total > size*12/10 {
		t.Errorf("%d bytes were sent for a file of %d", total, size)
	}
}

func TestPartialAndLyingProviders(t *testing.T) {
	t.Parallel()
	const size = 30 * mib
	honest, half, liar := newServer(t), newServer(t), newServer(t)
	path := writeFile(t, size)
	file := honest.share(t, path)
	file.slow = 5 * time.Millisecond
	half.copyOf(file).has = func(i int) bool { return i%2 == 1 }
	liar.copyOf(file).spoil = func(p []byte, off int64) {
		if off > 3*mib {
			p[len(p)/2] ^= 1
		}
	}
	f, _ := newFetcher(t, fetch.Config{}, honest, half, liar)
	dst := newSink(t, size)
	err := f.Fetch(within(t, 20*time.Second), file.sum.ID, size, dst, fetch.Fixed{liar.id, half.id, honest.id}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dst.verify(t, path)
	if half.sent.Load() < mib {
		t.Error("the partial provider was not used")
	}
}

func TestPeerThatLiesInThreeContentsIsLeftForGood(t *testing.T) {
	t.Parallel()
	honest, liar := newServer(t), newServer(t)
	f, _ := newFetcher(t, fetch.Config{}, honest, liar)
	for i := range 6 {
		path := writeFile(t, 2*mib)
		file := honest.share(t, path)
		liar.copyOf(file).spoil = func(p []byte, _ int64) { p[0] ^= 1 }
		dst := newSink(t, 2*mib)
		providers := newMoving(liar.id)
		var blamed atomic.Bool
		done := make(chan error, 1)
		go func() {
			done <- f.Fetch(within(t, time.Minute), file.sum.ID, 2*mib, dst, providers, func(p domain.Progress) {
				blamed.Store(p.Damaged == liar.id)
			})
		}()
		if i < 3 {
			eventually(t, "the liar is found out", blamed.Load)
		} else {
			time.Sleep(50 * time.Millisecond) // in which it would be asked
		}
		providers.set(liar.id, honest.id)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		dst.verify(t, path)
		if i >= 3 && liar.heard(func(h wire.Header) bool { return h.Content == file.sum.ID }) > 0 {
			t.Fatalf("the liar was asked for content %d", i)
		}
	}
}

func TestProviderThatLeavesAndComesBack(t *testing.T) {
	t.Parallel()
	const size = 20 * mib
	s := newServer(t)
	path := writeFile(t, size)
	file := s.share(t, path)
	open := file.gate(t, 4) // so that it is not done before its provider leaves
	f, _ := newFetcher(t, fetch.Config{}, s)
	dst := newSink(t, size)
	var providers atomic.Int64
	done := make(chan error, 1)
	go func() {
		done <- f.Fetch(within(t, time.Minute), file.sum.ID, size, dst, fetch.Fixed{s.id},
			func(p domain.Progress) { providers.Store(int64(p.Providers)) })
	}()
	eventually(t, "it is served", func() bool { return dst.Done() >= 3*mib && providers.Load() == 1 })
	left := make(chan struct{})
	go func() {
		defer close(left)
		s.leave()
	}()
	eventually(t, "it waits", func() bool { return providers.Load() == 0 })
	open() // the provider waits for who reads
	<-left
	select {
	case err := <-done:
		t.Fatalf("ended while its provider was away: %v", err)
	case <-time.After(700 * time.Millisecond):
	}
	s.serve(t)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	dst.verify(t, path)
	if sent := s.sent.Load(); sent > size+6*mib {
		t.Errorf("%d bytes were sent for %d: what was there was fetched again", sent, size)
	}
}

func TestStalledProviderIsLeftInSeconds(t *testing.T) {
	t.Parallel()
	const size = 12 * mib
	stuck, good := newServer(t), newServer(t)
	path := writeFile(t, size)
	file := good.share(t, path)
	bad := stuck.copyOf(file)
	bad.block = make(chan struct{})
	t.Cleanup(func() { close(bad.block) })
	f, _ := newFetcher(t, fetch.Config{Stall: 500 * time.Millisecond}, stuck, good)
	dst := newSink(t, size)
	providers := newMoving(stuck.id)
	done := make(chan error, 1)
	go func() { done <- f.Fetch(within(t, 20*time.Second), file.sum.ID, size, dst, providers, nil) }()
	// The layer comes, then nothing.
	eventually(t, "the layer is known", func() bool { _, ok := dst.Layer(); return ok })
	providers.set(stuck.id, good.id)
	start := time.Now()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
	dst.verify(t, path)
}

func TestFileChangedInTheMiddle(t *testing.T) {
	t.Parallel()
	const size = 20 * mib
	s, other := newServer(t), newServer(t)
	path := writeFile(t, size)
	file := s.share(t, path)
	open := file.gate(t, 4) // so that it is not done before the change
	again := writeFile(t, size)
	original, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(again, original, 0o600); err != nil {
		t.Fatal(err)
	}
	f, _ := newFetcher(t, fetch.Config{}, s, other)
	dst := newSink(t, size)
	done := make(chan error, 1)
	go func() {
		done <- f.Fetch(within(t, 20*time.Second), file.sum.ID, size, dst, fetch.Fixed{s.id}, nil)
	}()
	eventually(t, "some of it is there", func() bool { return dst.Done() >= 2*mib })
	if err := os.WriteFile(path, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	open()
	if err := <-done; !errors.Is(err, domain.ErrChanged) {
		t.Fatalf("got %v, want %v", err, domain.ErrChanged)
	}
	if dst.Done() == size {
		t.Fatal("all of a changed file came")
	}
	// Another provider has it: it goes on there.
	other.share(t, again)
	err = f.Fetch(within(t, 20*time.Second), file.sum.ID, size, dst, fetch.Fixed{s.id, other.id}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dst.verify(t, again)
}

func TestWrongSizeIsSaid(t *testing.T) {
	s := newServer(t)
	file := s.share(t, writeFile(t, 3*mib))
	f, _ := newFetcher(t, fetch.Config{}, s)
	err := f.Fetch(within(t, 10*time.Second), file.sum.ID, 6*mib, newSink(t, 6*mib), fetch.Fixed{s.id}, nil)
	if !errors.Is(err, domain.ErrDamaged) {
		t.Fatalf("got %v, want %v", err, domain.ErrDamaged)
	}
	// The provider was honest and is not blamed.
	if err := f.Fetch(within(t, 10*time.Second), file.sum.ID, 3*mib, newSink(t, 3*mib), fetch.Fixed{s.id}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	const size = 50 * mib
	s := newServer(t)
	file := s.share(t, writeFile(t, size))
	file.slow = 10 * time.Millisecond
	f, _ := newFetcher(t, fetch.Config{}, s)
	dst := newSink(t, size)
	ctx, cancel := context.WithCancel(within(t, 10*time.Second))
	done := make(chan error, 1)
	go func() { done <- f.Fetch(ctx, file.sum.ID, size, dst, fetch.Fixed{s.id}, nil) }()
	eventually(t, "some of it is there", func() bool { return dst.Done() >= 2*mib })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	puts := dst.Done()
	time.Sleep(100 * time.Millisecond)
	if dst.Done() != puts {
		t.Error("the sink was written to after Fetch returned")
	}
}

// The provider forgets what it was asked for.
func TestWhatIsCancelledIsNotSent(t *testing.T) {
	t.Parallel()
	const size, came = 20 * mib, 3
	s := newServer(t)
	file, other := s.share(t, writeFile(t, size)), s.share(t, writeFile(t, 1000))
	open := file.gate(t, came)
	f, _ := newFetcher(t, fetch.Config{}, s)
	dst := newSink(t, size)
	ctx, cancel := context.WithCancel(within(t, time.Minute))
	done := make(chan error, 1)
	go func() { done <- f.Fetch(ctx, file.sum.ID, size, dst, fetch.Fixed{s.id}, nil) }()
	eventually(t, "some of it is there and more is asked for", func() bool { return dst.Done() == came*mib && s.asked() > came+1 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	eventually(t, "the rest is taken back", func() bool { n := s.takenBack(); return n > 0 && n == s.asked()-came })
	open()
	// Questions are answered in turn, so whatever there was is sent before this.
	if err := f.Fetch(within(t, time.Minute), other.sum.ID, 1000, newSink(t, 1000), fetch.Fixed{s.id}, nil); err != nil {
		t.Fatal(err)
	}
	if sent := s.sends(t, came*mib+1000); sent >= (came+1)*mib {
		t.Errorf("%d bytes were sent, %d MiB of them before the cancel", sent, came)
	}
}

func TestSinkErrorEndsTheFetch(t *testing.T) {
	s := newServer(t)
	file := s.share(t, writeFile(t, 5*mib))
	f, _ := newFetcher(t, fetch.Config{}, s)
	dst := newSink(t, 5*mib)
	dst.fail = fmt.Errorf("3 MB more needed: %w", domain.ErrNoSpace)
	err := f.Fetch(within(t, 10*time.Second), file.sum.ID, 5*mib, dst, fetch.Fixed{s.id}, nil)
	if !errors.Is(err, domain.ErrNoSpace) {
		t.Fatalf("got %v, want %v", err, domain.ErrNoSpace)
	}
}

func TestManySmallFilesShareOneStream(t *testing.T) {
	const files, at = 2000, 64
	s := newServer(t)
	dir := t.TempDir()
	var list []*shared
	for i := range files {
		path := fmt.Sprintf("%s/%d", dir, i)
		text := fmt.Appendf(nil, "file %d ", i)
		for len(text) < 10<<10 {
			text = append(text, text...)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		list = append(list, s.share(t, path))
	}
	f, o := newFetcher(t, fetch.Config{}, s)
	next := make(chan *shared)
	var wg sync.WaitGroup
	start := time.Now()
	for range at {
		wg.Go(func() {
			for file := range next {
				dst := newMemory(file.sum.Size)
				err := f.Fetch(within(t, 20*time.Second), file.sum.ID, file.sum.Size, dst, fetch.Fixed{s.id}, nil)
				if err != nil || dst.left != 0 {
					t.Errorf("%s: %v, %d pieces missing", file.path, err, dst.left)
				}
			}
		})
	}
	for _, file := range list {
		next <- file
	}
	close(next)
	wg.Wait()
	took := time.Since(start)
	t.Logf("%d files in %v: %.0f a second", files, took, files/took.Seconds())
	if o.opens.Load() != 1 {
		t.Errorf("%d streams were opened", o.opens.Load())
	}
}

func TestAbsentAndPrivateAreAlike(t *testing.T) {
	s := newServer(t)
	file := s.share(t, writeFile(t, 1000))
	f, _ := newFetcher(t, fetch.Config{}, s)
	ctx := within(t, 10*time.Second)
	size, err := f.Probe(ctx, s.id, file.sum.ID)
	if err != nil || size != 1000 {
		t.Fatalf("probe: %d, %v", size, err)
	}
	_, unknown := f.Probe(ctx, s.id, domain.ContentID{1})
	s.mu.Lock()
	s.private = true // while the file is still open from before
	s.mu.Unlock()
	_, private := f.Probe(ctx, s.id, file.sum.ID)
	if !errors.Is(unknown, domain.ErrNotFound) || !errors.Is(private, domain.ErrNotFound) {
		t.Fatalf("unknown: %v, private: %v", unknown, private)
	}
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	dst := newSink(t, 1000)
	if err := f.Fetch(short, file.sum.ID, 1000, dst, fetch.Fixed{s.id}, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("fetching what is private: %v", err)
	}
	if dst.Done() != 0 {
		t.Fatal("private bytes came")
	}
}

func TestProbeOfAnUnreachablePeer(t *testing.T) {
	gone := newServer(t)
	f, _ := newFetcher(t, fetch.Config{}, gone)
	if err := gone.host.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Probe(within(t, 10*time.Second), gone.id, domain.ContentID{1}); !errors.Is(err, domain.ErrOffline) {
		t.Fatalf("got %v, want %v", err, domain.ErrOffline)
	}
}

// A slow disk must slow the asking down, and not fill the memory.
func TestMemoryIsBounded(t *testing.T) {
	const size = 200 * mib
	s := newServer(t)
	file := s.share(t, writeFile(t, size))
	f, _ := newFetcher(t, fetch.Config{Budget: 8 * mib}, s)
	dst := newSink(t, size)
	dst.slow = 50 * time.Millisecond
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	ctx, cancel := context.WithTimeout(within(t, 10*time.Second), time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f.Fetch(ctx, file.sum.ID, size, dst, fetch.Fixed{s.id}, nil) }()
	time.Sleep(700 * time.Millisecond)
	runtime.GC()
	runtime.ReadMemStats(&during)
	if grown := int64(during.HeapAlloc) - int64(before.HeapAlloc); grown > 48*mib {
		t.Errorf("the heap grew by %d MiB", grown/mib)
	}
	if sent := s.sent.Load(); sent > dst.Done()+12*mib {
		t.Errorf("%d bytes were asked for with %d stored", sent, dst.Done())
	}
	if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestCloseEndsWhatRuns(t *testing.T) {
	f, _ := newFetcher(t, fetch.Config{})
	done := make(chan error, 1)
	go func() {
		done <- f.Fetch(within(t, 10*time.Second), domain.ContentID{1}, 5, newSink(t, 5), fetch.Fixed{}, nil)
	}()
	time.Sleep(20 * time.Millisecond)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Fatal("a fetch went on after Close")
	}
}
