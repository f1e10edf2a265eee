// Package format turns sizes, rates, times and counts into the words that the
// window shows. All functions are pure.
package format

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// Size writes a number of bytes in decimal units: "0 B", "512 B", "4.2 MB".
func Size(bytes int64) string { return domain.SizeText(bytes) }

// SizeOf writes how much of a whole is done, with the unit once where it is
// the same: "1.9 of 3.1 GB".
func SizeOf(done, size int64) string {
	d, s := Size(min(done, size)), Size(size)
	dv, du, _ := strings.Cut(d, " ")
	if _, su, _ := strings.Cut(s, " "); du == su {
		return dv + " of " + s
	}
	return d + " of " + s
}

// Rate writes bytes per second, and nothing for a rate that rounds to zero.
func Rate(bytesPerSecond float64) string {
	if !(bytesPerSecond >= 1) || math.IsInf(bytesPerSecond, 0) {
		return ""
	}
	return Size(int64(bytesPerSecond)) + "/s"
}

// Percent writes whole percents, rounded down so that 100 % means done. An
// empty whole is done.
func Percent(done, size int64) string {
	return strconv.Itoa(int(math.Floor(Fraction(done, size)*100))) + " %"
}

// Fraction returns done of size between 0 and 1.
func Fraction(done, size int64) float64 {
	if size <= 0 || done >= size {
		return 1
	}
	if done <= 0 {
		return 0
	}
	return float64(done) / float64(size)
}

// Left writes the time that the rest takes at a rate in bytes per second, and
// nothing if it cannot be told.
func Left(rest int64, rate float64) string {
	if rest <= 0 || !(rate >= 1) || math.IsInf(rate, 0) {
		return ""
	}
	seconds := math.Ceil(float64(rest) / rate)
	switch {
	case seconds < 60:
		return fmt.Sprintf("%.0f s left", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%.0f min left", math.Round(seconds/60))
	case seconds < 48*3600:
		return fmt.Sprintf("%.0f h left", math.Round(seconds/3600))
	case seconds < 100*24*3600:
		return fmt.Sprintf("%.0f days left", math.Round(seconds/(24*3600)))
	default:
		return ""
	}
}

// Day writes when something was modified, as near as a list needs: "14:02" for
// today, "yesterday", "12 Nov", "12 Nov 2024".
func Day(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(now.Location())
	year, month, day := now.Date()
	today := time.Date(year, month, day, 0, 0, 0, 0, now.Location())
	switch {
	case !t.Before(today) && t.Before(today.AddDate(0, 0, 1)):
		return t.Format("15:04")
	case !t.Before(today.AddDate(0, 0, -1)) && t.Before(today):
		return "yesterday"
	case t.Year() == year:
		return t.Format("2 Jan")
	default:
		return t.Format("2 Jan 2006")
	}
}

// Count writes a number with commas: "2,140".
func Count(n int) string {
	text := strconv.Itoa(n)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(text) - 3; i > start; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Number writes how many there are of something: "1 file", "2,140 files".
func Number(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// Names writes a list of names: "Ana", "Ana and Ben", "Ana, Ben and 2 more".
func Names(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	case 2:
		return names[0] + " and " + names[1]
	case 3:
		return names[0] + ", " + names[1] + " and " + names[2]
	default:
		return fmt.Sprintf("%s, %s and %s more", names[0], names[1], Count(len(names)-2))
	}
}

// Upper returns text with its first letter in upper case, for the beginning
// of a sentence.
func Upper(text string) string {
	for i, r := range text {
		if i == 0 {
			return strings.ToUpper(string(r)) + text[len(string(r)):]
		}
	}
	return text
}
