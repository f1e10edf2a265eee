package host

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/metrics"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// helloTries is how often a hello is tried before the connection is given up.
	helloTries = 3
	helloPause = time.Second
)

// converse says on a connection what is to be said, and finds out whether
// anybody is still there. It may take its time, so it is apart from attend.
func (h *Host) converse(l *link) {
	var said, saidNear bool
	tries := 0
	timer := time.NewTimer(h.pingWait())
	defer timer.Stop()
	var retry <-chan time.Time
	for {
		h.mu.Lock()
		judged, near, probe := l.judged, l.asker.Near, l.probe
		said = said && !l.unsaid
		l.probe, l.unsaid = false, false
		h.mu.Unlock()

		if judged && (!said || saidNear != near) && retry == nil {
			switch err := h.sayHello(l, near); {
			case err == nil:
				said, saidNear, tries = true, near, 0
			case errors.Is(err, domain.ErrVersion):
				h.mu.Lock()
				h.foreign.Add(l.conn, struct{}{})
				h.mu.Unlock()
				h.hangUp(l, "it does not speak Potluck")
				return
			default:
				if tries++; tries >= helloTries {
					h.hangUp(l, "no hello gets through")
					return
				}
				h.log.Debug("hello failed", "peer", l.id.Short(), "err", err)
				retry = time.After(helloPause)
			}
		}
		if probe && !h.alive(l) {
			h.hangUp(l, "no answer to a ping")
			return
		}

		select {
		case <-h.ctx.Done():
			return
		case <-l.gone:
			return
		case <-l.talk:
		case <-retry:
			retry = nil
		case <-timer.C:
			timer.Reset(h.pingWait())
			if h.superfluous(l) {
				h.hangUp(l, "there is a newer connection")
				return
			}
			if h.quiet(l) && !h.alive(l) {
				h.hangUp(l, "no answer to a ping")
				return
			}
		}
	}
}

func (h *Host) pingWait() time.Duration {
	return h.times.pingEvery + jitter(h.times.pingEvery/3)
}

// newest reports whether no later connection to the same peer lives.
func (h *Host) newest(l *link) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.peers[l.id]
	return e == nil || e.live() == l
}

// superfluous reports whether a connection is the older one of two, has
// nothing to do, and is ours to close. The bigger of two IDs leaves it to the
// smaller one, or each side might close the one that the other keeps.
func (h *Host) superfluous(l *link) bool {
	if h.id > l.id {
		return false
	}
	h.mu.Lock()
	e := h.peers[l.id]
	newest := (*link)(nil)
	if e != nil {
		newest = e.live()
	}
	h.mu.Unlock()
	if newest == nil || newest == l || time.Since(newest.opened) < h.times.settle {
		return false
	}
	for _, s := range l.conn.GetStreams() {
		switch s.Protocol() {
		case helloProtocol, ping.ID, identify.ID, identify.IDPush, "":
		default:
			return false
		}
	}
	return true
}

// quiet reports whether nothing came from the peer lately, so that only a ping
// can tell whether it is there. What comes counts for its newest connection.
func (h *Host) quiet(l *link) bool {
	return !h.newest(l) || time.Since(h.activity.last(l.conn.RemotePeer())) > h.times.pingEvery/2
}

// alive pings the peer on this connection.
func (h *Host) alive(l *link) bool {
	began := time.Now()
	ctx, cancel := context.WithTimeout(h.ctx, h.times.pingTimeout)
	defer cancel()
	for {
		err := pingOn(ctx, l.conn)
		if err == nil || h.ctx.Err() != nil {
			return true
		}
		if l.conn.IsClosed() {
			return true // its end is on the way
		}
		// On a slow line the ping waits behind a lot of data, and that moves.
		if h.newest(l) && h.activity.last(l.conn.RemotePeer()).After(began) {
			return true
		}
		select {
		case <-ctx.Done():
			h.log.Debug("ping failed", "peer", l.id.Short(), "err", err)
			return false
		case <-time.After(h.times.pingTimeout / 5):
		}
	}
}

// pingOn sends one of libp2p's own pings on this very connection.
func pingOn(ctx context.Context, conn network.Conn) error {
	s, err := openOn(ctx, conn, ping.ID)
	if err != nil {
		return err
	}
	defer func() { _ = s.Reset() }() // the ping is over either way
	deadline, _ := ctx.Deadline()
	if err := s.SetDeadline(deadline); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	sent := make([]byte, ping.PingSize)
	if _, err := rand.Read(sent); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	if _, err := s.Write(sent); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	got := make([]byte, ping.PingSize)
	if _, err := io.ReadFull(s, got); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	if !bytes.Equal(sent, got) {
		return fmt.Errorf("ping: %w: another answer than what was sent", domain.ErrMalformed)
	}
	return nil
}

// activity notes when bytes last moved on a stream with each connected peer.
// libp2p reports each read and write to it, so it does no more than that.
type activity struct {
	mu    sync.RWMutex
	times map[peer.ID]*atomic.Int64 // nanoseconds since start
	start time.Time
}

var _ metrics.Reporter = (*activity)(nil)

func newActivity() *activity {
	return &activity{times: make(map[peer.ID]*atomic.Int64), start: time.Now()}
}

func (a *activity) watch(p peer.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.times[p] == nil {
		a.times[p] = new(atomic.Int64)
	}
}

func (a *activity) forget(p peer.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.times, p)
}

func (a *activity) last(p peer.ID) time.Time {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if t := a.times[p]; t != nil {
		return a.start.Add(time.Duration(t.Load()))
	}
	return a.start
}

func (a *activity) touch(p peer.ID) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if t := a.times[p]; t != nil {
		t.Store(int64(time.Since(a.start)))
	}
}

// LogSentMessageStream counts too: what is written to a dead connection stops
// moving as soon as the window is full. Only our own questions, whether somebody
// is there, are no answer to them.
func (a *activity) LogSentMessageStream(n int64, proto protocol.ID, p peer.ID) {
	switch proto {
	case "", ping.ID, helloProtocol, identify.ID, identify.IDPush:
	default:
		if n > 0 {
			a.touch(p)
		}
	}
}

// LogRecvMessageStream notes that bytes came. Reads that failed are reported,
// too.
func (a *activity) LogRecvMessageStream(n int64, _ protocol.ID, p peer.ID) {
	if n > 0 {
		a.touch(p)
	}
}

// The rest of the interface is statistics, which nobody asks for.

// LogSentMessage does nothing.
func (*activity) LogSentMessage(int64) {}

// LogRecvMessage does nothing.
func (*activity) LogRecvMessage(int64) {}

// GetBandwidthForPeer returns nothing.
func (*activity) GetBandwidthForPeer(peer.ID) metrics.Stats { return metrics.Stats{} }

// GetBandwidthForProtocol returns nothing.
func (*activity) GetBandwidthForProtocol(protocol.ID) metrics.Stats { return metrics.Stats{} }

// GetBandwidthTotals returns nothing.
func (*activity) GetBandwidthTotals() metrics.Stats { return metrics.Stats{} }

// GetBandwidthByPeer returns nothing.
func (*activity) GetBandwidthByPeer() map[peer.ID]metrics.Stats { return nil }

// GetBandwidthByProtocol returns nothing.
func (*activity) GetBandwidthByProtocol() map[protocol.ID]metrics.Stats { return nil }

// Reset does nothing.
func (*activity) Reset() {}

// TrimIdle does nothing.
func (*activity) TrimIdle(time.Time) {}
