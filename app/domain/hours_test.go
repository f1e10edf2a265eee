package domain_test

import (
	"errors"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

func TestHoursAreReadAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string][2]int{
		"22:00-06:00": {22 * 60, 6 * 60}, "00:00-23:59": {0, 23*60 + 59}, "none": {}, "": {}, " 9:05 - 17:30 ": {9*60 + 5, 17*60 + 30},
	} {
		from, until, err := domain.ParseHours(text)
		if err != nil || from != want[0] || until != want[1] {
			t.Errorf("%q: %d, %d, %v", text, from, until, err)
		}
		f, u, err := domain.ParseHours(domain.HoursText(from, until))
		if err != nil || f != from || u != until {
			t.Errorf("%q is written as %q and read as %d, %d, %v", text, domain.HoursText(from, until), f, u, err)
		}
	}
	for _, text := range []string{"22", "22:00", "22:00-", "24:00-06:00", "22:60-06:00", "-", "22:00-22:00", "22:00-06:00-07:00", "at night"} {
		if _, _, err := domain.ParseHours(text); !errors.Is(err, domain.ErrUsage) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestSlowHours(t *testing.T) {
	at := func(clock string) time.Time {
		m, err := domain.ParseClock(clock)
		if err != nil {
			t.Fatal(err)
		}
		return time.Date(2024, 2, 29, m/60, m%60, 59, 0, time.FixedZone("here", 5*3600))
	}
	night := domain.Settings{SlowFrom: 22 * 60, SlowUntil: 6 * 60, UploadLimit: 1, SlowUpload: 2, DownloadLimit: 3}
	day := domain.Settings{SlowFrom: 9 * 60, SlowUntil: 17 * 60}
	for clock, want := range map[string][2]bool{
		"00:00": {true, false}, "05:59": {true, false}, "06:00": {false, false}, "08:59": {false, false}, "09:00": {false, true},
		"16:59": {false, true}, "17:00": {false, false}, "21:59": {false, false}, "22:00": {true, false},
	} {
		if got := [2]bool{night.Slow(at(clock)), day.Slow(at(clock))}; got != want {
			t.Errorf("at %s: %v, want %v", clock, got, want)
		}
		if (&domain.Settings{SlowFrom: 60, SlowUntil: 60}).Slow(at(clock)) {
			t.Errorf("at %s no slow hours are slow", clock)
		}
	}
	if up, down := night.LimitsAt(at("23:00")); up != 2 || down != 0 {
		t.Errorf("at night the limits are %d and %d", up, down)
	}
	if up, down := night.LimitsAt(at("12:00")); up != 1 || down != 3 {
		t.Errorf("by day the limits are %d and %d", up, down)
	}
}
