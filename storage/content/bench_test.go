package content_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
)

func BenchmarkHash(b *testing.B) {
	data := pattern(64 << 20)
	for _, size := range []int{1 << 10, 64 << 10, 1 << 20, 64 << 20} {
		for _, workers := range []int{1, 0} {
			b.Run(fmt.Sprintf("size=%d/workers=%d", size, workers), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := content.Hash(b.Context(), bytes.NewReader(data[:size]), int64(size), workers, nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkVerify verifies pieces that are in the processor's cache, or not any
// more.
func BenchmarkVerify(b *testing.B) {
	data := pattern(256 * domain.PieceSize)
	layer := layerOf(b, data)
	for _, pieces := range []int{1, layer.Pieces()} {
		b.Run(fmt.Sprintf("of=%d", pieces), func(b *testing.B) {
			b.SetBytes(domain.PieceSize)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i = (i + 1) % pieces
				if _, err := layer.Verify(i, pieceOf(data, i)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
