// Package limit keeps the streams of transfers within the speeds that the user
// has set: one for all that is read and one for all that is written, shared by
// all people alike, however many streams somebody has.
//
// A stream takes small bites, each as large as what the limit lets through in a
// twentieth of a second, and waits for its turn with each. Of one person's streams
// one waits at a time, and people take turns in the order in which they come; so
// each of them gets a share, and none is quiet for
// so long that it looks dead. What is so small that it can only be a request or
// a cancel hardly waits at all. Without a limit a stream costs nothing.
//
// Everything here may be called from any goroutine.
package limit

import (
	"hash/maphash"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

const (
	// bites is how many bites make a second's worth.
	bites = 20
	// A bite is no smaller and no larger than this, in bytes. The largest fits
	// the buffers around a stream.
	smallestBite = 512
	largestBite  = 64 << 10
	// control is up to which size something is taken for a request or the
	// like, which goes ahead of what waits, by up to headStart.
	control   = 256
	headStart = 250 * time.Millisecond
	// lanes is in how many queues people wait: two may meet in one, and share a
	// turn then.
	lanes = 256
)

// Limits are the two speeds. Make them with New.
type Limits struct {
	up, down limiter
	seed     maphash.Seed // so that nobody can choose whom they meet in a lane
}

// New returns Limits that limit nothing.
func New() *Limits {
	l := &Limits{seed: maphash.MakeSeed()}
	for i := range lanes {
		l.up.lanes[i], l.down.lanes[i] = make(lane, 1), make(lane, 1)
	}
	return l
}

// Set sets the speeds, in bytes per second; 0 is no limit. What moves at this
// moment goes on at the new speed.
func (l *Limits) Set(up, down int64) {
	l.up.set(up)
	l.down.set(down)
}

// Stream returns s, which is to a peer, within the limits; s itself if l is nil.
func (l *Limits) Stream(s wire.Stream, peer domain.PeerID) wire.Stream {
	if l == nil {
		return s
	}
	return &stream{Stream: s, limits: l, lane: int(maphash.String(l.seed, string(peer)) % lanes), gone: make(chan struct{})}
}

// limiter is one of the speeds.
type limiter struct {
	now   atomic.Pointer[speed] // nil: no limit
	lanes [lanes]lane
}

// lane holds a token while somebody waits for the next turn.
type lane chan struct{}

// speed is a limit from one setting to the next.
type speed struct {
	tokens *rate.Limiter
	bite   int
	over   chan struct{} // closed when another one holds
}

func (l *limiter) set(perSecond int64) {
	var next *speed
	if perSecond > 0 {
		if now := l.now.Load(); now != nil && now.tokens.Limit() == rate.Limit(perSecond) {
			return
		}
		bite := int(min(largestBite, max(smallestBite, perSecond/bites)))
		// Sleeping is not exact; what comes late is made up for by the burst.
		burst := max(bite, int(min(perSecond/bites, 1<<30)))
		next = &speed{tokens: rate.NewLimiter(rate.Limit(perSecond), burst), bite: bite, over: make(chan struct{})}
		next.tokens.AllowN(time.Now(), burst) // begin at the speed, not above it
	}
	if last := l.now.Swap(next); last != nil {
		close(last.over)
	}
}

// bite returns how much of n bytes may go at once; all where nothing limits.
func (l *limiter) bite(n int) int {
	if s := l.now.Load(); s != nil {
		return min(n, s.bite)
	}
	return n
}

// wait waits until n bytes may pass, no more than a bite, or the stream is
// gone.
func (l *limiter) wait(n, at int, gone <-chan struct{}) error {
	if n > control && l.now.Load() != nil {
		select {
		case l.lanes[at] <- struct{}{}:
			defer func() { <-l.lanes[at] }()
		case <-gone:
			return net.ErrClosed
		}
	}
	for {
		s := l.now.Load()
		if s == nil || n == 0 {
			return nil
		}
		now := time.Now()
		turn := s.tokens.ReserveN(now, min(n, s.tokens.Burst()))
		delay := turn.DelayFrom(now)
		if n <= control {
			delay -= headStart
		}
		if delay <= 0 {
			return nil
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
			return nil
		case <-s.over:
			timer.Stop() // and take a turn at the new speed
		case <-gone:
			timer.Stop()
			turn.Cancel() // others go ahead
			return net.ErrClosed
		}
	}
}

// stream is a wire.Stream within the limits.
type stream struct {
	wire.Stream
	limits *Limits
	lane   int
	once   sync.Once
	gone   chan struct{} // closed by Reset

	mu       sync.Mutex
	deadline time.Time // for writing; zero: none
}

// Read reads what comes, at most a bite of it, and returns it in its turn.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p[:s.limits.down.bite(len(p))])
	if n > 0 {
		if gone := s.limits.down.wait(n, s.lane, s.gone); gone != nil {
			return 0, gone
		}
	}
	return n, err
}

// Write writes p bite by bite, each in its turn. What that takes is not counted
// against the deadline, which is to find peers that do not read.
func (s *stream) Write(p []byte) (written int, err error) {
	for written < len(p) || len(p) == 0 {
		n := s.limits.up.bite(len(p) - written)
		begun := time.Now()
		if err := s.limits.up.wait(n, s.lane, s.gone); err != nil {
			return written, err
		}
		if waited := time.Since(begun); waited > time.Millisecond {
			if err := s.extend(waited); err != nil {
				return written, err
			}
		}
		n, err := s.Stream.Write(p[written : written+n])
		written += n
		if err != nil || len(p) == 0 {
			return written, err
		}
	}
	return written, nil
}

// SetWriteDeadline sets until when the other side has to take what is written.
func (s *stream) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	s.deadline = t
	s.mu.Unlock()
	return s.Stream.SetWriteDeadline(t)
}

// extend moves the deadline for writing.
func (s *stream) extend(by time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deadline.IsZero() {
		return nil
	}
	s.deadline = s.deadline.Add(by)
	return s.Stream.SetWriteDeadline(s.deadline)
}

// Reset ends the stream and whatever waits for its turn on it.
func (s *stream) Reset() error {
	s.once.Do(func() { close(s.gone) })
	return s.Stream.Reset()
}
