package hostile_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"lukechampine.com/blake3/guts"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

// bytesOfOthers are attacks by whom something is fetched from.
func bytesOfOthers() []row {
	return []row{
		{name: "wrong bytes", attack: wrongBytes},
		{name: "a piece layer that does not fit", attack: wrongLayer},
		{name: "a piece layer of half pieces", attack: halfPieces},
		{name: "nothing", attack: nothing},
		{name: "the right bytes, too slowly", attack: tooSlow},
		{name: "bytes without an end", attack: endlessBytes},
		{name: "answers of impossible lengths", attack: impossibleLengths},
	}
}

// liar is a peer that announces a file and answers for it by its own ways. Once
// it has, the honest neighbour shares the same, and the victim must have it
// whole. The time that this takes is returned.
func (s *stage) liar(seed uint64, size int, prepare func(r *rogue, b *blob)) (r *rogue, took time.Duration) {
	s.Helper()
	return s.liarUntil(seed, size, prepare, func(r *rogue) bool { return r.sent.Load() > 0 })
}

// liarUntil is liar that lets the honest neighbour come when that holds.
func (s *stage) liarUntil(seed uint64, size int, prepare func(r *rogue, b *blob), holds func(r *rogue) bool) (r *rogue, took time.Duration) {
	s.Helper()
	b := newBlob(s.T, seed, size)
	name := fmt.Sprintf("liar%d.bin", seed)
	r = newRogue(s.T, "Mallory")
	r.lists(b.at(name))
	prepare(r, b)
	r.meets(s.ana)
	waitFor(s.T, "the list is here", func() bool { return strings.Contains(s.ana.do("browse", string(r.ID())), name) })
	got := make(chan error, 1)
	go func() {
		out, err := s.ana.try("get", string(r.ID())+":"+name, "--wait", "50s")
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		got <- err
	}()
	waitFor(s.T, "it was asked and has answered", func() bool { return holds(r) })
	path := filepath.Join(s.TempDir(), name)
	if err := os.WriteFile(path, b.data, 0o600); err != nil {
		s.Fatal(err)
	}
	begun := time.Now()
	s.bea.do("share", path)
	defer s.bea.do("unshare", path)
	if err := <-got; err != nil {
		s.Fatalf("the honest copy does not arrive: %v", err)
	}
	took = time.Since(begun)
	if data, err := os.ReadFile(filepath.Join(s.ana.downloads(), name)); err != nil || !bytes.Equal(data, b.data) {
		s.Errorf("what arrived is not what was shared: %v", err)
	}
	return r, took
}

func arrived(took time.Duration) string {
	return fmt.Sprintf("the file came from the honest one %v after she had it", took.Round(100*time.Millisecond))
}

func wrongBytes(s *stage) (sent, outcome string) {
	r, took := s.liar(301, 6<<20+5, func(r *rogue, b *blob) {
		wrong := *b
		wrong.spoil = func(p []byte) { p[len(p)/2] ^= 1; r.sent.Add(1) }
		r.serves(&wrong)
	})
	s.blame(r.ID())
	if r.sent.Load() > 8 {
		s.Errorf("%d pieces were taken of a liar", r.sent.Load())
	}
	return fmt.Sprintf("%d pieces", r.sent.Load()), "not asked again; " + arrived(took)
}

// falseLayer has another piece layer than its bytes.
type falseLayer struct {
	*blob
	layer []byte
	size  int64
	r     *rogue
}

func (f falseLayer) Size() int64 { return f.size }

func (f falseLayer) Layer() []byte {
	f.r.sent.Add(1)
	return f.layer
}

func wrongLayer(s *stage) (sent, outcome string) {
	r, took := s.liar(302, 6<<20+5, func(r *rogue, b *blob) {
		layer := bytes.Clone(b.sum.Layer)
		layer[40] ^= 1
		r.provides(shelf{b.sum.ID: falseLayer{b, layer, b.Size(), r}})
	})
	s.blame(r.ID())
	return fmt.Sprintf("%d layers", r.sent.Load()), "not asked again; " + arrived(took)
}

