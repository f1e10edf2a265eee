package transfers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// askTime is how long people have to say whether they have a content.
	askTime = 4 * time.Second
	// askAtOnce is how many are asked at the same time.
	askAtOnce = 16
)

// Get begins a download and returns its ID; the same one for what is being
// downloaded already. The error is domain.ErrNotFound if nobody is known to
// have it.
func (t *Transfers) Get(ctx context.Context, req domain.GetRequest) (string, error) {
	if req.To == "" {
		req.To = t.cfg.Downloads()
	}
	d := newTransfer(domain.Transfer{
		ID: rand.Text()[:8], Kind: domain.Download, Peer: req.Peer, Path: strings.Trim(req.Path, "/"),
		Folder: req.To, State: domain.Queued, Added: t.cfg.Now(),
	})
	d.fresh = true
	if req.Peer == "" {
		d.Path = req.Content.String()
	}
	// Two requests for the same thing at once are one download.
	key := string(d.Peer) + "\x00" + d.Path + "\x00" + d.Folder
	id, err, _ := t.asked.Do(key, func() (any, error) { return t.begin(ctx, d, req) })
	if err != nil {
		return "", err
	}
	return id.(string), nil
}

// begin adds the download d, or goes on with the one that there is.
func (t *Transfers) begin(ctx context.Context, d *transfer, req domain.GetRequest) (id string, err error) {
	if id, known := t.same(d); known {
		return id, errors.Join(t.takeIn(ctx, id, req.Only), t.Resume(ctx, []string{id}))
	}
	if req.Peer == "" {
		err = t.resolveContent(ctx, d, req.Content)
	} else {
		settle, cancel := context.WithTimeout(ctx, patience/2)
		defer cancel()
		t.cfg.Catalogue.Settle(settle, d.Peer) // or half a folder would be taken for the whole
		err = t.resolvePath(d, req.Only, "")
	}
	if err != nil {
		return "", err
	}
	return d.ID, t.add(ctx, d)
}

