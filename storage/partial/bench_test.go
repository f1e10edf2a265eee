package partial_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/potluck-share/potluck/storage/partial"
)

// BenchmarkSmallFiles downloads whole small files, one after the other and
// several at once.
func BenchmarkSmallFiles(b *testing.B) {
	s := newSample(b, 4000)
	piece := s.piece(b, 0)
	var n atomic.Int64
	one := func(folder string) error {
		f, err := partial.Open(s.want(folder, fmt.Sprintf("sub/%d", n.Add(1))))
		if err != nil {
			return err
		}
		if err := f.Put(piece); err != nil {
			return err
		}
		_, err = f.Finish()
		return err
	}
	b.Run("serial", func(b *testing.B) {
		folder := b.TempDir()
		for b.Loop() {
			if err := one(folder); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		folder := b.TempDir()
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := one(folder); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkLargeFile(b *testing.B) {
	s := newSample(b, 64<<20)
	folder := b.TempDir()
	b.SetBytes(int64(len(s.data)))
	for b.Loop() {
		f := open(b, s.want(folder, "x"))
		setLayer(b, f, s)
		for i := range s.layer.Pieces() {
			put(b, f, s, i)
		}
		if err := f.Discard(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSurvey(b *testing.B) {
	s := newSample(b, 64<<20)
	folder := b.TempDir()
	f := open(b, s.want(folder, "x"))
	setLayer(b, f, s)
	for i := range s.layer.Pieces() - 1 {
		put(b, f, s, i)
	}
	closeFile(b, f)
	part := find(b, folder, ".part")
	b.SetBytes(int64(len(s.data)))
	for b.Loop() {
		if err := os.Chtimes(part, time.Time{}, time.Now()); err != nil {
			b.Fatal(err)
		}
		f := open(b, s.want(folder, "x"))
		if len(f.Missing()) != 1 {
			b.Fatal(f.Missing())
		}
		closeFile(b, f)
	}
}
