package app

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
	"github.com/potluck-share/potluck/storage/disk"
	"github.com/potluck-share/potluck/storage/partial"
)

// reportEvery is how often copying tells how far it is.
const reportEvery = 200 * time.Millisecond

// own tells which contents lie on this machine.
type own interface {
	// shared opens a content that lies in an own share, with its layer as it
	// was kept; nil if there is none.
	shared(ctx context.Context, id domain.ContentID) (file *os.File, layer []byte, err error)
	// finished returns the path of a finished download of the content, "" if
	// there is none; differs says that it is something else by now.
	finished(id domain.ContentID) string
	differs(id domain.ContentID, path string)
}

// ownContents is the own of a running node.
type ownContents struct{ n *node }

func (o ownContents) shared(ctx context.Context, id domain.ContentID) (*os.File, []byte, error) {
	source, err := o.n.library.Local(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	return source.File(), source.Layer(), nil
}

func (o ownContents) finished(id domain.ContentID) string      { return o.n.transfers.Finished(id) }
func (o ownContents) differs(id domain.ContentID, path string) { o.n.transfers.Differs(id, path) }

// have reports whether a content is on this machine: shared, or downloaded and
// still there.
func (n *node) have(id domain.ContentID) bool {
	if _, shared := n.library.Entry(id); shared {
		return true
	}
	return n.transfers.Finished(id) != ""
}

// where returns the path of a file on this machine that has the content, one
// that was downloaded rather than one that is shared, and "" if there is none.
func (n *node) where(id domain.ContentID) string {
	if path := n.transfers.Finished(id); path != "" {
		return path
	}
	return n.library.Where(id)
}

// inPlace returns the path of the file that is wanted if it lies in its place
// already, and "" otherwise.
func (e *engine) inPlace(ctx context.Context, want domain.Want, report func(domain.Progress)) (string, error) {
	if want.New {
		return "", nil
	}
	path, err := e.finder.Find(ctx, want, checked(report))
	if path != "" {
		// A program that was killed while it finished this one may have left
		// the notes beside it.
		_ = partial.Remove(want)
	}
	return path, err
}

// checked reports how much of a file was looked through.
func checked(report func(domain.Progress)) func(int64) {
	var sum int64
	return func(n int64) {
		sum += n
		report(domain.Progress{Checking: true, Checked: sum})
	}
}

// copyOwn takes into the file what this machine has of its content. What it
// does not have, or not any more, stays missing.
func (e *engine) copyOwn(ctx context.Context, want domain.Want, file *partial.File, report func(domain.Progress)) error {
	if file.Done() == want.Size {
		return nil
	}
	if src, raw, err := e.own.shared(ctx, want.Content); err == nil {
		layer, err := content.NewLayer(want.Content, want.Size, raw)
		if err == nil {
			err = copyFrom(ctx, src, layer, file, report)
		} else {
			err = nil // it has another size, or what was kept of it is damaged
		}
		_ = src.Close() // only read from
		if err != nil || file.Done() == want.Size {
			return err
		}
	}
	if path := e.own.finished(want.Content); path != "" {
		return e.copyFinished(ctx, path, want, file, report)
	}
	return ctx.Err()
}

// copyFinished copies from an earlier download, of which only the content ID
// is kept.
func (e *engine) copyFinished(ctx context.Context, path string, want domain.Want, file *partial.File, report func(domain.Progress)) error {
	src, layer, err := e.openFinished(ctx, path, want.Content, want.Size, checked(report))
	if src == nil {
		return err
	}
	defer func() { _ = src.Close() }() // only read from
	return copyFrom(ctx, src, layer, file, report)
}

// openFinished opens a finished download and hashes it, since it may have been
// changed. There is no file if it is gone or something else by now: a reason to
// fetch, not to stop. The error is that of ctx.
func (e *engine) openFinished(ctx context.Context, path string, id domain.ContentID, size int64, progress func(int64)) (*os.File, content.Layer, error) {
	root, rel, err := disk.OpenShared(path)
	if err != nil {
		return nil, content.Layer{}, nil
	}
	defer func() { _ = root.Close() }() // the file stays open without it
	file, info, err := disk.OpenRegular(root, rel)
	if err != nil {
		return nil, content.Layer{}, nil
	}
	var sum content.Sum
	if info.Size() == size {
		sum, err = content.Hash(ctx, file, size, 0, progress)
	}
	var layer content.Layer
	if err == nil && sum.ID == id {
		layer, err = content.NewLayer(sum.ID, sum.Size, sum.Layer)
	}
	if err == nil && layer.ID() == id && ctx.Err() == nil {
		return file, layer, nil
	}
	_ = file.Close() // only read from
	if ctx.Err() == nil {
		e.own.differs(id, path)
	}
	return nil, content.Layer{}, ctx.Err()
}

// copyFrom copies and tells how far it is.
func copyFrom(ctx context.Context, src *os.File, layer content.Layer, file *partial.File, report func(domain.Progress)) error {
	done := make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() {
		tick := time.NewTicker(reportEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				report(domain.Progress{Done: file.Done(), Checking: true, Checked: file.Done()})
			}
		}
	})
	_, err := file.CopyFrom(ctx, src, layer)
	close(done)
	telling.Wait()
	return err
}
