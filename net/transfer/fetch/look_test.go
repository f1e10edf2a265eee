package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/storage/content"
)

// bytesOf returns the first n bytes of a file.
func bytesOf(t *testing.T, path string, n int) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data[:n]
}

// lookAt is what asks for the first pieces of a shared file.
func lookAt(file *shared, pieces int) fetch.Look {
	return fetch.Look{Content: file.sum.ID, Size: file.info.Size(), Pieces: pieces}
}

// sends waits until the server has told of all that it sent so far, at least
// the bytes given, and returns how many that were.
func (s *server) sends(t *testing.T, least int64) int64 {
	t.Helper()
	eventually(t, "the uploads are told", func() bool { return s.sent.Load() >= least })
	return s.sent.Load()
}

func TestLookMovesOnlyWhatIsWanted(t *testing.T) {
	t.Parallel()
	const size = 300*mib + 5
	s := newServer(t)
	path := writeFile(t, 2*mib)
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	file := s.share(t, path)
	f, o := newFetcher(t, fetch.Config{}, s)
	got, err := f.Look(within(t, 10*time.Second), lookAt(file, 1), []domain.PeerID{s.id})
	if err != nil || !bytes.Equal(got, bytesOf(t, path, mib)) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if err := o.host.Network().Close(); err != nil { // so that nothing more can come
		t.Fatal(err)
	}
	const layer = 301 * 32
	if sent := s.sends(t, mib); sent != mib+layer {
		t.Errorf("%d bytes were sent for one piece, want it and %d of the layer", sent, layer)
	}
}

func TestLookAtSizes(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	f, _ := newFetcher(t, fetch.Config{}, s)
	for _, size := range []int64{0, 1, mib - 1, mib, mib + 1, 5 * mib, 16 * mib} {
		path := writeFile(t, size)
		file := s.share(t, path)
		before := s.sent.Load()
		got, err := f.Look(within(t, 10*time.Second), lookAt(file, domain.Pieces(size)), []domain.PeerID{s.id})
		if err != nil || !bytes.Equal(got, bytesOf(t, path, int(size))) {
			t.Fatalf("%d bytes: got %d, %v", size, len(got), err)
		}
		if sent := s.sends(t, before+size) - before; sent > size+16*32 {
			t.Errorf("%d bytes: %d were sent", size, sent)
		}
	}
}

func TestLookTakesWhatIsHere(t *testing.T) {
	t.Parallel()
	const size = 6 * mib
	s := newServer(t)
	path := writeFile(t, size)
	file := s.share(t, path)
	layer, err := content.NewLayer(file.sum.ID, size, file.sum.Layer)
	if err != nil {
		t.Fatal(err)
	}
	want := lookAt(file, 4)
	want.Layer = layer
	data := bytesOf(t, path, size)
	want.Here = func(i int, buf []byte) bool {
		copy(buf, data[i*mib:])
		if i == 3 {
			buf[0] ^= 1 // it is not what it was
		}
		return i != 1
	}
	f, o := newFetcher(t, fetch.Config{}, s)
	got, err := f.Look(within(t, 10*time.Second), want, []domain.PeerID{s.id})
	if err != nil || !bytes.Equal(got, data[:4*mib]) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if sent := s.sends(t, 2*mib); sent != 2*mib {
		t.Errorf("%d bytes were sent, want two pieces", sent)
	}
	// Nobody is needed for what is here altogether.
	want.Pieces = 1
	opens := o.opens.Load()
	if got, err = f.Look(within(t, 10*time.Second), want, nil); err != nil || !bytes.Equal(got, data[:mib]) || o.opens.Load() != opens {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestLookIsCancelledAtOnce(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	path := writeFile(t, 16*mib)
	file := s.share(t, path)
	open := file.gate(t, 0)
	f, _ := newFetcher(t, fetch.Config{}, s)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := f.Look(ctx, lookAt(file, 16), []domain.PeerID{s.id})
		done <- err
	}()
	eventually(t, "pieces are asked for", func() bool { return s.asked() > 0 })
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("goes on after it was cancelled")
	}
	// What was asked for is taken back: the next answer on the same stream is
	// that to the next question.
	eventually(t, "all of it is taken back", func() bool { n := s.takenBack(); return n > 0 && n == s.asked() })
	open()
	other := s.share(t, writeFile(t, 1000))
	if _, err := f.Look(within(t, 10*time.Second), lookAt(other, 1), []domain.PeerID{s.id}); err != nil {
		t.Fatal(err)
	}
	if sent := s.sends(t, 1000); sent >= mib {
		t.Errorf("%d bytes were sent for nobody", sent)
	}
}