// halfPieces are the chaining values of half pieces. They hash up to the same
// content, for a size that is twice as large.
func halfPieces(s *stage) (sent, outcome string) {
	const pieces = 4
	b := newBlob(s.T, 303, pieces*domain.PieceSize)
	var layer []byte
	for i := range 2 * pieces {
		const half = domain.PieceSize / 2
		layer = append(layer, subtree(b.data[i*half:(i+1)*half], uint64(i*half/guts.ChunkSize))...)
	}
	r := newRogue(s.T, "Mallory")
	entry := b.at("half.bin")
	entry.Size *= 2
	r.lists(entry)
	r.provides(shelf{b.sum.ID: falseLayer{b, layer, 2 * b.Size(), r}})
	r.meets(s.ana)
	id := string(r.ID())
	waitFor(s.T, "the list is here", func() bool { return strings.Contains(s.ana.do("browse", id), "half.bin") })
	out, err := s.ana.try("get", id+":half.bin", "--wait", "4s")
	if err == nil {
		s.Errorf("a file of the wrong size is taken: %s", out)
	}
	if _, err := os.Stat(filepath.Join(s.ana.downloads(), "half.bin")); !errors.Is(err, os.ErrNotExist) {
		s.Errorf("a file of the wrong size is there: %v", err)
	}
	if r.sent.Load() == 0 {
		s.Error("the layer was never asked for")
	}
	s.awaitNamed(r.ID(), "a layer of half pieces")
	s.blame(r.ID())
	path := filepath.Join(s.TempDir(), "whole.bin")
	if err := os.WriteFile(path, b.data, 0o600); err != nil {
		s.Fatal(err)
	}
	s.bea.do("share", path)
	defer s.bea.do("unshare", path)
	waitFor(s.T, "the honest one's is seen", func() bool { return strings.Contains(s.ana.do("browse", string(s.bea.id)), "whole.bin") })
	s.ana.do("get", string(s.bea.id)+":whole.bin", "--wait", "30s")
	if data, err := os.ReadFile(filepath.Join(s.ana.downloads(), "whole.bin")); err != nil || !bytes.Equal(data, b.data) {
		s.Errorf("what arrived is not what was shared: %v", err)
	}
	return fmt.Sprintf("%d layers of the right root", r.sent.Load()), "never becomes a file; of its true size it comes from the honest one"
}

// subtree returns the chaining value of aligned data of a power of two of
// chunks, the first of which has that number.
func subtree(data []byte, chunk uint64) []byte {
	value := make([]byte, 0, wire.HashSize)
	for _, word := range guts.ChainingValue(guts.CompressEigentree(data, &guts.IV, chunk, 0)) {
		value = binary.LittleEndian.AppendUint32(value, word)
	}
	return value
}

func nothing(s *stage) (sent, outcome string) {
	r, took := s.liarUntil(304, 3<<20, func(r *rogue, _ *blob) {
		r.answers(func(context.Context, *wire.Writer, network.Stream, wire.Header) error { return nil })
	}, func(r *rogue) bool { return r.asked.Load() > 0 && s.ana.named(r.ID()) })
	s.blame(r.ID())
	return fmt.Sprintf("nothing to %d requests", r.asked.Load()), "left alone; " + arrived(took)
}

