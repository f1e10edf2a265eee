package db_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// put stores files with running content numbers.
func put(t testing.TB, d interface {
	Apply(context.Context, domain.CatalogueBatch) (domain.Version, error)
}, names ...string,
) {
	t.Helper()
	var b domain.CatalogueBatch
	for n, name := range names {
		b.PutFiles = append(b.PutFiles, file(name, n+1))
	}
	_, err := d.Apply(context.Background(), b)
	must(t, err)
}

func TestSharesWithSimilarNamesAreKeptApart(t *testing.T) {
	d := fresh(t)
	all := []string{"a", "a (2)/x", "a-b", "a/one", "a/two/three", "a0", "b/one"}
	put(t, d, all...)
	for share, want := range map[string]string{
		"a": "a a/one a/two/three", "a (2)": "a (2)/x", "a-b": "a-b", "a0": "a0", "b": "b/one", "c": "", "a/two": "a/two/three",
	} {
		for limit := 1; limit < 4; limit++ {
			var got []string
			for after := ""; ; {
				files, err := d.FilesFrom(share, after, limit)
				must(t, err)
				got = append(got, paths(files)...)
				if len(files) < limit {
					break
				}
				after = files[len(files)-1].Path
			}
			same(t, fmt.Sprintf("%q by %d", share, limit), strings.Join(got, " "), want)
		}
	}
	apply(t, d, domain.CatalogueBatch{DropShares: []string{"a"}})
	page, next, err := d.FilePage("", 100, func(string) bool { return true })
	must(t, err)
	var left []string
	for _, e := range page {
		left = append(left, e.Path)
	}
	same(t, "left", left, []string{"a (2)/x", "a-b", "a0", "b/one"})
	same(t, "next", next, "")
}

func TestFilePageShowsOnlyWhatIsKept(t *testing.T) {
	d := fresh(t)
	put(t, d, "a", "a (2)/x", "a/one", "a/two", "b/one", "b/two", "c")
	for _, limit := range []int{1, 2, 3, 100} {
		asked := map[string]int{}
		var got []string
		for after := ""; ; {
			page, next, err := d.FilePage(after, limit, func(share string) bool {
				asked[share]++
				return share == "a (2)" || share == "b"
			})
			must(t, err)
			for _, e := range page {
				got = append(got, e.Path)
			}
			if next == "" {
				break
			}
			after = next
		}
		same(t, fmt.Sprintf("by %d", limit), got, []string{"a (2)/x", "b/one", "b/two"})
	}
}

