package transfers

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

const (
	// idle is after how long without a byte an upload counts as ended.
	idle = 3 * time.Second
	// uploadsKept is how many ended uploads stay in the list.
	uploadsKept = 200
)

// uploadKey joins what one peer fetches of one share into one row: a folder of
// ten thousand files is one upload.
type uploadKey struct {
	peer  domain.PeerID
	share string
}

// id is the ID of the row: short, whatever the share is called.
func (k uploadKey) id() string {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(k.share)) // never fails
	return fmt.Sprintf("up-%s-%x", k.peer.Short(), sum.Sum64())
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
	// One from before a restart does not know any more what it counted.
	if u == nil || len(u.contents) == 0 || u.State.Ended() && now.Sub(u.last) > time.Minute {
		u = &upload{
			Transfer: domain.Transfer{
				ID: key.id(), Kind: domain.Upload, Peer: peer,
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

// uploadOf returns the upload with that ID; nil if there is none. The lock is
// held.
func (t *Transfers) uploadOf(id string) *upload {
	for _, u := range t.uploads {
		if u.ID == id {
			return u
		}
	}
	return nil
}

// restoreUpload takes in an upload of an earlier run.
func (t *Transfers) restoreUpload(k domain.Transfer) {
	share, _, _ := strings.Cut(k.Path, "/")
	t.uploads[uploadKey{k.Peer, share}] = &upload{Transfer: k, contents: make(map[domain.ContentID]bool), last: k.Ended}
}

// endUploads ends the uploads that have been still for a while, which are then
// to be saved, and takes the oldest ended ones out of the list if there are too
// many; these are returned, to be dropped. The lock is held.
func (t *Transfers) endUploads(now time.Time, still time.Duration) (old []string) {
	var ended []uploadKey
	for key, u := range t.uploads {
		if !u.State.Ended() && now.Sub(u.last) >= still {
			u.State, u.Rate, u.Ended = domain.Done, 0, now
			t.unsaved[u.ID] = false
			event.Publish(t.cfg.Bus, event.Transfers, u.ID, u.Transfer)
		}
		if u.State.Ended() {
			ended = append(ended, key)
		}
	}
	if len(ended) <= uploadsKept {
		return nil
	}
	slices.SortFunc(ended, func(a, b uploadKey) int { return t.uploads[b].Ended.Compare(t.uploads[a].Ended) })
	for _, key := range ended[uploadsKept:] {
		id := t.uploads[key].ID
		delete(t.uploads, key)
		delete(t.unsaved, id)
		event.Retract(t.cfg.Bus, event.Transfers, id)
		old = append(old, id)
	}
	return old
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
			t.measure(ctx, t.cfg.Now())
		}
	}
}

// measure publishes how far everything is, ends what is over, and keeps that.
func (t *Transfers) measure(ctx context.Context, now time.Time) {
	t.mu.Lock()
	for _, d := range t.all {
		switch {
		case d.State == domain.Running:
			t.sum(d, now)
			t.publish(d)
		case d.check != nil:
			t.tellCheck(d)
		case !d.kept.IsZero() && !now.Before(d.kept):
			t.discardKept(ctx, d)
		}
	}
	for _, u := range t.uploads {
		if !u.State.Ended() {
			u.Rate = u.rate.add(now, u.Done)
			event.Publish(t.cfg.Bus, event.Transfers, u.ID, u.Transfer)
		}
	}
	saved := len(t.unsaved)
	old := t.endUploads(now, idle)
	ended := len(t.unsaved) > saved
	t.mu.Unlock()
	if !ended && len(old) == 0 {
		return
	}
	if err := errors.Join(t.save(ctx), t.drop(ctx, old)); err != nil {
		t.cfg.Log.Error("ended uploads could not be kept", "err", err)
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
