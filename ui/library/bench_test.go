package library

import (
	"fmt"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

// BenchmarkFlatten puts the rows of an unfolded folder of 100,000 files
// together, as the UI thread does after each page.
func BenchmarkFlatten(b *testing.B) {
	v, c := newView(b)
	for i := range 100_000 {
		c.files["Holiday"] = append(c.files["Holiday"], file(fmt.Sprintf("Holiday/%06d.jpg", i), int64(i)))
	}
	v.Prepare([]domain.Share{holiday(100_000)}, nil)()
	v.unfold("Holiday")
	v.load(v.open["Holiday"], "", 100_000)
	for b.Loop() {
		v.flatten()
	}
}
