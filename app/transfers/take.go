package transfers

import (
	"context"
	"crypto/rand"
	"fmt"
	"path"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
)

// Take begins a download of what an offer is made of and returns its ID; the
// same one if that was done before. The error is domain.ErrMalformed if entries
// contradict each other.
func (t *Transfers) Take(ctx context.Context, req domain.TakeRequest) (string, error) {
	if req.To == "" {
		req.To = t.cfg.Downloads()
	}
	d := newTransfer(domain.Transfer{
		ID: rand.Text()[:8], Kind: domain.Download, Peer: req.Peer, Path: req.Name, Offer: req.Offer,
		Folder: req.To, State: domain.Queued, Added: t.cfg.Now(),
	})
	id, err, _ := t.asked.Do("offer\x00"+req.Offer, func() (any, error) {
		if id, known := t.taken(req.Offer); known {
			return id, nil
		}
		who, _ := t.cfg.People.Peer(req.Peer)
		d.PeerName = who.Name
		if err := t.resolveOffer(d, req.Entries); err != nil {
			return "", err
		}
		return d.ID, t.add(ctx, d)
	})
	if err != nil {
		return "", err
	}
	return id.(string), nil
}

// taken finds the download that was made of an offer.
func (t *Transfers) taken(offer string) (id string, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range t.all {
		if d.Offer == offer {
			return d.ID, true
		}
	}
	return "", false
}

// resolveOffer gives each entry of an offer its place: a folder goes into a new
// one of its name, unless all of it lies in the one that there is.
func (t *Transfers) resolveOffer(d *transfer, entries []domain.Entry) error {
	below := make(map[string][]int) // the indexes of what lies in each folder
	var folders []string            // in their order
	plain := make(map[string]bool)
	for _, e := range entries {
		base, _, inside := strings.Cut(e.Path, "/")
		if !inside && !e.Folder {
			plain[base] = true
		} else if _, known := below[base]; !known {
			folders = append(folders, base)
			below[base] = nil
		}
		if inside || e.Folder {
			below[base] = append(below[base], len(d.Files))
		}
		d.Files = append(d.Files, domain.TransferFile{Entry: e, Target: e.Path})
	}
	// Only then nothing of what is fetched can lie there already.
	d.untouched = len(plain) == 0
	for _, base := range folders {
		if plain[base] {
			return fmt.Errorf("%w: %s is a file and a folder", domain.ErrMalformed, base)
		}
		files := make([]domain.TransferFile, 0, len(below[base]))
		for _, i := range below[base] {
			files = append(files, d.Files[i])
		}
		claimed, held := t.cfg.Engine.Holds(d.Folder, base, files)
		if held {
			d.untouched = false
		} else {
			var err error
			if claimed, err = t.cfg.Engine.Claim(d.Folder, base); err != nil {
				return err
			}
		}
		for _, i := range below[base] {
			f := &d.Files[i]
			f.Target = path.Join(claimed, strings.TrimPrefix(f.Path, base))
		}
	}
	return nil
}

// TakenBack ends a download of an offer that is not open any more, unless it is
// done. An unknown ID is no error.
func (t *Transfers) TakenBack(ctx context.Context, id string) error {
	t.mu.Lock()
	if d, ok := t.all[id]; ok && !d.State.Ended() {
		t.halt(d, errCancelled)
		t.set(d, domain.Failed, domain.Say("%s took this back.", d.PeerName), domain.ErrNotFound)
	}
	t.mu.Unlock()
	return t.save(ctx)
}
