package limit_test

import (
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/limit"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// apart returns limits with which the peers do not meet in a lane, as two
// strangers may by chance.
func apart(peers ...domain.PeerID) *limit.Limits {
	for {
		l := limit.New()
		lanes := make(map[int]bool)
		for _, peer := range peers {
			lanes[l.Lane(peer)] = true
		}
		if len(lanes) == len(peers) {
			return l
		}
	}
}

// end is one end of a connection on loopback.
type end struct{ net.Conn }

func (e end) Reset() error { return e.Close() }

// pair returns both ends of a connection, the first within the limits. What
// reaches the other one is read and counted until the test ends.
func pair(t *testing.T, l *limit.Limits, peer domain.PeerID) (near wire.Stream, far net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }() // it has served
	a, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = a.Close() // some tests have done so
		_ = b.Close()
	})
	return l.Stream(end{a}, peer), b
}

// swallow reads all that comes.
func swallow(t *testing.T, from io.ReadCloser) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, from) // until the test closes it
	}()
	t.Cleanup(func() {
		_ = from.Close() // it was only read from
		<-done
	})
}

func TestWaitingIsNotCountedAgainstTheDeadline(t *testing.T) {
	t.Parallel()
	l := limit.New()
	l.Set(10_000, 0)
	near, far := pair(t, l, "ana")
	begun := time.Now()
	if err := near.SetWriteDeadline(begun.Add(500 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(far, make([]byte, 15_000))
		read <- err
	}()
	if _, err := near.Write(make([]byte, 15_000)); err != nil {
		t.Errorf("15 kB at 10 kB/s, with a deadline of half a second: %v", err)
	}
	if took := time.Since(begun); took < time.Second {
		t.Errorf("took only %v", took)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
	// Somebody who does not read is still found.
	l.Set(0, 0)
	if err := near.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if _, err := near.Write(make([]byte, 64<<20)); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("writing to somebody who does not read: %v", err)
	}
}

// TestRequestsGoAheadOfBodies has four people write as much as they can, each
// waiting for a bite of a twentieth of a second: whoever had to wait behind them
// would do so for a fifth.
func TestRequestsGoAheadOfBodies(t *testing.T) {
	t.Parallel()
	l := apart("ana", "ben", "cleo", "dora")
	l.Set(10_000, 0)
	for _, who := range []domain.PeerID{"ana", "ana", "ben", "cleo", "dora"} {
		busy, far := pair(t, l, who)
		swallow(t, far)
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_, _ = busy.Write(make([]byte, 1<<20)) // until the reset
		}()
		t.Cleanup(func() {
			_ = busy.Reset()
			<-gone
		})
	}
	quick, far := pair(t, l, "ana")
	swallow(t, far)
	time.Sleep(300 * time.Millisecond) // all are in full swing
	var took []time.Duration
	for range 5 {
		begun := time.Now()
		if _, err := quick.Write(make([]byte, 60)); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	// One or two may have met a moment at which the machine did something else.
	slices.Sort(took)
	if took[2] > 100*time.Millisecond {
		t.Errorf("requests waited %v", took)
	}
}

func TestAResetEndsTheWaiting(t *testing.T) {
	t.Parallel()
	l := limit.New()
	l.Set(10_000, 10_000)
	near, far := pair(t, l, "ana")
	swallow(t, far)
	time.AfterFunc(100*time.Millisecond, func() { _ = near.Reset() })
	begun := time.Now()
	if _, err := near.Write(make([]byte, 1<<20)); err == nil {
		t.Error("it was all written")
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("it took %v to end", took)
	}
}

// TestPeopleGetTheSameHoweverManyStreamsTheyHave has one person with four streams
// and one with one.
func TestPeopleGetTheSameHoweverManyStreamsTheyHave(t *testing.T) {
	t.Parallel()
	l := apart("ana", "mallory")
	l.Set(1_000_000, 0)
	var got [2]atomic.Int64
	begin := make(chan struct{})
	var all sync.WaitGroup
	var streams []wire.Stream
	for who, n := range []int{1, 4} {
		for range n {
			s, far := pair(t, l, domain.PeerID([]string{"ana", "mallory"}[who]))
			streams = append(streams, s)
			swallow(t, far)
			all.Go(func() {
				<-begin
				for {
					n, err := s.Write(make([]byte, 10_000))
					got[who].Add(int64(n))
					if err != nil {
						return // it was reset
					}
				}
			})
		}
	}
	close(begin)
	time.Sleep(2 * time.Second)
	for _, s := range streams {
		_ = s.Reset()
	}
	all.Wait()
	one, four := got[0].Load(), got[1].Load()
	if share := float64(one) / float64(one+four); share < 0.4 || share > 0.6 {
		t.Errorf("who has one stream got %.0f %% of %d bytes", 100*share, one+four)
	}
}

// TestWithoutALimitItCostsNothing looks at what is allocated and that writes
// and reads are handed on whole.
func TestWithoutALimitItCostsNothing(t *testing.T) {
	l := limit.New()
	l.Set(10_000, 10_000)
	l.Set(0, 0)
	s := l.Stream(&whole{}, "ana")
	buf := make([]byte, 1<<20)
	if n := testing.AllocsPerRun(100, func() {
		if n, err := s.Write(buf); n != len(buf) || err != nil {
			t.Fatal(n, err)
		}
		if n, err := s.Read(buf); n != len(buf) || err != nil {
			t.Fatal(n, err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if limit := (*limit.Limits)(nil); limit.Stream(&whole{}, "ana") == nil {
		t.Error("no limits at all give no stream")
	}
}

// whole is a stream that takes and gives as much as it is asked for.
type whole struct{ end }

func (*whole) Read(p []byte) (int, error)  { return len(p), nil }
func (*whole) Write(p []byte) (int, error) { return len(p), nil }
