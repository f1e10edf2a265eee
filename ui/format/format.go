// Package format turns sizes, rates, times and counts into the words that the
// window shows, in the user's language. All functions may be called from any
// goroutine.
package format

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/potluck-share/potluck/ui/words"
)

// Size writes a number of bytes in decimal units: "0 B", "512 B", "4.2 MB".
func Size(bytes int64) string { return words.Size(bytes) }

// SizeOf writes how much of a whole is done, with the unit once where it is
// the same: "1.9 of 3.1 GB".
func SizeOf(done, size int64) string {
	d, s := Size(min(done, size)), Size(size)
	dv, du, _ := strings.Cut(d, " ")
	if _, su, _ := strings.Cut(s, " "); du == su {
		return words.T("%s of %s", dv, s)
	}
	return words.T("%s of %s", d, s)
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
		return words.T("%s s left", number(seconds))
	case seconds < 3600:
		return words.T("%s min left", number(seconds/60))
	case seconds < 48*3600:
		return words.T("%s h left", number(seconds/3600))
	case seconds < 100*24*3600:
		return words.T("%s days left", number(seconds/(24*3600)))
	default:
		return ""
	}
}

func number(f float64) string { return strconv.FormatFloat(math.Round(f), 'f', 0, 64) }

// Day writes when something was modified, as near as a list needs: "14:02" for
// today, "yesterday", "12 Nov", "12 Nov 2024".
func Day(t, now time.Time) string { return words.Time(t, now) }

// Count writes a number in groups of three digits: "2,140".
func Count(n int) string { return words.Count(n) }

// Files writes how many files there are: "1 file", "2,140 files".
func Files(n int) string { return words.N("%s files", n) }

// Names writes a list of names: "Ana", "Ana and Ben", "Ana, Ben and 2 more".
func Names(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	case 2:
		return words.T("%s and %s", names[0], names[1])
	case 3:
		return words.T("%s, %s and %s", names[0], names[1], names[2])
	default:
		return words.T("%s, %s and %s more", names[0], names[1], Count(len(names)-2))
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
