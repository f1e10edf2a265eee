package fetch

import (
	"context"
	"fmt"
	"sync"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire"
	"github.com/potluck-share/potluck/storage/content"
)

const (
	// MostLook is how many bytes one look brings at most.
	MostLook = 16 << 20
	// looksAtOnce is how many looks are under way at a time; others wait.
	looksAtOnce = 2
	// mostLookLayer is the longest piece layer, in bytes, that is fetched for
	// a look: that of a file of 64 GiB.
	mostLookLayer = 2 << 20
)

// Look is the beginning of a content, to be looked at and not kept.
type Look struct {
	Content domain.ContentID
	Size    int64 // of the whole content, in bytes
	Pieces  int   // how many from the first one on, at least one
	// Layer is the content's layer if it is known; its zero value if not.
	Layer content.Layer
	// Here reads a piece that is here already into buf, which is of its length,
	// and reports whether there was one; it is asked for every piece, by the
	// goroutine that looks, and only if Layer is known. nil: there is none.
	Here func(index int, buf []byte) bool
}

// Look brings the first pieces of a content into memory, each of them verified
// as for a download, and returns their bytes. Two looks are under way at a
// time, others wait for their turn. Nothing is written, nobody else is told,
// and it does not wait for providers that are not there. The error is
//   - the context's when that ends first;
//   - domain.ErrTooLarge for more than MostLook bytes, or a content of more than
//     64 GiB, whose layer alone would take too much memory;
//   - domain.ErrNotFound if none of the providers has the content or lets us
//     have it;
//   - domain.ErrOffline if those that may have it cannot be reached, or stalled;
//   - domain.ErrChanged if it was changed at the source;
//   - domain.ErrDamaged if only wrong bytes came, or if the content cannot be of
//     that size.
func (f *Fetcher) Look(ctx context.Context, want Look, providers []domain.PeerID) ([]byte, error) {
	dst, err := newBeginning(want)
	if err != nil {
		return nil, fmt.Errorf("looking into content %v: %w", want.Content, err)
	}
	select {
	case f.looks <- struct{}{}:
		defer func() { <-f.looks }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-f.ctx.Done():
		return nil, errClosed
	}
	dst.begin()
	j, err := f.newJob(want.Content, want.Size, dst)
	if err != nil {
		return nil, fmt.Errorf("looking into content %v: %w", want.Content, err)
	}
	j.look = true
	if err := f.bring(ctx, j, Fixed(providers), nil); err != nil {
		return nil, err
	}
	return dst.data, nil
}

// beginning is the Sink of a look.
type beginning struct {
	want Look
	size int

	mu    sync.Mutex
	layer content.Layer
	known bool
	data  []byte
	has   []bool
	done  int64
}

func newBeginning(want Look) (*beginning, error) {
	pieces := domain.Pieces(want.Size)
	switch {
	case want.Size < 0 || want.Pieces < 1 || want.Pieces > pieces:
		return nil, fmt.Errorf("%w: %d pieces of %d bytes", domain.ErrMalformed, want.Pieces, want.Size)
	case int64(want.Pieces)*domain.PieceSize > MostLook:
		return nil, fmt.Errorf("%w: %d pieces for a look", domain.ErrTooLarge, want.Pieces)
	case int64(pieces)*wire.HashSize > mostLookLayer:
		return nil, fmt.Errorf("%w: a look into %d bytes", domain.ErrTooLarge, want.Size)
	}
	known := want.Layer.ID() == want.Content && want.Layer.Size() == want.Size
	return &beginning{
		want: want, layer: want.Layer, known: known, has: make([]bool, want.Pieces),
		size: int(min(want.Size, int64(want.Pieces)*domain.PieceSize)),
	}, nil
}

// begin takes the memory, and into it what is here. Nobody else uses b yet.
func (b *beginning) begin() {
	b.data = make([]byte, b.size)
	if b.want.Here == nil || !b.known {
		return
	}
	for i := range b.has {
		buf := b.data[i*domain.PieceSize:][:domain.PieceLength(b.want.Size, i)]
		if !b.want.Here(i, buf) {
			continue
		}
		if _, err := b.layer.Verify(i, buf); err == nil {
			b.has[i] = true
			b.done += int64(len(buf))
		}
	}
}

func (b *beginning) Layer() (content.Layer, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.layer, b.known
}

func (b *beginning) SetLayer(layer content.Layer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.layer, b.known = layer, true
	return nil
}

func (b *beginning) Has(index int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return index < len(b.has) && b.has[index]
}

// Missing returns those that are wanted and not here: what comes after the
// beginning is as good as here.
func (b *beginning) Missing() (list []int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, has := range b.has {
		if !has {
			list = append(list, i)
		}
	}
	return list
}

func (b *beginning) Done() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.done
}

func (b *beginning) Put(p content.Piece) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.Index() >= len(b.has) {
		return fmt.Errorf("%w: piece %d was not asked for", domain.ErrMalformed, p.Index())
	}
	copy(b.data[p.Index()*domain.PieceSize:], p.Data())
	b.has[p.Index()] = true
	b.done += int64(len(p.Data()))
	return nil
}

// unreachable notes that a session with the provider brought nothing. A
// download waits until it is back, a look does not.
func (src *source) unreachable() {
	if src.job.look {
		src.away = true
		src.job.judge()
	}
}

// judgeLook ends the look if none of its providers will bring it.
func (j *job) judgeLook() {
	var away, wasChanged, damaged bool
	for _, src := range j.sources {
		switch src.verdict {
		case good, busy:
			if !src.away {
				return
			}
			away = true
		case changed:
			wasChanged = true
		case otherSize, lied:
			damaged = true
		case absent:
		}
	}
	err := domain.ErrNotFound
	switch {
	case wasChanged:
		err = domain.ErrChanged
	case damaged:
		err = domain.ErrDamaged
	case away:
		err = domain.ErrOffline
	}
	j.end(fmt.Errorf("looking into content %v: %w", j.id, err))
}
