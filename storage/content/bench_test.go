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

func BenchmarkVerify(b *testing.B) {
	data := pattern(2 * domain.PieceSize)
	layer := layerOf(b, data)
	b.SetBytes(domain.PieceSize)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := layer.Verify(1, data[domain.PieceSize:]); err != nil {
			b.Fatal(err)
		}
	}
}
