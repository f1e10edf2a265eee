package fetch

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/picker"
	"github.com/potluck-share/potluck/net/transfer/wire"
	"github.com/potluck-share/potluck/storage/content"
)

// job is one running fetch. What is not said to be otherwise is guarded by
// Fetcher.mu.
type job struct {
	f    *Fetcher
	id   domain.ContentID // never changes
	size int64            // never changes
	sink Sink
	look bool // for Look; never changes once the job has started

	layer    content.Layer  // set before picker is
	picker   *picker.Picker // nil while the layer is not known
	checking bool           // a layer is being verified

	sources      map[domain.PeerID]*source
	hadProviders bool
	crowded      bool            // others fetch the same
	liar         domain.PeerID   // who sent wrong bytes last
	brought      []domain.Served // who brought how many verified bytes; few

	queue   []*request    // answers to be verified and stored
	running int           // goroutines that do so
	alone   chan struct{} // holds a token when Fetch itself is to do so; nil: never
	storing map[int]struct{}
	workers sync.WaitGroup

	ended bool
	err   error // set before done is closed
	done  chan struct{}
}

// newJob looks at what the sink has already. What needs no provider is done
// here.
func (f *Fetcher) newJob(id domain.ContentID, size int64, sink Sink) (*job, error) {
	j := &job{
		f: f, id: id, size: size, sink: sink,
		sources: make(map[domain.PeerID]*source),
		storing: make(map[int]struct{}),
		done:    make(chan struct{}),
	}
	if size <= domain.PieceSize {
		j.alone = make(chan struct{}, 1)
	}
	layer, known := sink.Layer()
	if known && layer.ID() != id {
		return nil, fmt.Errorf("%w: the sink is for content %v", domain.ErrUsage, layer.ID())
	}
	// The layer of an earlier run may have come with a size that was wrong.
	// Whether it still can be exchanged is for the sink to know.
	known = known && layer.Size() == size
	if !known && size <= domain.PieceSize {
		var err error
		if layer, err = content.NewLayer(id, size, nil); err != nil {
			return nil, err
		}
		if err := sink.SetLayer(layer); err != nil {
			return nil, err
		}
		known = true
	}
	if !known {
		if size > domain.MaxFileSize {
			return nil, fmt.Errorf("%w: %d bytes", domain.ErrTooLarge, size)
		}
		return j, nil
	}
	if size == 0 && !sink.Has(0) {
		empty, err := layer.Verify(0, nil)
		if err != nil {
			return nil, err
		}
		if err := sink.Put(empty); err != nil {
			return nil, err
		}
	}
	j.layer = layer
	j.picker = j.newPicker()
	return j, nil
}

func (j *job) newPicker() *picker.Picker {
	return picker.New(domain.Pieces(j.size), j.sink.Missing(), picker.Options{Seed: j.f.seed})
}

// layerLength returns the bytes of the piece layer.
func (j *job) layerLength() int64 { return int64(domain.Pieces(j.size)) * wire.HashSize }

// bitmapLength returns the bytes of a bitmap of pieces.
func (j *job) bitmapLength() int64 { return int64(domain.Pieces(j.size)+7) / 8 }

// end ends the job; the first call counts.
func (j *job) end(err error) {
	if j.ended {
		return
	}
	j.ended = true
	j.err = err
	for _, src := range j.sources {
		if err != nil {
			src.leave()
		}
		src.remove()
	}
	for _, r := range j.queue {
		r.release()
	}
	j.queue = nil
	delete(j.f.jobs, j)
	close(j.done)
	j.f.attendAll()
}

// check ends the job if nothing is missing.
func (j *job) check() {
	if j.picker != nil && j.picker.Left() == 0 {
		j.end(nil)
	}
}

// judge ends the job if those who had the content say that there is no such
// thing any more, and nobody else may have it. Strangers who were only said to
// hold it cannot say that for its owner, who may be away.
func (j *job) judge() {
	switch {
	case j.ended:
		return
	case j.look:
		j.judgeLook()
		return
	}
	var wasChanged, differs bool
	for _, src := range j.sources {
		switch src.verdict {
		case good, busy:
			return
		case changed:
			wasChanged = wasChanged || !src.hinted
		case otherSize:
			differs = differs || !src.hinted
		case absent, lied:
		}
	}
	switch {
	case wasChanged:
		j.end(fmt.Errorf("content %v: %w", j.id, domain.ErrChanged))
	case differs:
		j.end(fmt.Errorf("content %v has not %d bytes, its providers say: %w", j.id, j.size, domain.ErrDamaged))
	}
}

