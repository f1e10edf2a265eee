package catalogue

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/catalogue/pb"
	"github.com/potluck-share/potluck/net/host/talk"
)

// Seconds since 1970 of the first and the last moment that time.Time writes
// with a year of four digits.
const (
	minModified = -62135596800
	maxModified = 253402300799
)

// unpacker reads packed pages. It is safe for concurrent use.
type unpacker struct {
	dec     *zstd.Decoder
	buffers sync.Pool // of *[]byte with room for the largest page
}

func newUnpacker() (*unpacker, error) {
	// A page unpacks into the room that is there, and never into more.
	dec, err := zstd.NewReader(nil,
		zstd.WithDecodeAllCapLimit(true),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(maxPage),
		zstd.WithDecoderMaxWindow(maxPage))
	if err != nil {
		return nil, fmt.Errorf("preparing to unpack pages: %w", err)
	}
	return &unpacker{dec: dec, buffers: sync.Pool{New: func() any {
		buffer := make([]byte, 0, maxPage)
		return &buffer
	}}}, nil
}

// packer returns an encoder of pages.
func packer() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedDefault),
		zstd.WithWindowSize(softPage),
		zstd.WithLowerEncoderMem(true))
}

// page returns the page in packed, checked. Next is left empty. An error
// wraps domain.ErrMalformed or domain.ErrTooLarge.
func (u *unpacker) page(packed []byte) (domain.Page, error) {
	if len(packed) == 0 {
		return domain.Page{}, fmt.Errorf("a frame without a page: %w", domain.ErrMalformed)
	}
	buffer := u.buffers.Get().(*[]byte)
	defer u.buffers.Put(buffer) // decode copies what it keeps
	raw, err := u.dec.DecodeAll(packed, *buffer)
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return domain.Page{}, fmt.Errorf("a page of more than %d MiB: %w: %w", maxPage>>20, domain.ErrTooLarge, err)
	case err != nil:
		return domain.Page{}, fmt.Errorf("unpacking a page: %w: %w", domain.ErrMalformed, err)
	}
	return decode(raw)
}

func decode(raw []byte) (domain.Page, error) {
	if err := talk.Scan(raw, pageFields); err != nil {
		return domain.Page{}, fmt.Errorf("reading a page: %w", err)
	}
	var msg pb.Page
	if err := proto.Unmarshal(raw, &msg); err != nil {
		return domain.Page{}, fmt.Errorf("reading a page: %w: %w", domain.ErrMalformed, err)
	}
	page := domain.Page{
		Version: domain.Version{Epoch: msg.GetEpoch(), Sequence: msg.GetSequence()},
		Full:    msg.GetFull(),
		Changes: make([]domain.Change, 0, len(msg.GetChanges())),
	}
	for _, c := range msg.GetChanges() {
		change, err := fromWire(c)
		if err != nil {
			return domain.Page{}, err
		}
		page.Changes = append(page.Changes, change)
	}
	return page, nil
}

// pageFields are what a page repeats.
var pageFields = map[protowire.Number]talk.Repeats{4: {Most: maxEntries}} // changes

func fromWire(c *pb.Change) (domain.Change, error) {
	change := domain.Change{Path: c.GetPath()}
	if !c.GetGone() {
		if c.GetSize() > uint64(domain.MaxFileSize) {
			return domain.Change{}, fmt.Errorf("a file of %d bytes: %w", c.GetSize(), domain.ErrTooLarge)
		}
		entry := &domain.Entry{
			Path:     c.GetPath(),
			Folder:   c.GetFolder(),
			Size:     int64(c.GetSize()),
			Modified: time.Unix(c.GetModified(), 0).UTC(),
		}
		switch content := c.GetContent(); {
		case len(content) == len(entry.Content):
			copy(entry.Content[:], content)
		case len(content) != 0:
			return domain.Change{}, fmt.Errorf("a content ID of %d bytes: %w", len(content), domain.ErrMalformed)
		}
		change.Entry = entry
	}
	return change, check(change)
}

// check holds for both directions: what would be refused is not sent.
func check(c domain.Change) error {
	path := c.Path
	if len(path) > domain.MaxPath {
		return fmt.Errorf("a path of %d bytes: %w", len(path), domain.ErrTooLarge)
	}
	if !fs.ValidPath(path) || path == "." || strings.ContainsRune(path, 0) {
		return fmt.Errorf("%q is not a relative path: %w", path, domain.ErrMalformed)
	}
	e := c.Entry
	if e == nil {
		return nil
	}
	if seconds := e.Modified.Unix(); seconds < minModified || seconds > maxModified {
		return fmt.Errorf("%q was modified at no sensible time: %w", path, domain.ErrMalformed)
	}
	if e.Folder && (e.Size != 0 || !e.Content.IsZero()) || !e.Folder && e.Content.IsZero() {
		return fmt.Errorf("%q is neither a file nor a folder: %w", path, domain.ErrMalformed)
	}
	if e.Size < 0 || e.Size > domain.MaxFileSize {
		return fmt.Errorf("%q has %d bytes: %w", path, e.Size, domain.ErrTooLarge)
	}
	return nil
}

func toWire(c domain.Change) *pb.Change {
	if c.Entry == nil {
		return &pb.Change{Path: c.Path, Gone: true}
	}
	msg := &pb.Change{
		Path:     c.Path,
		Folder:   c.Entry.Folder,
		Size:     uint64(c.Entry.Size),
		Modified: c.Entry.Modified.Unix(),
	}
	if !c.Entry.Folder {
		msg.Content = slices.Clone(c.Entry.Content[:])
	}
	return msg
}

// encode returns the page as it is before packing. Equal pages give equal
// bytes.
func encode(page domain.Page) ([]byte, error) {
	msg := &pb.Page{
		Epoch:    page.Version.Epoch,
		Sequence: page.Version.Sequence,
		Full:     page.Full,
		Changes:  make([]*pb.Change, 0, len(page.Changes)),
	}
	for _, c := range page.Changes {
		msg.Changes = append(msg.Changes, toWire(c))
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(msg)
	if err != nil {
		return nil, fmt.Errorf("writing a page: %w", err)
	}
	return raw, nil
}

// cut returns how many of the changes make up the next page that is sent.
func cut(changes []domain.Change, most int) int {
	const perEntry = 64 // all but the path
	size := 0
	for i, c := range changes {
		size += len(c.Path) + perEntry
		if i > 0 && size > softPage || i >= most {
			return i
		}
	}
	return len(changes)
}
