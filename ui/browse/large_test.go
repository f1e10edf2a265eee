package browse

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/work"
)

// mostUI is how long a single step may keep the UI thread from everything else.
const mostUI = slowdown * 100 * time.Millisecond

// large is a folder of 100,000 files, of which every tenth is music.
func large() []domain.Result {
	results := make([]domain.Result, 100_000)
	for i := range results {
		ending := "jpg"
		if i%10 == 0 {
			ending = "mp3"
		}
		results[i] = from(fmt.Sprintf("Large/file %06d.%s", (i*7919)%100_000, ending), int64(i)*1000, "A")
		results[i].Content = domain.ContentID{byte(i), byte(i >> 8), byte(i >> 16)}
	}
	return results
}

// timed runs what comes from other goroutines on the UI thread, and takes the
// time.
type timed struct {
	tb      testing.TB
	answers chan func()
	worst   map[string]time.Duration
}

// do runs a step on the UI thread.
func (l *timed) do(name string, step func()) {
	begun := time.Now()
	step()
	l.worst[name] = max(l.worst[name], time.Since(begun))
}

// answer waits for what was asked for off the UI thread, and shows it.
func (l *timed) answer(name string) {
	l.tb.Helper()
	select {
	case f := <-l.answers:
		l.do(name, f)
	case <-time.After(30 * time.Second):
		l.tb.Fatal("no answer")
	}
}

func newLarge(tb testing.TB) (*View, *timed) {
	tb.Helper()
	l := &timed{tb: tb, answers: make(chan func(), 16), worst: make(map[string]time.Duration)}
	run := work.New(context.Background(), func(f func()) { l.answers <- f })
	tb.Cleanup(run.Close)
	v, s := newView(tb, run)
	s.places["a:Large"] = large()
	canvasOf(v.object).Content().Resize(fyne.NewSize(1100, 600))
	return v, l
}

// open goes to the large folder, and waits for the rows.
func (l *timed) open(v *View) {
	l.tb.Helper()
	l.do("open", func() { v.visit(place{peer: "a", name: "Ana", folder: "Large"}) })
	for v.loading {
		l.answer("open, shown") // that, or the words for a wait that has become long
	}
}

// The steps are taken again, up to three times, if one of them was slow: this
// process may have had to wait for the machine.
func TestLargeFolderDoesNotBlock(t *testing.T) {
	v, l := newLarge(t)
	best := make(map[string]time.Duration)
	for range 3 {
		clear(l.worst)
		l.walk(v)
		slow := false
		for name, took := range l.worst {
			if before, known := best[name]; !known || took < before {
				best[name] = took
			}
			slow = slow || best[name] > mostUI
		}
		if !slow {
			break
		}
	}
	for _, name := range slices.Sorted(maps.Keys(best)) {
		t.Logf("%-24s %v", name, best[name].Round(100*time.Microsecond))
		if best[name] > mostUI {
			t.Errorf("%s: the UI thread was busy for %v", name, best[name])
		}
	}
}

// walk does everything with the large folder that a user may.
func (l *timed) walk(v *View) {
	t := l.tb
	t.Helper()
	l.open(v)
	l.do("select one", func() { v.list.Select(v.ids[50_000]) })
	for _, key := range []string{"size", "from"} {
		l.do("sort", func() { v.sortBy(key, true) })
		l.answer("sort, shown")
	}
	if len(v.rows) != 100_000 || v.row(v.list.Selected()[0]) == nil {
		t.Fatalf("%d rows", len(v.rows))
	}
	l.do("filter", func() {
		v.wish.filter = filter{kind: format.Music, hereNow: true}
		v.filtered()
	})
	l.answer("filter, shown")
	if len(v.rows) != 10_000 {
		t.Fatalf("%d rows are music", len(v.rows))
	}
	l.do("clear filters", v.ClearFilters)
	l.answer("clear filters, shown")
	l.do("select all", v.list.SelectAll)
	if len(v.list.Selected()) != 100_000 {
		t.Fatalf("%d rows are selected", len(v.list.Selected()))
	}
	l.do("to the last row", func() { v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEnd}) })
	l.do("to everyone", v.Everyone)
	for v.loading {
		l.answer("to everyone")
	}
}

// BenchmarkOpen100000 opens a folder of 100,000 files, from the click to the
// first screen; what of it is done on the UI thread is told too.
func BenchmarkOpen100000(b *testing.B) {
	v, l := newLarge(b)
	for b.Loop() {
		l.open(v)
	}
	b.ReportMetric(float64(max(l.worst["open"], l.worst["open, shown"]).Microseconds())/1000, "worst-ui-ms")
}

// BenchmarkSort100000 sorts it by size, there and back.
func BenchmarkSort100000(b *testing.B) {
	v, l := newLarge(b)
	l.open(v)
	descending := false
	for b.Loop() {
		descending = !descending
		l.do("sort", func() { v.sortBy("size", descending) })
		l.answer("sort")
	}
	b.ReportMetric(float64(l.worst["sort"].Microseconds())/1000, "worst-ui-ms")
}

// BenchmarkFilter100000 filters it by kind, there and back.
func BenchmarkFilter100000(b *testing.B) {
	v, l := newLarge(b)
	l.open(v)
	kind := ""
	for b.Loop() {
		if kind == "" {
			kind = format.Music
		} else {
			kind = ""
		}
		l.do("filter", func() {
			v.wish.filter.kind = kind
			v.filtered()
		})
		l.answer("filter")
	}
	b.ReportMetric(float64(l.worst["filter"].Microseconds())/1000, "worst-ui-ms")
}
