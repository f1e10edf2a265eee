package partial

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
)

// A sidecar is laid out for being written in place, a little at a time:
//
//	header  magic, content ID, size, SHA-256 of these
//	layer   32 bytes per piece; proven by the content ID
//	slot 0  ⎫ generation, state, bitmap, SHA-256 of the header's and these;
//	slot 1  ⎭ written in turns, so that a torn one leaves the other
//
// Numbers are little-endian, slots begin at multiples of 4096. The magic
// changes with the format: another one's is taken for damage, which costs
// hashing the part.
const (
	magic      = "potluck1"
	headerSum  = len(magic) + 32 + 8 // where the header's checksum begins
	headerLen  = headerSum + sha256.Size
	slotHead   = 4 * 8
	slotAlign  = 4096
	cleanState = 1
)

// state is what a slot says.
type state struct {
	generation uint64
	have       bitmap
	// length and modified are the part's own when have was written; others
	// mean that the part was written since, by us or by somebody else.
	length   int64
	modified time.Time
	clean    bool // nothing was written after have
}

// layout holds where things are in the sidecar of a content of that size.
type layout struct {
	size   int64
	pieces int
}

func (l layout) layerLen() int64 { return 32 * int64(l.pieces) }

func (l layout) slotLen() int64 {
	return align(int64(slotHead + bitmapLen(l.pieces) + sha256.Size))
}

func (l layout) slot(n uint64) int64 {
	return align(int64(headerLen)+l.layerLen()) + int64(n%2)*l.slotLen()
}

func align(n int64) int64 { return (n + slotAlign - 1) / slotAlign * slotAlign }

// encodeHeader returns the header, which ends with its checksum.
func encodeHeader(id domain.ContentID, size int64) []byte {
	header := append(make([]byte, 0, headerLen), magic...)
	header = append(header, id[:]...)
	header = binary.LittleEndian.AppendUint64(header, uint64(size))
	sum := sha256.Sum256(header)
	return append(header, sum[:]...)
}

func encodeSlot(header []byte, s state) []byte {
	slot := binary.LittleEndian.AppendUint64(nil, s.generation)
	slot = binary.LittleEndian.AppendUint64(slot, uint64(s.length))
	slot = binary.LittleEndian.AppendUint64(slot, uint64(s.modified.UnixNano()))
	flags := uint64(0)
	if s.clean {
		flags |= cleanState
	}
	slot = binary.LittleEndian.AppendUint64(slot, flags)
	slot = append(slot, s.have...)
	return append(slot, slotSum(header, slot)...)
}

func slotSum(header, slot []byte) []byte {
	hash := sha256.New()
	hash.Write(header[headerSum:])
	hash.Write(slot)
	return hash.Sum(nil)
}

func decodeSlot(header, slot []byte) (state, bool) {
	body := slot[:len(slot)-sha256.Size]
	if !bytes.Equal(slotSum(header, body), slot[len(body):]) {
		return state{}, false
	}
	return state{
		generation: binary.LittleEndian.Uint64(body),
		length:     int64(binary.LittleEndian.Uint64(body[8:])),
		modified:   time.Unix(0, int64(binary.LittleEndian.Uint64(body[16:]))),
		clean:      binary.LittleEndian.Uint64(body[24:])&cleanState != 0,
		have:       bitmap(bytes.Clone(body[slotHead:])),
	}, true
}

var errSidecar = errors.New("the sidecar is damaged")

// decodeSidecar reads the sidecar of content id from r, which holds length
// bytes. The state is zero if the layer is good and no slot is.
func decodeSidecar(r io.ReaderAt, length int64, id domain.ContentID) (content.Layer, state, error) {
	header := make([]byte, headerLen)
	if _, err := r.ReadAt(header, 0); err != nil {
		return content.Layer{}, state{}, fmt.Errorf("%w: %w", errSidecar, err)
	}
	size := int64(binary.LittleEndian.Uint64(header[headerSum-8:]))
	if !bytes.Equal(header, encodeHeader(id, size)) || size <= domain.PieceSize || size > domain.MaxFileSize {
		return content.Layer{}, state{}, errSidecar
	}
	at := layout{size: size, pieces: domain.Pieces(size)}
	if length < int64(headerLen)+at.layerLen() {
		return content.Layer{}, state{}, errSidecar
	}
	raw := make([]byte, at.layerLen())
	if _, err := r.ReadAt(raw, int64(headerLen)); err != nil {
		return content.Layer{}, state{}, fmt.Errorf("%w: %w", errSidecar, err)
	}
	layer, err := content.NewLayer(id, size, raw)
	if err != nil {
		return content.Layer{}, state{}, fmt.Errorf("%w: %w", errSidecar, err)
	}
	var latest state
	slot := make([]byte, slotHead+bitmapLen(at.pieces)+sha256.Size)
	for n := range uint64(2) {
		if _, err := r.ReadAt(slot, at.slot(n)); err != nil {
			continue // never written, or cut off
		}
		if s, ok := decodeSlot(header, slot); ok && s.generation > latest.generation {
			latest = s
		}
	}
	return layer, latest, nil
}

// sidecar is an open sidecar.
type sidecar struct {
	file       *os.File
	header     []byte
	at         layout
	generation uint64
	lasts      bool // its name was flushed
}

// loadSidecar opens the sidecar at name. The error is fs.ErrNotExist if there
// is none, or errSidecar.
func loadSidecar(root *os.Root, name string, id domain.ContentID) (*sidecar, content.Layer, state, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, content.Layer{}, state{}, err
	}
	if !info.Mode().IsRegular() {
		return nil, content.Layer{}, state{}, errSidecar
	}
	file, err := root.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, content.Layer{}, state{}, err
	}
	layer, s, err := decodeSidecar(file, info.Size(), id)
	if err != nil {
		return nil, content.Layer{}, state{}, errors.Join(err, file.Close())
	}
	return newSidecar(file, layer, s.generation), layer, s, nil
}

// createSidecar makes the sidecar at name, in place of a damaged one. It is
// not flushed before its first state is.
func createSidecar(root *os.Root, name string, layer content.Layer) (*sidecar, error) {
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	file, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	s := newSidecar(file, layer, 0)
	_, err = file.WriteAt(s.header, 0)
	if err == nil {
		_, err = file.WriteAt(layer.Raw(), int64(headerLen))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return s, nil
}

func newSidecar(file *os.File, layer content.Layer, generation uint64) *sidecar {
	return &sidecar{
		file:       file,
		header:     encodeHeader(layer.ID(), layer.Size()),
		at:         layout{size: layer.Size(), pieces: layer.Pieces()},
		generation: generation,
	}
}

// write flushes a state, whose pieces must have been flushed before.
func (s *sidecar) write(p place, to state) error {
	to.generation = s.generation + 1
	if _, err := s.file.WriteAt(encodeSlot(s.header, to), s.at.slot(to.generation)); err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	s.generation = to.generation
	if s.lasts {
		return nil
	}
	if err := p.dir.sync(); err != nil {
		return err
	}
	s.lasts = true
	return nil
}