func TestContentIsFoundAndForgotten(t *testing.T) {
	d := fresh(t)
	one, two, other := file("a/one", 1), file("b/x/two", 1), file("b/other", 2)
	one.Layer = []byte(strings.Repeat("l", 64))
	two.Layer = one.Layer
	apply(t, d, domain.CatalogueBatch{PutFiles: []domain.File{one, two, other}})
	holders, err := d.ContentShares(contentID(1))
	must(t, err)
	same(t, "holders", holders, []string{"a", "b"})
	in, err := d.ContentFiles(contentID(1), 10)
	must(t, err)
	same(t, "both", paths(in), []string{"a/one", "b/x/two"})

	// One of the two goes by being dropped, the other by changing.
	apply(t, d, domain.CatalogueBatch{DropPaths: []string{"a/one"}})
	layer, err := d.Layer(contentID(1))
	must(t, err)
	same(t, "layer while one is left", layer, one.Layer)
	changed := file("b/x/two", 3)
	apply(t, d, domain.CatalogueBatch{PutFiles: []domain.File{changed}})
	layer, err = d.Layer(contentID(1))
	must(t, err)
	same(t, "layer after the last", layer, []byte(nil))
	files, err := d.ByContent(contentID(1))
	must(t, err)
	same(t, "files after the last", len(files), 0)
	f, err := d.File("b/x/two")
	must(t, err)
	same(t, "file", f, changed)
	if _, err := d.File("a/one"); !errors.Is(err, domain.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
}

func TestManyCopiesAreBounded(t *testing.T) {
	d := fresh(t)
	var b domain.CatalogueBatch
	for n := range 1500 {
		f := file(fmt.Sprintf("a/%04d", n), 1)
		b.PutFiles = append(b.PutFiles, f)
	}
	b.PutFiles = append(b.PutFiles, file("b", 1))
	apply(t, d, b)
	files, err := d.ByContent(contentID(1))
	must(t, err)
	same(t, "files", len(files), 1000)
	holders, err := d.ContentShares(contentID(1))
	must(t, err)
	same(t, "holders", holders, []string{"a", "b"})
	apply(t, d, domain.CatalogueBatch{PutFiles: []domain.File{file("a (2)/x", 1), file("a-b", 1)}})
	files, err = d.ContentFiles(contentID(1), 2)
	must(t, err)
	same(t, "two of each share", paths(files), []string{"a/0000", "a/0001", "a (2)/x", "a-b", "b"})
}

func TestFilesMayWriteWhileListing(t *testing.T) {
	d := fresh(t)
	var names []string
	for n := range 2500 {
		names = append(names, fmt.Sprintf("a/%05d", n))
	}
	put(t, d, names...)
	seen := 0
	must(t, d.Files("a", func(f domain.File) error {
		if seen++; seen%500 == 0 {
			apply(t, d, domain.CatalogueBatch{DropPaths: []string{f.Path}})
		}
		return nil
	}))
	same(t, "seen", seen, 2500)
	stop := errors.New("stop")
	if err := d.Files("a", func(domain.File) error { return stop }); !errors.Is(err, stop) {
		t.Fatalf("got %v", err)
	}
}

func changes(from, n int) []domain.Change {
	list := make([]domain.Change, n)
	for i := range list {
		list[i].Path = fmt.Sprintf("p%d", from+i)
	}
	return list
}

func TestChangeLogReachesBackAsFarAsItSays(t *testing.T) {
	d := fresh(t)
	start := d.Version()
	if age := time.Since(time.Unix(0, int64(start.Epoch))); age < 0 || age > time.Minute {
		t.Fatalf("the epoch began %v ago", age)
	}
	v := apply(t, d, domain.CatalogueBatch{})
	same(t, "version after nothing", v, start)
	v = apply(t, d, domain.CatalogueBatch{Public: changes(1, 10)})
	same(t, "sequence", v, domain.Version{Epoch: start.Epoch, Sequence: 10})

	at := func(sequence uint64) domain.Version { return domain.Version{Epoch: start.Epoch, Sequence: sequence} }
	got, reached, ok, err := d.Changes(at(3), 4)
	must(t, err)
	same(t, "part", []any{got, reached, ok}, []any{changes(4, 4), at(7), true})
	got, reached, ok, err = d.Changes(at(10), 4)
	must(t, err)
	same(t, "nothing new", []any{len(got), reached, ok}, []any{0, at(10), true})
	for _, since := range []domain.Version{{}, at(11), {Epoch: start.Epoch - 1, Sequence: 5}, {Epoch: math.MaxUint64}} {
		if _, _, ok, err := d.Changes(since, 4); ok || err != nil {
			t.Fatalf("changes since %+v: %v, %v", since, ok, err)
		}
	}

	v = apply(t, d, domain.CatalogueBatch{Public: changes(11, 25_000)})
	same(t, "sequence", v, at(25_010))
	if _, _, ok, _ := d.Changes(at(5009), 1); ok {
		t.Fatal("the log was not cut")
	}
	got, _, ok, err = d.Changes(at(5010), 30_000)
	must(t, err)
	same(t, "whole log", []any{got, ok}, []any{changes(5011, 20_000), true})

	v = apply(t, d, domain.CatalogueBatch{ForgetLog: true})
	same(t, "sequence", v, at(25_011))
	if _, _, ok, _ := d.Changes(at(25_010), 1); ok {
		t.Fatal("the log was not forgotten")
	}
	if _, _, ok, _ := d.Changes(v, 1); !ok {
		t.Fatal("who is up to date need not pull")
	}
}

func TestRenewEpoch(t *testing.T) {
	ctx := context.Background()
	d := fresh(t)
	v := apply(t, d, domain.CatalogueBatch{Public: changes(1, 3)})
	same2 := func(atLeast domain.Version) {
		t.Helper()
		got, err := d.RenewEpoch(ctx, atLeast)
		must(t, err)
		same(t, "version", got, v)
	}
	same2(v)
	same2(domain.Version{Epoch: v.Epoch, Sequence: 2})
	ahead := domain.Version{Epoch: v.Epoch, Sequence: 9}
	renewed, err := d.RenewEpoch(ctx, ahead)
	must(t, err)
	if !renewed.Newer(ahead) || renewed.Epoch <= v.Epoch || d.Version() != renewed {
		t.Fatalf("renewed to %+v, now %+v", renewed, d.Version())
	}
	if _, _, ok, _ := d.Changes(v, 1); ok {
		t.Fatal("the old log is still there")
	}
	future := domain.Version{Epoch: renewed.Epoch + uint64(time.Hour), Sequence: 1}
	renewed, err = d.RenewEpoch(ctx, future)
	must(t, err)
	if !renewed.Newer(future) {
		t.Fatalf("renewed to %+v", renewed)
	}
	if _, err := d.RenewEpoch(ctx, domain.Version{Epoch: math.MaxUint64}); !errors.Is(err, domain.ErrMalformed) {
		t.Fatalf("got %v", err)
	}
}

func TestApplyIsAllOrNothing(t *testing.T) {
	d := fresh(t)
	put(t, d, "a/one")
	v := d.Version()
	tooLong := file(strings.Repeat("x", domain.MaxPath+1), 2)
	_, err := d.Apply(context.Background(), domain.CatalogueBatch{
		DropPaths: []string{"a/one"}, PutFiles: []domain.File{file("a/two", 2), tooLong}, Public: changes(1, 1),
	})
	if !errors.Is(err, domain.ErrTooLarge) {
		t.Fatalf("got %v", err)
	}
	files, err := d.FilesFrom("a", "", 10)
	must(t, err)
	same(t, "files", paths(files), []string{"a/one"})
	same(t, "version", d.Version(), v)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.Apply(cancelled, domain.CatalogueBatch{Public: changes(1, 1)}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

// BenchmarkFilePage reads a catalogue of 100,000 entries by pages of 1000, of
// which nine in ten are to be seen.
func BenchmarkFilePage(b *testing.B) {
	d := fresh(b)
	for part := range 100 {
		var batch domain.CatalogueBatch
		for n := range 1000 {
			batch.PutFiles = append(batch.PutFiles, file(fmt.Sprintf("share %d/folder %02d/IMG_%05d.jpg", part%10, part, n), part*1000+n))
		}
		apply(b, d, batch)
	}
	b.ResetTimer()
	for b.Loop() {
		total := 0
		for after := ""; ; {
			page, next, err := d.FilePage(after, 1000, func(share string) bool { return share != "share 3" })
			if err != nil {
				b.Fatal(err)
			}
			total += len(page)
			if after = next; next == "" {
				break
			}
		}
		if total != 90_000 {
			b.Fatal(total)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/90, "µs/page")
}
