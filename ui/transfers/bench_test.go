package transfers

import (
	"fmt"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/work"
)

// moving50 returns 50 running downloads after a number of steps.
func moving50(step int) []domain.Transfer {
	list := make([]domain.Transfer, 50)
	for i := range list {
		list[i] = domain.Transfer{
			ID: fmt.Sprint(i), Kind: domain.Download, State: domain.Running, PeerName: "Ana", Path: fmt.Sprintf("Holiday/film %d.mp4", i),
			Size: 1e9, Done: int64(i*1e7 + step*250_000), Rate: float64(2e6 + step%7*1e5), Order: int64(i),
		}
	}
	return list
}

func benchView(b *testing.B) *View {
	b.Helper()
	test.NewTempApp(b).Settings().SetTheme(theme.Theme{})
	v := New(work.Inline(), &recorder{})
	w := test.NewTempWindow(b, v.Object())
	w.Resize(fyne.NewSize(704, 600))
	return v
}

// BenchmarkRefresh shows 50 transfers that have all moved on, which happens up
// to eight times a second.
func BenchmarkRefresh(b *testing.B) {
	v := benchView(b)
	at, step := now, 0
	v.now = func() time.Time { return at }
	for b.Loop() {
		step++
		at = at.Add(125 * time.Millisecond)
		v.Prepare(moving50(step), at)()
	}
}

// BenchmarkRefreshOfNothing shows them again though nothing has changed.
func BenchmarkRefreshOfNothing(b *testing.B) {
	v := benchView(b)
	list := moving50(0)
	v.now = func() time.Time { return now }
	for b.Loop() {
		v.Prepare(list, now)()
	}
}

// BenchmarkPrepare puts a thousand running transfers into words.
func BenchmarkPrepare(b *testing.B) {
	v := benchView(b)
	list := make([]domain.Transfer, 1000)
	for step := 0; b.Loop(); step++ {
		for i := range list {
			list[i] = domain.Transfer{ID: fmt.Sprint(i), Kind: domain.Download, State: domain.Running, Path: "a/b", Size: 1e9, Done: int64(step), Rate: 1e6}
		}
		v.Prepare(list, now)
	}
}

// BenchmarkLongList has one transfer move on among 10,000 that are done.
func BenchmarkLongList(b *testing.B) {
	v := benchView(b)
	list := make([]domain.Transfer, 10_000)
	for i := range list {
		list[i] = domain.Transfer{ID: fmt.Sprint(i), Kind: domain.Download, State: domain.Done, Path: "a/b", Size: 1e9, Done: 1e9, Ended: now}
	}
	list[0].State = domain.Running
	for step := 0; b.Loop(); step++ {
		list[0].Done = int64(step)
		v.Prepare(list, now)()
	}
}

// BenchmarkFiles opens the details of a download of 100,000 files.
func BenchmarkFiles(b *testing.B) {
	v := benchView(b)
	all := make([]domain.FileProgress, 100_000)
	for i := range all {
		all[i].Target, all[i].Size = fmt.Sprintf("Holiday/img/%d.jpg", i), 4_200_000
	}
	v.transfers.(*recorder).files = map[string][]domain.FileProgress{"0": all}
	v.Prepare(moving50(0), now)()
	for b.Loop() {
		v.showDetails("0")
		v.details.sheet.Cancel()
	}
}
