package format

import (
	"math"
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{
		-1: "0 B", 0: "0 B", 1: "1 B", 999: "999 B", 1000: "1.0 kB", 1234: "1.2 kB", 9949: "9.9 kB", 9950: "10 kB",
		999_499: "999 kB", 999_500: "1.0 MB", 4_200_000: "4.2 MB", 13_000_000: "13 MB", 3_100_000_000: "3.1 GB",
		1 << 44: "18 TB", math.MaxInt64: "9.2 EB",
	} {
		if got := Size(bytes); got != want {
			t.Errorf("Size(%d) = %q, want %q", bytes, got, want)
		}
	}
}

func TestSizeOf(t *testing.T) {
	for _, c := range []struct {
		done, size int64
		want       string
	}{
		{1_900_000_000, 3_100_000_000, "1.9 of 3.1 GB"},
		{400_000_000, 3_100_000_000, "400 MB of 3.1 GB"},
		{0, 0, "0 of 0 B"},
		{5, 3, "3 of 3 B"},
	} {
		if got := SizeOf(c.done, c.size); got != c.want {
			t.Errorf("SizeOf(%d, %d) = %q, want %q", c.done, c.size, got, c.want)
		}
	}
}

func TestRate(t *testing.T) {
	for rate, want := range map[float64]string{
		0: "", 0.4: "", 1: "1 B/s", 48_000_000: "48 MB/s", math.Inf(1): "", -5: "",
	} {
		if got := Rate(rate); got != want {
			t.Errorf("Rate(%v) = %q, want %q", rate, got, want)
		}
	}
	if got := Rate(math.NaN()); got != "" {
		t.Errorf("Rate(NaN) = %q", got)
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		done, size int64
		want       string
	}{
		{0, 100, "0 %"}, {62, 100, "62 %"}, {999, 1000, "99 %"}, {1000, 1000, "100 %"}, {0, 0, "100 %"}, {-5, 10, "0 %"},
	} {
		if got := Percent(c.done, c.size); got != c.want {
			t.Errorf("Percent(%d, %d) = %q, want %q", c.done, c.size, got, c.want)
		}
	}
}

func TestLeft(t *testing.T) {
	for _, c := range []struct {
		rest int64
		rate float64
		want string
	}{
		{0, 10, ""},
		{100, 0, ""},
		{100, math.NaN(), ""},
		{250, 10, "25 s left"},
		{1, 10, "1 s left"},
		{599, 10, "1 min left"},
		{1800, 10, "3 min left"},
		{72_000, 10, "2 h left"},
		{10 * 24 * 3600 * 3, 10, "3 days left"},
		{math.MaxInt64, 1, ""},
	} {
		if got := Left(c.rest, c.rate); got != c.want {
			t.Errorf("Left(%d, %v) = %q, want %q", c.rest, c.rate, got, c.want)
		}
	}
}

func TestDay(t *testing.T) {
	now := time.Date(2026, 3, 1, 15, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{time.Time{}, ""},
		{now.Add(-time.Hour), "14:00"},
		{now.Add(-15 * time.Hour), "00:00"},
		{now.Add(-16 * time.Hour), "yesterday"},
		{now.Add(-40 * time.Hour), "27 Feb"},
		{time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC), "31 Dec 2025"},
		{now.Add(48 * time.Hour), "3 Mar"},
	} {
		if got := Day(c.at, now); got != c.want {
			t.Errorf("Day(%v) = %q, want %q", c.at, got, c.want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 2140: "2,140", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  string
	}{
		{nil, ""},
		{[]string{"Ana"}, "Ana"},
		{[]string{"Ana", "Ben"}, "Ana and Ben"},
		{[]string{"Ana", "Ben", "Cleo"}, "Ana, Ben and Cleo"},
		{[]string{"Ana", "Ben", "Cleo", "Dan"}, "Ana, Ben and 2 more"},
	} {
		if got := Names(c.names); got != c.want {
			t.Errorf("Names(%v) = %q, want %q", c.names, got, c.want)
		}
	}
}

func TestUpper(t *testing.T) {
	for in, want := range map[string]string{"": "", "ana": "Ana", "élan": "Élan", "Ben": "Ben"} {
		if got := Upper(in); got != want {
			t.Errorf("Upper(%q) = %q, want %q", in, got, want)
		}
	}
}
