package partial

import (
	"runtime"
	"sync"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
	"github.com/potluck-share/potluck/storage/disk"
)

// survey returns the pieces of the layer that the part holds, going by the
// state as far as it can be trusted and hashing the rest.
//
// A state is trusted if the part has the length and time that it had when the
// state was written. After a kill it usually has not, because writing went on;
// then everything is hashed, so that damage done meanwhile is noticed too.
func (f *File) survey(layer content.Layer, s state) (bitmap, error) {
	info, err := f.part.Stat()
	if err != nil {
		return nil, f.errorf("reading the part of", err)
	}
	pieces := layer.Pieces()
	found := make(bitmap, bitmapLen(pieces))
	if layer.Size() == 0 {
		found.set(0) // a layer of no bytes is made only for the empty content
		return found, nil
	}
	trusted := s.generation > 0 && info.Size() == s.length && info.ModTime().Equal(s.modified)
	var unsure []int
	for i := range pieces {
		switch end := offset(i) + int64(domain.PieceLength(layer.Size(), i)); {
		case end > info.Size(): // and so will be all that follow
		case trusted && s.have.has(i):
			found.set(i)
		case trusted && s.clean:
		default:
			unsure = append(unsure, i)
		}
	}
	f.check(layer, unsure, found)
	return found, nil
}

// check hashes the pieces listed, in order and with all cores, and sets those
// that are good. What cannot be read is fetched again.
func (f *File) check(layer content.Layer, list []int, found bitmap) {
	var (
		mu   sync.Mutex // guards what follows and found
		next int
		data int64 // where the next byte lies that is not in a hole
		wg   sync.WaitGroup
	)
	take := func() (index int, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		for next < len(list) {
			index = list[next]
			next++
			end := offset(index) + int64(domain.PieceLength(layer.Size(), index))
			if data < end {
				data = disk.NextData(f.part, max(data, offset(index)))
			}
			if data < end {
				return index, true
			}
		}
		return 0, false
	}
	for range min(len(list), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			buf := make([]byte, min(domain.PieceSize, layer.Size()))
			for {
				index, ok := take()
				if !ok {
					return
				}
				piece := buf[:domain.PieceLength(layer.Size(), index)]
				if _, err := f.part.ReadAt(piece, offset(index)); err != nil {
					continue
				}
				if _, err := layer.Verify(index, piece); err == nil {
					mu.Lock()
					found.set(index)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
}
