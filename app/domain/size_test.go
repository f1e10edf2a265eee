package domain_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

func TestRatesAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"": 0, "none": 0, " None ": 0, "0": 0,
		"5 MB/s": 5_000_000, "5mb": 5_000_000, "5M": 5_000_000, "1.5 MB/s": 1_500_000, "500 kB/s": 500_000,
		"10k": 10_000, "250000": 250_000, "250000 B/s": 250_000, "2 GB/s": 2_000_000_000, "1t": domain.MostRate,
	} {
		got, err := domain.ParseRate(text)
		if err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"fast", "-5 MB/s", "9 kB/s", "2 TB/s", "5 MB/h", "NaN", "inf", "5 5", "MB/s", "1e400"} {
		if got, err := domain.ParseRate(text); !errors.Is(err, domain.ErrUsage) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}

func TestRatesComeBackAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		want := domain.LeastRate + random.Int64N(domain.MostRate-domain.LeastRate)>>random.IntN(26)
		text := domain.RateText(want)
		if got, err := domain.ParseRate(text); err != nil || got != want {
			t.Fatalf("%d was written as %q and read as %d, %v", want, text, got, err)
		}
	}
	if got := domain.RateText(5_000_000); got != "5 MB/s" {
		t.Error(got)
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"500 MB": 500e6, "1.5gb": 15e8, " 2 k ": 2000, "7": 7, "1 B": 1} {
		if got, err := domain.ParseSize(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "MB", "1 XB", "NaN", "inf", "1e30", "1 MB/s"} {
		if got, err := domain.ParseSize(text); !errors.Is(err, domain.ErrUsage) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}
