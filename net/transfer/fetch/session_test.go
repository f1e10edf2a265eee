package fetch_test

import (
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/net/transfer/wire"
	"github.com/potluck-share/potluck/storage/content"
)

func TestSlowProviderHoldsNothingUp(t *testing.T) {
	t.Parallel()
	const size = 24 * mib
	fast, slow := newServer(t), newServer(t)
	path := writeFile(t, size)
	file := fast.share(t, path)
	tail := slow.copyOf(file)
	tail.block = make(chan struct{}) // slower than the test
	t.Cleanup(func() { close(tail.block) })
	f, _ := newFetcher(t, fetch.Config{Stall: time.Minute}, fast, slow)
	dst := newSink(t, size)
	start := time.Now()
	err := f.Fetch(within(t, 20*time.Second), file.sum.ID, size, dst, fetch.Fixed{slow.id, fast.id}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dst.verify(t, path)
	t.Logf("took %v beside a provider that never answers", time.Since(start))
}

func TestOnlyWhatIsMissingIsFetched(t *testing.T) {
	const size = 10 * mib
	s := newServer(t)
	path := writeFile(t, size)
	file := s.share(t, path)
	f, _ := newFetcher(t, fetch.Config{}, s)
	dst := newSink(t, size)
	layer, err := content.NewLayer(file.sum.ID, size, file.sum.Layer)
	if err != nil {
		t.Fatal(err)
	}
	if err := dst.SetLayer(layer); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 1, 5, 6, 9} {
		p, err := layer.Verify(i, whole[i*mib:(i+1)*mib])
		if err != nil {
			t.Fatal(err)
		}
		if err := dst.Put(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Fetch(within(t, 10*time.Second), file.sum.ID, size, dst, fetch.Fixed{s.id}, nil); err != nil {
		t.Fatal(err)
	}
	dst.verify(t, path)
	if sent := s.sends(t, 5*mib); sent != 5*mib {
		t.Errorf("%d bytes were sent, want %d", sent, 5*mib)
	}
	// With everything there nobody is needed.
	if err := f.Fetch(within(t, time.Second), file.sum.ID, size, dst, fetch.Fixed{}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestIdleSessionIsClosedAndOpenedAgain(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	file := s.share(t, writeFile(t, 2*mib))
	f, o := newFetcher(t, fetch.Config{Idle: 500 * time.Millisecond}, s)
	streams := func() (n int) {
		for _, c := range o.host.Network().Conns() {
			for _, st := range c.GetStreams() {
				if st.Protocol() == wire.Protocol {
					n++
				}
			}
		}
		return n
	}
	for i := range int64(2) {
		err := f.Fetch(within(t, 10*time.Second), file.sum.ID, 2*mib, newSink(t, 2*mib), fetch.Fixed{s.id}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if streams() != 1 || o.opens.Load() != i+1 {
			t.Fatalf("%d streams, opened %d times", streams(), o.opens.Load())
		}
		eventually(t, "the stream is closed", func() bool { return streams() == 0 })
	}
}

func TestPartialProviderThatGrows(t *testing.T) {
	t.Parallel()
	const size = 8 * mib
	s := newServer(t)
	path := writeFile(t, size)
	file := s.share(t, path)
	var grown atomic.Bool
	file.has = func(i int) bool { return i < 4 || grown.Load() }
	f, _ := newFetcher(t, fetch.Config{}, s)
	dst := newSink(t, size)
	var half sync.Once
	first := make(chan struct{})
	go func() {
		<-first
		grown.Store(true)
		for i := 4; i < 8; i++ {
			s.provider.Grown(file.sum.ID, i)
		}
	}()
	var reports []domain.Progress
	// Long before it would be asked again by itself.
	err := f.Fetch(within(t, 12*time.Second), file.sum.ID, size, dst, fetch.Fixed{s.id},
		func(p domain.Progress) {
			reports = append(reports, p)
			if p.Done == 4*mib {
				half.Do(func() { close(first) })
			}
		})
	if err != nil {
		t.Fatal(err)
	}
	dst.verify(t, path)
	// While it has nothing that is missing here, nobody serves us.
	if !slices.ContainsFunc(reports, func(p domain.Progress) bool { return p.Done == 4*mib && p.Providers == 0 }) {
		t.Errorf("reports: %v", reports)
	}
}
