package transfers

import (
	"context"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

const (
	// idle is after how long without a byte an upload counts as ended.
	idle = 3 * time.Second
	// uploadsKept is how many ended uploads stay in the list.
	uploadsKept = 100
)

// uploadKey joins what one peer fetches of one share into one row: a folder of
// ten thousand files is one upload.
type uploadKey struct {
	peer  domain.PeerID
	share string
}

// upload is a row of the list. The fields are guarded by Transfers.mu.
type upload struct {
	domain.Transfer
	contents map[domain.ContentID]bool
	last     time.Time
	rate     meter
}

// Uploaded is told that n bytes of a content went to a peer.
func (t *Transfers) Uploaded(peer domain.PeerID, content domain.ContentID, n int64) {
	entry, ok := t.cfg.Shared(content)
	if !ok {
		return
	}
	who, _ := t.cfg.People.Peer(peer)
	now := t.cfg.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	key := uploadKey{peer, entry.Share()}
	u := t.uploads[key]
	if u == nil || u.State.Ended() && now.Sub(u.last) > time.Minute {
		u = &upload{
			Transfer: domain.Transfer{
				ID: "up-" + peer.Short() + "-" + entry.Share(), Kind: domain.Upload, Peer: peer,
				Path: entry.Path, Added: now, Providers: 1,
			},
			contents: make(map[domain.ContentID]bool),
		}
		t.uploads[key] = u
	}
	if !u.contents[content] {
		u.contents[content] = true
		u.Size += entry.Size
		u.Count++
		if u.Count > 1 {
			u.Path = entry.Share()
		}
	}
	u.PeerName = who.Name
	u.Done = min(u.Done+n, u.Size)
	u.State, u.Ended, u.last = domain.Running, time.Time{}, now
}

// uploadRows returns the uploads as rows. The lock is held.
func (t *Transfers) uploadRows() []domain.Transfer {
	rows := make([]domain.Transfer, 0, len(t.uploads))
	for _, u := range t.uploads {
		rows = append(rows, u.Transfer)
	}
	return rows
}

// clearUploads removes ended uploads from the list. The lock is held.
func (t *Transfers) clearUploads() {
	for key, u := range t.uploads {
		if u.State.Ended() {
			delete(t.uploads, key)
			event.Retract(t.cfg.Bus, event.Transfers, u.ID)
		}
	}
}

// tick publishes progress until ctx ends: the rates and sums of what moves.
func (t *Transfers) tick(ctx context.Context) {
	every := time.NewTicker(refresh)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			t.measure(t.cfg.Now())
		}
	}
}

func (t *Transfers) measure(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range t.all {
		if d.State != domain.Running {
			continue
		}
		t.sum(d, now)
		t.publish(d)
	}
	ended := 0
	for key, u := range t.uploads {
		if u.State.Ended() {
			ended++
			if ended > uploadsKept {
				delete(t.uploads, key)
				event.Retract(t.cfg.Bus, event.Transfers, u.ID)
			}
			continue
		}
		u.Rate = u.rate.add(now, u.Done)
		if now.Sub(u.last) > idle {
			u.State, u.Rate, u.Ended = domain.Done, 0, now
		}
		event.Publish(t.cfg.Bus, event.Transfers, u.ID, u.Transfer)
	}
}

// meter is a moving average of a rate over about two seconds.
type meter struct {
	at   time.Time
	done int64
	rate float64
}

// add takes how much was done at a moment and returns bytes per second.
func (m *meter) add(now time.Time, done int64) float64 {
	if m.at.IsZero() {
		m.at, m.done = now, done
		return 0
	}
	passed := now.Sub(m.at).Seconds()
	if passed <= 0 {
		return m.rate
	}
	current := float64(max(0, done-m.done)) / passed
	const window = 2.0
	share := min(1, passed/window)
	if m.rate == 0 {
		share = 1
	}
	m.rate += (current - m.rate) * share
	m.at, m.done = now, done
	return m.rate
}
