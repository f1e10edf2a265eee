package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire/pb"
)

const (
	// readBuffer is small, so that bodies go past it into their own buffers.
	// What is beneath reads ahead.
	readBuffer = 4 << 10
	// writeBuffer lets one system call, cipher record or hop through the
	// multiplexer serve several frames.
	writeBuffer = 256 << 10
)

var (
	readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, readBuffer) }}
	writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, writeBuffer) }}
)

// Reader reads frames.
type Reader struct {
	buf  *bufio.Reader
	msg  pb.Header
	body int // bytes of the present frame's body not read yet
}

// NewReader returns a Reader of r. Release gives its buffer back.
func NewReader(r io.Reader) *Reader {
	buf := readers.Get().(*bufio.Reader)
	buf.Reset(r)
	return &Reader{buf: buf}
}

// Release gives the buffer back. The Reader must not be used afterwards.
func (r *Reader) Release() {
	if r.buf != nil {
		if r.buf.Size() == readBuffer {
			r.buf.Reset(nil)
			readers.Put(r.buf)
		}
		r.buf = nil
	}
}

// Next skips what is left of the present frame and reads the header of the next
// one of a known kind. It returns io.EOF at the end of the stream between
// frames, io.ErrUnexpectedEOF inside of one, and domain.ErrMalformed for bytes
// that no version may send; the stream is then of no more use.
func (r *Reader) Next() (Header, error) {
	for {
		if err := r.skip(); err != nil {
			return Header{}, err
		}
		prefix, err := r.buf.Peek(prefixSize)
		if err != nil {
			if errors.Is(err, io.EOF) && len(prefix) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return Header{}, err
		}
		head := int(binary.BigEndian.Uint16(prefix))
		body := int(binary.BigEndian.Uint16(prefix[2:]))
		if prefixSize+head+body > MaxFrame {
			return Header{}, fmt.Errorf("%w: frame of %d bytes", domain.ErrMalformed, prefixSize+head+body)
		}
		if prefixSize+head > r.buf.Size() { // of a later version
			r.buf = bufio.NewReaderSize(r.buf, MaxFrame)
		}
		whole, err := r.buf.Peek(prefixSize + head)
		if err != nil {
			return Header{}, unexpected(err)
		}
		r.msg.Reset()
		if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(whole[prefixSize:], &r.msg); err != nil {
			return Header{}, fmt.Errorf("%w: frame header: %w", domain.ErrMalformed, err)
		}
		if _, err := r.buf.Discard(prefixSize + head); err != nil {
			return Header{}, unexpected(err)
		}
		r.body = body
		h, known, err := take(&r.msg, body)
		if err != nil || known {
			return h, err
		}
	}
}

// ReadBody fills p with the next bytes of the present frame's body. Asking for
// more than is left of it is an error.
func (r *Reader) ReadBody(p []byte) error {
	if len(p) > r.body {
		return fmt.Errorf("%w: %d bytes of body wanted, %d there", domain.ErrMalformed, len(p), r.body)
	}
	n, err := io.ReadFull(r.buf, p)
	r.body -= n
	return unexpected(err)
}

func (r *Reader) skip() error {
	n, err := r.buf.Discard(r.body)
	r.body -= n
	return unexpected(err)
}

// unexpected turns the end of the stream into one that came too early.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
