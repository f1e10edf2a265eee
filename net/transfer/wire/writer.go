package wire

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire/pb"
)

// Writer writes frames into a buffer; Flush sends what is in it.
type Writer struct {
	buf     *bufio.Writer
	msg     pb.Header
	content domain.ContentID
	scratch []byte
}

// NewWriter returns a Writer to w. Release gives its buffer back.
func NewWriter(w io.Writer) *Writer {
	buf := writers.Get().(*bufio.Writer)
	buf.Reset(w)
	return &Writer{buf: buf, scratch: make([]byte, 0, 256)}
}

// Release gives the buffer back without flushing it. The Writer must not be
// used afterwards.
func (w *Writer) Release() {
	if w.buf != nil {
		w.buf.Reset(nil)
		writers.Put(w.buf)
		w.buf = nil
	}
}

// Write adds one frame with that header and body. The body is copied or sent
// before it returns. h.Body is not looked at.
func (w *Writer) Write(h Header, body []byte) error {
	h.put(&w.msg, &w.content)
	frame := append(w.scratch[:0], 0, 0, 0, 0)
	frame, err := proto.MarshalOptions{}.MarshalAppend(frame, &w.msg)
	w.msg.Content = nil
	if err != nil {
		return fmt.Errorf("frame header: %w", err)
	}
	w.scratch = frame
	if len(frame)+len(body) > MaxFrame || len(body) > 0xffff {
		return fmt.Errorf("%w: frame of %d bytes", domain.ErrTooLarge, len(frame)+len(body))
	}
	binary.BigEndian.PutUint16(frame, uint16(len(frame)-prefixSize))
	binary.BigEndian.PutUint16(frame[2:], uint16(len(body)))
	if _, err := w.buf.Write(frame); err != nil {
		return err
	}
	_, err = w.buf.Write(body)
	return err
}

// Flush sends what Write has added.
func (w *Writer) Flush() error { return w.buf.Flush() }
