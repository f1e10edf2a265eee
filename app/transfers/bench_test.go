package transfers_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// BenchmarkArrivals lets two hundred people come, one after the other within
// two seconds, while a hundred downloads of a hundred files each wait for
// somebody else. It tells how often anybody was asked after.
func BenchmarkArrivals(b *testing.B) {
	for range b.N {
		b.StopTimer()
		w := newWorld()
		w.online("ana", false)
		w.asked = new(atomic.Int64)
		for i := range 100 {
			p := fmt.Sprint("f", i)
			for j := range 100 {
				w.entries["ana:"+p] = append(w.entries["ana:"+p], entry(fmt.Sprint(p, "/", j), 10))
			}
		}
		r := open(b, filepath.Join(b.TempDir(), "db"), w)
		for i := range 100 {
			r.await(b, get(b, r, fmt.Sprint("f", i)), domain.Waiting)
		}
		w.asked.Store(0)
		b.StartTimer()
		tick := time.NewTicker(10 * time.Millisecond)
		for range 200 {
			r.ProvidersChanged()
			<-tick.C
		}
		tick.Stop()
		b.StopTimer()
		b.ReportMetric(float64(w.asked.Load()), "lookups")
		r.close(b)
	}
}
