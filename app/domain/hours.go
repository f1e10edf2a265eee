package domain

import (
	"fmt"
	"strings"
	"time"
)

// minutesOfDay is how many minutes a day has on the clock.
const minutesOfDay = 24 * 60

// HoursText is the slow hours from one minute of the day to another, as
// ParseHours reads them: "22:00-06:00", or "none" if they are equal.
func HoursText(from, until int) string {
	if from == until {
		return "none"
	}
	return ClockText(from) + "-" + ClockText(until)
}

// ClockText is a minute of the day as a clock shows it: "06:30".
func ClockText(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// ParseHours reads what HoursText wrote, or "". What is no such text is refused
// with ErrUsage.
func ParseHours(text string) (from, until int, err error) {
	if text = strings.TrimSpace(text); text == "" || text == "none" {
		return 0, 0, nil
	}
	begin, end, _ := strings.Cut(text, "-")
	if from, err = ParseClock(begin); err == nil {
		until, err = ParseClock(end)
	}
	if err != nil || from == until {
		return 0, 0, Fault(ErrUsage, "slow hours \"%s\": write them like 22:00-06:00, or none", text)
	}
	return from, until, nil
}

// ParseClock reads a time of day such as "6:30" as the minute of the day, 0 to
// 1439. What is none is refused with ErrUsage.
func ParseClock(text string) (int, error) {
	at, err := time.Parse("15:04", strings.TrimSpace(text))
	if err != nil {
		return 0, Fault(ErrUsage, "the time \"%s\": write it like 22:00", text)
	}
	return at.Hour()*60 + at.Minute(), nil
}

// IsMinuteOfDay reports whether minute is one, 0 to 1439.
func IsMinuteOfDay(minute int) bool { return minute >= 0 && minute < minutesOfDay }

// Slow reports whether at, which counts in its own time zone, lies in the slow
// hours.
func (s *Settings) Slow(at time.Time) bool {
	minute := at.Hour()*60 + at.Minute()
	if s.SlowFrom <= s.SlowUntil {
		return s.SlowFrom <= minute && minute < s.SlowUntil
	}
	return minute >= s.SlowFrom || minute < s.SlowUntil
}

// LimitsAt returns the limits that hold at a time, in bytes per second; 0 is
// none.
func (s *Settings) LimitsAt(at time.Time) (upload, download int64) {
	if s.Slow(at) {
		return s.SlowUpload, s.SlowDownload
	}
	return s.UploadLimit, s.DownloadLimit
}