func TestLookRefusesWrongBytes(t *testing.T) {
	t.Parallel()
	const size = 3 * mib
	honest, evil := newServer(t), newServer(t)
	path := writeFile(t, size)
	file := honest.share(t, path)
	evil.copyOf(file).spoil = func(p []byte, _ int64) { p[len(p)-1] ^= 1 }
	f, o := newFetcher(t, fetch.Config{}, honest, evil)
	if got, err := f.Look(within(t, 10*time.Second), lookAt(file, 3), []domain.PeerID{evil.id}); !errors.Is(err, domain.ErrDamaged) {
		t.Fatalf("from one that lies: %d bytes, %v", len(got), err)
	}
	opens := o.opens.Load()
	if _, err := f.Look(within(t, 10*time.Second), lookAt(file, 3), []domain.PeerID{evil.id}); !errors.Is(err, domain.ErrDamaged) || o.opens.Load() != opens {
		t.Errorf("asked again: %v", err)
	}
	f, _ = newFetcher(t, fetch.Config{}, honest, evil)
	got, err := f.Look(within(t, 10*time.Second), lookAt(file, 3), []domain.PeerID{evil.id, honest.id})
	if err != nil || !bytes.Equal(got, bytesOf(t, path, size)) {
		t.Errorf("from both: %d bytes, %v", len(got), err)
	}
}

// A size that is not the content's is refused by who has it.
func TestLookWithAnotherSize(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	file := s.share(t, writeFile(t, 3*mib))
	f, _ := newFetcher(t, fetch.Config{}, s)
	want := lookAt(file, 1)
	want.Size++
	if _, err := f.Look(within(t, 10*time.Second), want, []domain.PeerID{s.id}); !errors.Is(err, domain.ErrDamaged) {
		t.Error(err)
	}
}

func TestLookDoesNotWaitForWhoHasNothing(t *testing.T) {
	t.Parallel()
	s, gone := newServer(t), newServer(t)
	file := s.share(t, writeFile(t, 3*mib))
	gone.leave()
	// With a clock that stands still a back-off never ends.
	now := time.Now()
	f, _ := newFetcher(t, fetch.Config{Now: func() time.Time { return now }}, s, gone)
	absent := lookAt(file, 1)
	absent.Content[0] ^= 1
	_, none := f.Look(within(t, 10*time.Second), absent, []domain.PeerID{s.id})
	s.mu.Lock()
	s.private = true
	s.mu.Unlock()
	_, private := f.Look(within(t, 10*time.Second), lookAt(file, 1), []domain.PeerID{s.id})
	if !errors.Is(none, domain.ErrNotFound) || !errors.Is(private, domain.ErrNotFound) {
		t.Errorf("absent: %v; private: %v; want both not found", none, private)
	}
	if _, err := f.Look(within(t, 10*time.Second), lookAt(file, 1), []domain.PeerID{s.id, gone.id}); !errors.Is(err, domain.ErrOffline) {
		t.Errorf("from one that is away: %v", err)
	}
	// Once it is back it is asked at once.
	gone.copyOf(file)
	gone.serve(t)
	if _, err := f.Look(within(t, 10*time.Second), lookAt(file, 1), []domain.PeerID{gone.id}); err != nil {
		t.Errorf("from one that is back: %v", err)
	}
}

