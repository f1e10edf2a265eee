package fetch

import (
	"sync"

	"github.com/potluck-share/potluck/net/transfer/wire"
)

// Buffers come in two sizes, so that thousands of small files do not each take
// the space of a piece.
const smallBuffer = 32 << 10

var (
	smallBuffers = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largeBuffers = sync.Pool{New: func() any { return new([wire.MaxAnswer]byte) }}
)

// getBuffer returns n bytes of anything.
func getBuffer(n int) []byte {
	if n <= smallBuffer {
		return smallBuffers.Get().(*[smallBuffer]byte)[:n]
	}
	return largeBuffers.Get().(*[wire.MaxAnswer]byte)[:n]
}

// putBuffer gives back what getBuffer returned.
func putBuffer(b []byte) {
	switch cap(b) {
	case smallBuffer:
		smallBuffers.Put((*[smallBuffer]byte)(b[:smallBuffer]))
	case wire.MaxAnswer:
		largeBuffers.Put((*[wire.MaxAnswer]byte)(b[:wire.MaxAnswer]))
	}
}
