package host

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"

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

// bufferedTLS is libp2p's TLS with the buffers of a bulk connection beneath it.
type bufferedTLS struct{ *libp2ptls.Transport }

func newBufferedTLS(id protocol.ID, key crypto.PrivKey, muxers []upgrader.StreamMuxer) (*bufferedTLS, error) {
	t, err := libp2ptls.New(id, key, muxers)
	return &bufferedTLS{t}, err
}

func (t *bufferedTLS) SecureInbound(ctx context.Context, conn net.Conn, p peer.ID) (sec.SecureConn, error) {
	raw := &corked{Conn: conn}
	secured, err := t.Transport.SecureInbound(ctx, raw, p)
	raw.widen(func() {})
	return bufferedConn{secured, raw}, err
}

func (t *bufferedTLS) SecureOutbound(ctx context.Context, conn net.Conn, p peer.ID) (sec.SecureConn, error) {
	raw := &corked{Conn: conn}
	secured, err := t.Transport.SecureOutbound(ctx, raw, p)
	raw.widen(func() {})
	return bufferedConn{secured, raw}, err
}

type bufferedConn struct {
	sec.SecureConn
	raw *corked
}

func (c bufferedConn) Write(p []byte) (int, error) {
	c.raw.hold()
	n, err := c.SecureConn.Write(p)
	return n, errors.Join(err, c.raw.release())
}

// BenchmarkBufferedStream does so on a stream with buffers beneath its TLS.
func BenchmarkBufferedStream(b *testing.B) {
	var hosts [2]libp2phost.Host
	for i := range hosts {
		h, err := libp2p.New(
			libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
			libp2p.Transport(tcp.NewTCPTransport),
			libp2p.Security(libp2ptls.ID, newBufferedTLS),
			libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
			libp2p.DisableRelay(),
			libp2p.DisableMetrics(),
		)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = h.Close() }() // the benchmark is over
		hosts[i] = h
	}
	hosts[0].SetStreamHandler(bulkProto, func(s network.Stream) {
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
	if err := hosts[1].Connect(b.Context(), peer.AddrInfo{ID: hosts[0].ID(), Addrs: hosts[0].Addrs()}); err != nil {
		b.Fatal(err)
	}
	s, err := hosts[1].NewStream(b.Context(), hosts[0].ID(), bulkProto)
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
