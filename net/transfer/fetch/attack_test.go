package fetch_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

// Providers that break the protocol cost the fetch nothing but time, and are
// not asked over and over.
func TestMalformedAnswers(t *testing.T) {
	t.Parallel()
	const size = 6*mib + 1
	for name, answer := range map[string]func(w *wire.Writer, s network.Stream, h wire.Header) error{
		"garbage": func(_ *wire.Writer, s network.Stream, _ wire.Header) error {
			_, err := s.Write([]byte{0, 9, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
			return err
		},
		"over-long frame": func(_ *wire.Writer, s network.Stream, _ wire.Header) error {
			_, err := s.Write([]byte{0, 10, 0xff, 0xff})
			return err
		},
		"negative length": func(_ *wire.Writer, s network.Stream, h wire.Header) error {
			_, err := s.Write([]byte{0, 17, 0, 0, 8, 3, 16, byte(h.Request), 40, 1, 48, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
			return err
		},
		"longer than asked": func(w *wire.Writer, _ network.Stream, h wire.Header) error {
			return w.Write(wire.Header{Kind: wire.Response, Request: h.Request, Status: wire.OK, Length: wire.MaxAnswer, Size: size}, nil)
		},
		"more bytes than said": func(w *wire.Writer, _ network.Stream, h wire.Header) error {
			return w.Write(wire.Header{Kind: wire.Response, Request: h.Request, Status: wire.OK, Length: h.Length, Size: size}, make([]byte, wire.MaxBody))
		},
		"ends early": func(w *wire.Writer, _ network.Stream, h wire.Header) error {
			return w.Write(wire.Header{Kind: wire.Response, Request: h.Request, Status: wire.OK, Length: h.Length, Size: size, Last: true}, nil)
		},
		"data without a response": func(w *wire.Writer, _ network.Stream, h wire.Header) error {
			return w.Write(wire.Header{Kind: wire.Data, Request: h.Request, Last: true}, make([]byte, 10))
		},
		"two responses": func(w *wire.Writer, _ network.Stream, h wire.Header) error {
			r := wire.Header{Kind: wire.Response, Request: h.Request, Status: wire.OK, Length: h.Length, Size: size}
			if err := w.Write(r, nil); err != nil {
				return err
			}
			return w.Write(r, nil)
		},
		"answers to nothing": func(w *wire.Writer, _ network.Stream, h wire.Header) error {
			if err := w.Write(wire.Header{Kind: wire.Data, Request: h.Request + 1000, Last: true}, make([]byte, 10)); err != nil {
				return err
			}
			return w.Write(wire.Header{Kind: wire.Response, Request: h.Request, Status: wire.Absent, Last: true}, nil)
		},
		"a wrong layer": func(w *wire.Writer, _ network.Stream, h wire.Header) error {
			return w.Write(wire.Header{Kind: wire.Response, Request: h.Request, Status: wire.OK, Length: h.Length, Size: size, Last: true}, make([]byte, h.Length))
		},
		"a new status": func(w *wire.Writer, _ network.Stream, h wire.Header) error {
			return w.Write(wire.Header{Kind: wire.Response, Request: h.Request, Status: 99, Last: true}, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			evil := &server{host: newHost(t)}
			evil.id = idOf(evil.host)
			var asked atomic.Int64
			evil.host.SetStreamHandler(wire.Protocol, func(s network.Stream) {
				r, w := wire.NewReader(s), wire.NewWriter(s)
				defer func() { _ = s.Reset() }()
				for {
					h, err := r.Next()
					if err != nil {
						return
					}
					if h.Kind != wire.Request {
						continue
					}
					asked.Add(1)
					if answer(w, s, h) != nil || w.Flush() != nil {
						return
					}
				}
			})
			honest := newServer(t)
			path := writeFile(t, size)
			file := honest.share(t, path)
			f, _ := newFetcher(t, fetch.Config{Stall: 300 * time.Millisecond}, evil, honest)
			dst := newSink(t, size)
			providers := newMoving(evil.id)
			done := make(chan error, 1)
			go func() { done <- f.Fetch(within(t, 10*time.Second), file.sum.ID, size, dst, providers, nil) }()
			eventually(t, "it is asked", func() bool { return asked.Load() > 0 })
			time.Sleep(300 * time.Millisecond)
			if n := asked.Load(); n > 10 {
				t.Errorf("was asked %d times in a moment", n)
			}
			providers.set(evil.id, honest.id)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			dst.verify(t, path)
		})
	}
}

// One that hands out another size than everybody else is not believed.
func TestProviderWithAnotherSize(t *testing.T) {
	const size = 4 * mib
	evil, honest := &server{host: newHost(t)}, newServer(t)
	evil.id = idOf(evil.host)
	evil.host.SetStreamHandler(wire.Protocol, func(s network.Stream) {
		defer func() { _ = s.Reset() }()
		r, w := wire.NewReader(s), wire.NewWriter(s)
		for {
			h, err := r.Next()
			if err != nil {
				return
			}
			if w.Write(wire.Header{Kind: wire.Response, Request: h.Request, Status: wire.OK, Length: wire.MaxAnswer, Size: domain.MaxFileSize}, nil) != nil || w.Flush() != nil {
				return
			}
		}
	})
	path := writeFile(t, size)
	file := honest.share(t, path)
	f, _ := newFetcher(t, fetch.Config{}, evil, honest)
	dst := newSink(t, size)
	if err := f.Fetch(within(t, 10*time.Second), file.sum.ID, size, dst, fetch.Fixed{evil.id, honest.id}, nil); err != nil {
		t.Fatal(err)
	}
	dst.verify(t, path)
}
