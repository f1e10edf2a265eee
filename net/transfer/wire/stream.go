package wire

import (
	"io"
	"time"
)

// Stream is what the protocol runs on: bytes both ways, in order, encrypted,
// with a peer that has proven who it is. A libp2p stream is one, and so is a
// connection of its own. One goroutine may read while another one writes;
// Reset may be called at any time and gets both out of it.
type Stream interface {
	io.Reader
	io.Writer
	// Reset ends the stream both ways without delivering what is buffered.
	Reset() error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}