// tooSlow sends one byte each 100 ms: that is no fault, and must not hold up
// anybody.
func tooSlow(s *stage) (sent, outcome string) {
	r, took := s.liar(305, 3<<20, func(r *rogue, b *blob) {
		r.answers(func(ctx context.Context, w *wire.Writer, _ network.Stream, h wire.Header) error {
			head := wire.Header{Kind: wire.Response, Request: h.Request, Status: wire.OK, Size: b.Size(), Nearby: true}
			switch h.What {
			case wire.Layer: // at once, so that it comes to the pieces
				head.Length, head.Last = len(b.sum.Layer), true
				return w.Write(head, b.sum.Layer)
			case wire.Info: // all of it is here
				head.Last = true
				return w.Write(head, nil)
			case wire.Piece, wire.Any, wire.UnknownWhat:
				head.Index = h.Index
			}
			body := b.data[h.Index*domain.PieceSize:][:h.Length]
			head.Length = len(body)
			for i := range body {
				head.Last = i+1 == len(body)
				if err := errors.Join(w.Write(head, body[i:i+1]), w.Flush(), ctx.Err()); err != nil {
					return err
				}
				r.sent.Add(1)
				head = wire.Header{Kind: wire.Data, Request: h.Request}
				time.Sleep(100 * time.Millisecond) // which is the attack
			}
			return nil
		})
	})
	return fmt.Sprintf("%d bytes", r.sent.Load()), arrived(took)
}

func endlessBytes(s *stage) (sent, outcome string) {
	var total atomic.Int64
	r, took := s.liar(306, 3<<20, func(r *rogue, b *blob) {
		r.answers(func(ctx context.Context, w *wire.Writer, _ network.Stream, h wire.Header) error {
			head := wire.Header{Kind: wire.Response, Request: h.Request, Status: wire.OK, Length: h.Length, Size: b.Size(), Nearby: true}
			for ctx.Err() == nil {
				if err := errors.Join(w.Write(head, make([]byte, 32<<10)), w.Flush()); err != nil {
					return err
				}
				r.sent.Add(1)
				total.Add(32 << 10)
				head = wire.Header{Kind: wire.Data, Request: h.Request}
			}
			return ctx.Err()
		})
	})
	s.awaitNamed(r.ID(), "bytes without an end")
	s.blame(r.ID())
	if total.Load() > 64<<20 {
		s.Errorf("%d MB were taken", total.Load()>>20)
	}
	return fmt.Sprintf("%d KB beyond what was asked", total.Load()>>10), "cut off; " + arrived(took)
}

func impossibleLengths(s *stage) (sent, outcome string) {
	ways := map[string]func(h wire.Header, b *blob, w *wire.Writer, stream network.Stream) error{
		"a frame of garbage": func(_ wire.Header, _ *blob, _ *wire.Writer, stream network.Stream) error {
			_, err := stream.Write([]byte{0, 9, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
			return err
		},
		"a frame that is too long": func(_ wire.Header, _ *blob, _ *wire.Writer, stream network.Stream) error {
			_, err := stream.Write([]byte{0, 10, 0xff, 0xff})
			return err
		},
		"a length of -1": func(h wire.Header, _ *blob, _ *wire.Writer, stream network.Stream) error {
			_, err := stream.Write([]byte{0, 17, 0, 0, 8, 3, 16, byte(h.Request), 40, 1, 48, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
			return err
		},
		"more than was asked": func(h wire.Header, b *blob, w *wire.Writer, _ network.Stream) error {
			return w.Write(wire.Header{Kind: wire.Response, Request: h.Request, Status: wire.OK, Length: wire.MaxAnswer, Size: b.Size()}, nil)
		},
		"less than was said": func(h wire.Header, b *blob, w *wire.Writer, _ network.Stream) error {
			return w.Write(wire.Header{Kind: wire.Response, Request: h.Request, Status: wire.OK, Length: h.Length, Size: b.Size(), Last: true}, nil)
		},
	}
	seed, slowest := uint64(310), time.Duration(0)
	for why, way := range ways {
		r, took := s.liar(seed, 2<<20+1, func(r *rogue, b *blob) {
			r.answers(func(_ context.Context, w *wire.Writer, stream network.Stream, h wire.Header) error {
				err := errors.Join(way(h, b, w, stream), w.Flush())
				r.sent.Add(1)
				return err
			})
		})
		s.awaitNamed(r.ID(), why)
		s.blame(r.ID())
		seed, slowest = seed+1, max(slowest, took)
	}
	return fmt.Sprintf("%d kinds", len(ways)), "cut off; " + arrived(slowest)
}