// add puts a new download, of which the files are known, last in the order.
func (t *Transfers) add(ctx context.Context, d *transfer) error {
	d.tally()
	if err := t.cfg.Engine.Prepare(d.Folder); err != nil {
		return err
	}
	t.mu.Lock()
	t.append(d)
	t.mu.Unlock()
	if err := t.cfg.Store.PutTransfer(ctx, d.Transfer); err != nil {
		return fmt.Errorf("keeping the download: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all[d.ID] = d
	t.publish(d)
	t.launch(d) //nolint:contextcheck // the download outlives the request for it
	return nil
}

// same finds a download of the same thing to the same folder that has not
// ended.
func (t *Transfers) same(d *transfer) (id string, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, other := range t.all {
		if !other.State.Ended() && (other.Peer == d.Peer || d.Peer == "") && other.Path == d.Path && other.Folder == d.Folder && other.Offer == "" {
			return other.ID, true
		}
	}
	return "", false
}

// takeIn takes files into a download that is asked for once more: those that
// the patterns mean, all of them if there is none.
func (t *Transfers) takeIn(ctx context.Context, id string, patterns []string) error {
	files, err := t.Files(id)
	if err != nil {
		return err
	}
	wanted := make(map[int]bool)
	for i, f := range files {
		if f.Skipped && (len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return Means(p, f.Target) })) {
			wanted[i] = true
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	return t.Choose(ctx, id, wanted)
}

// resolvePath lists the files that lie at a peer's path. A folder goes into a
// new one of its name, unless all that is wanted of it lies in the one that
// there is, or into the one that was made for it before.
func (t *Transfers) resolvePath(d *transfer, patterns []string, made string) error {
	entries, folder, err := t.cfg.Catalogue.Below(d.Peer, d.Path)
	if err != nil {
		return err
	}
	who, _ := t.cfg.People.Peer(d.Peer)
	d.PeerName, d.Files = who.Name, nil
	base := path.Base(d.Path)
	if folder && len(entries) == 0 {
		entries = []domain.Entry{{Path: d.Path, Folder: true}}
	}
	for _, e := range entries {
		target := path.Base(e.Path)
		if folder {
			target = path.Join(base, strings.TrimPrefix(e.Path, d.Path))
		}
		d.Files = append(d.Files, domain.TransferFile{Entry: e, Target: target})
	}
	if err := d.only(patterns); err != nil || !folder {
		return err
	}
	claimed, held := made, made != ""
	if !held {
		claimed, held = t.cfg.Engine.Holds(d.Folder, base, d.Files)
	}
	if !held {
		if claimed, err = t.cfg.Engine.Claim(d.Folder, base); err != nil {
			return err
		}
		d.untouched = true
	}
	for i := range d.Files {
		f := &d.Files[i]
		f.Target = path.Join(claimed, strings.TrimPrefix(f.Path, d.Path))
	}
	return nil
}

// resolveContent describes a bare content ID: by a catalogue that has it, else
// by asking everybody around.
func (t *Transfers) resolveContent(ctx context.Context, d *transfer, id domain.ContentID) error {
	providers, entry := t.cfg.Catalogue.Providers(id)
	if len(providers) > 0 {
		d.PeerName = providers[0].Name
		d.Files = []domain.TransferFile{{Entry: entry, Target: path.Base(entry.Path)}}
		return nil
	}
	if t.hidden() {
		return domain.Fault(domain.ErrNotFound, "no list here has %s, and nobody is asked while you are hidden", id.String())
	}
	who, size, asked := t.askAll(ctx, id)
	if who.ID == "" {
		return domain.Fault(domain.ErrNotFound, "nobody shares %s (asked %s people around)", id.String(), asked)
	}
	d.Peer, d.PeerName = who.ID, who.Name
	d.Files = []domain.TransferFile{{
		Entry: domain.Entry{Path: id.String(), Size: size, Content: id}, Target: id.String(),
	}}
	return nil
}

func (t *Transfers) hidden() bool { return t.cfg.Hidden != nil && t.cfg.Hidden() }

// askAll asks everybody around for a content at once. It returns somebody who
// has it and the size that most of them tell; no peer if nobody has.
func (t *Transfers) askAll(ctx context.Context, id domain.ContentID) (who domain.Peer, size int64, asked int) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	var mu sync.Mutex
	bySize := make(map[int64][]domain.Peer)
	var group errgroup.Group
	group.SetLimit(askAtOnce)
	for _, one := range t.cfg.People.People() {
		if !one.Online {
			continue
		}
		asked++
		group.Go(func() error {
			if claim, err := t.cfg.Engine.Size(ctx, one.ID, id); err == nil {
				mu.Lock()
				bySize[claim] = append(bySize[claim], one)
				mu.Unlock()
			}
			return nil // others may have it
		})
	}
	_ = group.Wait() // none of them returns an error
	for claim, all := range bySize {
		if len(all) > len(bySize[size]) || who.ID == "" {
			who, size = all[0], claim
		}
	}
	return who, size, asked
}

// renew takes the present entries for the files that a failed download still
// lacks: they may have changed at the source.
func (t *Transfers) renew(d *transfer) {
	if d.Peer == "" || d.Offer != "" {
		return
	}
	entries, _, err := t.cfg.Catalogue.Below(d.Peer, d.Path)
	if err != nil {
		return // what is known of it is still the best guess
	}
	now := make(map[string]domain.Entry, len(entries))
	for _, e := range entries {
		now[e.Path] = e
	}
	var old []domain.Want // what was fetched of files that have changed
	for i := range d.Files {
		f := &d.Files[i]
		e, ok := now[f.Path]
		if !ok || f.Final != "" {
			continue
		}
		if !f.Folder && e.Content != f.Content {
			old = append(old, wantOf(d, *f))
			delete(d.partly, i)
		}
		f.Entry = e
		t.keepFiles(d)
	}
	d.tally()
	if len(old) > 0 {
		t.done.Go(func() { t.discard(old) })
	}
}
