package host

import (
	"context"
	"io"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/potluck-share/potluck/app/domain"
)

// What one side writes at a time here, and how much of it in one run.
const (
	benchWrite = 256 << 10
	benchBytes = 1 << 30
)

// pour writes benchBytes.
func pour(w io.Writer) error {
	out := make([]byte, benchWrite)
	for range benchBytes / benchWrite {
		if _, err := w.Write(out); err != nil {
			return err
		}
	}
	return nil
}

// drain reads benchBytes.
func drain(b *testing.B, r io.Reader) {
	b.Helper()
	in := make([]byte, benchWrite)
	for got := 0; got < benchBytes; {
		n, err := r.Read(in)
		if err != nil {
			b.Fatal(err)
		}
		got += n
	}
}

// BenchmarkStream moves 1 GiB from one host to another over loopback on a
// libp2p stream by TCP, TLS and yamux.
func BenchmarkStream(b *testing.B) {
	from, to := start(b, "Ana", nil), start(b, "Ben", nil)
	from.Handle(bulkProto, NearOnly, func(_ context.Context, s network.Stream, _ domain.Asker) {
		one := make([]byte, 1)
		for {
			if _, err := s.Read(one); err != nil {
				return
			}
			if err := pour(s); err != nil {
				b.Error(err)
				return
			}
		}
	})
	connect(b, to, from)
	s, err := to.Open(b.Context(), from.ID(), bulkProto)
	if err != nil {
		b.Fatal(err)
	}
	measure(b, func() {
		if _, err := s.Write([]byte{1}); err != nil {
			b.Fatal(err)
		}
		drain(b, s)
	})
	_ = s.Reset() // the benchmark is over
}

// BenchmarkBulk does so on a bulk connection.
func BenchmarkBulk(b *testing.B) {
	from, to := start(b, "Ana", nil), start(b, "Ben", nil)
	from.HandleBulk(bulkProto, NearOnly, func(_ context.Context, c *Bulk) {
		one := make([]byte, 1)
		for {
			if _, err := c.Read(one); err != nil {
				return
			}
			if err := pour(c); err != nil {
				b.Error(err)
				return
			}
		}
	})
	connect(b, to, from)
	c, err := to.OpenBulk(b.Context(), from.ID(), bulkProto)
	if err != nil {
		b.Fatal(err)
	}
	measure(b, func() {
		if _, err := c.Write([]byte{1}); err != nil {
			b.Fatal(err)
		}
		drain(b, c)
	})
	_ = c.Reset() // the benchmark is over
}

// BenchmarkOpenBulk is what a bulk connection costs before its first byte.
func BenchmarkOpenBulk(b *testing.B) {
	from, to := start(b, "Ana", nil), start(b, "Ben", nil)
	from.HandleBulk(bulkProto, NearOnly, echoBulk)
	connect(b, to, from)
	for b.Loop() {
		c, err := to.OpenBulk(b.Context(), from.ID(), bulkProto)
		if err != nil {
			b.Fatal(err)
		}
		_ = c.Reset()
	}
}

// measure runs move again and again and reports its rate, and the processor's
// time of both sides together for it.
func measure(b *testing.B, move func()) {
	b.Helper()
	b.SetBytes(benchBytes)
	before := processorTime()
	n := 0
	for b.Loop() {
		move()
		n++
	}
	if spent := processorTime() - before; spent > 0 {
		b.ReportMetric(spent.Seconds()/float64(n)/(float64(benchBytes)/(1<<30)), "cpu-s/GiB")
	}
}
