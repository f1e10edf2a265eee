package host

import (
	"net"
	"sync"
)

// bulkBuffer is the bytes of each of the two buffers beneath a bulk
// connection's TLS: one system call moves that many, where TLS by itself makes
// one or two of each of its records of 16 KiB.
const bulkBuffer = 256 << 10

// corked is the connection beneath a TLS one. Until widen is called it adds
// nothing; from then on reads come from a large buffer, and what is written
// while it is corked is kept together. One goroutine may read while another
// one writes.
type corked struct {
	net.Conn
	moved func() // called when bytes have moved, nil before widen

	in   []byte // the read buffer, nil before widen
	r, w int    // what of it is not read yet

	mu     sync.Mutex // TLS may write an alert while it reads
	cork   bool
	out    []byte // not written yet
	broken error  // why writing has failed
}

// widen gives the connection its buffers, and a function to call whenever bytes
// have moved. Nothing may be read or written meanwhile.
func (c *corked) widen(moved func()) {
	c.moved = moved
	c.in = make([]byte, bulkBuffer)
	// What is written is as long as a portion of the user's, and each record of
	// it has a head and a tail of its own.
	c.out = make([]byte, 0, bulkBuffer+bulkBuffer/64)
}

// Read reads what is buffered, or else as much as there is.
func (c *corked) Read(p []byte) (int, error) {
	if c.r == c.w {
		if len(p) >= len(c.in) {
			return c.Conn.Read(p)
		}
		n, err := c.Conn.Read(c.in)
		c.r, c.w = 0, n
		if n == 0 {
			return 0, err
		}
		c.moved()
		// An error that came with bytes comes again without.
	}
	n := copy(p, c.in[c.r:c.w])
	c.r += n
	return n, nil
}

// Write writes, or while corked keeps p to be written with what follows.
func (c *corked) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return 0, c.broken
	}
	if !c.cork {
		return c.Conn.Write(p)
	}
	if len(c.out)+len(p) > cap(c.out) {
		if err := c.flush(); err != nil {
			return 0, err
		}
	}
	if len(p) > cap(c.out) {
		return c.Conn.Write(p)
	}
	c.out = append(c.out, p...)
	return len(p), nil
}

// hold corks the connection.
func (c *corked) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cork = true
}

// release uncorks it and writes what was kept.
func (c *corked) release() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cork = false
	if c.broken != nil {
		return c.broken
	}
	return c.flush()
}

func (c *corked) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.Conn.Write(c.out)
	c.out = c.out[:0]
	c.broken = err // half a record is on its way: nothing can follow
	if err == nil {
		c.moved()
	}
	return err
}