// One that takes the question and says nothing is given up.
func TestLookLeavesWhoStalls(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	file := s.share(t, writeFile(t, 3*mib))
	file.block = make(chan struct{})
	defer close(file.block)
	f, _ := newFetcher(t, fetch.Config{Stall: 200 * time.Millisecond}, s)
	if _, err := f.Look(within(t, 20*time.Second), lookAt(file, 1), []domain.PeerID{s.id}); !errors.Is(err, domain.ErrOffline) {
		t.Error(err)
	}
}

func TestTwoLooksAtOnce(t *testing.T) {
	t.Parallel()
	var servers [3]*server
	var files [3]*shared
	for i := range servers {
		servers[i] = newServer(t)
		files[i] = servers[i].share(t, writeFile(t, 1000))
		files[i].block = make(chan struct{})
	}
	f, _ := newFetcher(t, fetch.Config{}, servers[:]...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 3)
	ask := func(i int) {
		_, err := f.Look(ctx, lookAt(files[i], 1), []domain.PeerID{servers[i].id})
		done <- err
	}
	opened := func(i int) bool {
		servers[i].mu.Lock()
		defer servers[i].mu.Unlock()
		return servers[i].opened > 0
	}
	for i := range 2 {
		go ask(i)
		eventually(t, "the look is under way", func() bool { return opened(i) })
	}
	go ask(2)
	time.Sleep(100 * time.Millisecond)
	if opened(2) {
		t.Error("a third look did not wait")
	}
	close(files[0].block)
	if err := <-done; err != nil {
		t.Error(err)
	}
	eventually(t, "the third has its turn", func() bool { return opened(2) })
	cancel()
	for _, file := range files[1:] {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(file.block)
	}
}

// A look at what is being downloaded does not end the download's part in it.
func TestLookBesideADownload(t *testing.T) {
	t.Parallel()
	const size = 8 * mib
	s := newServer(t)
	path := writeFile(t, size)
	file := s.share(t, path)
	file.slow = 20 * time.Millisecond
	f, _ := newFetcher(t, fetch.Config{}, s)
	dst := newSink(t, size)
	done := make(chan error, 1)
	go func() { done <- f.Fetch(within(t, 20*time.Second), file.sum.ID, size, dst, fetch.Fixed{s.id}, nil) }()
	got, err := f.Look(within(t, 20*time.Second), lookAt(file, 2), []domain.PeerID{s.id})
	if err != nil || !bytes.Equal(got, bytesOf(t, path, 2*mib)) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	dst.verify(t, path)
	eventually(t, "the look is told", func() bool { return s.looked.Load() >= 2*mib })
	if sent := s.sends(t, size+2*mib); s.looked.Load() > 2*mib+8*32 || sent > size+2*mib+2*8*32 {
		t.Errorf("%d bytes were sent, %d of them for the look", sent, s.looked.Load())
	}
}

func TestLooksThatCannotBe(t *testing.T) {
	t.Parallel()
	f, _ := newFetcher(t, fetch.Config{})
	for _, c := range []struct {
		size   int64
		pieces int
		want   error
	}{
		{-1, 1, domain.ErrMalformed},
		{mib, 0, domain.ErrMalformed},
		{mib, 2, domain.ErrMalformed},
		{100 * mib, 17, domain.ErrTooLarge},
		{1 << 40, 1, domain.ErrTooLarge},
		{domain.MaxFileSize + 1, 1, domain.ErrTooLarge},
		{3 * mib, 1, domain.ErrNotFound}, // nobody has it
	} {
		if _, err := f.Look(within(t, 10*time.Second), fetch.Look{Size: c.size, Pieces: c.pieces}, nil); !errors.Is(err, c.want) {
			t.Errorf("%d pieces of %d bytes: %v, want %v", c.pieces, c.size, err, c.want)
		}
	}
}
