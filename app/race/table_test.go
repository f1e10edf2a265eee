package race

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// An entrant is a program that takes part.
type entrant struct {
	name string
	// copy makes one copy into an empty folder. An error ends the test: a race
	// in which somebody falls proves nothing.
	copy func(ctx context.Context, t *testing.T, to string) sample
	// unchecked says that nothing is in the folder then.
	unchecked bool
}

// A result is what all copies of an entrant took.
type result struct {
	name    string
	samples []sample
}

// median returns the middle one of some values, and the higher one of two in
// the middle; the zero value of none.
func median[T cmp.Ordered](values []T) (middle T) {
	if len(values) == 0 {
		return middle
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// of returns the median of what a function says of each sample.
func of[T cmp.Ordered](r result, say func(sample) T) T {
	values := make([]T, len(r.samples))
	for i, s := range r.samples {
		values[i] = say(s)
	}
	return median(values)
}

func wall(s sample) time.Duration { return s.wall }
func cpu(s sample) time.Duration  { return s.cpu }

// times returns how often one entrant's time another one's holds.
func times(a, b result) float64 { return of(a, wall).Seconds() / of(b, wall).Seconds() }

// alternate lets the entrants copy one after the other, round after round, each
// into a fresh folder, where check looks at what has come.
func alternate(ctx context.Context, t *testing.T, rounds int, entrants []entrant, check func(to string) error) []result {
	t.Helper()
	results := make([]result, len(entrants))
	for range rounds {
		for i, e := range entrants {
			to := memoryFolder(t)
			s := e.copy(ctx, t, to)
			if err := check(to); err != nil && !e.unchecked {
				t.Fatalf("%s: %v", e.name, err)
			}
			if err := os.RemoveAll(to); err != nil {
				t.Fatal(err)
			}
			results[i].name = e.name
			results[i].samples = append(results[i].samples, s)
		}
	}
	return results
}

// memoryFolder makes a folder that is kept in memory and removed with the test.
func memoryFolder(t *testing.T) string {
	t.Helper()
	name, err := os.MkdirTemp("/dev/shm", "potluck-race-")
	if err != nil {
		t.Fatalf("make a folder in memory: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(name) }) // often gone by then
	return name
}

// A bar is a ratio that is to be reached.
type bar struct {
	what    string
	got     float64
	want    float64
	stretch float64 // 0 if there is none
	atLeast bool    // else at most
	unit    string
}

func (b bar) reached() bool { return b.meets(b.want) }

func (b bar) meets(want float64) bool {
	if b.atLeast {
		return b.got >= want
	}
	return b.got <= want
}

func (b bar) String() string {
	limit, word := "at most", map[bool]string{true: "reached", false: "missed"}
	if b.atLeast {
		limit = "at least"
	}
	text := fmt.Sprintf("%s: %s%s, %s %s%s %s", b.what, number(b.got), b.unit,
		limit, number(b.want), b.unit, word[b.reached()])
	if b.stretch != 0 {
		text += fmt.Sprintf(", stretch %s%s %s", number(b.stretch), b.unit, word[b.meets(b.stretch)])
	}
	return text
}

// number has three digits that count.
func number(f float64) string {
	switch {
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

// align writes rows of cells one below the other: the first column begins, the
// others end in line.
func align(w io.Writer, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				line.WriteString("  " + cell + space)
			} else {
				line.WriteString("  " + space + cell)
			}
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// report prints a row of the table: what each took, and how often that of
// another the first entrant took. Bars that are missed fail the test if strict.
func report(t *testing.T, title string, bytes int64, results []result, bars ...bar) {
	t.Helper()
	rows := [][]string{{"", "seconds", "from", "to", "MB/s", "CPU s", "provider MB", "receiver MB", results[0].name + " takes"}}
	for i, r := range results {
		walls := make([]time.Duration, len(r.samples))
		for j, s := range r.samples {
			walls[j] = s.wall
		}
		row := []string{
			r.name, number(median(walls).Seconds()), number(slices.Min(walls).Seconds()), number(slices.Max(walls).Seconds()),
			number(float64(bytes) / 1e6 / median(walls).Seconds()),
			number(of(r, cpu).Seconds()),
			number(float64(of(r, func(s sample) int64 { return s.memory[provider] })) / 1e6),
			number(float64(of(r, func(s sample) int64 { return s.memory[receiver] })) / 1e6),
			"",
		}
		if i > 0 {
			row[8] = number(times(results[0], r)) + " ×"
		}
		rows = append(rows, row)
	}
	fmt.Printf("\n%s; medians of %d\n", title, len(results[0].samples))
	if err := align(os.Stdout, rows); err != nil {
		t.Error(err)
	}
	judge(t, bars...)
}

// judge prints bars; those that are missed fail the test if strict.
func judge(t *testing.T, bars ...bar) {
	t.Helper()
	for _, b := range bars {
		fmt.Println("  " + b.String())
		if *strict && !b.reached() {
			t.Errorf("missed: %s", b)
		}
	}
}

// same tells how a file or folder differs from another one; nil if it does not.
func same(source, target string) error {
	x, y := make([]byte, 1<<20), make([]byte, 1<<20)
	return filepath.WalkDir(source, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(source, name)
		if err != nil {
			return err
		}
		return sameFile(name, filepath.Join(target, rel), x, y)
	})
}

func sameFile(source, target string, x, y []byte) error {
	a, err := os.Open(source)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }() // was only read
	b, err := os.Open(target)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }() // was only read
	return sameBytes(a, b, x, y)
}

// ended says that a file has no more bytes.
func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// sameBytes compares with the help of two buffers of one size.
func sameBytes(a, b io.Reader, x, y []byte) error {
	for at := 0; ; at += len(x) {
		n, errA := io.ReadFull(a, x)
		m, errB := io.ReadFull(b, y)
		if n != m || !slices.Equal(x[:n], y[:m]) {
			return fmt.Errorf("the copy differs within %d bytes from byte %d", len(x), at)
		}
		if errA != nil || errB != nil {
			if ended(errA) && ended(errB) {
				return nil
			}
			return fmt.Errorf("read: %w, %w", errA, errB)
		}
	}
}