// process hands an answer to the goroutines that verify, starting one if there
// are few. A single piece is left to the goroutine that waits for the content.
func (j *job) process(r *request) {
	j.queue = append(j.queue, r)
	if j.alone != nil {
		select {
		case j.alone <- struct{}{}:
		default:
		}
		return
	}
	if j.running < j.f.workers {
		j.running++
		j.workers.Go(j.work)
	}
}

// work verifies and stores answers until there are none.
func (j *job) work() {
	j.f.mu.Lock()
	defer j.f.mu.Unlock()
	j.takeAll()
	j.running--
}

// takeAll verifies and stores answers until there are none. The caller holds
// the lock.
func (j *job) takeAll() {
	for len(j.queue) > 0 {
		r := j.queue[0]
		j.queue = j.queue[1:]
		if r.what == wire.Layer {
			j.takeLayer(r)
		} else {
			j.takePiece(r)
		}
		r.release()
		j.f.relieve()
	}
}

// takePiece verifies a piece and puts it into the sink, without the lock.
func (j *job) takePiece(r *request) {
	if _, twice := j.storing[r.index]; twice {
		// Two providers brought it; the first one's will do, or it is asked
		// for again.
		j.picker.Failed(r.src.peer.id, r.index)
		j.rouse()
		return
	}
	j.storing[r.index] = struct{}{}
	layer := j.layer
	j.f.mu.Unlock()
	piece, err := layer.Verify(r.index, r.buf)
	var wrong bool
	switch {
	case err != nil:
		wrong = true
	case !j.sink.Has(r.index):
		err = j.sink.Put(piece)
	}
	j.f.mu.Lock()
	delete(j.storing, r.index)
	if j.ended {
		return
	}
	switch {
	case wrong:
		j.picker.Failed(r.src.peer.id, r.index)
		j.rouse()
		j.blame(r.src, err)
	case err != nil:
		j.end(fmt.Errorf("content %v: %w", j.id, err))
	default:
		j.credit(r.src.peer.id, int64(domain.PieceLength(j.size, r.index)))
		for _, other := range j.picker.Done(r.index) {
			j.abandon(other, r.index)
		}
		j.check()
	}
}

// credit notes how many verified bytes came from a provider.
func (j *job) credit(peer domain.PeerID, n int64) {
	for i := range j.brought {
		if j.brought[i].Peer == peer {
			j.brought[i].Done += n
			return
		}
	}
	j.brought = append(j.brought, domain.Served{Peer: peer, Done: n})
}

// takeLayer verifies a layer and gives it to the sink, without the lock.
func (j *job) takeLayer(r *request) {
	j.f.mu.Unlock()
	layer, err := content.NewLayer(j.id, j.size, r.layer)
	wrong := errors.Is(err, domain.ErrDamaged)
	var missing *picker.Picker
	if err == nil {
		if err = j.sink.SetLayer(layer); err == nil {
			missing = j.newPicker()
		}
	}
	j.f.mu.Lock()
	j.checking = false
	switch {
	case j.ended:
	case wrong:
		j.blame(r.src, err)
		j.f.attendAll()
	case err != nil:
		j.end(fmt.Errorf("content %v: %w", j.id, err))
	default:
		j.layer = layer
		j.picker = missing
		if j.crowded {
			j.crowd()
		}
		for _, src := range j.sources {
			src.abandonAll()
			src.enlist()
		}
		j.check()
		j.f.attendLightest(j)
	}
}

// blame drops a provider that sent wrong bytes.
func (j *job) blame(src *source, err error) {
	if again := j.sources[src.peer.id]; again != nil {
		src = again // it was taken off the job and came back meanwhile
	}
	j.liar = src.peer.id
	src.drop(lied, time.Time{})
	src.peer.lied(j.id, err)
	j.f.attendAll()
}

// abandon takes back the request for a piece that has come from elsewhere.
func (j *job) abandon(from domain.PeerID, index int) {
	src := j.sources[from]
	if src == nil {
		return
	}
	for r := range src.requests {
		if r.what == wire.Piece && r.index == index {
			r.abandon()
			j.f.attend(src.peer)
			return
		}
	}
}
